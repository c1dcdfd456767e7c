// For tests: which widgets a person can operate, and what a screen reader calls them.
#pragma once
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSlider>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QTabBar>

namespace cloister {

/// Controls a person can operate. What Qt builds inside another control (the line of a spin box) speaks through its parent.
inline bool isControl(const QWidget* w) {
  const QWidget* parent = w->parentWidget();
  const bool inner = qobject_cast<const QAbstractSpinBox*>(parent) || qobject_cast<const QComboBox*>(parent) ||
                     qobject_cast<const QLineEdit*>(parent) || qobject_cast<const QAbstractItemView*>(parent) ||
                     qobject_cast<const QTabBar*>(parent) || w->objectName().startsWith("qt_");
  if (inner || w->inherits("QComboBoxPrivateContainer") || w->inherits("QComboBoxListView") || w->inherits("QHeaderView") ||
      w->inherits("QScrollBar") || w->inherits("QTableCornerButton"))
    return false;
  if (qobject_cast<const QAbstractButton*>(w) || qobject_cast<const QComboBox*>(w) || qobject_cast<const QLineEdit*>(w) ||
      qobject_cast<const QAbstractSpinBox*>(w) || qobject_cast<const QAbstractSlider*>(w) || qobject_cast<const QAbstractItemView*>(w) ||
      qobject_cast<const QPlainTextEdit*>(w))
    return true;
  // Whatever else Tab stops at. An area that scrolls takes keys for its content, which has a name of its own; a field that hands the focus
  // on speaks through the one it hands it to.
  return w->focusPolicy() & Qt::TabFocus && !qobject_cast<const QScrollArea*>(w) && !w->focusProxy() && !w->isWindow();
}

/// What a screen reader says: the accessible name, else a button's words or the label whose buddy it is.
inline QString nameOf(const QWidget* w) {
  QAccessibleInterface* spoken = QAccessible::queryAccessibleInterface(const_cast<QWidget*>(w));
  return spoken ? spoken->text(QAccessible::Name) : w->accessibleName();
}

inline QString describeWidget(const QWidget* w) {
  QString path;
  for (; w && !w->isWindow(); w = w->parentWidget())
    path.prepend(QString::fromLatin1(w->metaObject()->className()) + (w->objectName().isEmpty() ? QString() : ':' + w->objectName()) + ' ');
  return path;
}

/// Controls without a name below this widget; counts all of them.
inline QStringList namelessControls(const QWidget* root, int& controls) {
  QStringList nameless;
  for (const QWidget* w : root->findChildren<QWidget*>()) {
    if (!isControl(w)) continue;
    // A button that waits hidden gets its words, and with them its name, when it is shown.
    if (auto* button = qobject_cast<const QAbstractButton*>(w);
        button && w->isHidden() && button->text().isEmpty() && button->icon().isNull())
      continue;
    ++controls;
    if (nameOf(w).isEmpty()) nameless << describeWidget(w);
  }
  return nameless;
}

}  // namespace cloister
