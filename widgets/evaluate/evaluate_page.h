// Evaluate: starts the worker's evaluation of a finished run and shows its report: headline figures with intervals, quality, fragility,
// speed, samples, groups. Reads evaluation/report.json; saves it as HTML and JSON. Main thread.
#pragma once
#include <QJsonObject>

#include "widgets/common/page.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QScrollArea;
class QSpinBox;
class QToolButton;

namespace cloister {

class EvaluatePage : public Page {
  Q_OBJECT
 public:
  explicit EvaluatePage(StoreClient& store, QWidget* parent = nullptr);

  QString title() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;

 private:
  QString run() const;
  void buildBar();
  void fillRuns();
  void load(bool again);
  void showReport();
  void start();
  void stop();
  QWidget* section(const QString& title, const QString& explanation, const QList<QWidget*>& content, QWidget* parent);
  void saveReport(const QString& suffix);
  bool evaluated() const;
  bool language() const;  ///< the project is one for language models
  void showLanguage(class QVBoxLayout* column, QWidget* page);

  QComboBox* runs_;
  QCheckBox* attacks_;
  QLabel *runLabel_, *answersLabel_, *lengthLabel_, *epsilonLabel_, *samplesLabel_;
  QLineEdit* epsilons_;
  QSpinBox *samples_, *answers_, *length_;
  QWidget *answersPair_, *lengthPair_;  ///< of language models alone
  QPushButton *again_, *stop_;
  QToolButton* report_;
  QScrollArea* scroll_;
  QJsonObject json_;
  QString loaded_, folder_;
  QString running_;
  bool languageShown_ = false;  ///< for whom the strengths of attacks are written
};

}  // namespace cloister
