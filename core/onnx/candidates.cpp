#include "core/onnx/candidates.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include <QCoreApplication>
#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/onnx/accuracy_search.h"
#include "core/onnx/quantize.h"

namespace cloister::onnx {
namespace {

constexpr double kLatencySeconds = 6;  // a batch size, all candidates together
constexpr int kWarmup = 5;
constexpr int kJudged = 64;           // samples on which ways of calibration are compared
constexpr qint64 kTimingSteps = 400;  // what timing one batch size counts in the progress

struct Kind {
  const char *asked, *name;
  double tolerance;  // of the range of the trained model's logits, at least of 1
  bool anyImage;     // agrees on images that are like no training image as well
};
// fp32 differs by the order of sums; fp16 has 11 bits; int8 rounds every activation, and a decision is what counts there: the tolerance
// only catches a model that is wrong. int8 cuts activations off where calibration saw none, so it is judged on real images of the test
// split alone: on the stored vectors, which must show nobody, the trained model itself leaves the range it was calibrated in.
constexpr Kind kKinds[] = {{"none", "fp32", 1e-4, true},
                           {"fp16", "fp16", 2e-2, true},
                           {"dynamic-int8", "int8-dynamic", 0.25, false},
                           {"static-int8", "int8-static", 0.25, false}};

QJsonValue finite(double v) { return std::isfinite(v) ? QJsonValue(v) : QJsonValue(); }

double rangeOf(const std::vector<float>& v) {
  const auto [least, most] = std::minmax_element(v.begin(), v.end());
  return v.empty() ? 0 : double(*most) - double(*least);
}

double largestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double m = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - double(b[i]));
    if (!(d <= m)) m = d;  // NaN stays
  }
  return m;
}

class Exporter {
 public:
  Exporter(const ExportInput& input, const ExportOptions& options, const QString& folder, const ExportReport& report)
      : in_(input), options_(options), folder_(folder), report_(report) {}

  Result<QJsonObject> run() {
    planned_ = plannedSteps();
    phase("building");
    auto built = buildModel(in_.graph, in_.weights, in_.weightsPath, in_.info);
    if (!built) return built.error();
    float_ = std::move(*built);
    for (const Kind& kind : kKinds) {
      if (!asked(kind)) continue;
      if (auto made = make(kind); !made) return made.error();
    }
    if (auto timed = measure(); !timed) return timed.error();
    if (auto written = writeVectors(); !written) return written.error();
    if (!advance(planned_ - done_)) return stopped();
    return description();
  }

 private:
  static Failure stopped() { return {FailureKind::Stopped, {}, {}}; }
  bool asked(const Kind& kind) const { return options_.quantize.contains(QLatin1String(kind.asked)); }
  void phase(const char* name) const {
    if (report_.phase) report_.phase(QLatin1String(name));
  }

  // One step is one image through one model; timing counts as a fixed number of them.
  const Samples& check() const { return in_.validation.isEmpty() ? in_.train : in_.validation; }
  qint64 plannedSteps() const {
    qint64 n = 0;
    for (const Kind& kind : kKinds) {
      if (!asked(kind)) continue;
      n += in_.test.count() + in_.vectors.images.count() + in_.testImages.images.count();
      if (QLatin1String(kind.asked).contains(QLatin1String("int8"))) n += 2 * check().count();
      if (QLatin1String(kind.asked) == u"static-int8")
        n += calibrationPasses() * std::min(options_.calibrationSamples, in_.train.count()) +
             (options_.calibration ? 0 : 4 * judged().count());
    }
    return n + 2 * kTimingSteps;
  }
  int calibrationPasses() const { return options_.calibration == Calibration::MinMax ? 1 : 2; }
  Samples judged() const { return check().spread(kJudged); }
  bool advance(qint64 steps) {
    done_ += steps;
    planned_ = std::max(planned_, done_);  // a search for sensitive layers takes as long as it takes
    return !report_.progress || report_.progress(done_, planned_);
  }
  // Counts up from where it is now.
  Tick tick() {
    return [this, last = 0](int n) mutable {
      const int step = n - last;
      last = n;
      return advance(step);
    };
  }

