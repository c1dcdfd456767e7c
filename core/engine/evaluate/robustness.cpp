#include "core/engine/evaluate/robustness.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/engine/evaluate/batches.h"

namespace cloister {
namespace {

/// What one radius did to every sample.
struct Hits {
  std::vector<std::uint8_t> wrong;
  double lossSum = 0;
  std::int64_t zeroGradients = 0;
};

struct Session {
  const RobustnessInput& input;
  const RobustnessOptions& options;
  const std::function<void(std::int64_t, std::int64_t)>& progress;
  Team team;
  std::mutex mutex{};
  std::int64_t done = 0, total = 0;
  std::vector<std::uint8_t> cleanWrong{};
  std::vector<int> cleanDecision{};
  double cleanLoss = 0;

  std::size_t count() const { return input.labels.size(); }
  const Classifier& classifier(int member) const { return input.classifiers[static_cast<std::size_t>(member)]; }
  void advance(std::size_t n) {
    const std::lock_guard lock(mutex);
    done += static_cast<std::int64_t>(n);
    if (progress) progress(done, total);
  }
};

at::Tensor labelTensor(const std::vector<int>& labels, std::size_t begin, std::size_t end) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(end - begin)}, at::kLong);
  std::copy(labels.begin() + static_cast<std::ptrdiff_t>(begin), labels.begin() + static_cast<std::ptrdiff_t>(end),
            out.data_ptr<std::int64_t>());
  return out;
}

