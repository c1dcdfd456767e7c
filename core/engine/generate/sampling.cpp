#include "core/engine/generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/topk.h>

#include "core/engine/data/counter_rng.h"

namespace cloister {
namespace {

void penalise(const at::Tensor& scores, const std::vector<TokenIds>& history, double penalty) {
  const float p = float(penalty);
  for (std::int64_t row = 0; row < scores.size(0); ++row) {
    float* s = scores.mutable_data_ptr<float>() + row * scores.size(1);
    const TokenIds& tokens = history[std::size_t(row)];
    for (std::int64_t t : std::set<std::int64_t>(tokens.begin(), tokens.end()))
      if (t >= 0 && t < scores.size(1)) s[t] = s[t] < 0 ? s[t] * p : s[t] / p;
  }
}

at::Tensor keepTopK(const at::Tensor& scores, std::int64_t k) {
  const at::Tensor best = std::get<0>(at::topk(scores, std::min(k, scores.size(1)), -1));
  return scores.masked_fill(scores < best.narrow(-1, best.size(-1) - 1, 1), -std::numeric_limits<float>::infinity());
}

// The smallest set whose probabilities reach topP, cut from below: what is removed sums to at most 1 - topP.
at::Tensor keepTopP(const at::Tensor& scores, double topP) {
  const auto [sorted, order] = at::sort(scores, false, -1, false);
  at::Tensor removed = at::softmax(sorted, -1).cumsum(-1) <= (1 - topP);
  removed.narrow(-1, removed.size(-1) - 1, 1).fill_(false);
  return scores.masked_fill(removed.scatter(1, order, removed), -std::numeric_limits<float>::infinity());
}

}  // namespace

Result<SamplingSettings> SamplingSettings::fromJson(const QJsonObject& o) {
  SamplingSettings s;
  const auto bad = [&](const char* name, const QString& allowed) {
    return Failure{
        FailureKind::InvalidArgument, {{"name", name}, {"value", o[QLatin1String(name)].toVariant().toString()}, {"allowed", allowed}}, {}};
  };
  s.sample = o["sample"].toBool(false);
  s.temperature = o["temperature"].toDouble(1);
  s.topK = o["top_k"].toInteger(0);
  s.topP = o["top_p"].toDouble(1);
  s.repetitionPenalty = o["repetition_penalty"].toDouble(1);
  s.seed = quint64(o["seed"].toInteger(0));
  if (!(s.temperature > 0 && s.temperature <= 1000)) return bad("temperature", "above 0, at most 1000");
  if (s.topK < 0) return bad("top_k", "0 or more");
  if (!(s.topP > 0 && s.topP <= 1)) return bad("top_p", "above 0, at most 1");
  if (!(s.repetitionPenalty > 0 && s.repetitionPenalty <= 1000)) return bad("repetition_penalty", "above 0, at most 1000");
  return s;
}

at::Tensor processedLogits(const at::Tensor& logits, const std::vector<TokenIds>& history, const SamplingSettings& s) {
  at::Tensor scores = logits.detach().to(at::kCPU, at::kFloat).contiguous();
  if (s.repetitionPenalty != 1) {
    scores = scores.clone();
    penalise(scores, history, s.repetitionPenalty);
  }
  if (!s.sample) return scores;
  if (s.temperature != 1) scores = scores / s.temperature;
  if (s.topK > 0) scores = keepTopK(scores, s.topK);
  if (s.topP < 1) scores = keepTopP(scores, s.topP);
  return scores;
}

TokenIds chooseTokens(const at::Tensor& processed, const SamplingSettings& s, const std::vector<std::int64_t>& sequence,
                      std::int64_t step) {
  TokenIds chosen;
  if (!s.sample) {
    const at::Tensor best = at::argmax(processed, -1).contiguous();
    const std::int64_t* p = best.const_data_ptr<std::int64_t>();
    return TokenIds(p, p + best.numel());
  }
  const at::Tensor probabilities = at::softmax(processed, -1, at::kDouble).contiguous();
  for (std::int64_t row = 0; row < processed.size(0); ++row) {
    const double* p = probabilities.const_data_ptr<double>() + row * processed.size(1);
    const double drawn = CounterRng(keyOf(s.seed, std::uint64_t(sequence[std::size_t(row)]), std::uint64_t(step))).uniform();
    double sum = 0;
    std::int64_t token = -1;
    for (std::int64_t i = 0; i < processed.size(1) && (token < 0 || sum <= drawn); ++i) {
      if (p[i] <= 0) continue;
      sum += p[i];
      token = i;
    }
    chosen.push_back(std::max<std::int64_t>(token, 0));
  }
  return chosen;
}

}  // namespace cloister
