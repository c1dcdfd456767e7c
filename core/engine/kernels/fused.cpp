#include "core/engine/kernels/fused.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/engine/kernels/parts.h"
#include "core/engine/kernels/row_kernels.h"

namespace cloister::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor channelsLast(const at::Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }

// Two sums per channel, added up over the parts in order.
struct ChannelSums {
  ChannelSums(std::int64_t parts, std::int64_t n) : channels(n), values(std::size_t(parts * 2 * n), 0.0) {}
  double* first(std::int64_t part) { return values.data() + part * 2 * channels; }
  double* second(std::int64_t part) { return first(part) + channels; }
  void fold(std::int64_t parts) {
    for (std::int64_t p = 1; p < parts; ++p)
      for (std::int64_t i = 0; i < 2 * channels; ++i) values[std::size_t(i)] += values[std::size_t(p * 2 * channels + i)];
  }
  std::int64_t channels;
  std::vector<double> values;
};

// What normalises a channel, as the loops take it: (x - mean) · scale + bias.
struct Affine {
  at::Tensor mean, scale, bias, inverse;  ///< inverse: 1/√(variance + ε); scale = weight · inverse
};

template <typename T>
Affine statistics(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& runningMean,
                  const at::Tensor& runningVar, double momentum, double epsilon) {
  const std::int64_t channels = x.size(1), rows = x.numel() / channels, parts = partsFor(x.numel());
  // Sums about the first position, not about zero: no digits are lost when the mean is large against the deviation.
  std::vector<float> shift(std::size_t(channels), 0.0f);
  for (std::int64_t c = 0; c < channels; ++c) {
    if constexpr (sizeof(T) == 4) shift[std::size_t(c)] = data<float>(x)[c];
    else shift[std::size_t(c)] = float(data<at::BFloat16>(x)[c]);
    if (!std::isfinite(shift[std::size_t(c)])) shift[std::size_t(c)] = 0;
  }
  ChannelSums sums(parts, channels);
  inParts(rows, parts, [&](std::int64_t p, std::int64_t from, std::int64_t to) {
    rowKernels<T>().moments(data<T>(x) + from * channels, to - from, channels, shift.data(), sums.first(p), sums.second(p));
  });
  sums.fold(parts);
  Affine a{at::empty({channels}, at::kFloat), at::empty({channels}, at::kFloat), bias.detach(), at::empty({channels}, at::kFloat)};
  const float* w = weight.const_data_ptr<float>();
  float *mean = a.mean.data_ptr<float>(), *scale = a.scale.data_ptr<float>(), *inverse = a.inverse.data_ptr<float>();
  float *keptMean = runningMean.mutable_data_ptr<float>(), *keptVar = runningVar.mutable_data_ptr<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    const double about = sums.first(0)[c] / double(rows), m = about + double(shift[std::size_t(c)]);
    const double spread = sums.second(0)[c] / double(rows) - about * about;
    const double variance = spread < 0 ? 0 : spread;  // NaN stays
    mean[c] = float(m);
    inverse[c] = float(1.0 / std::sqrt(variance + epsilon));
    scale[c] = w[c] * inverse[c];
    keptMean[c] += float(momentum) * (float(m) - keptMean[c]);
    keptVar[c] += float(momentum) * (float(variance * double(rows) / double(std::max<std::int64_t>(1, rows - 1))) - keptVar[c]);
  }
  return a;
}

PoolShape poolShape(const at::Tensor& x, const Pool& p) {
  const std::int64_t h = x.size(2), w = x.size(3);
  return {
      h,        w,        (h + 2 * p.padding - p.kernel) / p.stride + 1, (w + 2 * p.padding - p.kernel) / p.stride + 1, x.size(1), p.kernel,
      p.stride, p.padding};
}

template <typename T>
at::Tensor applyNorm(const at::Tensor& x, const Affine& a, const AfterNorm& after) {
  const std::int64_t channels = x.size(1), parts = partsFor(x.numel());
  at::Tensor y = at::empty_like(x);
  inParts(x.numel() / channels, parts, [&](std::int64_t, std::int64_t from, std::int64_t to) {
    const std::int64_t skip = from * channels;
    rowKernels<T>().normalise(data<T>(x) + skip, after.residual.defined() ? data<T>(after.residual) + skip : nullptr,
                              mutableData<T>(y) + skip, to - from, channels, data<float>(a.mean), data<float>(a.scale), data<float>(a.bias),
                              after.relu);
  });
  return y;
}

