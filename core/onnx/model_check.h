// Before an ONNX file from outside is run: is it one that Cloister would run at all? Called by `cloister-worker run`, which bundle checks
// use. We run files we wrote ourselves or found in a verified bundle; this refuses the rest of the format's power. Any thread.
#pragma once
#include <QString>

#include "core/domain/result.h"
#include "core/onnx/model.h"

namespace cloister::onnx {

/// Refused, each named: operators outside the standard sets and com.microsoft's quantized ones, graphs inside operators, local functions,
/// sparse weights, external data that is not a plain file in the model's own folder (absolute paths, "..", links, hard links), offsets
/// outside that file, more than a million nodes, newer opsets than the runtime knows. The failures are CorruptFile, UnsupportedFormat and
/// PolicyRefused.
Result<Model> checkedModel(const QString& path);

}  // namespace cloister::onnx
