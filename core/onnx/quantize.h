// Makes smaller models of a float one: half precision, dynamic int8, static int8 (QDQ). Called by export and the accuracy search. Pure
// functions of their input, any thread; they run nothing (calibration.h does).
//
// All three keep the float32 "image" input and the float32 outputs. Weights are symmetric int8 in [-127, 127], one scale an output
// channel; activations are uint8 with a zero point: the pair (U8 × S8) that processors with VNNI multiply fastest.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/onnx/calibration.h"
#include "core/onnx/model.h"

namespace cloister::onnx {

/// Weights and activations as float16. LayerNormalization, Softmax and global pooling stay float32: their sums lose too much.
Model toHalfPrecision(const Model&);

/// MatMul and Gemm with constant weights become DynamicQuantizeLinear + MatMulInteger (which ONNX Runtime fuses); the weights of Conv are
/// stored as int8 and computed in float, because ConvInteger is several times slower than a float convolution on every processor measured.
/// keepFloat: names of nodes left alone.
Model quantizeDynamic(const Model&, const std::set<std::string>& keepFloat = {});

/// Names of the nodes that static quantization would compute in int8: Conv, Gemm, and MatMul with constant weights.
std::vector<std::string> quantizableLayers(const Model&);

/// The values whose ranges quantizeStatic needs.
std::vector<std::string> valuesToCalibrate(const Model&);

struct StaticOptions {
  std::set<std::string> keepFloat;  ///< layers computed in float
  bool biasCorrection = true;       ///< the mean error of rounded weights on calibration data is taken off the bias
};
/// QuantizeLinear/DequantizeLinear around every quantized node; residual Add, Relu, MaxPool and GlobalAveragePool between quantized layers
/// stay in int8. A Relu becomes the lower end of its value's range.
Model quantizeStatic(const Model&, const Statistics&, const StaticOptions& = {});

/// Symmetric int8 weights, one scale for each index of `axis`.
struct QuantizedWeights {
  std::vector<std::int8_t> values;  ///< as the float weights lie
  std::vector<float> scales;
};
/// smallest: no scale below this (a bias must fit int32 at scale × input scale); empty: none.
QuantizedWeights quantizeWeights(std::span<const float> weights, const std::vector<std::int64_t>& dims, std::size_t axis,
                                 const std::vector<float>& smallest = {});

/// scale and zero point of uint8 activations; the range is widened to hold zero.
struct ActivationScale {
  float scale = 1;
  std::uint8_t zeroPoint = 0;
};
ActivationScale activationScale(Range);

}  // namespace cloister::onnx
