// The one description of an image classifier: a list of operations with tensor names and shapes. The engine runs and trains it
// (core/engine/models interprets it with LibTorch), core/onnx writes the ONNX graph from the same list without LibTorch, so the two
// cannot drift apart. Values; any thread.
//
// Tensor names and semantics are torchvision's (resnet18/34/50, VisionTransformer): their load_state_dict(strict=True) takes our files.
// Input of op 0: image [N, channels, size, size], float32, pixel / 255 (0…1). Output of the last op: logits [N, classes].
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

/// The tensors of each kind stand in GraphOp::tensors in the order given here. x is the first input.
enum class OpKind {
  Normalise,          ///< (x - mean[c]) / std[c]; no tensors, values in mean and std
  Conv2d,             ///< weight [out, in/groups, k, k], bias [out] when there is one; kernel, stride, padding (both axes), groups
  BatchNorm,          ///< weight, bias, running_mean, running_var [c], num_batches_tracked [] (I64); epsilon. Inference: running values
  Relu,               ///< max(x, 0)
  Gelu,               ///< exact: x/2 (1 + erf(x/√2))
  Silu,               ///< x · sigmoid(x)
  MaxPool,            ///< kernel, stride, padding (-inf)
  GlobalAveragePool,  ///< [N,C,H,W] → [N,C]
  Linear,             ///< weight [out, in], bias [out]; on the last axis
  Add,                ///< inputs[0] + inputs[1]
  LayerNorm,          ///< weight, bias [d]; last axis, epsilon
  Attention,          ///< [N,T,D] self-attention: in_proj weight [3D, D] and bias [3D] (q, k, v in this order), out_proj weight [D, D] and
                      ///< bias [D]; heads; scale 1/√(D/heads); no mask
  Patchify,           ///< [N,D,H,W] → [N, H·W, D] (row-major positions)
  ClassToken,         ///< token [1,1,D] put before the tokens: [N,T,D] → [N,T+1,D]
  PositionEmbedding,  ///< x + table [1,T,D]
  SelectToken,        ///< [N,T,D] → [N,D], token 0
  Dropout,            ///< identity at inference; probability
};
const char* opKindName(OpKind);  ///< "conv2d"

struct TensorSpec {
  std::string name;  ///< in the safetensors file: "layer1.0.conv1.weight"
  std::vector<std::int64_t> shape;
  bool trainable = true;  ///< false: running statistics, saved but not optimised
  bool integer = false;   ///< I64 (num_batches_tracked), else F32
};

struct GraphOp {
  OpKind kind = OpKind::Relu;
  std::string name;         ///< unique: "layer1.0.conv1"
  std::vector<int> inputs;  ///< indices of earlier ops; -1: the image
  std::vector<TensorSpec> tensors;
  std::vector<std::int64_t> shape;  ///< of the output without N: [C,H,W], [T,D] or [C]
  int kernel = 1, stride = 1, padding = 0, groups = 1, heads = 1;
  double epsilon = 1e-5, probability = 0;
  std::vector<double> mean, std;  ///< Normalise: one per channel
};

struct ModelGraph {
  QString architecture;  ///< small_cnn, resnet18, resnet34, resnet50, vit_s_16
  int channels = 1, size = 224, classes = 2;
  double dropout = 0.1;
  std::vector<double> mean, std;
  QStringList classNames;    ///< may be empty
  std::vector<GraphOp> ops;  ///< topological order; the last one gives the logits

  std::vector<TensorSpec> tensors() const;  ///< all of them, in order of use
  std::int64_t parameterCount() const;      ///< trainable elements
  /// Elements all op outputs of one sample hold together: what activations need in training, in elements.
  std::int64_t activationElements() const;
  std::int64_t multiplyAdds() const;  ///< of one forward pass of one sample

  /// What buildGraph needs to make this again; stored as "cloister.model" (compact JSON text) in the metadata of every weights file.
  QJsonObject recipe() const;
  static Result<ModelGraph> fromRecipe(const QJsonObject&);
  /// From the metadata of a weights file written by us. CorruptFile without "cloister.model".
  static Result<ModelGraph> fromMetadata(const QJsonObject& metadata, const QString& path);
  QJsonObject metadata() const;  ///< {"cloister.model": "…"}: for writeSafetensors
};

/// parameters: dropout (number). mean and std: per channel, of pixel/255; empty means 0 and 1.
/// InvalidArgument for an unknown architecture, channels other than 1 or 3, a size the architecture cannot take (vit: multiples of 16;
/// others: at least 32), fewer than 2 classes.
Result<ModelGraph> buildGraph(const QString& architecture, const QJsonObject& parameters, int channels, int size, int classes,
                              std::vector<double> mean = {}, std::vector<double> std = {}, QStringList classNames = {});
QStringList knownArchitectures();

}  // namespace cloister
