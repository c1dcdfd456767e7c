// Writes the ONNX graph of a decoder language model from its description (core/domain/decoder_config.h) and its weights, without LibTorch.
// Called by `cloister-worker model-export`. Any thread; no I/O besides reading the mapped weights.
//
// Inputs  input_ids, attention_mask (1: token, 0: padding; [batch, past + sequence]), position_ids, int64 [batch, sequence], and for each
//         layer past_key_values.N.key and .value [batch, kv heads, past, head size]; an empty past starts a text.
// Outputs logits float32 [batch, sequence, vocabulary], present.N.key and .value [batch, kv heads, past + sequence, head size].
//
// Standard: opset 23, IR 11, only operators of the ONNX standard (RMSNormalization, RotaryEmbedding, Attention): ONNX Runtime 1.23 and
// later. GenAi: GroupQueryAttention and SkipSimplifiedLayerNormalization of com.microsoft, without position_ids, as onnxruntime-genai and
// the web runtime want it. LLaMA and Qwen2 only, head sizes that are multiples of 16 (a limit of ONNX Runtime's processor kernel). Padding
// on the left is for the standard graph; GenAi pads on the right. Sources: https://onnx.ai/onnx/operators, onnxruntime
// docs/ContribOperators.md.
#pragma once
#include <map>
#include <string>

#include "core/domain/decoder_config.h"
#include "core/domain/result.h"
#include "core/onnx/graph_builder.h"
#include "core/onnx/model.h"
#include "core/tensors/safetensors.h"

namespace cloister::onnx {

enum class DecoderVariant { Standard, GenAi };

struct DecoderGraphOptions {
  DecoderVariant variant = DecoderVariant::Standard;
  ElementType weights = ElementType::Float;  ///< Float or Float16: weights, activations and cache
  std::int64_t context = 0;                  ///< positions in the tables of sines and cosines; 0: the configuration's
  /// The head of a model with tied embeddings gets a copy of its own, so that it can be quantized.
  bool separateHead = false;
};

/// NotFound names a missing tensor, CorruptFile one of a wrong shape or type, UnsupportedFormat what a variant cannot express, TooLarge a
/// weight that float16 cannot hold.
Result<Model> buildDecoder(const DecoderConfig&, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                           const DecoderGraphOptions& = {}, const BuildInfo& = {});

/// What onnxruntime-genai reads beside a GenAi model (which has an end token). file: name of the .onnx.
QJsonObject genaiConfig(const DecoderConfig&, const QString& file, std::int64_t context);

}  // namespace cloister::onnx
