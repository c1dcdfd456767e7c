#include "core/engine/train/language/preferences.h"

#include <algorithm>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <QFileInfo>

#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/adapter.h"
#include "core/engine/models/precision.h"
#include "core/engine/train/language/chunked_loss.h"
#include "core/engine/train/language/log_probabilities.h"

namespace cloister {

QJsonObject PairSums::means(const QString& prefix) const {
  const double n = double(std::max<std::int64_t>(pairs, 1));
  return {{prefix + "rewards/chosen", chosenReward / n},
          {prefix + "rewards/rejected", rejectedReward / n},
          {prefix + "rewards/margins", (chosenReward - rejectedReward) / n},
          {prefix + "rewards/accuracies", rightlyOrdered / n},
          {prefix + "logps/chosen", chosenLogProbability / n},
          {prefix + "logps/rejected", rejectedLogProbability / n}};
}

TokenBatch placed(const TokenBatch& batch, at::Device device) {
  const auto place = [&](const at::Tensor& t) { return t.defined() ? t.to(device) : t; };
  return {place(batch.ids), place(batch.labels), place(batch.positions), place(batch.documents)};
}

bool Preferences::prepareReference(const TokenData& train, const TokenData* validation, const QString& file, bool mayCompute,
                                   const std::function<bool(std::int64_t, std::int64_t)>& progress) {
  if (recipe_.lora) return true;
  const std::int64_t validationPairs = validation ? validation->sequences() : 0, total = train.sequences() + validationPairs;
  if (QFileInfo::exists(file)) {
    const NamedTensors given = readTensors(file);
    const auto take = [&](const char* name, std::int64_t pairs) {
      const auto it = given.find(name);
      if (it == given.end() || it->second.scalar_type() != at::kFloat || it->second.sizes() != at::IntArrayRef{2, pairs})
        throw EngineFailure({FailureKind::CorruptFile, {{"path", file}}, QString(name) + " is missing or of another shape"});
      return it->second.to(model_.head().device());
    };
    train_ = take("train", train.sequences());
    if (validation) validation_ = take("validation", validationPairs);
    return true;
  }
  if (!mayCompute)
    throw EngineFailure(
        {FailureKind::CorruptFile, {{"path", file}}, "the log-probabilities that training began with are missing beside its checkpoints"});
  at::NoGradGuard noGrad;
  std::int64_t done = 0;
  const auto computed = [&](const TokenData& data) {
    const at::Tensor all = at::empty({2, data.sequences()}, at::kFloat);
    for (std::int64_t from = 0; from < data.sequences(); from += recipe_.step.microBatch) {
      if (!progress(done, total)) return at::Tensor();
      std::vector<std::int64_t> pairs(std::size_t(std::min<std::int64_t>(recipe_.step.microBatch, data.sequences() - from)));
      std::iota(pairs.begin(), pairs.end(), from);
      const at::Tensor rows = rowLogProbabilities(placed(data.batch(pairs, recipe_.separateDocuments), model_.head().device()));
      all.narrow(1, from, std::int64_t(pairs.size())).copy_(rows.view({2, -1}));
      done += std::int64_t(pairs.size());
    }
    return all;
  };
  NamedTensors all;
  for (const auto& [name, data] : {std::pair{"train", &train}, {"validation", validation}})
    if (data && !(all[name] = computed(*data)).defined()) return false;
  saveTensors(file, all);
  return prepareReference(train, validation, file, false, progress);
}

// Sum over a row's learnt tokens. Only those get logits.
at::Tensor Preferences::rowLogProbabilities(const TokenBatch& batch) const {
  const Autocast autocast(recipe_.step.bf16, batch.ids.device().type());
  const at::Tensor labels = batch.labels.reshape(-1), learnt = at::nonzero(labels != kIgnoredLabel).squeeze(1);
  const at::Tensor hidden = model_.hidden({.ids = batch.ids, .positions = batch.positions, .documents = batch.documents});
  const at::Tensor each =
      chunkedLogProbabilities(hidden.flatten(0, 1).index_select(0, learnt), model_.head(), labels.index_select(0, learnt));
  return at::zeros(labels.sizes(), each.options()).scatter(0, learnt, each).view(batch.labels.sizes()).sum(1);
}

at::Tensor Preferences::referenceOf(const TokenBatch& batch, const std::vector<std::int64_t>& pairs, bool ofValidation) {
  if (!recipe_.lora) {
    const at::Tensor& all = ofValidation ? validation_ : train_;
    return all.index_select(1, at::tensor(pairs, at::kLong).to(all.device())).reshape(-1);
  }
  at::NoGradGuard noGrad;
  const AdaptersOff base(model_);
  return rowLogProbabilities(batch);
}

at::Tensor Preferences::pairLosses(const at::Tensor& ratios, const at::Tensor& lengths) const {
  const PreferenceSettings& s = recipe_.preference;
  const auto difference = [](const at::Tensor& rows) { return rows[0] - rows[1]; };
  const at::Tensor scaled = difference(ratios) * s.beta;
  const at::Tensor right = -at::log_sigmoid(scaled), wrong = -at::log_sigmoid(-scaled);
  switch (s.loss) {
    case PreferenceLoss::Sigmoid:
      return s.labelSmoothing > 0 ? right * (1 - s.labelSmoothing) + wrong * s.labelSmoothing : right;
    case PreferenceLoss::Robust:
      return (right * (1 - s.labelSmoothing) - wrong * s.labelSmoothing) / (1 - 2 * s.labelSmoothing);
    case PreferenceLoss::Hinge:
      return at::relu(1 - scaled);
    case PreferenceLoss::Ipo:
      return (difference(ratios / lengths.clamp_min(1)) - 1 / (2 * s.beta)).square();
  }
  return {};
}

at::Tensor Preferences::loss(const TokenBatch& batch, const std::vector<std::int64_t>& pairs, bool ofValidation, PairSums& sums) {
  const at::Tensor reference = referenceOf(batch, pairs, ofValidation), policy = rowLogProbabilities(batch);
  const at::Tensor ratios = (policy - reference).view({2, -1});
  const at::Tensor losses = pairLosses(ratios, batch.labels.ne(kIgnoredLabel).sum(1).to(at::kFloat).view({2, -1})).sum();

  const at::Tensor rewards = ratios.detach() * recipe_.preference.beta, own = policy.detach().view({2, -1});
  const auto total = [](const at::Tensor& t) { return t.sum(at::kDouble).item<double>(); };
  sums.loss += losses.item<double>();
  sums.chosenReward += total(rewards[0]);
  sums.rejectedReward += total(rewards[1]);
  sums.rightlyOrdered += total(rewards[0] > rewards[1]);
  sums.chosenLogProbability += total(own[0]);
  sums.rejectedLogProbability += total(own[1]);
  sums.pairs += std::int64_t(pairs.size());
  return losses;
}

}  // namespace cloister
