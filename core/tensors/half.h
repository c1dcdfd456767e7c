// The 16-bit floating-point formats, without LibTorch. Any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "core/tensors/safetensors.h"

namespace cloister {

/// IEEE half precision, round to nearest even; overflow becomes infinity.
std::uint16_t toHalf(float);
float fromHalf(std::uint16_t);

inline bool isFloat(DType d) { return d == DType::F32 || d == DType::F16 || d == DType::BF16; }
/// float32, float16 and bfloat16 values as float32.
void widen(const TensorView&, std::vector<float>& to);

}  // namespace cloister
