// What this machine is good for: processors, memory, disk (measured on request), graphics cards, InfiniBand, with advice in a sentence.
// The inventory is read on a pool thread. Main thread.
#pragma once
#include <QJsonObject>

#include "widgets/common/page.h"

class QFrame;
class QLabel;
class QPushButton;

namespace cloister {

class SystemPage : public Page {
  Q_OBJECT
 public:
  explicit SystemPage(StoreClient& store, QWidget* parent = nullptr);
  QString title() const override;
  QString subtitle() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;

 private:
  struct Card {
    QFrame* frame = nullptr;
    QLabel *icon = nullptr, *title = nullptr, *figure = nullptr, *facts = nullptr;
  };
  Card makeCard(const char* icon);
  void show_();
  void measure();
  void copyAll();

  QJsonObject inventory_, disk_;
  bool asked_ = false, measuring_ = false;
  Card cpu_, memory_, diskCard_, gpu_, network_;
  QLabel *advice_, *adviceIcon_;
  QPushButton *measure_, *copy_;
};

}  // namespace cloister
