#include "core/engine/models/decoder/recomputed_layer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/engine/kernels/decode_ops.h"
#include "core/engine/models/precision.h"

namespace cloister {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Call : torch::CustomClassHolder {
  LayerFunction layer;
  bool watched = false;
  std::vector<at::Tensor> loads;
};

class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  /// {what the layer gives, its balance loss}.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const c10::intrusive_ptr<Call>& call) {
    const kernels::LibraryProducts asInBackward;
    RoutingWatch watch;
    const at::Tensor y = call->layer(x, call->watched ? &watch : nullptr);
    call->loads = watch.loads;
    ctx->save_for_backward({x});
    ctx->saved_data["call"] = c10::IValue::make_capsule(call);
    ctx->saved_data["bf16"] = at::autocast::is_autocast_enabled(x.device().type());
    return {y, watch.balanceLoss.defined() ? watch.balanceLoss : at::zeros({}, x.options().dtype(at::kFloat))};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto call = c10::static_intrusive_pointer_cast<Call>(ctx->saved_data["call"].toCapsule());
    const at::Tensor x = ctx->get_saved_variables()[0].detach().set_requires_grad(true);
    RoutingWatch watch;
    variable_list roots;
    {
      const c10::AutoGradMode record(true);
      const Autocast asBefore(ctx->saved_data["bf16"].toBool(), x.device().type());
      roots.push_back(call->layer(x, call->watched ? &watch : nullptr));
    }
    if (watch.balanceLoss.defined() && watch.balanceLoss.requires_grad()) roots.push_back(watch.balanceLoss);
    gradients.resize(roots.size());
    torch::autograd::backward(roots, gradients);
    return {x.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor recomputed(LayerFunction layer, const at::Tensor& x, RoutingWatch* watch) {
  const auto call = c10::make_intrusive<Call>();
  call->layer = std::move(layer);
  call->watched = watch != nullptr;
  const variable_list out = Recomputed::apply(x, call);
  // Dense layers have no routers, and no loads.
  if (watch && !call->loads.empty()) {
    watch->loads.insert(watch->loads.end(), call->loads.begin(), call->loads.end());
    watch->balanceLoss = watch->balanceLoss.defined() ? watch->balanceLoss + out[1] : out[1];
  }
  return out[0];
}

}  // namespace cloister