template <typename T>
at::Tensor applyNormPool(const at::Tensor& x, const Affine& a, const PoolShape& p, at::Tensor& index) {
  const std::int64_t n = x.size(0), inner = p.height * p.width * p.channels, outer = p.outHeight * p.outWidth * p.channels;
  at::Tensor y = at::empty({n, p.channels, p.outHeight, p.outWidth}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  index = at::empty({n, p.channels, p.outHeight, p.outWidth}, x.options().dtype(at::kByte).memory_format(at::MemoryFormat::ChannelsLast));
  inParts(n * p.outHeight, partsFor(x.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
    for (std::int64_t row = from; row < to; ++row) {
      const std::int64_t i = row / p.outHeight, oh = row % p.outHeight;
      rowKernels<T>().normalisePool(data<T>(x) + i * inner, mutableData<T>(y) + i * outer, mutableData<std::uint8_t>(index) + i * outer, p,
                                    oh, oh + 1, data<float>(a.mean), data<float>(a.scale), data<float>(a.bias));
    }
  });
  return y;
}

template <typename T>
at::Tensor unpooled(const at::Tensor& dy, const at::Tensor& index, const at::Tensor& x, const PoolShape& p) {
  const std::int64_t inner = p.height * p.width * p.channels, outer = p.outHeight * p.outWidth * p.channels;
  at::Tensor g = at::empty_like(x);
  inParts(x.size(0) * p.height, partsFor(x.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
    for (std::int64_t row = from; row < to; ++row) {
      const std::int64_t i = row / p.height, h = row % p.height;
      rowKernels<T>().unpool(data<T>(dy) + i * outer, data<std::uint8_t>(index) + i * outer, mutableData<T>(g) + i * inner, p, h, h + 1);
    }
  });
  return g;
}

struct NormGradients {
  at::Tensor x, residual, weight, bias;
};

// Ioffe & Szegedy 2015, section 3: dx = weight/σ · (g - mean(g) - x̂ · mean(g · x̂)), x̂ = (x - mean)/σ.
template <typename T>
NormGradients normGradients(const at::Tensor& x, const at::Tensor& y, at::Tensor dy, const Affine& a, bool relu, bool wantsResidual) {
  const std::int64_t channels = x.size(1), rows = x.numel() / channels, parts = partsFor(x.numel());
  const bool byOutput = y.defined();
  NormGradients result;
  // The gradient behind the relu is written down where it is asked for; elsewhere the second pass masks again.
  at::Tensor g = byOutput ? at::empty_like(x) : at::Tensor();
  ChannelSums sums(parts, channels);
  const auto at0 = [&](const at::Tensor& t, std::int64_t skip) { return t.defined() ? data<T>(t) + skip : nullptr; };
  inParts(rows, parts, [&](std::int64_t p, std::int64_t from, std::int64_t to) {
    const std::int64_t skip = from * channels;
    rowKernels<T>().gradientSums(at0(x, skip), at0(y, skip), at0(dy, skip), g.defined() ? mutableData<T>(g) + skip : nullptr, to - from,
                                 channels, data<float>(a.mean), data<float>(a.scale), data<float>(a.bias), relu, sums.first(p),
                                 sums.second(p));
  });
  sums.fold(parts);
  result.weight = at::empty({channels}, at::kFloat);
  result.bias = at::empty({channels}, at::kFloat);
  std::vector<float> shares(std::size_t(2 * channels));
  float *slope = shares.data(), *offset = slope + channels;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double inverse = data<float>(a.inverse)[c], scale = data<float>(a.scale)[c];
    const double sum = sums.first(0)[c], product = sums.second(0)[c];
    mutableData<float>(result.weight)[c] = float(product * inverse);
    mutableData<float>(result.bias)[c] = float(sum);
    slope[c] = float(-scale * inverse * inverse * product / double(rows));
    offset[c] = float(-scale * sum / double(rows));
  }
  const at::Tensor source = g.defined() ? g : dy;
  result.x = at::empty_like(x);
  const bool maskAgain = relu && !byOutput;
  inParts(rows, parts, [&](std::int64_t, std::int64_t from, std::int64_t to) {
    const std::int64_t skip = from * channels;
    rowKernels<T>().gradientInput(at0(x, skip), at0(source, skip), mutableData<T>(result.x) + skip, to - from, channels,
                                  data<float>(a.mean), data<float>(a.scale), data<float>(a.bias), maskAgain, data<float>(a.scale), slope,
                                  offset);
  });
  if (wantsResidual) result.residual = source;
  return result;
}

struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& weight, const at::Tensor& bias,
                            const std::optional<at::Tensor>& summand, const at::Tensor& runningMean, const at::Tensor& runningVar,
                            double momentum, double epsilon, bool relu, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    const at::Tensor x = channelsLast(given), residual = summand.value_or(at::Tensor());
    const bool wide = x.scalar_type() == at::kFloat;
    const Affine a = wide ? statistics<float>(x, weight, bias, runningMean, runningVar, momentum, epsilon)
                          : statistics<BFloat>(x, weight, bias, runningMean, runningVar, momentum, epsilon);
    ctx->saved_data["relu"] = relu;
    at::Tensor y, index, kept;
    if (kernel > 0) {
      const Pool pool{int(kernel), int(stride), int(padding)};
      const PoolShape p = poolShape(x, pool);
      y = wide ? applyNormPool<float>(x, a, p, index) : applyNormPool<BFloat>(x, a, p, index);
      ctx->saved_data["pool"] = std::vector<std::int64_t>{kernel, stride, padding};
    } else {
      const AfterNorm after{residual.defined() ? channelsLast(residual).to(x.scalar_type()) : residual, relu, {}};
      y = wide ? applyNorm<float>(x, a, after) : applyNorm<BFloat>(x, a, after);
      if (residual.defined() && relu) kept = y;
    }
    ctx->saved_data["residual"] = residual.defined();
    ctx->save_for_backward({x, kept, index, a.mean, a.scale, a.bias, a.inverse});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const Affine a{saved[3], saved[4], saved[5], saved[6]};
    const bool wide = x.scalar_type() == at::kFloat, residual = ctx->saved_data["residual"].toBool();
    bool relu = ctx->saved_data["relu"].toBool();
    at::Tensor dy = channelsLast(gradients[0]).to(x.scalar_type());
    if (saved[2].defined()) {
      const std::vector<std::int64_t> k = ctx->saved_data["pool"].toIntVector();
      const PoolShape p = poolShape(x, {int(k[0]), int(k[1]), int(k[2])});
      dy = wide ? unpooled<float>(dy, saved[2], x, p) : unpooled<BFloat>(dy, saved[2], x, p);
      relu = false;  // windows below zero were marked in the index
    }
    const NormGradients g =
        wide ? normGradients<float>(x, saved[1], dy, a, relu, residual) : normGradients<BFloat>(x, saved[1], dy, a, relu, residual);
    variable_list result(12);
    result[0] = g.x;
    result[1] = g.weight;
    result[2] = g.bias;
    if (residual) result[3] = g.residual;
    return result;
  }
};

constexpr std::int64_t kFewChannels = 4;

// Windows of a channels-last image as rows of a matrix: row (n, oh, ow), column (kh, kw, i). With few channels the k·I values of a window's
// line are one copy, padded to whole vectors.
struct Windows {
  std::int64_t images, channels, height, width, outHeight, outWidth, kernel, stride, padding;
  std::int64_t pitch;  ///< columns a window line takes
  Windows(at::IntArrayRef image, std::int64_t k, std::int64_t s, std::int64_t p)
      : images(image[0]),
        channels(image[1]),
        height(image[2]),
        width(image[3]),
        outHeight((height + 2 * p - k) / s + 1),
        outWidth((width + 2 * p - k) / s + 1),
        kernel(k),
        stride(s),
        padding(p),
        pitch(channels <= kFewChannels ? (k * channels + 7) / 8 * 8 : k * channels) {}
  std::int64_t rows() const { return images * outHeight * outWidth; }
  std::int64_t columns() const { return kernel * pitch; }
};