void measureClean(Session& s) {
  s.cleanWrong.resize(s.count());
  s.cleanDecision.resize(s.count());
  std::vector<double> losses(batchCount(s.count(), s.options.batch));
  forBatches(s.team, s.count(), s.options.batch, [&](int member, std::size_t index, std::size_t begin, std::size_t end) {
    const at::NoGradGuard off;
    const at::Tensor labels = labelTensor(s.input.labels, begin, end);
    const at::Tensor logits = s.classifier(member)(s.input.images(begin, end));
    const at::Tensor wrong = decidedWrong(logits, labels, s.options.threshold), decided = decidedClasses(logits, s.options.threshold);
    losses[index] = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
    std::copy_n(wrong.const_data_ptr<bool>(), end - begin, s.cleanWrong.begin() + static_cast<std::ptrdiff_t>(begin));
    std::copy_n(decided.const_data_ptr<std::int64_t>(), end - begin, s.cleanDecision.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  for (const double loss : losses) s.cleanLoss += loss;
}

/// Robust accuracy and success rate as statistics of a weighted set.
RobustnessPoint pointOf(const Session& s, const std::vector<std::uint8_t>& wrong, double epsilon, double lossSum) {
  const auto statistics = [&](Weights w) {
    double total = 0, robust = 0, right = 0, flipped = 0;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      total += w[i];
      robust += wrong[i] ? 0 : w[i];
      if (s.cleanWrong[i]) continue;
      right += w[i];
      flipped += wrong[i] ? w[i] : 0;
    }
    return std::vector<double>{total > 0 ? robust / total : std::nan(""), right > 0 ? flipped / right : std::nan("")};
  };
  const auto intervals = bootstrapIntervals(s.input.groups, statistics, s.options.bootstrap);
  RobustnessPoint p;
  p.epsilon = epsilon;
  p.robustAccuracy = intervals[0];
  p.successRate = intervals[1];
  p.meanLoss = lossSum / static_cast<double>(std::max<std::size_t>(1, wrong.size()));
  return p;
}

double accuracy(const std::vector<std::uint8_t>& wrong) {
  const auto n = std::count(wrong.begin(), wrong.end(), std::uint8_t{0});
  return static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(1, wrong.size()));
}

AttackOptions attackOptions(const RobustnessOptions& o, AttackKind kind, AttackNorm norm, double epsilon) {
  AttackOptions a;
  a.kind = kind;
  a.norm = norm;
  a.epsilon = epsilon;
  a.steps = o.steps;
  a.stepSize = o.relativeStep * epsilon / std::max(1, o.steps);
  a.restarts = o.restarts;
  a.randomStart = o.randomStart;
  a.seed = o.seed;
  a.keepStrongest = true;
  a.threshold = o.threshold;
  return a;
}

/// Attacks the first count samples at one radius; found(sample, original, attacked), in order, for each that turned from right to wrong.
Hits attackAll(Session& s, const AttackOptions& a, std::size_t count,
               const std::function<void(std::size_t, const at::Tensor&, const at::Tensor&)>& found) {
  const std::size_t batches = batchCount(count, s.options.batch);
  std::vector<AttackOutcome> outcomes(batches);
  std::vector<at::Tensor> originals(batches);
  forBatches(s.team, count, s.options.batch, [&](int member, std::size_t index, std::size_t begin, std::size_t end) {
    const at::Tensor images = s.input.images(begin, end), labels = labelTensor(s.input.labels, begin, end);
    const std::vector<std::int64_t> ids(s.input.sampleIds.begin() + static_cast<std::ptrdiff_t>(begin),
                                        s.input.sampleIds.begin() + static_cast<std::ptrdiff_t>(end));
    outcomes[index] = attack(s.classifier(member), images, labels, a, ids);
    originals[index] = images;
    s.advance(end - begin);
  });
  Hits hits;
  for (std::size_t b = 0; b < batches; ++b) {
    const AttackOutcome& out = outcomes[b];
    hits.lossSum += out.loss.sum().item<double>();
    hits.zeroGradients += out.zeroGradient.sum().item<std::int64_t>();
    const bool* wrong = out.wrong.const_data_ptr<bool>();
    for (std::int64_t at = 0; at < out.wrong.size(0); ++at) {
      const std::size_t i = hits.wrong.size();
      hits.wrong.push_back(wrong[at]);
      if (found && wrong[at] && !s.cleanWrong[i]) found(i, originals[b][at], out.images[at]);
    }
  }
  return hits;
}

AttackCurve measureCurve(Session& s, AttackKind kind, AttackNorm norm, const std::vector<double>& epsilons, std::vector<double>& raw) {
  AttackCurve curve;
  curve.kind = kind;
  curve.norm = norm;
  curve.steps = kind == AttackKind::Fgsm ? 1 : s.options.steps;
  curve.restarts = kind == AttackKind::Fgsm || !s.options.randomStart ? 1 : std::max(1, s.options.restarts);
  std::vector<std::uint8_t> broken = s.cleanWrong, shown(s.count(), 0);
  curve.points.push_back(pointOf(s, broken, 0, s.cleanLoss));
  std::int64_t zero = 0, tries = 0;
  for (const double epsilon : epsilons) {
    const AttackOptions a = attackOptions(s.options, kind, norm, epsilon);
    const Hits hits = attackAll(s, a, s.count(), [&](std::size_t i, const at::Tensor& original, const at::Tensor& attacked) {
      // A picture of the smallest change that misleads, a different class each time as far as there are any.
      const auto sameLabel = std::count_if(curve.examples.begin(), curve.examples.end(),
                                           [&](const AttackExample& e) { return s.input.labels[e.sample] == s.input.labels[i]; });
      const int share = (s.options.examples + s.input.classes - 1) / s.input.classes;
      if (static_cast<int>(curve.examples.size()) >= s.options.examples || sameLabel >= share || broken[i] || shown[i]) return;
      shown[i] = 1;
      curve.examples.push_back({i, epsilon, s.cleanDecision[i], -1, original.clone(), attacked.clone()});
    });
    raw.push_back(accuracy(hits.wrong));
    zero += hits.zeroGradients;
    tries += static_cast<std::int64_t>(s.count());
    // The larger ball holds the smaller one: what broke once stays broken.
    for (std::size_t i = 0; i < broken.size(); ++i) broken[i] = broken[i] || hits.wrong[i];
    curve.points.push_back(pointOf(s, broken, epsilon, hits.lossSum));
    curve.points.back().stepSize = stepSizeOf(a);
  }
  if (tries > 0 && static_cast<double>(zero) > 0.05 * static_cast<double>(tries))
    curve.signs.push_back({"zero_gradient", static_cast<double>(zero) / static_cast<double>(tries)});
  for (AttackExample& e : curve.examples) {
    const at::NoGradGuard off;
    e.after = decidedClasses(s.classifier(0)(e.attacked.unsqueeze(0)), s.options.threshold)[0].item<int>();
  }
  return curve;
}

void lookForRises(AttackCurve& curve, double clean, const std::vector<double>& raw) {
  double lowest = clean, worst = 0;
  for (const double a : raw) {
    worst = std::max(worst, a - lowest);
    lowest = std::min(lowest, a);
  }
  if (worst > 0.02) curve.signs.push_back({"not_monotone", worst});
}

/// Output that changes from pass to pass, or probabilities where logits belong, spoil gradients silently.
std::vector<MaskingSign> lookAtOutput(Session& s) {
  const at::NoGradGuard off;
  const at::Tensor images = s.input.images(0, std::min<std::size_t>(s.count(), 16));
  const at::Tensor a = s.classifier(0)(images), b = s.classifier(0)(images);
  std::vector<MaskingSign> signs;
  const double difference = (a - b).abs().max().item<double>();
  if (difference > 1e-4) signs.push_back({"random_output", difference});
  if (a.min().item<double>() >= 0 && (a.sum(1) - 1).abs().max().item<double>() < 1e-5) signs.push_back({"probabilities_given", 0});
  return signs;
}

/// With ε = 1 any picture is reachable: an attack that still fails did not find its way.
std::vector<MaskingSign> lookAtFullRange(Session& s) {
  AttackOptions a = attackOptions(s.options, AttackKind::Pgd, AttackNorm::Linf, 1.0);
  a.steps = std::max(20, a.steps);
  a.stepSize = 2.5 / a.steps;
  const std::size_t few = std::min<std::size_t>(s.count(), 64);
  const double left = accuracy(attackAll(s, a, few, {}).wrong);
  if (left > 0.1) return {{"full_range_resists", left}};
  return {};
}

}  // namespace

