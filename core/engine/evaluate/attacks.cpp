#include "core/engine/evaluate/attacks.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace cloister {
namespace {

constexpr double kDivision = 1e-10;  // torchattacks' eps_for_division

/// One value per sample, shaped to multiply images.
at::Tensor perSample(const at::Tensor& values, const at::Tensor& images) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(images.dim()), 1);
  shape[0] = images.size(0);
  return values.view(shape);
}

at::Tensor length(const at::Tensor& images) { return images.flatten(1).norm(2, 1); }

at::Tensor sampleLoss(const at::Tensor& logits, const at::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::None);
}

struct Gradient {
  at::Tensor image, logits;
};

/// The sum of the losses has per sample the gradient of its own loss: the result does not depend on the batch it stands in.
Gradient gradientAt(const Classifier& classifier, const at::Tensor& image, const at::Tensor& labels) {
  const at::AutoGradMode on(true);
  const at::Tensor x = image.detach().clone().requires_grad_(true);
  const at::Tensor logits = classifier(x);
  const at::Tensor loss = sampleLoss(logits, labels).sum();
  const auto gradients = torch::autograd::grad({loss}, {x});
  return {gradients[0].detach(), logits.detach()};
}

at::Tensor ascent(const at::Tensor& gradient, AttackNorm norm) {
  if (norm == AttackNorm::Linf) return gradient.sign();
  return gradient / perSample(length(gradient) + kDivision, gradient);
}

/// Back into the ball around the clean images, then into the pixel range.
at::Tensor project(const at::Tensor& moved, const at::Tensor& clean, AttackNorm norm, double epsilon) {
  at::Tensor delta = moved - clean;
  if (norm == AttackNorm::Linf) {
    delta = delta.clamp(-epsilon, epsilon);
  } else {
    // An image that did not move has length 0, which must not become 0/0 when ε is 0 too.
    delta = delta * perSample(at::clamp_max(epsilon / length(delta).clamp_min(1e-30), 1.0), delta);
  }
  return (clean + delta).clamp(0, 1);
}

/// The most harmful image of each sample so far: wrong before right, then the higher loss.
class Strongest {
 public:
  Strongest(const at::Tensor& labels, double threshold) : labels_(labels), threshold_(threshold) {}

  void offer(const at::Tensor& images, const at::Tensor& logits) {
    const at::Tensor loss = sampleLoss(logits, labels_), wrong = decidedWrong(logits, labels_, threshold_);
    if (!best_.images.defined()) {
      best_.images = images.clone();
      best_.loss = loss;
      best_.wrong = wrong;
      return;
    }
    const at::Tensor better = wrong.logical_and(best_.wrong.logical_not()).logical_or(wrong.eq(best_.wrong).logical_and(loss > best_.loss));
    best_.images = at::where(perSample(better, images), images, best_.images);
    best_.loss = at::where(better, loss, best_.loss);
    best_.wrong = at::where(better, wrong, best_.wrong);
  }

  AttackOutcome& best() { return best_; }

 private:
  at::Tensor labels_;
  double threshold_;
  AttackOutcome best_;
};

at::Tensor evaluateAt(const Classifier& classifier, const at::Tensor& images) {
  const at::NoGradGuard off;
  return classifier(images);
}

AttackOutcome fgsm(const Classifier& classifier, const at::Tensor& images, const at::Tensor& labels, const AttackOptions& options) {
  const Gradient g = gradientAt(classifier, images, labels);
  const at::Tensor moved = (images + options.epsilon * ascent(g.image, options.norm)).clamp(0, 1);
  Strongest strongest(labels, options.threshold);
  if (options.keepStrongest) strongest.offer(images, g.logits);
  strongest.offer(moved, evaluateAt(classifier, moved));
  strongest.best().zeroGradient = length(g.image) == 0;
  return strongest.best();
}