// x: float or bfloat16, channels-last. The image is first copied into a frame of zeros as wide as the padding.
at::Tensor gather(const at::Tensor& x, const Windows& w) {
  at::Tensor columns = at::empty({w.rows(), w.columns()}, at::kBFloat16);
  const std::int64_t frameWidth = w.width + 2 * w.padding, line = w.width * w.channels, frameLine = frameWidth * w.channels;
  const std::int64_t frameHeight = w.height + 2 * w.padding, slack = w.pitch;
  const bool wide = x.scalar_type() == at::kFloat;
  const auto bytes = std::size_t(w.pitch) * sizeof(BFloat);
  inParts(w.images, std::min<std::int64_t>(w.images, partsFor(columns.numel())), [&](std::int64_t, std::int64_t first, std::int64_t last) {
    std::vector<BFloat> frame(std::size_t(frameHeight * frameLine + slack), 0);
    for (std::int64_t n = first; n < last; ++n) {
      for (std::int64_t h = 0; h < w.height; ++h) {
        BFloat* to = frame.data() + (h + w.padding) * frameLine + w.padding * w.channels;
        const std::int64_t from = (n * w.height + h) * line;
        if (wide) flatKernels().toBFloat(data<float>(x) + from, to, line);
        else std::memcpy(to, data<BFloat>(x) + from, std::size_t(line) * sizeof(BFloat));
      }
      BFloat* row = mutableData<BFloat>(columns) + n * w.outHeight * w.outWidth * w.columns();
      for (std::int64_t oh = 0; oh < w.outHeight; ++oh)
        for (std::int64_t ow = 0; ow < w.outWidth; ++ow) {
          const BFloat* window = frame.data() + oh * w.stride * frameLine + ow * w.stride * w.channels;
          if (bytes == 16) {  // a stem of one channel: one vector a line
            for (std::int64_t kh = 0; kh < w.kernel; ++kh, row += 8) std::memcpy(row, window + kh * frameLine, 16);
          } else {
            for (std::int64_t kh = 0; kh < w.kernel; ++kh, row += w.pitch) std::memcpy(row, window + kh * frameLine, bytes);
          }
        }
    }
  });
  return columns;
}

// The weight as a matrix [O, kh · pitch], whose columns beyond a window line are zero, and back.
at::Tensor weightMatrix(const at::Tensor& weight, const Windows& w) {
  const at::Tensor flat = channelsLast(weight).permute({0, 2, 3, 1}).reshape({weight.size(0), w.kernel, w.kernel * w.channels});
  if (w.pitch == w.kernel * w.channels) return flat.view({weight.size(0), w.columns()});
  at::Tensor matrix = at::zeros({weight.size(0), w.kernel, w.pitch}, weight.options());
  matrix.narrow(2, 0, w.kernel * w.channels).copy_(flat);
  return matrix.view({weight.size(0), w.columns()});
}
at::Tensor weightFromMatrix(const at::Tensor& matrix, const Windows& w) {
  return matrix.view({matrix.size(0), w.kernel, w.pitch})
      .narrow(2, 0, w.kernel * w.channels)
      .reshape({matrix.size(0), w.kernel, w.kernel, w.channels})
      .permute({0, 3, 1, 2});
}

