// The target ONNX: float, half and int8 models for ONNX Runtime and everything else that reads opset 17. Its JSON is what GUI and CLI show.
#include <QObject>

#include "core/onnx/target_plugin.h"

namespace cloister {

class OnnxTarget : public QObject, public TargetPlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterTargetPlugin_iid FILE "onnx.json")
  Q_INTERFACES(cloister::TargetPlugin)

 public:
  Result<QJsonObject> write(const onnx::ExportInput& input, const QJsonObject& request, const QString& folder,
                            const onnx::ExportReport& report) override {
    auto options = onnx::ExportOptions::fromJson(request);
    if (!options) return options.error();
    return onnx::exportCandidates(input, *options, folder, report);
  }
};

}  // namespace cloister

#include "onnx.moc"
