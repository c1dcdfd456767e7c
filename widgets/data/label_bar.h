// Below the thumbnails: what the keys 1…9 mean, a new label, exclude, undo and redo. Main thread.
#pragma once
#include <QFrame>
#include <QStringList>

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;

namespace cloister {

class LabelBar : public QFrame {
  Q_OBJECT
 public:
  explicit LabelBar(QWidget* parent = nullptr);
  void setLabels(const QStringList&);
  void setSelected(qint64 n);
  QString labelOf(int number) const { return labels_.value(number - 1); }

 Q_SIGNALS:
  void chosen(QString label);  ///< empty: take the label away
  void excludeWanted();
  void undoWanted();
  void redoWanted();

 private:
  void rebuild();
  void retranslate();
  QStringList labels_;
  qint64 selected_ = 0;
  QHBoxLayout* keys_;
  QLabel* selectedLabel_;
  QLineEdit* new_;
  QToolButton *exclude_, *undo_, *redo_;
  QList<QPushButton*> buttons_;
};

}  // namespace cloister