  Result<Model> quantized(const Kind& kind, Candidate& c) {
    const QLatin1String which(kind.asked);
    if (which == u"none") return float_;
    if (which == u"fp16") return toHalfPrecision(float_);
    Statistics statistics;
    if (which == u"static-int8") {
      phase("calibrating");
      auto measured = calibrated(c);
      if (!measured) return measured.error();
      statistics = std::move(*measured);
    }
    phase("quantizing");
    SearchOptions search;
    search.maximumDrop = options_.maximumAccuracyDrop;
    search.threads = options_.threads;
    search.staticModel = which == u"static-int8";
    // Planned are the float model and the first try; further tries make the way longer, not the progress wrong.
    auto found = quantizeWithinLimit(float_, statistics, check(), search,
                                     [this, budget = 2 * check().count(), step = tick(), last = 0](int n) mutable {
                                       if (n > budget) planned_ += n - std::max(last, budget);
                                       last = n;
                                       return step(n);
                                     });
    if (!found) return found.error();
    for (const std::string& layer : found->floatLayers) c.floatLayers << QString::fromStdString(layer);
    c.searchAccuracy = found->accuracy;
    if (found->floatAccuracy - found->accuracy > options_.maximumAccuracyDrop && report_.warning)
      report_.warning(QStringLiteral("accuracy_drop"), QStringLiteral("%1 loses %2 of accuracy whatever stays in float")
                                                           .arg(c.name)
                                                           .arg(found->floatAccuracy - found->accuracy, 0, 'g', 2));
    return std::move(found->model);
  }

