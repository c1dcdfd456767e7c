// One decoded frame as cloister-ingest's render verb wrote it, and the picture that a window makes of it. Blocking, any thread: the viewer
// calls both on pool threads.
#pragma once
#include <memory>

#include <QImage>
#include <QJsonObject>

#include "core/domain/result.h"
#include "core/extension/source_plugin.h"

namespace cloister {

/// file: little-endian float32 [h][w] or U8 [h][w][3]; answer: the verb's "finished" line with width, height, channels, inverted.
/// CorruptFile when the size does not match.
Result<std::shared_ptr<const DecodedFrame>> readFrame(const QString& file, const QJsonObject& answer);

/// 8-bit picture by the one pixel path. width 0: percentiles 0.5–99.5.
QImage windowed(const DecodedFrame&, double center, double width);

}  // namespace cloister
