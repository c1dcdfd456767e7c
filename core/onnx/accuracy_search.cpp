#include "core/onnx/accuracy_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace cloister::onnx {
namespace {

constexpr int kBatch = 16;

class Search {
 public:
  Search(const Model& m, const Statistics& s, const Samples& check, const SearchOptions& options, const Tick& tick)
      : float_(m), statistics_(s), check_(check), options_(options), tick_(tick) {}

  Result<SearchResult> run() {
    auto reference = scored(float_, check_);
    if (!reference) return reference.error();
    floatScores_ = std::move(*reference);
    if (auto tried = attempt(0); !tried) return tried.error();
    if (holds() || quantizableLayers(float_).empty()) return finish();
    if (auto ranked = rank(); !ranked) return ranked.error();

    // Doubling finds a number that is enough, halving the fewest: accuracy grows with it but for noise.
    std::size_t enough = 1, tooFew = 0;
    for (; enough < order_.size(); tooFew = enough, enough *= 2) {
      auto tried = attempt(enough);
      if (!tried) return tried.error();
      if (*tried) break;
    }
    if (enough >= order_.size()) {
      enough = order_.size();
      if (auto tried = attempt(enough); !tried) return tried.error();
    }
    while (enough - tooFew > 1) {
      const std::size_t middle = (enough + tooFew) / 2;
      auto tried = attempt(middle);
      if (!tried) return tried.error();
      (*tried ? enough : tooFew) = middle;
    }
    return finish();
  }

 private:
  Result<Scores> scored(const Model& m, const Samples& samples) {
    auto session = Session::fromModel(m, {.threads = options_.threads, .optimise = true, .saveOptimised = {}});
    if (!session) return session.error();
    const int before = done_;
    auto scores = score(*session, samples, [&](int n) { return !tick_ || tick_(before + n); });
    done_ += samples.count();
    return scores;
  }

  Model quantized(const std::set<std::string>& keep) const {
    return options_.staticModel ? quantizeStatic(float_, statistics_, {.keepFloat = keep, .biasCorrection = true})
                                : quantizeDynamic(float_, keep);
  }

  double drop(double accuracy) const { return floatScores_.accuracy() - accuracy; }
  // Without labels there is no accuracy (NaN) and nothing to hold.
  bool within(double accuracy) const { return !(drop(accuracy) > options_.maximumDrop + 1e-12); }
  bool holds() const { return within(bestAccuracy_); }

  // Tries with the `count` most sensitive layers in float; true when the limit holds. Keeps the best model seen: within the limit the one
  // with the fewest float layers, otherwise the most accurate.
  Result<bool> attempt(std::size_t count) {
    const std::set<std::string> keep(order_.begin(), order_.begin() + std::ptrdiff_t(count));
    Model m = quantized(keep);
    auto scores = scored(m, check_);
    if (!scores) return scores.error();
    const double accuracy = scores->accuracy();
    const bool ok = within(accuracy);
    if (options_.note)
      options_.note(QStringLiteral("%1 layers in float: accuracy %2 of %3").arg(count).arg(accuracy).arg(floatScores_.accuracy()));
    const bool better = !best_ || (ok && (!holds() || count < bestCount_)) || (!ok && !holds() && accuracy > bestAccuracy_);
    if (better) {
      best_ = std::move(m);
      bestAccuracy_ = accuracy;
      bestCount_ = count;
    }
    return ok;
  }

  // Sensitivity: the error of the logits when this layer alone is quantized.
  Result<void> rank() {
    const Samples few = check_.spread(options_.sensitivitySamples);
    auto reference = scored(float_, few);
    if (!reference) return reference.error();
    const std::vector<std::string> layers = quantizableLayers(float_);
    std::vector<std::pair<double, std::string>> ranked;
    for (const std::string& layer : layers) {
      std::set<std::string> others(layers.begin(), layers.end());
      others.erase(layer);
      auto scores = scored(quantized(others), few);
      if (!scores) return scores.error();
      ranked.emplace_back(-relativeError(scores->logits, reference->logits), layer);
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [error, layer] : ranked) order_.push_back(layer);
    return {};
  }

  SearchResult finish() {
    return {std::move(*best_), {order_.begin(), order_.begin() + std::ptrdiff_t(bestCount_)}, bestAccuracy_, floatScores_.accuracy()};
  }

  const Model& float_;
  const Statistics& statistics_;
  const Samples& check_;
  const SearchOptions& options_;
  const Tick& tick_;
  Scores floatScores_;
  std::vector<std::string> order_;
  std::optional<Model> best_;
  double bestAccuracy_ = 0;
  std::size_t bestCount_ = 0;
  int done_ = 0;
};

}  // namespace

double Scores::accuracy() const {
  if (labels.empty() || labels.front() < 0) return std::numeric_limits<double>::quiet_NaN();
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += labels[i] == predicted[i];
  return double(right) / double(labels.size());
}

Result<Scores> score(Session& session, const Samples& samples, const Tick& tick) {
  Scores s;
  for (int first = 0; first < samples.count(); first += kBatch) {
    const std::vector<float> batch = samples.batch(first, kBatch);
    auto logits = session.run(samples.view(batch), "logits");
    if (!logits) return logits.error();
    s.classes = int(logits->shape.back());
    const auto values = logits->floats();
    s.logits.insert(s.logits.end(), values.begin(), values.end());
    for (auto row = values.begin(); row != values.end(); row += s.classes) {
      s.labels.push_back(int(samples.label(int(s.predicted.size()))));
      s.predicted.push_back(int(std::max_element(row, row + s.classes) - row));
    }
    if (tick && !tick(int(s.predicted.size()))) return Failure{FailureKind::Stopped, {}, {}};
  }
  return s;
}

double relativeError(const std::vector<float>& logits, const std::vector<float>& reference) {
  if (reference.empty() || logits.size() != reference.size()) return std::numeric_limits<double>::infinity();
  const double mean = std::accumulate(reference.begin(), reference.end(), 0.0) / double(reference.size());
  double error = 0, spread = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double d = double(logits[i]) - double(reference[i]), r = double(reference[i]) - mean;
    error += d * d;
    spread += r * r;
  }
  return spread > 0 ? std::sqrt(error / spread) : (error > 0 ? std::numeric_limits<double>::infinity() : 0);
}

Result<SearchResult> quantizeWithinLimit(const Model& floatModel, const Statistics& statistics, const Samples& check,
                                         const SearchOptions& options, const Tick& tick) {
  return Search(floatModel, statistics, check, options, tick).run();
}

}  // namespace cloister::onnx