  Result<Statistics> calibrated(Candidate& c) {
    CalibrationOptions o;
    if (options_.calibration) o.methods = {*options_.calibration};
    else o.methods = {Calibration::MinMax, Calibration::Percentile, Calibration::Entropy};
    o.percentile = options_.percentile;
    o.samples = options_.calibrationSamples;
    o.threads = options_.threads;
    int last = 0;
    o.progress = [&](int done, int) { return advance(done - std::exchange(last, done)); };
    auto measured = calibrate(float_, valuesToCalibrate(float_), in_.train, o);
    if (!measured) return measured.error();
    std::size_t best = 0;
    if (measured->size() > 1) {
      const Samples few = judged();
      auto reference = scoresOf(float_, few);
      if (!reference) return reference.error();
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < measured->size(); ++i) {
        auto scores = scoresOf(quantizeStatic(float_, (*measured)[i]), few);
        if (!scores) return scores.error();
        const double error = relativeError(scores->logits, reference->logits);
        if (error < least) {
          least = error;
          best = i;
        }
      }
    }
    c.calibration = calibrationName(o.methods[best]);
    return std::move((*measured)[best]);
  }

  Result<Scores> scoresOf(const Model& m, const Samples& samples) {
    auto session = Session::fromModel(m, {.threads = options_.threads, .optimise = true, .saveOptimised = {}});
    if (!session) return session.error();
    return score(*session, samples, tick());
  }

  Result<void> make(const Kind& kind) {
    Candidate c;
    c.name = QLatin1String(kind.name);
    c.file = c.name + QStringLiteral(".onnx");
    auto model = quantized(kind, c);
    if (!model) return model.error();
    model->metadata["cloister.precision"] = kind.name;
    const QString path = folder_ + '/' + c.file;
    if (auto written = writeModel(*model, path); !written) return written.error();
    c.bytes = QFileInfo(path).size() + QFileInfo(path + ".data").size();
    auto digest = sha256OfFile(path);
    if (!digest) return digest.error();
    c.sha256 = *digest;

    // From here on only the file counts: what is measured is what is handed out.
    phase("checking");
    auto session = Session::open(path, {.threads = options_.threads, .optimise = true, .saveOptimised = {}});
    if (!session) return session.error();
    if (auto checked = compare(kind, c, *session); !checked) return checked.error();
    if (auto scored = accuracy(c, *session); !scored) return scored.error();
    candidates_.push_back(std::move(c));
    sessions_.push_back(std::move(*session));
    return {};
  }

  Result<void> compare(const Kind& kind, Candidate& c, Session& session) {
    auto own = score(session, in_.vectors.images, tick());
    if (!own) return own.error();
    c.maxAbsVectors = largestDifference(own->logits, in_.vectors.logits);
    vectorLogits_[kind.name] = own->logits;
    auto real = score(session, in_.testImages.images, tick());
    if (!real) return real.error();
    c.maxAbs = largestDifference(real->logits, in_.testImages.logits);
    if (kind.anyImage && !(c.maxAbsVectors <= c.maxAbs)) c.maxAbs = c.maxAbsVectors;
    c.tolerance = kind.tolerance * std::max(1.0, rangeOf(in_.testImages.logits));
    c.passed = c.maxAbs <= c.tolerance;
    std::size_t same = 0;
    for (std::size_t i = 0; i < real->predicted.size(); ++i) {
      const auto row = in_.testImages.logits.begin() + std::ptrdiff_t(i) * real->classes;
      same += std::max_element(row, row + real->classes) - row == real->predicted[i];
    }
    c.agreement = real->predicted.empty() ? 1 : double(same) / double(real->predicted.size());
    if (!c.passed && report_.warning)
      report_.warning(QStringLiteral("parity"),
                      QStringLiteral("%1 differs from the trained model by %2, allowed %3").arg(c.name).arg(c.maxAbs).arg(c.tolerance));
    return {};
  }

  Result<void> accuracy(Candidate& c, Session& session) {
    auto scores = score(session, in_.test, tick());
    if (!scores) return scores.error();
    std::vector<int> groups = in_.testGroups;
    if (groups.size() != scores->labels.size()) {
      groups.resize(scores->labels.size());
      for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = int(i);
    }
    const auto statistic = [&](Weights w) {
      double right = 0, all = 0;
      for (std::size_t i = 0; i < scores->labels.size(); ++i) {
        const double weight = w.empty() ? 1 : w[i];
        all += weight;
        right += scores->labels[i] == scores->predicted[i] ? weight : 0;
      }
      return std::vector<double>{all > 0 ? right / all : std::numeric_limits<double>::quiet_NaN()};
    };
    c.accuracy = bootstrapIntervals(groups, statistic, {}).front();
    return {};
  }

  Result<void> measure() {
    phase("timing");
    for (const int batch : {1, 8}) {
      const std::vector<float> images = repeated(batch);
      const TensorView view = in_.vectors.images.view(images);
      std::optional<Failure> failure;
      std::vector<std::function<bool()>> calls;
      for (Session& session : sessions_)
        calls.emplace_back([&session, &view, &failure] {
          auto y = session.run(view, "probabilities");
          if (!y) failure = y.error();
          return !failure;
        });
      const auto start = std::chrono::steady_clock::now();
      measureInterleaved(calls, 0, 1);
      const double round = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const int iterations =
          options_.latencyIterations > 0 ? options_.latencyIterations : std::clamp(int(kLatencySeconds / round), 20, 200);
      timingCalls_ = std::int64_t(calls.size()) * (kWarmup + iterations);
      timingDone_ = 0;
      std::vector<Latency> times = measureInterleaved(calls, kWarmup, iterations, [&] {
        if (!timingStep()) failure = stopped();
        return !failure;
      });
      if (failure) return *failure;
      for (std::size_t i = 0; i < times.size(); ++i) {
        times[i].batch = batch;
        times[i].threads = sessions_[i].threads();
        candidates_[i].latency.push_back(times[i]);
      }
    }
    return {};
  }

  bool timingStep() {
    ++timingDone_;
    return advance(kTimingSteps * timingDone_ / timingCalls_ - kTimingSteps * (timingDone_ - 1) / timingCalls_);
  }

  std::vector<float> repeated(int n) const {
    std::vector<float> out;
    const std::vector<float> one = in_.vectors.images.batch(0, 1);
    for (int i = 0; i < n; ++i) out.insert(out.end(), one.begin(), one.end());
    return out;
  }

  Result<void> writeVectors() {
    const std::vector<float> images = in_.vectors.images.batch(0, in_.vectors.images.count());
    const auto logits = [&](const std::vector<float>& v) {
      return TensorView{DType::F32,
                        {std::int64_t(in_.vectors.images.count()), in_.graph.classes},
                        reinterpret_cast<const std::byte*>(v.data()),
                        v.size() * sizeof(float)};
    };
    std::map<std::string, TensorView> tensors{{"input", in_.vectors.images.view(images)}, {"logits", logits(in_.vectors.logits)}};
    for (const auto& [name, values] : vectorLogits_) tensors["logits." + name] = logits(values);
    return writeSafetensors(
        folder_ + QStringLiteral("/test_vectors.safetensors"), tensors,
        {{"images", "synthetic: smooth random fields, no patient"}, {"logits", "of the trained model; logits.NAME: of a candidate"}});
  }

  // The fastest that agrees and keeps the limit; within a twentieth of its time the smaller file wins.
  const Candidate* recommended(QString& why) const {
    double reference = candidates_.front().accuracy.value;
    const auto time = [](const Candidate& c) { return c.latency.empty() ? 0 : c.latency.front().p50; };
    const Candidate* best = nullptr;
    for (const Candidate& c : candidates_) {
      if (!c.passed || c.accuracy.value < reference - options_.maximumAccuracyDrop - 1e-12) continue;
      if (!best || time(c) < time(*best) * 0.95 || (time(c) < time(*best) * 1.05 && c.bytes < best->bytes)) best = &c;
    }
    if (!best) {
      why = QCoreApplication::translate("Export", "No candidate keeps within %1 % of accuracy and agrees with the trained model.")
                .arg(options_.maximumAccuracyDrop * 100);
      return nullptr;
    }
    why = QCoreApplication::translate("Export",
                                      "Fastest candidate that agrees with the trained model and loses at most %1 % of accuracy: "
                                      "%2 ms for one image, %3 MB, accuracy %4 % against %5 %.")
              .arg(options_.maximumAccuracyDrop * 100)
              .arg(time(*best), 0, 'f', 1)
              .arg(double(best->bytes) / 1e6, 0, 'f', 1)
              .arg(best->accuracy.value * 100, 0, 'f', 1)
              .arg(reference * 100, 0, 'f', 1);
    return best;
  }

  QJsonObject description() const {
    QString why;
    const Candidate* best = recommended(why);
    QJsonArray list;
    for (const Candidate& c : candidates_) list.append(c.toJson());
    const QJsonObject input{{"name", "image"},
                            {"shape", QJsonArray{"N", in_.graph.channels, in_.graph.size, in_.graph.size}},
                            {"dtype", "float32"},
                            {"range", "0..1 pixel/255; normalisation is inside the graph"}};
    return {{"format", 1},
            {"run", in_.info.run},
            {"opset", qint64(float_.opsets.front().second)},
            {"classes", QJsonArray::fromStringList(in_.graph.classNames)},
            {"input", input},
            {"outputs", QJsonArray{"logits", "probabilities"}},
            {"recommended", best ? QJsonValue(best->name) : QJsonValue()},
            {"why", why},
            {"maximumAccuracyDrop", options_.maximumAccuracyDrop},
            {"calibrationSamples", std::min(options_.calibrationSamples, in_.train.count())},
            {"testSamples", in_.test.count()},
            {"testVectors", "synthetic"},
            {"candidates", list}};
  }

  const ExportInput& in_;
  const ExportOptions& options_;
  const QString& folder_;
  const ExportReport& report_;
  Model float_;
  std::vector<Candidate> candidates_;
  std::vector<Session> sessions_;
  std::map<std::string, std::vector<float>> vectorLogits_;
  qint64 done_ = 0, planned_ = 0, timingCalls_ = 0, timingDone_ = 0;
};

