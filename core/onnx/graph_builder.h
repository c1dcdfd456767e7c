// Writes the ONNX graph of a trained classifier from its description (core/domain/model_graph.h) and its weights, without LibTorch.
// Called by export. Opset 17, IR 8: read by every runtime of the last years. Any thread; no I/O.
//
// Input  "image" float32 [N, C, H, W], pixel / 255; normalisation is inside the graph. Outputs "logits" and "probabilities" [N, classes].
// Inference only: BatchNorm is folded into the convolution before it (in double precision), Dropout is left out, attention stands as
// MatMul, Softmax, MatMul with 1/√d folded into the query weights, Gelu as the Erf pattern that runtimes fuse.
#pragma once
#include <map>
#include <string>

#include "core/domain/model_graph.h"
#include "core/domain/result.h"
#include "core/onnx/model.h"
#include "core/tensors/safetensors.h"

namespace cloister::onnx {

struct BuildInfo {
  QString run, snapshot, weightsSha256;  ///< go into metadata_props; empty ones are left out
};

/// NotFound names the missing tensor, CorruptFile a tensor of a wrong shape or type.
Result<Model> buildModel(const ModelGraph&, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                         const BuildInfo& = {});

}  // namespace cloister::onnx
