#include "core/engine/train/language/prediction_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/zeros.h>

#include "core/engine/train/language/chunked_loss.h"

namespace cloister {

at::Tensor predictionLabels(const TokenBatch& batch, std::int64_t depth) {
  const std::int64_t left = batch.ids.size(1) - depth;
  if (left < 1) return {};
  const at::Tensor labels = batch.labels.narrow(1, depth, left);
  if (!batch.documents.defined()) return labels;
  return labels.masked_fill(batch.documents.narrow(1, depth, left) != batch.documents.narrow(1, 0, left), kIgnoredLabel);
}

std::vector<double> predictionWeights(const TokenBatch& batch, std::int64_t depths) {
  std::vector<double> weights;
  for (std::int64_t depth = 1; depth <= depths; ++depth) {
    const at::Tensor labels = predictionLabels(batch, depth);
    weights.push_back(labels.defined() ? labels.ne(kIgnoredLabel).sum().item<double>() : 0);
  }
  return weights;
}

at::Tensor predictionLoss(DecoderModel& model, const at::Tensor& hidden, const TokenBatch& batch, const std::vector<double>& divisors) {
  at::Tensor loss = at::zeros({}, hidden.options().dtype(at::kFloat)), before = hidden;
  const auto part = [](const at::Tensor& t, std::int64_t from, std::int64_t count) { return t.defined() ? t.narrow(1, from, count) : t; };
  for (std::size_t k = 0; k < divisors.size(); ++k) {
    const std::int64_t depth = std::int64_t(k) + 1, left = batch.ids.size(1) - depth;
    if (left < 1) break;
    const DecoderInput next{
        .ids = batch.ids.narrow(1, depth, left), .positions = part(batch.positions, 0, left), .documents = part(batch.documents, 0, left)};
    const PredictedStates states = model.predicted(std::int64_t(k), before.narrow(1, 0, left), next);
    before = states.stream;
    const at::Tensor labels = predictionLabels(batch, depth).reshape(-1), rows = at::nonzero(labels != kIgnoredLabel).squeeze(1);
    if (rows.size(0) == 0) continue;
    loss = loss + chunkedCrossEntropy(states.hidden.flatten(0, 1).index_select(0, rows), model.head(), labels.index_select(0, rows),
                                      std::max(divisors[k], 1.0) * double(divisors.size()));
  }
  return loss;
}

}  // namespace cloister
