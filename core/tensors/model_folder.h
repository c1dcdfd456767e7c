// The identity of a language model in a folder: what a run was started from must still be there when it goes on. No LibTorch; the files are
// only hashed, never parsed. Any thread; blocking I/O.
#pragma once
#include <functional>

#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

/// SHA-256 of the canonical JSON {name: SHA-256} over config.json, the weights (*.safetensors) and their index. NotFound without
/// config.json. progress hears bytes; false stops: Stopped.
Result<QString> modelFolderDigest(const QString& dir, const std::function<bool(qint64 done, qint64 total)>& progress = {});
/// Names of the files that go along with a model: generation_config.json, the tokenizer's files and the chat template.
const QStringList& companionFiles();
inline constexpr qint64 kLargestCompanion = 256 << 20;  ///< bytes of one of them

}  // namespace cloister
