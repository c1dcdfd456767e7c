#include "core/engine/kernels/decoder_ops.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/engine/kernels/decoder_rows.h"
#include "core/engine/kernels/parts.h"

namespace cloister::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kBlock = 64;  // rows whose sums stay in float

bool isFloat(const at::Tensor& t) { return t.scalar_type() == at::kFloat; }

// Calls task with a tag of the residual stream's type and one of the products' type.
template <typename Task>
auto withTypes(at::ScalarType stream, at::ScalarType products, const Task& task) {
  if (stream != at::kFloat) return task(BFloat(), BFloat());
  return products == at::kFloat ? task(float(), float()) : task(float(), BFloat());
}
template <typename Task>
auto withType(const at::Tensor& t, const Task& task) {
  return isFloat(t) ? task(float()) : task(BFloat());
}

template <typename T>
T* at0(T* p, std::int64_t skip) {
  return p ? p + skip : nullptr;
}

void normForward(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, const at::Tensor& sum, const at::Tensor& y,
                 const at::Tensor& inverse, double epsilon) {
  const std::int64_t width = x.size(-1);
  withTypes(x.scalar_type(), y.scalar_type(), [&](auto stream, auto product) {
    using X = decltype(stream);
    using T = decltype(product);
    inParts(x.numel() / width, partsFor(x.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
      const std::int64_t skip = from * width;
      normRows<X, T>().forward(data<X>(x) + skip, at0(data<T>(delta), skip), data<float>(weight), at0(mutableData<X>(sum), skip),
                               mutableData<T>(y) + skip, mutableData<float>(inverse) + from, to - from, width, float(epsilon));
    });
  });
}

struct NormGradients {
  at::Tensor x, delta, weight;
};

NormGradients normBackward(const at::Tensor& s, const at::Tensor& inverse, const at::Tensor& weight, const at::Tensor& dy,
                           const at::Tensor& ds, bool wantsDelta, bool wantsWeight) {
  const std::int64_t width = s.size(-1), rows = s.numel() / width, parts = partsFor(s.numel());
  NormGradients g{at::empty_like(s), {}, {}};
  if (wantsDelta) g.delta = dy.scalar_type() == s.scalar_type() ? g.x : at::empty_like(dy);
  const at::Tensor separate = g.delta.is_same(g.x) ? at::Tensor() : g.delta;
  std::vector<double> sums(std::size_t(wantsWeight ? parts * width : 0), 0.0);
  withTypes(s.scalar_type(), dy.scalar_type(), [&](auto stream, auto product) {
    using X = decltype(stream);
    using T = decltype(product);
    inParts(rows, parts, [&](std::int64_t part, std::int64_t first, std::int64_t last) {
      std::vector<float> block(std::size_t(wantsWeight ? width : 0));
      for (std::int64_t from = first; from < last; from += kBlock) {
        const std::int64_t skip = from * width;
        std::fill(block.begin(), block.end(), 0.0f);
        normRows<X, T>().backward(data<X>(s) + skip, data<float>(inverse) + from, data<float>(weight), data<T>(dy) + skip,
                                  at0(data<X>(ds), skip), mutableData<X>(g.x) + skip, at0(mutableData<T>(separate), skip),
                                  wantsWeight ? block.data() : nullptr, std::min(kBlock, last - from), width);
        for (std::size_t c = 0; c < block.size(); ++c) sums[std::size_t(part * width) + c] += double(block[c]);
      }
    });
  });
  if (!wantsWeight) return g;
  g.weight = at::empty({width}, at::kFloat);
  for (std::int64_t c = 0; c < width; ++c) {
    double sum = 0;
    for (std::int64_t p = 0; p < parts; ++p) sum += sums[std::size_t(p * width + c)];
    mutableData<float>(g.weight)[c] = float(sum);
  }
  return g;
}

struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& weight, double epsilon, std::int64_t out) {
    const at::Tensor x = given.contiguous();
    at::Tensor y = at::empty(x.sizes(), x.options().dtype(at::ScalarType(out)));
    const at::Tensor inverse = at::empty({x.numel() / x.size(-1)}, at::kFloat);
    normForward(x, {}, weight, {}, y, inverse, epsilon);
    ctx->saved_data["weight"] = weight.requires_grad();
    ctx->save_for_backward({x, weight, inverse});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const NormGradients g =
        normBackward(saved[0], saved[2], saved[1], gradients[0].contiguous(), {}, false, ctx->saved_data["weight"].toBool());
    return {g.x, g.weight, {}, {}};
  }
};

