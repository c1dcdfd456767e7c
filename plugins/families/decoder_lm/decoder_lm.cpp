// The family of decoder language models: LLaMA, Qwen2, DeepSeek-V2 and V3. Its JSON is what GUI and CLI show; this is what the worker runs.
#include <QObject>

#include "core/engine/models/family_plugin.h"
#include "core/engine/train/language/train_language.h"

namespace cloister {

class DecoderLmFamily : public QObject, public FamilyPlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterFamilyPlugin_iid FILE "decoder_lm.json")
  Q_INTERFACES(cloister::FamilyPlugin)

 public:
  WorkerExit train(const TrainJob& job) override { return trainLanguage(job); }
  QJsonObject plan(const QJsonObject& request) override { return planLanguage(request); }
};

}  // namespace cloister

#include "decoder_lm.moc"