// A counter-based generator (splitmix64): the same numbers on every machine, unlike the distributions of <random>.
double uniform(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return double((z ^ z >> 31) >> 11) * 0x1p-53;
}

}  // namespace

QJsonObject Candidate::toJson() const {
  QJsonArray times;
  for (const Latency& l : latency) times.append(l.toJson(QStringLiteral("onnxruntime"), name));
  QJsonObject o{
      {"name", name},
      {"file", file},
      {"bytes", bytes},
      {"sha256", sha256},
      {"accuracy", QJsonObject{{"value", finite(accuracy.value)}, {"low", finite(accuracy.low)}, {"high", finite(accuracy.high)}}},
      {"parity", QJsonObject{{"maxAbs", finite(maxAbs)},
                             {"tolerance", tolerance},
                             {"passed", passed},
                             {"maxAbsVectors", finite(maxAbsVectors)},
                             {"agreement", agreement}}},
      {"latency", times},
      {"floatLayers", QJsonArray::fromStringList(floatLayers)}};
  if (!calibration.isEmpty()) o["calibration"] = calibration;
  return o;
}

Result<ExportOptions> ExportOptions::fromJson(const QJsonObject& request) {
  QJsonObject o = request;
  // A form made from the target's schema hands its values over under the schema's names.
  const QJsonObject form = request["parameters"].toObject();
  for (const auto& [key, member] :
       {std::pair{"calibration", "calibration"}, std::pair{"maximum_accuracy_drop", "maximumAccuracyDrop"},
        std::pair{"calibration_samples", "calibrationSamples"}, std::pair{"percentile", "percentile"}, std::pair{"threads", "threads"}})
    if (form.contains(QLatin1String(key)) && !o.contains(QLatin1String(member))) o[QLatin1String(member)] = form[QLatin1String(key)];
  ExportOptions out;
  const auto refuse = [](const char* name, const QJsonValue& value, const char* allowed) {
    return Failure{FailureKind::InvalidArgument, {{"name", name}, {"value", value.toVariant().toString()}, {"allowed", allowed}}, {}};
  };
  constexpr const char* kAllowed = "none, fp16, dynamic-int8, static-int8";
  if (o["quantize"].isArray()) {
    out.quantize.clear();
    const QJsonArray list = o["quantize"].toArray();
    for (const QJsonValue& v : list) {
      const auto known =
          std::any_of(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return v.toString() == QLatin1String(k.asked); });
      if (!known) return refuse("quantize", v, kAllowed);
      out.quantize << v.toString();
    }
    if (out.quantize.isEmpty()) return refuse("quantize", QJsonValue("[]"), kAllowed);
    // The others are judged against the float model.
    if (!out.quantize.contains(QStringLiteral("none"))) out.quantize.prepend(QStringLiteral("none"));
  }
  if (const QString way = o["calibration"].toString(); !way.isEmpty() && way != u"auto") {
    auto c = calibrationFromName(o["calibration"].toString());
    if (!c) return c.error();
    out.calibration = *c;
  }
  out.percentile = o["percentile"].toDouble(out.percentile);
  if (!(out.percentile > 50 && out.percentile <= 100)) return refuse("percentile", o["percentile"], "50 – 100");
  out.calibrationSamples = o["calibrationSamples"].toInt(out.calibrationSamples);
  if (out.calibrationSamples < 1) return refuse("calibrationSamples", o["calibrationSamples"], "1 and more");
  out.maximumAccuracyDrop = o["maximumAccuracyDrop"].toDouble(out.maximumAccuracyDrop);
  if (!(out.maximumAccuracyDrop >= 0 && out.maximumAccuracyDrop <= 1))
    return refuse("maximumAccuracyDrop", o["maximumAccuracyDrop"], "0 – 1");
  out.threads = o["threads"].toInt(0);
  out.latencyIterations = o["latencyIterations"].toInt(0);
  return out;
}

