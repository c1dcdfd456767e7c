// Operations of a training step that differentiate as one: batch norm with what follows it (residual, relu, pooling), and convolutions as
// matrix products where the library's own are slow. Called by ClassifierModel in training on the processor; results agree with the chain
// of library operations to rounding. Any thread; parallel inside when LibTorch's thread count is above one, with sums in a fixed order.
#pragma once
#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

namespace cloister::kernels {

struct Pool {
  int kernel, stride, padding;
};

/// What happens after the normalisation, in this order.
struct AfterNorm {
  at::Tensor residual;  ///< added when defined; [N, C, H, W] as x
  bool relu = false;
  std::optional<Pool> pool;  ///< only with relu and without residual
};

/// float or bfloat16, [N, C, H, W] with C a multiple of 16, on the processor.
bool canFuseNorm(const at::Tensor& x);

/// Batch norm by the statistics of x (biased variance to normalise, unbiased in runningVar), nn.BatchNorm2d in training, then `after`.
/// weight, bias, runningMean, runningVar: float [C]. Updates the running statistics in place.
at::Tensor batchNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& runningMean,
                     const at::Tensor& runningVar, double momentum, double epsilon, const AfterNorm& after);

/// nn.Conv2d without bias, dilation or groups, weight [O, I, k, k] channels-last in bfloat16. Takes the library's convolution, except
/// where a matrix product over gathered windows is faster with bfloat16 tiles: few input channels (the stem), and small images under many
/// channels, where the library spends its time on reordering weights. Returns bfloat16, channels-last.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int stride, int padding);

/// nn.Dropout in training; which elements fall depends on key and their place in memory alone, so the mask is never stored.
/// float or bfloat16 on the processor.
at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key);

}  // namespace cloister::kernels
