// Verify: drop a bundle folder and read in one line whether to trust it, then who signed, what is inside and each check. Works without a
// project and without a key of one's own. The bundle is parsed by `cloister-cli bundle verify --json` in a child process. Main thread.
#pragma once
#include <QJsonObject>

#include "widgets/common/page.h"

class QFrame;
class QLabel;
class QLineEdit;
class QProcess;
class QPushButton;
class QToolButton;
class QVBoxLayout;

namespace cloister {

class DropArea;

class VerifyPage : public Page {
  Q_OBJECT
 public:
  explicit VerifyPage(StoreClient& store, QWidget* parent = nullptr);

  QString title() const override;
  Missing missing() const override { return {}; }
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  void verify(const QString& dir);

 private:
  void chooseFolder();
  void chooseKey();
  void finished(int exitCode);
  void showReport();

  DropArea* drop_;
  QLabel *keyLabel_, *verdict_, *signer_;
  QLineEdit* key_;
  QToolButton* keyBrowse_;
  QFrame* result_;
  QVBoxLayout* details_;
  QWidget* detailsBox_ = nullptr;
  QProcess* process_ = nullptr;
  QString dir_;
  QJsonObject report_;
  bool valid_ = false;
};

}  // namespace cloister
