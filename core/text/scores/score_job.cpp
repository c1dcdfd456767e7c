#include "core/text/scores/score_job.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/text/scores/segments.h"
#include "core/text/scores/significance.h"

namespace cloister::scores {
namespace {

using Progress = std::function<void(qint64, qint64)>;
constexpr std::size_t kBlock = 512;

struct Request {
  std::unique_ptr<Metric> metric;
  QString name, hypotheses, baseline, sentences, field;
  QStringList references;
  TextFormat format = TextFormat::Lines;
  SignificanceOptions significance;
  bool interval = false;
};

Failure refused(const char* name, const QJsonValue& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", QLatin1String(name)}, {"value", value.toVariant().toString()}, {"allowed", allowed}}, {}};
}

Result<Request> parse(const QJsonObject& o) {
  Request request;
  request.name = o["metric"].toString();
  auto metric = makeMetric(request.name, o["options"].toObject());
  if (!metric) return metric.error();
  request.metric = std::move(*metric);
  request.hypotheses = o["hypotheses"].toString();
  for (const QJsonValue& file : o["references"].toArray()) request.references << file.toString();
  request.baseline = o["baseline"].toString();
  request.sentences = o["sentences"].toString();
  request.field = o["field"].toString(QStringLiteral("text"));
  const auto format = QStringList{"lines", "escaped", "jsonl"}.indexOf(o["textFormat"].toString(QStringLiteral("lines")));
  if (format < 0) return refused("textFormat", o["textFormat"], QStringLiteral("lines, escaped, jsonl"));
  request.format = TextFormat(format);
  const qint64 resamples = o["bootstrap"].toInteger(0), trials = o["trials"].toInteger(10'000), seed = o["seed"].toInteger(12'345);
  if (resamples < 0 || resamples > 1'000'000) return refused("bootstrap", o["bootstrap"], QStringLiteral("0 … 1000000"));
  if (trials < 1 || trials > 1'000'000) return refused("trials", o["trials"], QStringLiteral("1 … 1000000"));
  if (seed < 0) return refused("seed", o["seed"], QStringLiteral("≥ 0"));
  request.interval = resamples > 0;
  request.significance.resamples = resamples > 0 ? int(resamples) : 1000;
  request.significance.trials = int(trials);
  request.significance.seed = std::uint64_t(seed);
  request.significance.threads = o["threads"].toInt(0);
  return request;
}

Failure differentCounts(const Segments& file, const Segments& hypotheses) {
  return {FailureKind::LineCountMismatch,
          {{"path", file.path()}, {"found", qint64(file.size())}, {"other", hypotheses.path()}, {"expected", qint64(hypotheses.size())}},
          {}};
}

/// Scores every segment on all cores. Rows of each block are summed in order, so that the result does not depend on the number of threads.
class Corpus {
 public:
  Corpus(const Metric& metric, const Segments& hypotheses, const std::deque<Segments>& references, int threads)
      : metric_(metric), hypotheses_(hypotheses), references_(references), width_(std::size_t(metric.width())) {
    const int machine = int(std::max(1U, std::thread::hardware_concurrency()));
    blocks_ = (hypotheses.size() + kBlock - 1) / kBlock;
    threads_ = std::clamp(threads > 0 ? threads : machine, 1, int(std::min<std::size_t>(std::max<std::size_t>(blocks_, 1), 256)));
  }

  /// keep: all rows, for tests and scores of segments.
  Result<void> run(bool keep, const Progress& progress) {
    rows_.width = width_;
    if (keep) rows_.values.resize(hypotheses_.size() * width_);
    blockSums_.assign(blocks_ * width_, 0.0);
    running_ = threads_;
    std::vector<std::thread> workers;
    workers.reserve(std::size_t(threads_));
    for (int t = 0; t < threads_; ++t) workers.emplace_back([this, keep] { work(keep); });
    {
      std::unique_lock lock(mutex_);
      while (!ended_.wait_for(lock, std::chrono::milliseconds(500), [this] { return running_ == 0; }))
        if (progress) progress(qint64(std::min(done_.load() * kBlock, hypotheses_.size())), qint64(hypotheses_.size()));
    }
    for (std::thread& t : workers) t.join();
    if (tooLong_)
      return Failure{FailureKind::TooLarge,
                     {{"path", QStringLiteral("%1, line %2").arg(hypotheses_.path()).arg(tooLongAt_ + 1)},
                      {"limit", QStringLiteral("%L1 pairs of words").arg(tooLong_->limit)}},
                     QStringLiteral("%1 pairs").arg(tooLong_->tokens)};
    if (outOfMemory_) return Failure{FailureKind::TooLarge, {{"path", hypotheses_.path()}, {"limit", QStringLiteral("memory")}}, {}};
    return {};
  }

