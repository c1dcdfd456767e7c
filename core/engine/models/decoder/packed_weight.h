// A frozen weight of a linear layer kept in fewer bits than products read: four (nf4.h) or eight (fp8_weight.h). It is restored for one
// product and again for that product's backward; nothing restored is kept. Worker only; any thread.
#pragma once
#include <memory>

#include <ATen/core/Tensor.h>

namespace cloister {

class PackedWeight {
 public:
  virtual ~PackedWeight() = default;
  /// The weight in the shape it had; type float32 or bfloat16.
  virtual at::Tensor restored(at::ScalarType type) const = 0;
  virtual void moveTo(at::Device) = 0;
  virtual at::IntArrayRef sizes() const = 0;
  virtual at::Device device() const = 0;
};

/// x · weightᵀ + bias; no gradient for weight and bias. In bfloat16 under Autocast, else in x's type.
at::Tensor packedLinear(const at::Tensor& x, const std::shared_ptr<const PackedWeight>& weight, const at::Tensor& bias);

}  // namespace cloister
