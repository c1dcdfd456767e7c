// Export: candidates FP32, FP16, int8 dynamic, int8 static with accuracy, size, speed and parity; then the signed bundle: name, key,
// passphrase, destination. The worker makes the graphs, the core signs. Main thread.
#pragma once
#include <QJsonObject>

#include "core/trust/key_store.h"
#include "widgets/common/page.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFrame;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QTableWidget;
class QToolButton;

namespace cloister {

class ExportPage : public Page {
  Q_OBJECT
 public:
  explicit ExportPage(StoreClient& store, QWidget* parent = nullptr);

  QString title() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;

 private:
  QWidget* buildOptions();
  QWidget* buildBundle();
  QString run() const;
  bool exported() const;   ///< there are candidates
  QString chosen() const;  ///< name of the selected candidate
  void fillRuns();
  void load(bool again);
  void fillTable();
  void loadKeys();
  void makeCandidates();
  void createKey();
  void createBundle();
  void bundleMade(const QString& dir);
  void updateButtons();
  void showSpace();
  bool language() const;  ///< the project is one for language models
  void showOptions();

  QComboBox *runs_, *target_, *calibration_, *keys_;
  QLabel *runLabel_, *targetLabel_, *calibrationLabel_, *dropLabel_, *why_, *tableTitle_, *bundleTitle_, *nameLabel_, *useLabel_,
      *limitsLabel_, *keyLabel_, *passLabel_, *toLabel_, *space_, *newKeyHint_, *newNameLabel_, *newCurveLabel_, *newPassLabel_,
      *newAgainLabel_;
  QCheckBox *fp16_, *dynamic_, *static_, *int8_, *int4_;
  QDoubleSpinBox* drop_;
  QTableWidget* table_;
  QLineEdit *name_, *pass_, *to_, *newName_, *newPass_, *newAgain_;
  QPlainTextEdit *use_, *limits_;
  QComboBox* newCurve_;
  QPushButton *make_, *stop_, *keyDone_;
  QToolButton *newKey_, *browse_, *open_;
  QFrame *newKeyBox_, *bundleBox_;
  QJsonObject json_;
  QString loaded_, running_, bundleDir_;
  bool signing_ = false;
};

}  // namespace cloister
