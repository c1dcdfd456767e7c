// A decoder language model as a Hugging Face folder: config.json, model.safetensors or shards with an index, generation_config.json and
// the tokenizer's files. Read by mmap, without a second copy of the weights; written whole or absent. Worker only: the files are untrusted.
// Throws EngineFailure: NotFound (no folder, no config, a missing shard), CorruptFile (a missing, surplus or wrongly shaped tensor, a bad
// index), UnsupportedFormat (weights as pickles, integer weights, other quantisations), OutOfMemory before a conversion that does not fit.
#pragma once
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/decoder_config.h"
#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {

enum class WeightsAs {
  Stored,   ///< the type of the files; FP8 blocks become bfloat16
  Float32,  ///< converted where stored otherwise
  BFloat16,
  StoredFp8,  ///< as Stored, but the FP8 blocks of linear layers stay what they are
};

struct DecoderFolder {
  DecoderConfig config;
  QJsonObject configJson;   ///< as found
  NamedTensors tensors;     ///< config.tensors(); views of the mapped files where no conversion was needed
  PackedWeights packed;     ///< FP8 weights of linear layers, as stored, where they were asked for
  NamedTensors prediction;  ///< multi-token prediction layers, complete or empty; not used for logits
  QStringList ignored;      ///< tensors of the files that nothing needs (old rotary tables, a head beside tied embeddings)
  QStringList files;        ///< weights files, names only
  qint64 bytes = 0;         ///< of the weights files
};

DecoderConfig readDecoderConfig(const QString& dir, QJsonObject* json = nullptr);
DecoderFolder readDecoderFolder(const QString& dir, WeightsAs = WeightsAs::Stored);
/// Copies of everything, so that training may change it and a truncated file cannot fault in the middle.
void detachFromFiles(DecoderFolder&);

struct DecoderWriteOptions {
  QString from;                       ///< folder whose generation_config.json and tokenizer files go along; empty: none
  qint64 shardBytes = 5'000'000'000;  ///< more becomes shards
};
/// dir must not exist. Tensors are written in the type they have.
void writeDecoderFolder(const QString& dir, const DecoderConfig&, const NamedTensors& tensors, const DecoderWriteOptions& = {});

/// Copies generation_config.json, the tokenizer's files and the chat template, those that are there.
void copyCompanionFiles(const QString& from, const QString& to);

}  // namespace cloister
