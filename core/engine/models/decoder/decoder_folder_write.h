// Writing a language model's folder for who wants to know how far it is; all else as writeDecoderFolder. Worker only.
#pragma once
#include <functional>

#include "core/engine/models/decoder/decoder_folder.h"

namespace cloister {

/// progress hears bytes of weights.
void writeDecoderFolderTelling(const QString& dir, const DecoderConfig&, const NamedTensors& tensors, const DecoderWriteOptions&,
                               const std::function<void(qint64 done, qint64 total)>& progress);

}  // namespace cloister
