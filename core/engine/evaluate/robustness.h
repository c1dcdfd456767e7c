// Fragility of a classifier: robust accuracy and attack success rate over ε for FGSM and PGD, with intervals by patient, example pictures
// and the signs that an attack was fooled (gradient masking) instead of resisted. Called by the worker's evaluate verb. One thread for
// each classifier given. Throws as LibTorch does; progress may throw to stop.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/engine/evaluate/attacks.h"
#include "core/metrics/bootstrap.h"

namespace cloister {

struct RobustnessInput {
  std::vector<Classifier> classifiers;  ///< the same model once for each thread to use; one at least
  /// float32 [n, C, H, W], 0…1, for positions begin … end-1 of the attacked samples; called from all threads.
  std::function<at::Tensor(std::size_t begin, std::size_t end)> images;
  std::vector<int> labels;              ///< per attacked sample
  std::vector<int> groups;              ///< dense ids (patients)
  std::vector<std::int64_t> sampleIds;  ///< stable names: seed the random starts
  int classes = 2;
};

struct RobustnessOptions {
  std::vector<double> linf, l2;  ///< radii, ascending, without 0 (the clean row is always there)
  bool fgsm = true, pgd = true;
  int steps = 10;
  double relativeStep = 2.5;  ///< PGD step = relativeStep · ε / steps
  int restarts = 1;
  bool randomStart = true;
  std::uint64_t seed = 0;
  double threshold = 0.5;
  int batch = 32;
  int examples = 3;  ///< of each attack
  BootstrapOptions bootstrap;
};

struct RobustnessPoint {
  double epsilon = 0, stepSize = 0;
  Interval robustAccuracy;  ///< right answers under attack, of all attacked samples
  Interval successRate;     ///< of the right answers, how many became wrong; NaN when none was right
  double meanLoss = 0;
};

/// What may make the curve look better than the model is. Kinds: zero_gradient (share of samples), random_output (largest difference of two
/// passes), probabilities_given (0), pgd_weaker (by how much accuracy), not_monotone (by how much), full_range_resists (accuracy at ε = 1).
struct MaskingSign {
  std::string kind;
  double value = 0;
};
/// One English sentence for a sign; report pages word it in their own language by kind.
std::string sentence(const MaskingSign&);

struct AttackExample {
  std::size_t sample = 0;  ///< position among the attacked samples
  double epsilon = 0;
  int before = 0, after = 0;      ///< decided classes
  at::Tensor original, attacked;  ///< [C, H, W]
};

struct AttackCurve {
  AttackKind kind = AttackKind::Fgsm;
  AttackNorm norm = AttackNorm::Linf;
  int steps = 1, restarts = 1;
  std::vector<RobustnessPoint> points;  ///< ε = 0 first
  std::vector<AttackExample> examples;
  std::vector<MaskingSign> signs;
};

/// progress(done, total) counts attacked samples over all curves and radii; called by one thread at a time, but not always the same.
std::vector<AttackCurve> measureRobustness(const RobustnessInput&, const RobustnessOptions&,
                                           const std::function<void(std::int64_t, std::int64_t)>& progress = {});

/// Forward-and-backward passes for one sample: what a run of measureRobustness costs.
std::int64_t gradientPasses(const RobustnessOptions&);

/// class decided for each row: threshold for two classes, else the largest logit.
at::Tensor decidedClasses(const at::Tensor& logits, double threshold);

}  // namespace cloister