struct ProductConvolution : torch::autograd::Function<ProductConvolution> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& weight, std::int64_t stride,
                            std::int64_t padding) {
    const at::Tensor x = channelsLast(given);
    const Windows w(x.sizes(), weight.size(2), stride, padding);
    const bool direct = w.kernel == 1 && stride == 1 && padding == 0 && x.scalar_type() == at::kBFloat16;
    const at::Tensor columns = direct ? x.permute({0, 2, 3, 1}).reshape({w.rows(), w.channels}) : gather(x, w);
    ctx->saved_data["shape"] = std::vector<std::int64_t>{stride, padding};
    ctx->saved_data["sizes"] = x.sizes().vec();
    ctx->save_for_backward({columns, weight, given.requires_grad() ? x : at::Tensor()});
    return at::mm(columns, weightMatrix(weight, w).t()).view({w.images, w.outHeight, w.outWidth, weight.size(0)}).permute({0, 3, 1, 2});
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const std::vector<std::int64_t> s = ctx->saved_data["shape"].toIntVector(), sizes = ctx->saved_data["sizes"].toIntVector();
    const at::Tensor &columns = saved[0], &weight = saved[1], &x = saved[2];
    const at::Tensor dy = channelsLast(gradients[0]).to(at::kBFloat16);
    const Windows w(sizes, weight.size(2), s[0], s[1]);
    variable_list result(4);
    result[1] = weightFromMatrix(at::mm(dy.permute({0, 2, 3, 1}).reshape({w.rows(), weight.size(0)}).t(), columns), w);
    if (x.defined())
      result[0] = std::get<0>(at::convolution_backward(dy, x.to(at::kBFloat16), weight, c10::nullopt, {s[0], s[0]}, {s[1], s[1]}, {1, 1},
                                                       false, {0, 0}, 1, {true, false, false}))
                      .to(x.scalar_type());
    return result;
  }
};

template <typename T>
void drop(const at::Tensor& x, const at::Tensor& y, std::uint64_t key, double probability) {
  inParts(x.numel() / kLanes, partsFor(x.numel()), [&](std::int64_t, std::int64_t first, std::int64_t last) {
    const std::int64_t from = first * kLanes, to = last == x.numel() / kLanes ? x.numel() : last * kLanes;
    rowKernels<T>().drop(data<T>(x) + from, mutableData<T>(y) + from, from, to - from, key, std::uint32_t(probability * 0x1p32),
                         float(1 / (1 - probability)));
  });
}

at::Tensor dropped(const at::Tensor& given, double probability, std::int64_t key) {
  const at::Tensor x = given.is_non_overlapping_and_dense() ? given : given.contiguous();
  at::Tensor y = at::empty_like(x);
  x.scalar_type() == at::kFloat ? drop<float>(x, y, std::uint64_t(key), probability) : drop<BFloat>(x, y, std::uint64_t(key), probability);
  return y;
}

struct DropFunction : torch::autograd::Function<DropFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, double probability, std::int64_t key) {
    ctx->saved_data["probability"] = probability;
    ctx->saved_data["key"] = key;
    at::Tensor y = dropped(x, probability, key);
    ctx->saved_data["strides"] = y.strides().vec();
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    // The mask goes by place in memory: the gradient is laid out as the output was.
    at::Tensor dy = gradients[0];
    const std::vector<std::int64_t> strides = ctx->saved_data["strides"].toIntVector();
    if (dy.strides() != at::IntArrayRef(strides)) dy = at::empty_strided(dy.sizes(), strides, dy.options()).copy_(dy);
    return {dropped(dy, ctx->saved_data["probability"].toDouble(), ctx->saved_data["key"].toInt()), {}, {}};
  }
};

}  // namespace

bool canFuseNorm(const at::Tensor& x) {
  return x.dim() == 4 && x.size(1) % kLanes == 0 && x.device().is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

at::Tensor batchNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& runningMean,
                     const at::Tensor& runningVar, double momentum, double epsilon, const AfterNorm& after) {
  const Pool pool = after.pool.value_or(Pool{0, 0, 0});
  const std::optional<at::Tensor> summand = after.residual.defined() ? std::optional(after.residual) : std::nullopt;
  return NormFunction::apply(x, weight, bias, summand, runningMean, runningVar, momentum, epsilon, after.relu, std::int64_t(pool.kernel),
                             std::int64_t(pool.stride), std::int64_t(pool.padding));
}

at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key) {
  return DropFunction::apply(x, probability, std::int64_t(key));
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int stride, int padding) {
  const std::int64_t out =
      ((x.size(2) + 2 * padding - weight.size(2)) / stride + 1) * ((x.size(3) + 2 * padding - weight.size(3)) / stride + 1);
  const bool stem = x.size(1) <= kFewChannels && weight.size(2) > 1, deep = out <= 64 && weight.numel() >= (1 << 19);
  if (stem || deep) return ProductConvolution::apply(x, weight, std::int64_t(stride), std::int64_t(padding));
  return at::conv2d(x.to(at::kBFloat16), weight, {}, stride, padding);
}

}  // namespace cloister::kernels
