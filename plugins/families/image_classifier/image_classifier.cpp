// The family of image classifiers: small_cnn, ResNets and ViT-S/16. Its JSON is what GUI and CLI show; this is what the worker runs.
#include <QObject>

#include "core/engine/models/family_plugin.h"
#include "core/engine/train/train.h"

namespace cloister {

class ImageClassifierFamily : public QObject, public FamilyPlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterFamilyPlugin_iid FILE "image_classifier.json")
  Q_INTERFACES(cloister::FamilyPlugin)

 public:
  WorkerExit train(const TrainJob& job) override { return trainClassifier(job); }
  QJsonObject plan(const QJsonObject& request) override { return planClassifier(request); }
};

}  // namespace cloister

#include "image_classifier.moc"
