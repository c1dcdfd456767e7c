#include <ATen/core/grad_mode.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/engine/models/decoder/decoder_layers.h"
#include "core/engine/models/precision.h"

namespace cloister {
namespace {

// True for the experts of the groups that a token may choose from, [N, E].
at::Tensor allowedExperts(const DecoderConfig& config, const at::Tensor& choice) {
  const std::int64_t n = choice.size(0), groups = config.expertGroups, each = config.routedExperts / groups;
  const at::Tensor grouped = choice.view({n, groups, each});
  const at::Tensor strength = config.routing == RoutingMethod::NoAuxTc ? std::get<0>(at::topk(grouped, 2, -1)).sum(-1) : grouped.amax(-1);
  const at::Tensor best = std::get<1>(at::topk(strength, config.groupsPerToken, -1));
  const at::Tensor mask = at::zeros({n, groups}, choice.options().dtype(at::kBool)).scatter(1, best, true);
  return mask.unsqueeze(-1).expand({n, groups, each}).reshape({n, config.routedExperts});
}

// DeepSeek-V2 eq. 12 to 14, V3 eq. 17 to 20: Σ_e f_e P_e of each sequence, averaged over the sequences. V2 counts the experts that were
// taken; V3 those of the largest affinities, without the correction bias and the groups, so that the loss does not chase the bias.
at::Tensor balanceLossOf(const DecoderConfig& config, const Routing& r, std::int64_t sequences) {
  const std::int64_t e = config.routedExperts, k = config.expertsPerToken, tokens = r.scores.size(0) / sequences;
  const at::Tensor counted = config.routing == RoutingMethod::NoAuxTc ? std::get<1>(at::topk(r.scores.detach(), k, -1)) : r.experts;
  const at::Tensor chosen = at::zeros_like(r.scores).detach().scatter(1, counted, 1.0);
  const at::Tensor frequency = chosen.view({sequences, tokens, e}).mean(1) * (double(e) / double(k));
  const at::Tensor share = (r.scores / r.scores.sum(-1, true)).view({sequences, tokens, e}).mean(1);
  return (frequency * share).sum(-1).mean();
}

}  // namespace

Routing routeTokens(const DecoderConfig& config, const at::Tensor& logits, const at::Tensor& correction) {
  Routing r;
  const bool v3 = config.routing == RoutingMethod::NoAuxTc;
  r.scores = v3 ? at::sigmoid(logits) : at::softmax(logits, -1);
  {
    at::NoGradGuard choosing;
    at::Tensor choice = v3 ? r.scores + correction : r.scores;
    // V3 may have negative values, so the others are pushed out of reach; V2's scores are positive.
    if (config.routing != RoutingMethod::Greedy)
      choice = choice.masked_fill(allowedExperts(config, choice).logical_not(), v3 ? -std::numeric_limits<float>::infinity() : 0.0f);
    r.experts = std::get<1>(at::topk(choice, config.expertsPerToken, -1));
  }
  r.weights = r.scores.gather(1, r.experts);
  if (config.normalisedWeights) r.weights = r.weights / (r.weights.sum(-1, true) + 1e-20);
  r.weights = r.weights * config.routedScaling;
  return r;
}

at::Tensor mixtureOfExperts(const DecoderConfig& config, const DecoderExperts& m, const at::Tensor& x, const LayerContext& c) {
  const std::int64_t n = x.size(0) * x.size(1), k = config.expertsPerToken;
  const at::Tensor flat = x.reshape({n, x.size(2)});
  Routing r;
  {
    const Autocast exact(false, x.device().type());
    r = routeTokens(config, at::linear(flat.to(at::kFloat), m.router.to(at::kFloat)), m.correction);
  }
  // Rows sorted by expert; afterwards back in place and summed over each token's experts, always in the same order.
  const at::Tensor order = at::argsort(r.experts.reshape(-1), true, 0, false);
  const at::Tensor loads = at::bincount(r.experts.reshape(-1), {}, config.routedExperts);
  const at::Tensor counts = loads.cpu(), rows = flat.index_select(0, order.div(k, "floor"));
  std::vector<at::Tensor> parts;
  std::int64_t from = 0;
  for (std::int64_t e = 0; e < config.routedExperts; ++e) {
    const std::int64_t count = counts.const_data_ptr<std::int64_t>()[e];
    if (count == 0) continue;
    parts.push_back(m.experts[std::size_t(e)](rows.narrow(0, from, count)));
    from += count;
  }
  const at::Tensor back = at::argsort(order, true, 0, false);
  const at::Tensor each = at::cat(parts).index_select(0, back).view({n, k, -1});
  at::Tensor y = (each * r.weights.unsqueeze(-1)).sum(1).to(x.scalar_type()).view(x.sizes());
  if (m.shared.gate.defined()) y = y + m.shared(x);
  if (c.watch) {
    c.watch->loads.push_back(loads);
    const at::Tensor loss = balanceLossOf(config, r, x.size(0));
    c.watch->balanceLoss = c.watch->balanceLoss.defined() ? c.watch->balanceLoss + loss : loss;
  }
  return y;
}

}  // namespace cloister