AttackOutcome pgd(const Classifier& classifier, const at::Tensor& images, const at::Tensor& labels, const AttackOptions& options,
                  const std::vector<std::int64_t>& ids, const at::Tensor& start) {
  Strongest strongest(labels, options.threshold);
  if (options.keepStrongest) strongest.offer(images, evaluateAt(classifier, images));
  const double step = stepSizeOf(options);
  const bool random = !start.defined() && options.randomStart;
  at::Tensor zero;
  for (int restart = 0; restart < (random ? std::max(1, options.restarts) : 1); ++restart) {
    at::Tensor x = start.defined() ? start : images;
    if (random) x = randomStart(images, options.norm, options.epsilon, options.seed, restart, ids);
    for (int s = 0; s < options.steps; ++s) {
      const Gradient g = gradientAt(classifier, x, labels);
      if (!zero.defined()) zero = length(g.image) == 0;
      if (options.keepStrongest) strongest.offer(x, g.logits);
      x = project(x + step * ascent(g.image, options.norm), images, options.norm, options.epsilon);
    }
    strongest.offer(x, evaluateAt(classifier, x));
  }
  strongest.best().zeroGradient = zero.defined() ? zero : at::zeros({images.size(0)}, at::kBool);
  return strongest.best();
}

}  // namespace

double stepSizeOf(const AttackOptions& options) {
  if (options.kind == AttackKind::Fgsm) return options.epsilon;
  return options.stepSize > 0 ? options.stepSize : 2.5 * options.epsilon / std::max(1, options.steps);
}

at::Tensor decidedWrong(const at::Tensor& logits, const at::Tensor& labels, double threshold) {
  if (logits.size(1) != 2) return logits.argmax(1).ne(labels);
  // p₁ ≥ t is the same as z₁ - z₀ ≥ ln(t / (1 - t)), without the rounding of the softmax.
  const at::Tensor margin = logits.select(1, 1) - logits.select(1, 0);
  return margin.ge(std::log(threshold / (1 - threshold))).to(labels.scalar_type()).ne(labels);
}

at::Tensor randomStart(const at::Tensor& images, AttackNorm norm, double epsilon, std::uint64_t seed, int restart,
                       const std::vector<std::int64_t>& sampleIds) {
  at::Tensor delta = at::empty_like(images);
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    // A generator of its own for each sample and restart (splitmix64's constants keep neighbours apart).
    std::uint64_t s = seed + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(sampleIds[static_cast<std::size_t>(i)]) + 1) +
                      0xBF58476D1CE4E5B9ULL * static_cast<std::uint64_t>(restart);
    s = (s ^ (s >> 30)) * 0xBF58476D1CE4E5B9ULL;
    auto generator = at::detail::createCPUGenerator(s ^ (s >> 31));
    at::Tensor one = delta.select(0, i);
    if (norm == AttackNorm::Linf) {
      one.uniform_(-epsilon, epsilon, generator);
    } else {
      one.normal_(0, 1, generator);
      const double r = at::empty({1}, at::kDouble).uniform_(0, 1, generator).item<double>();
      one.mul_(r * epsilon / std::max(one.norm().item<double>(), kDivision));
    }
  }
  return (images + delta).clamp(0, 1);
}

AttackOutcome attack(const Classifier& classifier, const at::Tensor& images, const at::Tensor& labels, const AttackOptions& options,
                     const std::vector<std::int64_t>& sampleIds, const at::Tensor& start) {
  TORCH_CHECK(options.epsilon >= 0, "attack: epsilon below 0");
  TORCH_CHECK(start.defined() || !options.randomStart || options.kind == AttackKind::Fgsm ||
                  sampleIds.size() == static_cast<std::size_t>(images.size(0)),
              "attack: one id for each sample is needed");
  if (options.kind == AttackKind::Fgsm) return fgsm(classifier, images, labels, options);
  return pgd(classifier, images, labels, options, sampleIds, start);
}

}  // namespace cloister