struct AddNormFunction : torch::autograd::Function<AddNormFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& delta, const at::Tensor& weight,
                               double epsilon) {
    const at::Tensor x = given.contiguous();
    at::Tensor sum = at::empty_like(x), y = at::empty(x.sizes(), delta.options());
    const at::Tensor inverse = at::empty({x.numel() / x.size(-1)}, at::kFloat);
    normForward(x, delta.contiguous(), weight, sum, y, inverse, epsilon);
    ctx->saved_data["weight"] = weight.requires_grad();
    ctx->saved_data["type"] = std::int64_t(delta.scalar_type());
    ctx->save_for_backward({sum, weight, inverse});
    return {sum, y};
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const auto type = at::ScalarType(ctx->saved_data["type"].toInt());
    const at::Tensor dy = gradients[1].defined() ? gradients[1].contiguous() : at::zeros_like(saved[0], saved[0].options().dtype(type));
    const at::Tensor ds = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    const NormGradients g = normBackward(saved[0], saved[2], saved[1], dy, ds, true, ctx->saved_data["weight"].toBool());
    return {g.x, g.delta, g.weight, {}};
  }
};

// Both halves of a row lie `stride` elements apart from those of the next.
void gatedRows(const at::Tensor& gate, const void* up, const at::Tensor& y, std::int64_t stride) {
  const std::int64_t width = y.size(-1);
  withType(gate, [&](auto tag) {
    using T = decltype(tag);
    inParts(y.numel() / width, partsFor(y.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
      decoderRows<T>().gated(data<T>(gate) + from * stride, static_cast<const T*>(up) + from * stride, mutableData<T>(y) + from * width,
                             to - from, width, stride);
    });
  });
}
void gatedRowsBackward(const at::Tensor& gate, const void* up, const at::Tensor& dy, const at::Tensor& dGate, void* dUp,
                       std::int64_t stride) {
  const std::int64_t width = dy.size(-1);
  withType(gate, [&](auto tag) {
    using T = decltype(tag);
    inParts(dy.numel() / width, partsFor(dy.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
      const std::int64_t skip = from * stride;
      decoderRows<T>().gatedBackward(data<T>(gate) + skip, static_cast<const T*>(up) + skip, data<T>(dy) + from * width,
                                     mutableData<T>(dGate) + skip, static_cast<T*>(dUp) + skip, to - from, width, stride);
    });
  });
}

struct GatedFunction : torch::autograd::Function<GatedFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    const at::Tensor g = gate.contiguous(), u = up.contiguous();
    at::Tensor y = at::empty_like(g);
    gatedRows(g, u.const_data_ptr(), y, g.size(-1));
    ctx->save_for_backward({g, u});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dGate = at::empty_like(saved[0]), dUp = at::empty_like(saved[1]);
    gatedRowsBackward(saved[0], saved[1].const_data_ptr(), gradients[0].contiguous(), dGate, dUp.mutable_data_ptr(), dUp.size(-1));
    return {dGate, dUp};
  }
};

struct GatedHalvesFunction : torch::autograd::Function<GatedHalvesFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given) {
    const at::Tensor both = given.contiguous();
    std::vector<std::int64_t> shape = both.sizes().vec();
    shape.back() /= 2;
    at::Tensor y = at::empty(shape, both.options());
    gatedRows(both, second(both, both.const_data_ptr()), y, both.size(-1));
    ctx->save_for_backward({both});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const at::Tensor both = ctx->get_saved_variables()[0], g = at::empty_like(both);
    gatedRowsBackward(both, second(both, both.const_data_ptr()), gradients[0].contiguous(), g,
                      const_cast<void*>(second(both, g.mutable_data_ptr())), both.size(-1));
    return {g};
  }
  static const void* second(const at::Tensor& both, const void* first) {
    return static_cast<const char*>(first) + both.size(-1) / 2 * std::int64_t(both.element_size());
  }
};

// What turns heads: where the angles of a token are, and which heads of a product's rows they move.
struct Turning {
  at::Tensor cosine, sine;
  std::int64_t batch, tokens, half;
  std::int64_t angles(std::int64_t row) const { return (cosine.size(0) == 1 ? row % tokens : row) * half; }
};

at::Tensor headsLike(const at::Tensor& x, std::int64_t heads, std::int64_t width) {
  const std::int64_t t = x.size(1);
  return at::empty_strided({x.size(0), heads, t, width}, {t * heads * width, width, heads * width, 1}, x.options());
}

// rows [B, T, …] at column `from` and heads [B, H, T, 2 half], one way or the other; sign zero copies.
template <typename T>
void turn(const Turning& by, const at::Tensor& rows, std::int64_t from, const at::Tensor& heads, float sign, bool toHeads) {
  const std::int64_t width = rows.size(-1), size = 2 * by.half, count = heads.size(1), all = by.batch * by.tokens;
  inParts(all, partsFor(all * count * size), [&](std::int64_t, std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      T* flat = mutableData<T>(rows) + row * width + from;
      T* head = mutableData<T>(heads) + row / by.tokens * heads.stride(0) + row % by.tokens * heads.stride(2);
      if (sign == 0) {
        for (std::int64_t h = 0; h < count; ++h)
          toHeads ? std::memcpy(head + h * heads.stride(1), flat + h * size, std::size_t(size) * sizeof(T))
                  : std::memcpy(flat + h * size, head + h * heads.stride(1), std::size_t(size) * sizeof(T));
        continue;
      }
      const float *cosine = data<float>(by.cosine) + by.angles(row), *sine = data<float>(by.sine) + by.angles(row);
      if (toHeads) decoderRows<T>().rotate(flat, head, cosine, sine, sign, count, by.half, size, heads.stride(1));
      else decoderRows<T>().rotate(head, flat, cosine, sine, sign, count, by.half, heads.stride(1), size);
    }
  });
}
void turnAny(const Turning& by, const at::Tensor& rows, std::int64_t from, const at::Tensor& heads, float sign, bool toHeads) {
  withType(rows, [&](auto tag) { turn<decltype(tag)>(by, rows, from, heads, sign, toHeads); });
}

