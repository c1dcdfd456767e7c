// The left rail: one button a page with icon, word and state (a tick when the step is done, a dot while it runs, dimmed with the reason as
// tool tip while something is missing). Main thread.
#pragma once
#include <QAbstractButton>
#include <QFrame>
#include <QMap>

#include "widgets/common/page.h"

class QButtonGroup;
class QVBoxLayout;

namespace cloister {

class RailButton : public QAbstractButton {
  Q_OBJECT
 public:
  RailButton(const QString& id, const QString& icon, QWidget* parent);
  void set(const QString& title, Page::Mark mark, const QString& missing, int number);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent*) override;
  void enterEvent(QEnterEvent*) override { update(); }
  void leaveEvent(QEvent*) override { update(); }

 private:
  QString icon_;
  Page::Mark mark_ = Page::Mark::None;
  bool missing_ = false;
};

class Rail : public QFrame {
  Q_OBJECT
 public:
  explicit Rail(QWidget* parent = nullptr);
  void add(const QString& id, const QString& icon, bool bottom);
  void setCurrent(const QString& id);
  RailButton* button(const QString& id) const { return buttons_.value(id); }

 Q_SIGNALS:
  void chosen(QString id);

 private:
  QMap<QString, RailButton*> buttons_;
  QButtonGroup* group_;
  QVBoxLayout *top_, *bottom_;
};

}  // namespace cloister
