#include "core/engine/kernels/decode_ops.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "core/engine/kernels/decode_rows.h"
#include "core/engine/kernels/helpers.h"
#include "core/engine/kernels/parts.h"

namespace cloister::kernels {
namespace {

constexpr std::int64_t kPieceBytes = 32 << 10;  // what a thread takes at a time: some microseconds of memory
constexpr std::int64_t kWorthHelp = 64 << 10;   // less is read before another thread has come

thread_local bool libraryOnly = false;

bool plain(const at::Tensor& t) { return t.device().is_cpu() && (t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16); }

int threadsFor(std::int64_t bytes) { return bytes < kWorthHelp ? 1 : at::get_num_threads(); }

template <typename Task>
auto withType(const at::Tensor& t, const Task& task) {
  return t.scalar_type() == at::kFloat ? task(float()) : task(BFloat());
}

/// Outputs [from, to) of one product.
struct Piece {
  std::size_t product;
  std::int64_t from, to;
};

// [B, heads, S, D] whose rows of one head lie side by side.
bool denseHeads(const at::Tensor& t) { return t.dim() == 4 && t.stride(3) == 1 && (t.stride(2) == t.size(3) || t.size(2) == 1); }

}  // namespace

LibraryProducts::LibraryProducts() : before_(libraryOnly) { libraryOnly = true; }
LibraryProducts::~LibraryProducts() { libraryOnly = before_; }

bool canMultiplyFewRows(const at::Tensor& x, const at::Tensor& weight) {
  if (at::GradMode::is_enabled() || libraryOnly || !weight.defined() || weight.dim() != 2 || !plain(x) ||
      x.scalar_type() != weight.scalar_type() || !weight.device().is_cpu() || !weight.is_contiguous() || x.numel() == 0 ||
      x.numel() > kFewRows * weight.size(1))
    return false;
  return x.scalar_type() == at::kBFloat16 || !at::autocast::is_autocast_enabled(at::kCPU);
}

at::Tensor multiplyFewRows(const at::Tensor& given, const std::vector<RowProduct>& products) {
  const at::Tensor x = given.contiguous();
  const std::int64_t width = x.size(-1), rows = x.numel() / width, each = std::int64_t(x.element_size());
  std::vector<Piece> pieces;
  std::vector<at::Tensor> biases;
  std::vector<std::int64_t> columns;
  std::int64_t outs = 0;
  const std::int64_t atATime = std::max<std::int64_t>(16, kPieceBytes / (width * each) / 16 * 16);
  for (const RowProduct& p : products) {
    biases.push_back(p.bias.defined() ? p.bias.to(x.scalar_type()).contiguous() : at::Tensor());
    columns.push_back(outs);
    for (std::int64_t o = 0; o < p.weight.size(0); o += atATime)
      pieces.push_back({biases.size() - 1, o, std::min(o + atATime, p.weight.size(0))});
    outs += p.weight.size(0);
  }
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outs;
  at::Tensor y = at::empty(shape, x.options());
  std::vector<float> spread(std::size_t(rows * spreadWidth(width)));
  withType(x, [&](auto tag) {
    using T = decltype(tag);
    decodeRows<T>().spread(data<T>(x), spread.data(), rows, width);
    T* to = mutableData<T>(y);
    shareOut(std::int64_t(pieces.size()), threadsFor(outs * width * each), [&](std::int64_t i) {
      const auto& [product, from, until] = pieces[std::size_t(i)];
      const T* bias = data<T>(biases[product]);
      decodeRows<T>().products(spread.data(), data<T>(products[product].weight) + from * width, bias ? bias + from : nullptr,
                               to + columns[product] + from, rows, width, until - from, outs);
    });
  });
  return y;
}

bool canAttendOneToken(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask) {
  if (at::GradMode::is_enabled() || libraryOnly || !plain(q) || q.dim() != 4 || q.size(2) != 1 || q.stride(3) != 1 ||
      k.scalar_type() != q.scalar_type() || v.scalar_type() != q.scalar_type() || !denseHeads(k) || !denseHeads(v) || k.size(2) == 0 ||
      q.size(1) % k.size(1) != 0)
    return false;
  return !mask.defined() || (mask.scalar_type() == at::kBool && mask.dim() == 4 && mask.size(1) == 1 && mask.size(2) == 1 &&
                             mask.size(3) == k.size(2) && mask.stride(3) == 1);
}

at::Tensor attendOneToken(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask, double scale) {
  const std::int64_t b = q.size(0), h = q.size(1), kv = k.size(1), tokens = k.size(2), width = q.size(3), valueWidth = v.size(3);
  const std::int64_t group = h / kv, bytes = b * kv * tokens * (width + valueWidth) * std::int64_t(q.element_size());
  const std::int64_t scratchEach = group * (spreadWidth(width) + tokens);
  at::Tensor out = at::empty({b, h, 1, valueWidth}, q.options());
  std::vector<float> scratch(std::size_t(b * kv * scratchEach));
  withType(q, [&](auto tag) {
    using T = decltype(tag);
    shareOut(b * kv, threadsFor(bytes), [&](std::int64_t i) {
      const std::int64_t row = i / kv, head = i % kv;
      const bool* seen = mask.defined() ? data<bool>(mask) + (mask.size(0) == 1 ? 0 : row * mask.stride(0)) : nullptr;
      decodeRows<T>().attend({.query = data<T>(q) + row * q.stride(0) + head * group * q.stride(1),
                              .key = data<T>(k) + row * k.stride(0) + head * k.stride(1),
                              .value = data<T>(v) + row * v.stride(0) + head * v.stride(1),
                              .seen = seen,
                              .out = mutableData<T>(out) + (row * h + head * group) * valueWidth,
                              .queries = group,
                              .tokens = tokens,
                              .width = width,
                              .valueWidth = valueWidth,
                              .queryStride = q.stride(1),
                              .outStride = valueWidth,
                              .scale = float(scale),
                              .scratch = scratch.data() + i * scratchEach});
    });
  });
  return out;
}

}  // namespace cloister::kernels
