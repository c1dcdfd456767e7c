#include "core/engine/models/decoder/nf4.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

namespace cloister {
namespace {

/// The nearest of a rising code: the first whose upper midpoint is not exceeded.
template <std::size_t N>
std::uint8_t nearest(const std::array<float, N>& code, float x) {
  const auto above = std::lower_bound(code.begin(), code.end(), x);
  if (above == code.begin()) return 0;
  if (above == code.end()) return std::uint8_t(N - 1);
  const auto below = above - 1;
  return std::uint8_t((x - *below <= *above - x ? below : above) - code.begin());
}

float largest(const float* x, std::int64_t n) {
  float most = 0;
  for (std::int64_t i = 0; i < n; ++i) most = std::max(most, std::abs(x[i]));
  return most;
}

constexpr std::int64_t kBlocksAtATime = 1024;

}  // namespace

const std::array<float, 16>& nf4Levels() {
  // Quantiles of the normal distribution with an exact zero and both ends at one (appendix E of the paper), as bitsandbytes rounds them.
  static const std::array<float, 16> levels{-1.0f,
                                            -0.6961928009986877f,
                                            -0.5250730514526367f,
                                            -0.39491748809814453f,
                                            -0.28444138169288635f,
                                            -0.18477343022823334f,
                                            -0.09105003625154495f,
                                            0.0f,
                                            0.07958029955625534f,
                                            0.16093020141124725f,
                                            0.24611230194568634f,
                                            0.33791524171829224f,
                                            0.44070982933044434f,
                                            0.5626170039176941f,
                                            0.7229568362236023f,
                                            1.0f};
  return levels;
}

// Seven decades, each with twice the steps of the one below it, both signs (8-bit optimizers, Dettmers et al. 2022, 2110.02861).
const std::array<float, 256>& dynamicCode() {
  static const std::array<float, 256> code = [] {
    std::vector<float> all{0.0f, 1.0f};
    for (int decade = 0; decade < 7; ++decade) {
      const int steps = 1 << decade;
      const double scale = std::pow(10.0, decade - 6);
      for (int i = 0; i < steps; ++i) {
        const float low = float(0.1 + 0.9 * i / steps), high = float(0.1 + 0.9 * (i + 1) / steps);
        const float middle = float(scale * double((low + high) / 2.0f));
        all.push_back(middle);
        all.push_back(-middle);
      }
    }
    std::sort(all.begin(), all.end());
    std::array<float, 256> sorted{};
    std::copy(all.begin(), all.end(), sorted.begin());
    return sorted;
  }();
  return code;
}

Nf4Weight Nf4Weight::quantised(const at::Tensor& weight) {
  at::NoGradGuard noGrad;
  const std::int64_t n = weight.numel(), blocks = (n + kNf4Block - 1) / kNf4Block;
  const std::int64_t groups = (blocks + kNf4StatisticsBlock - 1) / kNf4StatisticsBlock;
  Nf4Weight w;
  w.shape_ = weight.sizes().vec();
  w.packed_ = at::empty({(n + 1) / 2}, at::kByte);
  w.statistics_ = at::empty({blocks}, at::kByte);
  w.scales_ = at::empty({groups}, at::kFloat);
  const at::Tensor given = weight.detach().cpu().contiguous().view({-1});
  std::vector<float> magnitudes(static_cast<std::size_t>(blocks));
  auto* packed = w.packed_.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, (blocks + kBlocksAtATime - 1) / kBlocksAtATime, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kBlocksAtATime, last = std::min(blocks, end * kBlocksAtATime);
    for (std::int64_t at = first; at < last; at += kBlocksAtATime) {
      const std::int64_t from = at * kNf4Block, until = std::min(n, std::min(last, at + kBlocksAtATime) * kNf4Block);
      const at::Tensor part = given.narrow(0, from, until - from).to(at::kFloat);
      const float* x = part.const_data_ptr<float>();
      for (std::int64_t b = 0; b * kNf4Block < until - from; ++b) {
        const std::int64_t start = b * kNf4Block, count = std::min(kNf4Block, until - from - start);
        const float most = largest(x + start, count), inverse = most > 0 ? 1 / most : 0;
        magnitudes[std::size_t(at + b)] = most;
        const auto level = [&](std::int64_t i) { return i < count ? nearest(nf4Levels(), x[start + i] * inverse) : std::uint8_t(0); };
        for (std::int64_t i = 0; i < count; i += 2) packed[(from + start + i) / 2] = std::uint8_t(level(i) << 4 | level(i + 1));
      }
    }
  });

  double sum = 0;
  for (const float m : magnitudes) sum += m;
  w.offset_ = blocks > 0 ? float(sum / double(blocks)) : 0;
  auto* statistics = w.statistics_.mutable_data_ptr<std::uint8_t>();
  auto* scales = w.scales_.mutable_data_ptr<float>();
  for (float& m : magnitudes) m -= w.offset_;
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int64_t from = g * kNf4StatisticsBlock, count = std::min(kNf4StatisticsBlock, blocks - from);
    scales[g] = largest(magnitudes.data() + from, count);
    const float inverse = scales[g] > 0 ? 1 / scales[g] : 0;
    for (std::int64_t i = 0; i < count; ++i) statistics[from + i] = nearest(dynamicCode(), magnitudes[std::size_t(from + i)] * inverse);
  }
  return w;
}

