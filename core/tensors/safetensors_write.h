// Writing large safetensors files for who wants to know how far it is; all else as writeSafetensors (core/tensors/safetensors.h). Any
// thread.
#pragma once
#include <functional>

#include "core/tensors/safetensors.h"

namespace cloister {

/// written hears how many bytes of tensors were written since it was last told.
Result<void> writeSafetensorsTelling(const QString& path, const std::map<std::string, TensorView>& tensors, const QJsonObject& metadata,
                                     const std::function<void(qint64)>& written);

}  // namespace cloister
