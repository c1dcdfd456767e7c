// Adversarial perturbations of a text in embedding space: FGSM (Goodfellow 2015) and PGD (Madry 2018) on the vectors of the tokens before
// the judged ones (Miyato et al. 1605.07725 for text). Words are discrete, so ε bounds a distance between vectors, not a change a reader
// could see; the nearest-token reading says whether the text would still be read as the same words. Called by `cloister-worker
// model-evaluate` and tests. One thread per model; throws as LibTorch does.
#pragma once
#include <cstdint>
#include <vector>

#include "core/engine/evaluate/attacks.h"
#include "core/engine/evaluate/language_quality.h"

namespace cloister {

struct EmbeddingAttack {
  AttackKind kind = AttackKind::Pgd;
  AttackNorm norm = AttackNorm::Linf;
  /// In units of the embedding table: L∞ times the root mean square of its entries, L2 (of each token's vector) times the mean length of
  /// its rows. 1 is a perturbation as large as a word.
  double epsilon = 0.1;
  int steps = 10;           ///< PGD
  double stepSize = 0;      ///< PGD, same units; 0: 2.5 ε / steps
  bool randomStart = true;  ///< PGD: uniform in the cube (L∞); any direction, length uniform in 0…ε (L2)
  std::uint64_t seed = 0;
};

struct AttackedText {
  TextLoss clean, attacked;
  std::int64_t flipped = 0;           ///< judged tokens that were the first choice and no longer are
  std::int64_t perturbed = 0;         ///< tokens whose vectors were moved
  std::int64_t readTheSame = 0;       ///< of these, whose nearest vector in the table (L2) is still their own
  std::vector<std::int64_t> reading;  ///< nearest tokens of the perturbed part
  at::Tensor embeddings;              ///< float [tokens − 1, hidden] as the attack left them
};

/// index seeds the random start. start: float, added instead of a random one (tests). The model's weights get no gradient.
AttackedText attackText(DecoderModel&, const TokenText&, const EmbeddingAttack&, std::int64_t index, const at::Tensor& start = {});

}  // namespace cloister