  std::vector<double> sums() const {
    std::vector<double> all(width_, 0.0);
    for (std::size_t b = 0; b < blocks_; ++b)
      for (std::size_t k = 0; k < width_; ++k) all[k] += blockSums_[b * width_ + k];
    return all;
  }
  const Rows& rows() const { return rows_; }

 private:
  void work(bool keep) {
    try {
      const auto scorer = metric_.scorer();
      std::vector<double> row(width_);
      std::vector<std::string_view> texts;
      for (std::size_t b = next_++; b < blocks_ && !failed_; b = next_++) {
        for (std::size_t i = b * kBlock; i < std::min((b + 1) * kBlock, hypotheses_.size()); ++i) one(*scorer, i, b, row, texts, keep);
        ++done_;
      }
    } catch (const std::bad_alloc&) {
      outOfMemory_ = failed_ = true;
    }
    const std::scoped_lock lock(mutex_);
    --running_;
    ended_.notify_one();
  }

  void one(SegmentScorer& scorer, std::size_t i, std::size_t block, std::vector<double>& row, std::vector<std::string_view>& texts,
           bool keep) {
    texts.clear();
    for (const Segments& file : references_) file.texts(i, texts);
    try {
      scorer.score(hypotheses_.text(i), texts, row);
    } catch (const TextTooLong& e) {
      const std::scoped_lock lock(mutex_);
      if (!tooLong_ || i < tooLongAt_) tooLong_ = e, tooLongAt_ = i;
      failed_ = true;
      return;
    }
    for (std::size_t k = 0; k < width_; ++k) blockSums_[block * width_ + k] += row[k];
    if (keep) std::copy(row.begin(), row.end(), rows_.values.begin() + std::ptrdiff_t(i * width_));
  }

