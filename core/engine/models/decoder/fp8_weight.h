// A weight as DeepSeek-V3's files hold it: float8 (e4m3), one float32 factor for each block of 128 × 128 (weight_scale_inv; V3 report
// 2412.19437, section 3.3). Views of the mapped file; a byte and a two-thousandth a weight.
#pragma once
#include "core/engine/models/decoder/packed_weight.h"

namespace cloister {

class Fp8Weight : public PackedWeight {
 public:
  /// weight: float8_e4m3fn [out, in]; scale: float32 [⌈out / rows⌉, ⌈in / columns⌉].
  Fp8Weight(at::Tensor weight, at::Tensor scale, std::int64_t rows, std::int64_t columns);
  at::Tensor restored(at::ScalarType type) const override;
  void moveTo(at::Device) override;
  at::IntArrayRef sizes() const override { return weight_.sizes(); }
  at::Device device() const override { return weight_.device(); }

 private:
  at::Tensor weight_, scale_;
  std::int64_t rows_, columns_;
};

}  // namespace cloister
