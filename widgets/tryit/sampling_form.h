// How the next word is chosen: most likely or drawn, temperature, top-p, top-k, repetition penalty, length, stop texts, seed. Main thread.
#pragma once
#include <QJsonObject>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QPlainTextEdit;
class QSpinBox;

namespace cloister {

class SamplingForm : public QWidget {
  Q_OBJECT
 public:
  explicit SamplingForm(QWidget* parent = nullptr);
  /// Members of the worker's generate request.
  QJsonObject values() const;
  bool oneAfterTheOther() const;

 private:
  void retranslate();
  void updateEnabled();
  QLabel* title_;
  QComboBox* choice_;
  QDoubleSpinBox *temperature_, *topP_, *penalty_;
  QSpinBox *topK_, *length_, *seed_;
  QPlainTextEdit* stop_;
  QCheckBox* sequential_;
  struct Row {
    QLabel* label;
    QWidget* editor;
    const char *text, *help;
  };
  QList<Row> rows_;
};

}  // namespace cloister
