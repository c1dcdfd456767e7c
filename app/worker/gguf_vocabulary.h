// The vocabulary that a GGUF file carries, from a model's tokenizer files. Worker only: the files are untrusted.
#pragma once
#include "core/domain/decoder_config.h"
#include "core/tensors/gguf.h"

namespace cloister {

/// tokenizer.ggml.* as llama.cpp's converter writes it: "llama" from tokenizer.model, "gpt2" from a byte-level tokenizer.json, "none" where
/// the folder has neither. Padded to the model's vocabulary. Throws EngineFailure: what the tokenizer's reader refuses, UnsupportedFormat
/// for kinds that GGUF has no word for, TooLarge for a tokenizer with more tokens than the model.
GgufMetadata ggufVocabulary(const QString& dir, const DecoderConfig&);

}  // namespace cloister
