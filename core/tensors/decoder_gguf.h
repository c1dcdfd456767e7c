// A decoder language model as GGUF: names, order of dimensions and metadata as llama.cpp's converter writes them (convert_hf_to_gguf.py),
// for its architectures "llama" and "qwen2". Called by `cloister-worker model-export`. Any thread.
#pragma once
#include <map>
#include <string>

#include "core/domain/decoder_config.h"
#include "core/tensors/gguf.h"
#include "core/tensors/safetensors.h"

namespace cloister {

struct GgufModel {
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;
};

/// type: F16 or Q8_0, for matrices; vectors stay float32, and a matrix whose rows are no multiple of 32 becomes F16. The weights must live
/// until the file is written. UnsupportedFormat for DeepSeek-V2 and V3, NotFound and CorruptFile name a tensor. The vocabulary is the
/// caller's to add.
Result<GgufModel> decoderGguf(const DecoderConfig&, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                              const QString& name, GgufType type);

}  // namespace cloister
