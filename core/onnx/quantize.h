// Makes smaller models of a float one: half precision, dynamic int8, static int8 (QDQ), int4 and int8 blocks of weights. Called by export
// and the accuracy search. Pure functions of their input, any thread; they run nothing (calibration.h does).
//
// All three keep the float32 "image" input and the float32 outputs. Weights are symmetric int8 in [-127, 127], one scale an output
// channel; activations are uint8 with a zero point: the pair (U8 × S8) that processors with VNNI multiply fastest.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/domain/result.h"
#include "core/onnx/calibration.h"
#include "core/onnx/model.h"

namespace cloister::onnx {

/// Weights and activations as float16. LayerNormalization, Softmax and global pooling stay float32: their sums lose too much.
Model toHalfPrecision(const Model&);

/// MatMul and Gemm with constant weights become DynamicQuantizeLinear + MatMulInteger (which ONNX Runtime fuses); the weights of Conv are
/// stored as int8 and computed in float, because ConvInteger is several times slower than a float convolution on every processor measured.
/// keepFloat: names of nodes left alone.
Model quantizeDynamic(const Model&, const std::set<std::string>& keepFloat = {});

struct BlockOptions {
  int bits = 4;             ///< 4 or 8
  std::int64_t block = 32;  ///< weights that share a scale and a zero point: 16, 32, 64, 128 or 256
  bool symmetric = false;   ///< no zero points: a nibble less for every block, a little more error
  int accuracyLevel = 4;    ///< what products may be computed in: 0 as the activations, 4 int8 (several times faster on processors)
  std::set<std::string> keepFloat;
};
/// MatMul with constant weights becomes com.microsoft's MatMulNBits: weights in blocks along the inputs, activations as they are. For
/// language models, whose time goes into reading weights. Scale and zero point of each block are those with the smallest squared error
/// among several widths of its range, the scale then fitted by least squares (a plain range cut, as other tools do, is one of the
/// candidates). Float or float16 weights. InvalidArgument for other options.
Result<Model> quantizeBlocks(const Model&, const BlockOptions& = {});

/// The Gather of that name takes its rows out of blocks (com.microsoft's GatherBlockQuantized), cut and fitted as above; keepFloat and
/// accuracyLevel mean nothing here. product: name of a MatMulNBits over the same matrix, whose blocks are then read instead of a second
/// copy (tied embeddings); empty: none. A table whose rows are not whole blocks stays as it is. NotFound when there is no such table.
Result<Model> quantizeRows(const Model&, const std::string& gather, const BlockOptions&, const std::string& product = {});

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
