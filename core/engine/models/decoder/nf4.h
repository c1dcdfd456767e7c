// Weights in four bits for QLoRA (Dettmers et al., NeurIPS 2023): blocks of 64 weights, each weight the nearest of the sixteen NF4 levels
// times its block's largest magnitude. Those magnitudes are quantised again: their mean is taken off, and blocks of 256 of them go to the
// eight-bit dynamic code. Levels, codes and the order of nibbles (the first weight high) are those of bitsandbytes. Half a byte and a
// sixty-fourth a weight. Worker only; any thread.
#pragma once
#include <array>
#include <vector>

#include "core/engine/models/decoder/packed_weight.h"

namespace cloister {

inline constexpr std::int64_t kNf4Block = 64, kNf4StatisticsBlock = 256;

class Nf4Weight : public PackedWeight {
 public:
  /// weight: floating, any shape. Values that are not finite become unusable blocks; callers read weights that were checked.
  static Nf4Weight quantised(const at::Tensor& weight);
  at::Tensor restored(at::ScalarType type) const override;
  void moveTo(at::Device) override;

  at::IntArrayRef sizes() const override { return shape_; }
  at::Device device() const override { return packed_.device(); }
  std::int64_t bytes() const;
  const at::Tensor& packed() const { return packed_; }          ///< uint8 [⌈n / 2⌉]
  const at::Tensor& statistics() const { return statistics_; }  ///< uint8, one a block
  const at::Tensor& scales() const { return scales_; }          ///< float32, one for 256 statistics
  float offset() const { return offset_; }

 private:
  at::Tensor magnitudes() const;  ///< float32, one a block

  std::vector<std::int64_t> shape_;
  at::Tensor packed_, statistics_, scales_;
  float offset_ = 0;
};

const std::array<float, 16>& nf4Levels();
const std::array<float, 256>& dynamicCode();

}  // namespace cloister
