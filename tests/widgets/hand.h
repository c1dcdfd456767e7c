// A hand for tests that walk through the window as a person does: finds buttons and fields by their words and uses the mouse and the keys.
#pragma once
#include <QDebug>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>

#include "widgets/common/page.h"
#include "widgets/common/shell.h"

namespace cloister {

class Hand {
 public:
  explicit Hand(MainWindow& window) : window_(&window) {}

  template <typename Button>
  Button* visibleButton(const QString& words) const {
    for (auto* b : window_->findChildren<Button*>())
      if (b->isVisible() && b->text() == words) return b;
    return nullptr;
  }
  /// Waits until a button with these words can be pressed, then presses it with the mouse.
  bool press(const QString& words, int timeoutMs = 20'000) const {
    QPushButton* button = nullptr;
    const bool there = QTest::qWaitFor([&] { return (button = visibleButton<QPushButton>(words)) && button->isEnabled(); }, timeoutMs);
    if (!there) {
      qWarning() << "no button to press:" << words << "banner:" << bannerText();
      return false;
    }
    QTest::mouseClick(button, Qt::LeftButton);
    return true;
  }
  QString bannerText() const {
    QStringList texts;
    for (auto* l : window_->currentPage()->findChildren<QLabel*>())
      if (l->isVisible() && l->text().size() > 20) texts << l->text();
    return texts.join(" | ").left(600);
  }
  QLineEdit* field(const QString& accessibleName) const {
    for (auto* e : window_->findChildren<QLineEdit*>())
      if (e->isVisible() && e->accessibleName() == accessibleName) return e;
    return nullptr;
  }
  bool type(const QString& accessibleName, const QString& text) const {
    QLineEdit* edit = nullptr;
    if (!QTest::qWaitFor([&] { return (edit = field(accessibleName)) != nullptr; }, 5000)) return false;
    edit->setFocus();
    edit->selectAll();
    QTest::keyClicks(edit, text);
    return edit->text() == text;
  }
  /// A page by its number in the rail.
  void page(Qt::Key number) const { QTest::keyClick(window_, number, Qt::ControlModifier); }
  /// Whether a visible text holds these words.
  bool reads(const QString& words) const {
    for (auto* l : window_->currentPage()->findChildren<QLabel*>())
      if (l->isVisible() && l->text().contains(words)) return true;
    return false;
  }

 private:
  MainWindow* window_;
};

}  // namespace cloister