Result<QJsonObject> exportCandidates(const ExportInput& input, const ExportOptions& options, const QString& folder,
                                     const ExportReport& report) {
  return Exporter(input, options, folder, report).run();
}

std::vector<float> syntheticImages(int n, int channels, int size, const std::vector<double>& mean, const std::vector<double>& std,
                                   std::uint64_t seed) {
  constexpr int kWaves = 12;
  constexpr double kPi = 3.14159265358979323846;
  std::vector<float> out;
  out.reserve(std::size_t(n) * std::size_t(channels) * std::size_t(size) * std::size_t(size));
  std::uint64_t state = seed;
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < channels; ++c) {
      double fx[kWaves], fy[kWaves], phase[kWaves];
      for (int w = 0; w < kWaves; ++w) {
        fx[w] = (uniform(state) - 0.5) * (w + 2);
        fy[w] = (uniform(state) - 0.5) * (w + 2);
        phase[w] = uniform(state) * 2 * kPi;
      }
      const double amplitude = std[std::size_t(c)] * std::sqrt(2.0 / kWaves);
      for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
          double v = mean[std::size_t(c)];
          for (int w = 0; w < kWaves; ++w) v += amplitude * std::cos(2 * kPi * (fx[w] * x + fy[w] * y) / size + phase[w]);
          // On the grid of 8-bit pixels, as real inputs are.
          out.push_back(float(std::clamp(std::nearbyint(v * 255), 0.0, 255.0) / 255));
        }
    }
  return out;
}

}  // namespace cloister::onnx
