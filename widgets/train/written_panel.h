// What a language model in training writes at each validation, the newest first: the beginning it was given in quiet colour, its own words
// behind. Hidden while there is nothing. Main thread.
#pragma once
#include <QWidget>

#include "widgets/train/run_curves.h"

class QLabel;
class QTextEdit;

namespace cloister {

class WrittenPanel : public QWidget {
  Q_OBJECT
 public:
  explicit WrittenPanel(QWidget* parent = nullptr);
  void show(const QList<RunCurves::Written>&);
  void retranslate();

 protected:
  void changeEvent(QEvent*) override;  ///< the theme's colours

 private:
  void render();
  QLabel* title_;
  QTextEdit* text_;
  QList<RunCurves::Written> shown_;
};

}  // namespace cloister