  const Metric& metric_;
  const Segments& hypotheses_;
  const std::deque<Segments>& references_;
  std::size_t width_, blocks_ = 0;
  int threads_ = 1;
  Rows rows_;
  std::vector<double> blockSums_;
  std::atomic<std::size_t> next_{0}, done_{0};
  std::atomic<bool> failed_{false}, outOfMemory_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  int running_ = 0;
  std::optional<TextTooLong> tooLong_;
  std::size_t tooLongAt_ = 0;
};

QJsonObject toJson(const ScoreInterval& interval, const SignificanceOptions& options) {
  return {{"low", interval.low},
          {"high", interval.high},
          {"mean", interval.mean},
          {"halfWidth", (interval.high - interval.low) / 2},
          {"level", 0.95},
          {"resamples", options.resamples},
          {"seed", qint64(options.seed)}};
}

QJsonObject toJson(const PairedScore& paired, const SignificanceOptions& options) {
  return {{"baseline", paired.baseline},
          {"baselineInterval", toJson(paired.baselineInterval, options)},
          {"difference", paired.system - paired.baseline},
          {"bootstrap", QJsonObject{{"p", paired.bootstrapP}, {"resamples", options.resamples}}},
          {"randomisation", QJsonObject{{"p", paired.randomisationP}, {"trials", options.trials}}}};
}

/// JSON lines: one number a segment, or an object of the names' numbers.
Result<void> writeSegmentScores(const Metric& metric, const Rows& rows, const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  const QStringList names = metric.names();
  QByteArray out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span row(rows.row(i), rows.width);
    const std::vector<double> scores = metric.segmentScores(row);
    if (names.size() == 1) out += QByteArray::number(scores[0], 'g', 17);
    else out += QJsonDocument(metric.parts(row)).toJson(QJsonDocument::Compact);
    out += '\n';
    if (out.size() < (1 << 20) && i + 1 < rows.size()) continue;
    if (file.write(out) != out.size()) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
    out.clear();
  }
  if (!file.flush()) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  return {};
}

/// How many references each segment has; 0 when that varies.
int referenceCount(const std::deque<Segments>& references, std::size_t segments) {
  if (std::none_of(references.begin(), references.end(), [](const Segments& s) { return s.hasLists(); })) return int(references.size());
  std::vector<std::string_view> texts;
  std::size_t count = 0;
  for (std::size_t i = 0; i < segments; ++i) {
    texts.clear();
    for (const Segments& file : references) file.texts(i, texts);
    if (i > 0 && texts.size() != count) return 0;
    count = texts.size();
  }
  return int(count);
}

QString signatureExtra(const Request& request, const char* test, int rounds) {
  return QStringLiteral("|%1:%2|seed:%3").arg(QLatin1String(test)).arg(rounds).arg(request.significance.seed);
}

/// One object for a metric of one name; ROUGE's four have objects of their own, and its headline is rougeL.
void addPerName(QJsonObject& answer, const QStringList& names, const QString& key, const std::function<QJsonValue(std::size_t)>& value) {
  if (names.size() == 1) {
    answer[key] = value(0);
    return;
  }
  QJsonObject all;
  for (qsizetype n = 0; n < names.size(); ++n) all[names[n]] = value(std::size_t(n));
  answer[key] = all;
}

struct Files {
  Segments hypotheses, baseline;
  std::deque<Segments> references;
};

Result<void> open(const Request& request, Files& files) {
  if (auto opened = files.hypotheses.open(request.hypotheses, request.format, request.field); !opened) return opened;
  if (files.hypotheses.hasLists())
    return Failure{FailureKind::InvalidTextLine, {{"path", request.hypotheses}, {"line", 1}, {"why", request.field}}, "several texts"};
  for (const QString& path : request.references) {
    Segments& file = files.references.emplace_back();
    if (auto opened = file.open(path, request.format, request.field); !opened) return opened;
    if (file.size() != files.hypotheses.size()) return differentCounts(file, files.hypotheses);
  }
  if (request.baseline.isEmpty()) return {};
  if (auto opened = files.baseline.open(request.baseline, request.format, request.field); !opened) return opened;
  if (files.baseline.size() != files.hypotheses.size()) return differentCounts(files.baseline, files.hypotheses);
  return {};
}

/// Called from worker threads: remembers where they are and lets the job's own thread say it.
class Ticker {
 public:
  explicit Ticker(Progress progress) : progress_(std::move(progress)), owner_(std::this_thread::get_id()) {}
  void tick(int done, int total) {
    if (std::this_thread::get_id() != owner_ || !progress_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(500)) return;
    last_ = now;
    progress_(done, total);
  }

 private:
  Progress progress_;
  std::thread::id owner_;
  std::chrono::steady_clock::time_point last_;
};

Result<void> addTests(const Request& request, const Files& files, const Corpus& corpus, int references, const Progress& progress,
                      QJsonObject& answer) {
  const Metric& metric = *request.metric;
  Ticker ticker(progress);
  SignificanceOptions options = request.significance;
  options.progress = [&ticker](int done, int total) { ticker.tick(done, total); };
  if (files.baseline.size() == 0) {
    if (!request.interval) return {};
    const std::vector<ScoreInterval> intervals = bootstrap(metric, corpus.rows(), options);
    addPerName(answer, metric.names(), QStringLiteral("interval"), [&](std::size_t n) { return toJson(intervals[n], options); });
    answer["signature"] = metric.signature(references, signatureExtra(request, "bs", options.resamples));
    return {};
  }
  Corpus baseline(metric, files.baseline, files.references, options.threads);
  if (auto scored = baseline.run(true, progress); !scored) return scored;
  const std::vector<PairedScore> paired = pairedTests(metric, corpus.rows(), baseline.rows(), options);
  addPerName(answer, metric.names(), QStringLiteral("interval"), [&](std::size_t n) { return toJson(paired[n].systemInterval, options); });
  addPerName(answer, metric.names(), QStringLiteral("paired"), [&](std::size_t n) { return toJson(paired[n], options); });
  answer["signature"] = metric.signature(references, signatureExtra(request, "bs", options.resamples));
  answer["randomisationSignature"] = metric.signature(references, signatureExtra(request, "ar", options.trials));
  return {};
}

/// Hypotheses that end in a full stop by itself: text cut into words already, which lowers BLEU. sacreBLEU warns from a hundred on.
qint64 linesThatLookTokenized(const Segments& hypotheses) {
  qint64 count = 0;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) count += hypotheses.text(i).ends_with(" .");
  return count;
}
constexpr qint64 kTokenizedToSay = 100;