at::Tensor Nf4Weight::magnitudes() const {
  const at::Tensor code = at::from_blob(const_cast<float*>(dynamicCode().data()), {256}, at::kFloat).to(device());
  const std::int64_t blocks = statistics_.size(0);
  const at::Tensor each = scales_.repeat_interleave(kNf4StatisticsBlock).narrow(0, 0, blocks);
  return code.index_select(0, statistics_.to(at::kInt)) * each + offset_;
}

at::Tensor Nf4Weight::restored(at::ScalarType type) const {
  at::NoGradGuard noGrad;
  std::int64_t n = 1;
  for (const std::int64_t s : shape_) n *= s;
  const at::Tensor most = magnitudes();
  if (!device().is_cpu()) {
    const at::Tensor levels = at::from_blob(const_cast<float*>(nf4Levels().data()), {16}, at::kFloat).to(device());
    const at::Tensor both = at::stack({packed_.bitwise_right_shift(4), packed_.bitwise_and(15)}, 1).view({-1}).narrow(0, 0, n);
    return (levels.index_select(0, both.to(at::kInt)) * most.repeat_interleave(kNf4Block).narrow(0, 0, n)).to(type).view(shape_);
  }
  // One look-up gives both weights of a byte.
  static const std::array<std::array<float, 2>, 256> pairs = [] {
    std::array<std::array<float, 2>, 256> all{};
    for (std::size_t i = 0; i < 256; ++i) all[i] = {nf4Levels()[i >> 4], nf4Levels()[i & 15]};
    return all;
  }();
  const at::Tensor out = at::empty(shape_, at::TensorOptions(type));
  const auto* packed = packed_.const_data_ptr<std::uint8_t>();
  const float* magnitude = most.const_data_ptr<float>();
  const auto write = [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    at::parallel_for(0, most.size(0), kBlocksAtATime, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        const std::int64_t from = b * kNf4Block, until = std::min(n, from + kNf4Block);
        const float m = magnitude[b];
        for (std::int64_t i = from; i < until; i += 2) {
          const std::array<float, 2>& two = pairs[packed[i / 2]];
          to[i] = T(two[0] * m);
          if (i + 1 < until) to[i + 1] = T(two[1] * m);
        }
      }
    });
  };
  if (type == at::kBFloat16) write(out.mutable_data_ptr<at::BFloat16>());
  else write(out.mutable_data_ptr<float>());
  return out;
}

void Nf4Weight::moveTo(at::Device device) {
  for (at::Tensor* t : {&packed_, &statistics_, &scales_}) *t = t->to(device);
}

std::int64_t Nf4Weight::bytes() const { return std::int64_t(packed_.nbytes() + statistics_.nbytes() + scales_.nbytes() + sizeof offset_); }

}  // namespace cloister
