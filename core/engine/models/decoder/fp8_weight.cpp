#include "core/engine/models/decoder/fp8_weight.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

namespace cloister {

Fp8Weight::Fp8Weight(at::Tensor weight, at::Tensor scale, std::int64_t rows, std::int64_t columns)
    : weight_(std::move(weight)), scale_(std::move(scale)), rows_(rows), columns_(columns) {}

// One row of blocks at a time: no float copy of the whole stands beside the result.
at::Tensor Fp8Weight::restored(at::ScalarType type) const {
  at::NoGradGuard noGrad;
  const at::Tensor out = at::empty(weight_.sizes(), weight_.options().dtype(type));
  for (std::int64_t block = 0; block < scale_.size(0); ++block) {
    const std::int64_t from = block * rows_, count = std::min(rows_, weight_.size(0) - from);
    const at::Tensor each = scale_.select(0, block).repeat_interleave(columns_).narrow(0, 0, weight_.size(1));
    out.narrow(0, from, count).copy_(weight_.narrow(0, from, count).to(at::kFloat).mul_(each));
  }
  return out;
}

void Fp8Weight::moveTo(at::Device device) {
  weight_ = weight_.to(device);
  scale_ = scale_.to(device);
}

}  // namespace cloister