struct RotateFunction : torch::autograd::Function<RotateFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& cosine, const at::Tensor& sine,
                               std::int64_t heads, std::int64_t kvHeads) {
    const at::Tensor x = given.contiguous();
    const Turning by{cosine.contiguous(), sine.contiguous(), x.size(0), x.size(1), cosine.size(-1)};
    const std::int64_t size = 2 * by.half;
    ctx->saved_data["sizes"] = std::vector<std::int64_t>{x.size(0), x.size(1), x.size(2)};
    ctx->saved_data["heads"] = std::vector<std::int64_t>{heads, kvHeads};
    ctx->save_for_backward({by.cosine, by.sine});
    variable_list all{headsLike(x, heads, size)};
    turnAny(by, x, 0, all[0], 1, true);
    if (kvHeads == 0) return all;
    for (const bool value : {false, true}) {
      all.push_back(headsLike(x, kvHeads, size));
      turnAny(by, x, (heads + (value ? kvHeads : 0)) * size, all.back(), value ? 0 : 1, true);
    }
    return all;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const std::vector<std::int64_t> sizes = ctx->saved_data["sizes"].toIntVector(), heads = ctx->saved_data["heads"].toIntVector();
    const Turning by{saved[0], saved[1], sizes[0], sizes[1], saved[0].size(-1)};
    at::Tensor dx;
    for (const at::Tensor& g : gradients)
      if (g.defined() && !dx.defined()) dx = at::empty(sizes, g.options());
    std::int64_t from = 0;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const std::int64_t count = heads[i > 0];
      at::Tensor g = gradients[i];
      if (!g.defined()) dx.narrow(2, from, count * 2 * by.half).zero_();
      else turnAny(by, dx, from, g.stride(-1) == 1 ? g : g.contiguous(), i == 2 ? 0 : -1, false);
      from += count * 2 * by.half;
    }
    return {dx, {}, {}, {}, {}};
  }
};

}  // namespace

bool canFuse(const at::Tensor& x) {
  return x.device().is_cpu() && x.numel() > 0 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

bool canFuseNorm(const at::Tensor& x, at::ScalarType out) {
  return canFuse(x) && x.size(-1) % kLanes == 0 && (out == x.scalar_type() || out == at::kBFloat16);
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::ScalarType out) {
  return NormFunction::apply(x, weight.to(at::kFloat), epsilon, std::int64_t(out));
}

std::tuple<at::Tensor, at::Tensor> addNorm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double epsilon) {
  const variable_list both = AddNormFunction::apply(x, delta, weight.to(at::kFloat), epsilon);
  return {both[0], both[1]};
}

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up) { return GatedFunction::apply(gate, up); }
at::Tensor gatedHalves(const at::Tensor& both) { return GatedHalvesFunction::apply(both); }

at::Tensor rotateHeads(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine, std::int64_t heads) {
  return RotateFunction::apply(x, cosine, sine, heads, std::int64_t(0))[0];
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> splitAndRotate(const at::Tensor& qkv, const at::Tensor& cosine, const at::Tensor& sine,
                                                              std::int64_t heads, std::int64_t kvHeads) {
  const variable_list all = RotateFunction::apply(qkv, cosine, sine, heads, kvHeads);
  return {all[0], all[1], all[2]};
}

double crossEntropyInPlace(const at::Tensor& logits, const at::Tensor& labels, double scale) {
  const std::int64_t rows = logits.size(0), width = logits.size(1);
  const auto n = std::size_t(rows);
  std::vector<float> top(n), sum(n), wanted(n);
  withType(logits, [&](auto tag) {
    using T = decltype(tag);
    inParts(rows, partsFor(logits.numel()), [&](std::int64_t, std::int64_t from, std::int64_t to) {
      decoderRows<T>().crossEntropy(mutableData<T>(logits) + from * width, data<std::int64_t>(labels) + from, to - from, width,
                                    float(scale), top.data() + from, sum.data() + from, wanted.data() + from);
    });
  });
  double loss = 0;
  for (std::size_t r = 0; r < n; ++r) loss += std::log(double(sum[r])) + double(top[r]) - double(wanted[r]);
  return loss;
}

}  // namespace cloister::kernels
