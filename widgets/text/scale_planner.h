// A model on many GPUs: nodes, number, sequence and precision on top, below the proposals of the cost model (core/domain/scale_model.h),
// why other layouts fall out, and everything that was assumed. Computes on a pool thread. Main thread.
#pragma once
#include <QFrame>
#include <QJsonObject>

#include "widgets/common/sheet_header.h"

class QComboBox;
class QLabel;
class QPlainTextEdit;
class QSpinBox;
class QTableWidget;

namespace cloister {

class StoreClient;

class ScalePlanner : public QFrame {
  Q_OBJECT
 public:
  ScalePlanner(StoreClient& store, QWidget* parent);
  /// config: Hugging Face's config.json of the model, as stored with the project.
  void begin(const QString& name, const QJsonObject& config);

 Q_SIGNALS:
  void closed();

 private:
  void ask();
  void showReport(const QJsonObject& report);
  void retranslate();

  StoreClient& store_;
  SheetHeader header_;
  QComboBox *machine_, *compute_;
  QSpinBox *gpus_, *sequence_, *batch_;
  QLabel *machineLabel_, *gpusLabel_, *sequenceLabel_, *batchLabel_, *computeLabel_, *summary_, *othersTitle_, *assumedTitle_;
  QTableWidget* table_;
  QPlainTextEdit *others_, *assumed_;
  QString name_;
  QJsonObject config_, report_;
  int asked_ = 0;
};

}  // namespace cloister
