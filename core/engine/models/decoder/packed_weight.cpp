#include "core/engine/models/decoder/packed_weight.h"

#include <optional>

#include <ATen/autocast_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <torch/csrc/autograd/custom_function.h>

namespace cloister {
namespace {

struct Holder : torch::CustomClassHolder {
  explicit Holder(std::shared_ptr<const PackedWeight> w) : weight(std::move(w)) {}
  std::shared_ptr<const PackedWeight> weight;
};

at::ScalarType computingType(const at::Tensor& x) {
  return at::autocast::is_autocast_enabled(x.device().type()) || x.scalar_type() == at::kBFloat16 ? at::kBFloat16 : at::kFloat;
}

class PackedProduct : public torch::autograd::Function<PackedProduct> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x, const c10::intrusive_ptr<Holder>& holder,
                            const std::optional<at::Tensor>& bias) {
    ctx->saved_data["weight"] = c10::IValue::make_capsule(holder);
    ctx->saved_data["type"] = int(x.scalar_type());
    return at::linear(x, holder->weight->restored(computingType(x)), bias);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list gradients) {
    const auto holder = c10::static_intrusive_pointer_cast<Holder>(ctx->saved_data["weight"].toCapsule());
    const at::Tensor& g = gradients[0];
    const at::Tensor w = holder->weight->restored(g.scalar_type() == at::kBFloat16 ? at::kBFloat16 : at::kFloat);
    return {at::matmul(g, w).to(at::ScalarType(ctx->saved_data["type"].toInt())), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor packedLinear(const at::Tensor& x, const std::shared_ptr<const PackedWeight>& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  return PackedProduct::apply(x, c10::make_intrusive<Holder>(weight), added);
}

}  // namespace cloister