at::Tensor decidedClasses(const at::Tensor& logits, double threshold) {
  if (logits.size(1) != 2) return logits.argmax(1);
  return (logits.select(1, 1) - logits.select(1, 0)).ge(std::log(threshold / (1 - threshold))).to(at::kLong);
}

std::int64_t gradientPasses(const RobustnessOptions& o) {
  const auto radii = static_cast<std::int64_t>(o.linf.size() + o.l2.size());
  // A PGD of n steps needs n gradients and one pass forward, FGSM one and one; forward costs about a third.
  const std::int64_t pgd = o.pgd ? radii * std::max(1, o.restarts) * (o.steps + 1) : 0;
  return pgd + (o.fgsm ? radii * 2 : 0);
}

std::vector<AttackCurve> measureRobustness(const RobustnessInput& input, const RobustnessOptions& options,
                                           const std::function<void(std::int64_t, std::int64_t)>& progress) {
  TORCH_CHECK(!input.classifiers.empty(), "measureRobustness: no classifier");
  Session s{input, options, progress, Team(static_cast<int>(input.classifiers.size()))};
  const auto radii = static_cast<std::int64_t>(options.linf.size() + options.l2.size());
  const auto few = static_cast<std::int64_t>(std::min<std::size_t>(s.count(), 64));
  s.total = radii * static_cast<std::int64_t>(s.count()) * (int(options.fgsm) + int(options.pgd)) + (options.pgd ? few : 0);
  std::vector<AttackCurve> curves;
  if (s.count() == 0) return curves;
  measureClean(s);
  const double clean = accuracy(s.cleanWrong);
  const std::vector<MaskingSign> output = lookAtOutput(s);
  for (const AttackNorm norm : {AttackNorm::Linf, AttackNorm::L2}) {
    const std::vector<double>& epsilons = norm == AttackNorm::Linf ? options.linf : options.l2;
    if (epsilons.empty()) continue;
    std::vector<double> single, iterated;
    if (options.fgsm) {
      // One long step may overshoot, so a rise over ε says nothing about masking here.
      curves.push_back(measureCurve(s, AttackKind::Fgsm, norm, epsilons, single));
      curves.back().signs.insert(curves.back().signs.end(), output.begin(), output.end());
    }
    if (!options.pgd) continue;
    curves.push_back(measureCurve(s, AttackKind::Pgd, norm, epsilons, iterated));
    AttackCurve& curve = curves.back();
    curve.signs.insert(curve.signs.end(), output.begin(), output.end());
    lookForRises(curve, clean, iterated);
    double weaker = 0;
    for (std::size_t i = 0; i < single.size(); ++i) weaker = std::max(weaker, iterated[i] - single[i]);
    if (weaker > 0.02) curve.signs.push_back({"pgd_weaker", weaker});
    if (norm != AttackNorm::Linf) continue;
    const auto full = lookAtFullRange(s);
    curve.signs.insert(curve.signs.end(), full.begin(), full.end());
  }
  return curves;
}

std::string sentence(const MaskingSign& sign) {
  char text[256];
  const double percent = 100 * sign.value;
  if (sign.kind == "zero_gradient")
    std::snprintf(text, sizeof text, "For %.0f %% of the attempts the gradient was exactly zero, so the attack had nothing to follow.",
                  percent);
  else if (sign.kind == "random_output")
    std::snprintf(text, sizeof text, "Two passes over the same picture differ by up to %.3g: gradients of a random output mislead.",
                  sign.value);
  else if (sign.kind == "probabilities_given")
    std::snprintf(text, sizeof text, "The model gives probabilities instead of logits, which flattens gradients.");
  else if (sign.kind == "pgd_weaker")
    std::snprintf(text, sizeof text, "Many steps did less harm than one (%.1f points): gradients may be masked.", percent);
  else if (sign.kind == "not_monotone")
    std::snprintf(text, sizeof text, "A larger change did less harm than a smaller one (%.1f points): gradients may be masked.", percent);
  else if (sign.kind == "full_range_resists")
    std::snprintf(text, sizeof text, "Even with every picture allowed %.0f %% stayed right: the attack failed, the model is not robust.",
                  percent);
  else std::snprintf(text, sizeof text, "%s", sign.kind.c_str());
  return text;
}

}  // namespace cloister