using TakeRows = std::function<Result<void>(const Rows&)>;

/// takeRows: the rows of all segments, when somebody wants them.
Result<QJsonObject> scored(const Request& request, const Files& files, const TakeRows& takeRows, const Progress& progress) {
  const Metric& metric = *request.metric;
  Corpus corpus(metric, files.hypotheses, files.references, request.significance.threads);
  const bool keep = request.interval || files.baseline.size() > 0 || takeRows;
  if (auto done = corpus.run(keep, progress); !done) return done.error();
  const std::vector<double> sums = corpus.sums(), scores = metric.scores(sums);
  const int references = referenceCount(files.references, files.hypotheses.size());
  QJsonObject answer{{"metric", request.name},
                     {"segments", qint64(files.hypotheses.size())},
                     {"references", references},
                     {"signature", metric.signature(references)},
                     {"parts", metric.parts(sums)}};
  addPerName(answer, metric.names(), QStringLiteral("score"), [&](std::size_t n) { return scores[n]; });
  if (metric.names().size() == 1) answer["name"] = metric.names().first();
  if (const qint64 tokenized = request.name == u"bleu" ? linesThatLookTokenized(files.hypotheses) : 0; tokenized >= kTokenizedToSay)
    answer["tokenizedLines"] = tokenized;
  if (takeRows)
    if (auto taken = takeRows(corpus.rows()); !taken) return taken.error();
  if (auto tested = addTests(request, files, corpus, references, progress, answer); !tested) return tested.error();
  return answer;
}

Result<void> hold(TextSet texts, Files& files) {
  if (texts.references.empty()) return refused("references", {}, QStringLiteral("≥ 1"));
  if (auto held = files.hypotheses.hold(QStringLiteral("hypotheses"), std::move(texts.hypotheses)); !held) return held;
  for (std::vector<std::string>& reference : texts.references) {
    Segments& held = files.references.emplace_back();
    if (auto done = held.hold(QStringLiteral("references"), std::move(reference)); !done) return done;
    if (held.size() != files.hypotheses.size()) return differentCounts(held, files.hypotheses);
  }
  if (texts.baseline.empty()) return {};
  if (auto held = files.baseline.hold(QStringLiteral("baseline"), std::move(texts.baseline)); !held) return held;
  if (files.baseline.size() != files.hypotheses.size()) return differentCounts(files.baseline, files.hypotheses);
  return {};
}

}  // namespace

Result<QJsonObject> runScoreJob(const QJsonObject& o, const Progress& progress) {
  auto request = parse(o);
  if (!request) return request.error();
  if (request->references.isEmpty()) return refused("references", {}, QStringLiteral("files"));
  Files files;
  if (auto opened = open(*request, files); !opened) return opened.error();
  TakeRows write;
  if (!request->sentences.isEmpty())
    write = [&](const Rows& rows) { return writeSegmentScores(*request->metric, rows, request->sentences); };
  return scored(*request, files, write, progress);
}

Result<QJsonObject> scoreTexts(const QJsonObject& o, TextSet texts, std::vector<std::vector<double>>* sentences, const Progress& progress) {
  auto request = parse(o);
  if (!request) return request.error();
  Files files;
  if (auto held = hold(std::move(texts), files); !held) return held.error();
  TakeRows take;
  if (sentences)
    take = [&](const Rows& rows) -> Result<void> {
      for (std::size_t i = 0; i < rows.size(); ++i)
        sentences->push_back(request->metric->segmentScores(std::span(rows.row(i), rows.width)));
      return {};
    };
  return scored(*request, files, take, progress);
}

}  // namespace cloister::scores
