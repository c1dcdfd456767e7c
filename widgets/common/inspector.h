// The right panel: what is known about the selection of the current page, or its help. Closes with its button and Escape. Main thread.
#pragma once
#include <QFrame>

class QLabel;
class QScrollArea;
class QStackedWidget;
class QTextBrowser;
class QToolButton;

namespace cloister {

class Inspector : public QFrame {
  Q_OBJECT
 public:
  explicit Inspector(QWidget* parent = nullptr);
  /// The widget keeps its owner's lifetime; it is reparented into the panel.
  void setContent(QWidget* content, const QString& title);
  void setHelp(const QString& richText, const QString& title);
  bool showsHelp() const;

 Q_SIGNALS:
  void closed();

 protected:
  void keyPressEvent(QKeyEvent*) override;

 private:
  QLabel* title_;
  QToolButton* close_;
  QStackedWidget* stack_;
  QTextBrowser* help_;
};

}  // namespace cloister
