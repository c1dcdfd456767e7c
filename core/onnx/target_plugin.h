// The interface of an export target. Described by its JSON (id, name, ParameterSchema) to GUI and CLI; loaded and run by cloister-worker
// only, on its main thread. Torch-free: the worker brings the trained model's logits.
#pragma once
#include <QtPlugin>

#include "core/onnx/candidates.h"

namespace cloister {

class TargetPlugin {
 public:
  virtual ~TargetPlugin() = default;
  /// Writes the models into folder; gives the content of export.json. request: export/request.json.
  virtual Result<QJsonObject> write(const onnx::ExportInput&, const QJsonObject& request, const QString& folder,
                                    const onnx::ExportReport&) = 0;
};

}  // namespace cloister

#define CloisterTargetPlugin_iid "org.cloister.TargetPlugin/1"
Q_DECLARE_INTERFACE(cloister::TargetPlugin, CloisterTargetPlugin_iid)
