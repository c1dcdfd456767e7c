// What products read while every weight of a decoder trains (decision 0026): joined matrices and bfloat16 copies.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {
namespace {

class Joiner {
 public:
  Joiner(NamedTensors& state, bool bf16) : state_(state), bf16_(bf16) {}

  // One leaf for the rows of all of them, in this order.
  at::Tensor join(const std::vector<std::pair<std::string, DecoderLinear*>>& weights) {
    std::vector<at::Tensor> parts;
    for (const auto& [name, linear] : weights) parts.push_back(state_.at(name + ".weight").detach());
    at::Tensor leaf = parts.size() > 1 ? at::cat(parts) : parts[0];
    if (bf16_) leaf = leaf.to(at::kBFloat16);
    std::int64_t from = 0;
    for (const auto& [name, linear] : weights) {
      at::Tensor& kept = state_.at(name + ".weight");
      const ComputedWeight here{leaf, from, kept.size(0)};
      if (!bf16_ && parts.size() > 1) kept = linear->weight = here.copy();
      from += here.rows;
      found[name + ".weight"] = here;
    }
    return leaf.set_requires_grad(true);
  }
  void copy(const std::string& name, DecoderLinear& linear) {
    if (bf16_ && linear.defined()) linear.weight = join({{name, &linear}});
  }
  void mlp(const std::string& p, DecoderMlp& m) {
    if (!m.gate.defined()) return;
    m.joined = join({{p + "gate_proj", &m.gate}, {p + "up_proj", &m.up}});
    copy(p + "down_proj", m.down);
  }

  std::map<std::string, ComputedWeight> found;

 private:
  NamedTensors& state_;
  bool bf16_;
};

}  // namespace

std::map<std::string, ComputedWeight> DecoderModel::joinWeights(bool bf16) {
  at::NoGradGuard noGrad;
  Joiner joiner(state_, bf16);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string p = "model.layers." + std::to_string(i) + '.';
    DecoderAttention& a = layers_[i].attention;
    if (!config_.hasMla())
      a.joined = joiner.join({{p + "self_attn.q_proj", &a.q}, {p + "self_attn.k_proj", &a.k}, {p + "self_attn.v_proj", &a.v}});
    else if (a.q.defined()) joiner.copy(p + "self_attn.q_proj", a.q);
    for (auto [name, l] :
         {std::pair{"q_a_proj", &a.qA}, {"q_b_proj", &a.qB}, {"kv_a_proj_with_mqa", &a.kvA}, {"kv_b_proj", &a.kvB}, {"o_proj", &a.o}})
      joiner.copy(p + "self_attn." + name, *l);
    joiner.mlp(p + "mlp.", layers_[i].mlp);
    for (std::size_t e = 0; e < layers_[i].experts.experts.size(); ++e)
      joiner.mlp(p + "mlp.experts." + std::to_string(e) + '.', layers_[i].experts.experts[e]);
    joiner.mlp(p + "mlp.shared_experts.", layers_[i].experts.shared);
    if (i >= std::size_t(config_.layers)) joiner.copy(p + "eh_proj", predictions_[i - std::size_t(config_.layers)].project);
  }
  if (bf16 && !config_.tiedEmbeddings) {
    DecoderLinear head;
    head.weight = head_;
    joiner.copy("lm_head", head);
    head_ = head.weight;
  }
  return std::move(joiner.found);
}

}  // namespace cloister
