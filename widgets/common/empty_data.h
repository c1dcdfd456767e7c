// What a page of data shows while there is none: a picture, what to drop here, and a button for who does not drag. And the paths of a drop.
// Main thread.
#pragma once
#include <QFrame>
#include <QStringList>

class QLabel;
class QMimeData;
class QPushButton;

namespace cloister {

class EmptyData : public QFrame {
  Q_OBJECT
 public:
  explicit EmptyData(QWidget* parent);
  void setWords(const QString& title, const QString& text, const QString& button);

 Q_SIGNALS:
  void clicked();

 private:
  QLabel *picture_, *title_, *text_;
  QPushButton* button_;
};

/// Files and folders of this computer among what is dragged.
QStringList localPaths(const QMimeData*);

}  // namespace cloister
