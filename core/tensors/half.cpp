#include "core/tensors/half.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace cloister {

std::uint16_t toHalf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return std::uint16_t(sign | 0x7e00);   // NaN
  if (magnitude >= 0x47800000) return std::uint16_t(sign | 0x7c00);  // 65536 and above
  if (magnitude < 0x38800000) {                                      // below 2^-14: subnormal, spacing 2^-24
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0F;
    return std::uint16_t(sign | std::uint16_t(std::nearbyint(scaled)));
  }
  // The carry of the rounding may run into the exponent, which is then right; 65520 and above becomes infinity this way.
  const std::uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return std::uint16_t(sign | std::uint16_t((rounded - 0x38000000) >> 13));
}

float fromHalf(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0) {
    const float v = float(mantissa) / 16777216.0F;
    return sign ? -v : v;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

void widen(const TensorView& v, std::vector<float>& to) {
  to.resize(v.bytes / dtypeSize(v.dtype));
  if (v.dtype == DType::F32) {
    std::memcpy(to.data(), v.data, v.bytes);
    return;
  }
  const std::byte* from = v.data;
  for (float& f : to) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, 2);  // a file may put a tensor at an odd address
    from += 2;
    f = v.dtype == DType::F16 ? fromHalf(bits) : std::bit_cast<float>(std::uint32_t(bits) << 16);
  }
}

}  // namespace cloister
