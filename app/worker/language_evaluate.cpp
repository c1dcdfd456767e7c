// evaluate --run DIR of a language model: its best weights on the texts that training never saw, beside the model it was made from. Writes
// DIR/evaluation/report.html and, last, report.json (docs/formats.md).
#include <algorithm>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <QCoreApplication>
#include <QDateTime>
#include <QFile>

#include "app/worker/evaluate_job.h"
#include "app/worker/language_answers.h"
#include "app/worker/language_sections.h"
#include "app/worker/training_curve.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"
#include "core/engine/train/machine.h"
#include "core/report/report_html.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

struct Options {
  int texts = 2000, answers = 200, attackedTexts = 16, steps = 10, memoryTexts = 200, rounds = 5, samples = 20;
  bool attacks = true, latency = true, memorisation = true;
  QJsonArray epsilons{0.02, 0.05, 0.1, 0.2};
  AnswerOptions answering;
  BootstrapOptions bootstrap;
  QString language = QStringLiteral("en");
};

Options optionsFrom(const QJsonObject& request) {
  Options o;
  o.texts = wholeOption(request, "texts", o.texts, 1, 10'000'000);
  o.answers = wholeOption(request, "answers", o.answers, 0, 1'000'000);
  o.answering.newTokens = wholeOption(request, "newTokens", o.answering.newTokens, 1, 100'000);
  o.answering.batch = wholeOption(request, "batch", o.answering.batch, 1, 1024);
  o.answering.seconds = wholeOption(request, "answerSeconds", o.answering.seconds, 1, 1'000'000);
  o.attackedTexts = wholeOption(request, "attackedTexts", o.attackedTexts, 1, 1'000'000);
  o.steps = wholeOption(request, "steps", o.steps, 1, 1000);
  o.memoryTexts = wholeOption(request, "memoryTexts", o.memoryTexts, 1, 1'000'000);
  o.samples = wholeOption(request, "samples", o.samples, 0, 10'000);
  o.rounds = wholeOption(request, "rounds", o.rounds, 1, 1000);
  o.attacks = request["attacks"].toBool(true);
  o.latency = request["latency"].toBool(true);
  o.memorisation = request["memorisation"].toBool(true);
  if (request.contains("epsilons")) o.epsilons = request["epsilons"].toArray();
  for (const QJsonValue& e : std::as_const(o.epsilons))
    if (!(e.toDouble(-1) >= 0 && e.toDouble() <= 100))
      throw EngineFailure(
          {FailureKind::InvalidArgument, {{"name", "epsilons"}, {"value", e.toVariant().toString()}, {"allowed", "0 … 100"}}, {}});
  o.bootstrap.resamples = wholeOption(request, "resamples", o.bootstrap.resamples, 0, 100'000);
  o.bootstrap.seed = quint64(request["seed"].toInteger(qint64(o.bootstrap.seed)));
  o.answering.resamples = o.bootstrap.resamples;
  o.answering.seed = o.bootstrap.seed;
  o.language = request["language"].toString(o.language);
  return o;
}

std::shared_ptr<DecoderModel> modelOf(DecoderFolder folder) {
  return std::make_shared<DecoderModel>(folder.config, std::move(folder.tensors));
}

class LanguageEvaluation {
 public:
  LanguageEvaluation(const QString& runDir, EventWriter& events) : folder_(runDir + "/evaluation"), runDir_(runDir), progress_(events) {
    timer_.start();
  }

  WorkerExit run() {
    const QString request = folder_ + "/request.json";
    options_ = optionsFrom(QFile::exists(request) ? orThrow(readJson(request)) : QJsonObject());
    clearEvaluation(folder_);
    progress_.event("started", {{"pid", qint64(QCoreApplication::applicationPid())},
                                {"version", programVersion()},
                                {"commit", codeCommit()},
                                {"device", "cpu"},
                                {"threads", at::get_num_threads()}});
    progress_.phase("loading");
    run_.emplace(runDir_);
    open();
    describe();
    report_["curve"] = trainingCurve(runDir_);
    perplexities();
    answers();
    if (options_.memorisation) memorisation();
    if (options_.attacks) attacks();
    if (options_.latency) latency();
    headline();
    return write();
  }

 private:
  TextTick ticking(const char* phase) {
    progress_.phase(QLatin1String(phase));
    return [this](std::int64_t done, std::int64_t total) {
      progress_.at(done, total);
      return true;
    };
  }

  void open() {
    model_ = modelOf(run_->weights(WeightsAs::Float32));
    const DecoderConfig& config = model_->config();
    orThrow(checkVocabulary(run_->tokenizer(), config.vocabulary, run_->tokenizerDir()));
    if (!run_->base().isEmpty()) base_ = modelOf(readDecoderFolder(run_->base(), WeightsAs::Float32));
    // A base of another vocabulary answers, but its probabilities are of other tokens.
    if (base_ && base_->config().vocabulary != config.vocabulary) base_.reset();
    part_ = run_->judgedPart();
    texts_ = run_->texts(part_, config, options_.texts);
    if (texts_.empty())
      throw EngineFailure(
          {FailureKind::NothingToDo, {{"what", "text to judge by"}, {"next", "Freeze a snapshot with a larger test split."}}, {}});
    if (part_ != u"test") progress_.warn("no_test_part", "There is no test split; the figures are from the validation split.");
  }

  void describe() {
    const RunSpec& spec = run_->spec();
    const DecoderConfig& c = model_->config();
    report_ = {
        {"format", 1},
        {"task", Task::of(Task::Kind::LanguageModel).id},
        {"run", spec.run},
        {"snapshot", spec.snapshot},
        {"architecture", decoderModelType(c.architecture)},
        {"parameters", qint64(c.parameterCount())},
        {"vocabulary", qint64(c.vocabulary)},
        {"context", qint64(c.context)},
        {"method", run_->adapted() ? "adapter"
                   : base_         ? "full"
                                   : "scratch"},
        {"part", part_},
        {"split", part_},
        {"kind", run_->kind()},
        {"template", run_->promptTemplate()},
        {"texts", qint64(texts_.size())},
        {"createdAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
        {"commit", codeCommit()},
        {"version", programVersion()},
        {"hardware", hardwareLine()},
        {"threads", at::get_num_threads()},
        {"language", options_.language},
        {"bootstrap", QJsonObject{{"resamples", options_.bootstrap.resamples}, {"by", "text"}, {"seed", qint64(options_.bootstrap.seed)}}}};
  }

  void perplexities() {
    const auto losses = textLosses(*model_, texts_, ticking("perplexity"));
    report_["perplexity"] = perplexitySection(losses, options_.bootstrap);
    if (!base_) return;
    const auto theirs = textLosses(*base_, texts_, ticking("perplexity-base"));
    report_["base"] = baseSection(losses, theirs, options_.bootstrap);
  }

  /// Scores where the data has answers; a plain text shows how the model goes on.
  void answers() {
    const int most = run_->hasAnswers() ? options_.answers : std::min(options_.answers, 5);
    if (most == 0) return;
    AnswerOptions how = options_.answering;
    if (!run_->hasAnswers()) how.newTokens = std::min(how.newTokens, 100);
    const auto asked = run_->questions(part_, model_->config(), most);
    const auto given = answersTo(asked, *run_, *model_, base_.get(), how, ticking("answers"));
    if (given.empty()) return;
    if (run_->hasAnswers()) {
      progress_.phase("scores");
      report_["scores"] = answerScores(given, base_ != nullptr, options_.answering);
    }
    qint64 ended = 0;
    for (const Answered& a : given) ended += a.reason == u"end";
    report_["generation"] = QJsonObject{{"n", qint64(given.size())},
                                        {"asked", qint64(asked.size())},
                                        {"newTokens", how.newTokens},
                                        {"ended", ended},
                                        {"decoding", "greedy"}};
    tellSamples(given);
  }

  QJsonObject sampleOf(const Answered& a) const {
    QJsonObject o{{"prompt", a.prompt}, {"reference", a.reference}, {"output", a.output}, {"ended", a.reason}};
    if (base_) o["baseOutput"] = a.baseOutput;
    return o;
  }

  /// Some spread over the part; of answers also those that are farthest from and nearest to their reference.
  void tellSamples(const std::vector<Answered>& given) {
    QJsonArray samples;
    const std::size_t n = std::min<std::size_t>(given.size(), std::size_t(options_.samples));
    for (std::size_t i = 0; i < n; ++i) samples.append(sampleOf(given[i * given.size() / n]));
    report_["samples"] = samples;
    if (!run_->hasAnswers()) return;
    const std::vector<double> quality = answerQuality(given);
    std::vector<std::size_t> order(given.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return quality[a] < quality[b]; });
    const auto some = [&](auto from) {
      QJsonArray list;
      for (std::size_t i = 0; i < std::min<std::size_t>({5, n, order.size() / 2}); ++i, ++from) {
        QJsonObject o = sampleOf(given[*from]);
        o["score"] = quality[*from];
        list.append(o);
      }
      return list;
    };
    report_["worst"] = some(order.begin());
    report_["best"] = some(order.rbegin());
  }

  // Short texts are asked from an earlier place, or none would be long enough to be repeated. A few words that follow by chance are no
  // memory of a text.
  void memorisation() {
    constexpr std::int64_t kLeastRecall = 8;
    std::vector<Tokens> rows;
    std::vector<std::int64_t> lengths;
    for (TokenText& t : run_->texts("train", model_->config(), options_.memoryTexts)) {
      lengths.push_back(std::int64_t(t.ids.size()));
      rows.push_back(std::move(t.ids));
    }
    if (rows.empty()) return;
    std::nth_element(lengths.begin(), lengths.begin() + std::ptrdiff_t(lengths.size() / 2), lengths.end());
    const auto prompt = std::clamp<std::int64_t>(lengths[lengths.size() / 2] / 2, 4, 32);
    const auto tooShort = qint64(std::erase_if(rows, [&](const Tokens& row) { return std::int64_t(row.size()) < prompt + kLeastRecall; }));
    QJsonObject found = memorisationSection(*model_, rows, prompt, 50, ticking("memorisation"));
    found["tooShort"] = tooShort;
    report_["memorisation"] = found;
  }

  void attacks() {
    std::vector<TokenText> texts;
    for (const AskedText& q : run_->questions(part_, model_->config(), options_.attackedTexts)) {
      TokenText t{q.prompt, std::int64_t(q.prompt.size())};
      // A long continuation says no more than its beginning, and costs a backward pass over all of it.
      t.ids.insert(t.ids.end(), q.answer.begin(), q.answer.begin() + std::ptrdiff_t(std::min<std::size_t>(q.answer.size(), 64)));
      texts.push_back(std::move(t));
    }
    const QJsonArray asked{QJsonObject{{"kind", "fgsm"}, {"norm", "linf"}, {"epsilons", options_.epsilons}},
                           QJsonObject{{"kind", "pgd"}, {"norm", "linf"}, {"steps", options_.steps}, {"epsilons", options_.epsilons}}};
    report_["attacks"] = attackSection(*model_, texts, asked, options_.attackedTexts, ticking("attacks"),
                                       [this](const Tokens& ids) { return run_->decode(ids); });
  }

  void latency() {
    const TextTick tick = ticking("latency");
    std::vector<TimedModel> all;
    const auto half = modelOf(run_->weights(WeightsAs::BFloat16));
    for (const int batch : {1, 8}) {
      all.push_back(timedEngine(model_, "fp32", batch));
      all.push_back(timedEngine(half, "bf16", batch));
    }
    report_["latency"] = latencySection(std::move(all), texts_[0].ids, model_->config().context, options_.rounds, tick);
  }

  void headline() {
    QJsonArray rows;
    const QJsonObject ours = report_.value("perplexity").toObject(), base = report_.value("base").toObject();
    const auto add = [&](const char* name, QJsonObject row, const QJsonObject& theirs) {
      row["name"] = QLatin1String(name);
      row["n"] = qint64(texts_.size());
      if (!theirs.isEmpty()) row["base"] = QJsonObject{{"value", theirs["value"]}, {"low", theirs["low"]}, {"high", theirs["high"]}};
      if (!theirs.isEmpty() && base.contains("p")) row["p"] = base["p"];
      rows.append(row);
    };
    const auto bare = [](const QJsonObject& o) {
      QJsonObject out;
      for (const char* key : {"value", "low", "high"})
        if (o.contains(QLatin1String(key))) out[QLatin1String(key)] = o[QLatin1String(key)];
      return out;
    };
    add("perplexity", bare(ours), base);
    add("loss", ours["loss"].toObject(), base["loss"].toObject());
    for (const QJsonValue& v : report_.value("scores").toArray()) {
      QJsonObject row = v.toObject();
      row.remove("signature");
      row["n"] = report_.value("generation").toObject()["n"];
      rows.append(row);
    }
    report_["headline"] = rows;
  }

  WorkerExit write() {
    report_["seconds"] = double(timer_.elapsed()) / 1000;
    progress_.phase("writing");
    orThrow(writeFileAtomically(folder_ + "/report.html", reportHtml(report_, folder_, options_.language)));
    orThrow(writeJsonAtomically(folder_ + "/report.json", report_));
    QJsonObject values;
    for (const QJsonValue& h : report_.value("headline").toArray()) values[part_ + '/' + h["name"].toString()] = h["value"];
    progress_.event("evaluation", {{"step", 0}, {"values", values}});
    progress_.event("finished", {{"step", 0}, {"seconds", report_["seconds"]}}, true);
    return WorkerExit::Finished;
  }

  const QString folder_, runDir_;
  EvaluateProgress progress_;
  QElapsedTimer timer_;
  Options options_;
  std::optional<LanguageRun> run_;
  std::shared_ptr<DecoderModel> model_, base_;
  QString part_;
  std::vector<TokenText> texts_;
  QJsonObject report_;
};

}  // namespace

WorkerExit evaluateLanguage(const QString& runDir, EventWriter& events) {
  const at::NoGradGuard off;
  return LanguageEvaluation(runDir, events).run();
}

}  // namespace cloister
