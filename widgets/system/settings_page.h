// Language, theme, text size, scale and the keys folder. Every choice acts at once except the scale, which needs a new start and says so.
// Main thread.
#pragma once
#include "widgets/common/page.h"

class QButtonGroup;
class QComboBox;
class QFormLayout;
class QLabel;
class QPushButton;

namespace cloister {

class PathEdit;

class SettingsPage : public Page {
  Q_OBJECT
 public:
  explicit SettingsPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  QString help() const override;
  void retranslate() override;
  void refresh() override;

 Q_SIGNALS:
  void restartWanted();

 private:
  QLabel *language_, *theme_, *text_, *scale_, *keys_, *keysHint_, *scaleHint_, *about_;
  QComboBox *languageBox_, *themeBox_, *textBox_, *scaleBox_;
  PathEdit* keysEdit_;
  QPushButton* restart_;
};

}  // namespace cloister
