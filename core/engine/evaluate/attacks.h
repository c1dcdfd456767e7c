// Adversarial examples in pixel space: FGSM (Goodfellow 2015) and PGD (Madry 2018) in the L∞ and the L2 ball, untargeted, with the formulas
// of torchattacks 3.5.1. Images are float32 [N, C, H, W] in 0…1 and stay there; normalisation belongs into the model, so that ε means
// pixels. The caller puts the model into inference mode: batch statistics are frozen, only the image gets a gradient.
// Called by robustness.cpp and tests. One thread per model; throws as LibTorch does.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace cloister {

enum class AttackKind { Fgsm, Pgd };
enum class AttackNorm { Linf, L2 };

/// image → logits [N, classes], differentiable with respect to the image.
using Classifier = std::function<at::Tensor(const at::Tensor&)>;

struct AttackOptions {
  AttackKind kind = AttackKind::Pgd;
  AttackNorm norm = AttackNorm::Linf;
  double epsilon = 8.0 / 255;  ///< radius in units of the pixel range 0…1 (L2: length over all pixels of an image)
  int steps = 10;              ///< PGD
  double stepSize = 0;         ///< PGD; 0: 2.5 ε / steps
  int restarts = 1;            ///< PGD with random start: the strongest of so many
  bool randomStart = true;     ///< PGD
  std::uint64_t seed = 0;
  /// Also consider every image on the way and the unchanged one, and return the most harmful: the loss never falls below the clean loss.
  /// Off: the last image, as torchattacks returns it.
  bool keepStrongest = false;
  double threshold = 0.5;  ///< two classes: class 1 from this probability on
};

struct AttackOutcome {
  at::Tensor images;        ///< [N, C, H, W]
  at::Tensor loss;          ///< [N] cross-entropy at images
  at::Tensor wrong;         ///< [N] bool: decided against the label
  at::Tensor zeroGradient;  ///< [N] bool: the gradient at the first image was exactly zero, so the attack had nothing to follow
};

/// sampleIds seed the random starts, so that a sample gets the same start in any batch. start: use these instead of random ones.
AttackOutcome attack(const Classifier&, const at::Tensor& images, const at::Tensor& labels, const AttackOptions&,
                     const std::vector<std::int64_t>& sampleIds, const at::Tensor& start = {});

/// images + a random step inside the ball, clamped to 0…1. L∞: uniform in the cube. L2: uniform direction, length uniform in 0…ε.
at::Tensor randomStart(const at::Tensor& images, AttackNorm, double epsilon, std::uint64_t seed, int restart,
                       const std::vector<std::int64_t>& sampleIds);

/// [N] bool: the decision (threshold for two classes, else the largest logit) is not the label.
at::Tensor decidedWrong(const at::Tensor& logits, const at::Tensor& labels, double threshold);

double stepSizeOf(const AttackOptions&);

}  // namespace cloister
