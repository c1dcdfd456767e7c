// Train: the recipe from the family's schema, will it fit, Start, Stop, Resume, Queue, and the live chart with the list of runs. Everything
// is read from the run folder, so that closing the window in mid-training loses nothing. Main thread.
#pragma once
#include <memory>

#include <QTimer>

#include "core/runs/base_models.h"
#include "widgets/common/page.h"
#include "widgets/train/run_curves.h"

class QComboBox;
class QItemSelectionModel;
class QLabel;
class QPushButton;
class QSpinBox;
class QSplitter;
class QTableView;
class QToolButton;

namespace cloister {

class FitPanel;
class ParameterForm;
class PathEdit;
class RunChart;
class RunsModel;
class WrittenPanel;
struct TrainRequest;

class TrainPage : public Page {
  Q_OBJECT
 public:
  explicit TrainPage(StoreClient& store, QWidget* parent = nullptr);

  QString title() const override;
  QString subtitle() const override;
  Missing missing() const override;
  Mark mark() const override;
  QString help() const override;
  void refresh() override;
  void retranslate() override;
  bool canStopTask(const QString&) const override { return true; }
  void stopTask(const QString&) override;
  QStringList views() const override;
  void openView(const QString&) override;
  void showRun(const QString& run);

 private:
  void alignLabels();
  QWidget* buildRecipe();
  QWidget* buildRuns();
  void loadSchema();
  void loadModels();
  void showModels();
  TrainRequest request() const;
  void askFit();
  void start(bool queue);
  void stopShown();
  void resumeShown();
  void loadCurves(const QString& run);
  void updateChart();
  void updateButtons();
  void updateStatus();
  void eventsArrived(const QString& run, const QList<RunEvent>& events);

  ParameterForm* form_;
  FitPanel* fit_;
  RunChart* chart_;
  RunsModel* runs_;
  QTableView* runsView_;
  WrittenPanel* written_;
  QSplitter *vertical_, *lower_;
  QWidget* recipe_;
  QToolButton* recipeToggle_;
  QLabel *baseLabel_, *tokenizerLabel_, *weightsLabel_, *seedLabel_, *processesLabel_, *runsTitle_, *status_, *familyLabel_;
  QComboBox *family_, *base_, *tokenizer_;  ///< the two last: of language models, in place of a weights file
  PathEdit* weights_;
  QSpinBox *seed_, *processes_;
  QPushButton *stop_, *resume_, *queue_;
  QTimer fitTimer_;
  QString shown_;
  QMap<QString, std::shared_ptr<RunCurves>> curves_;
  QMap<QString, QList<RunEvent>> loading_;  ///< runs whose logs are being read, with what arrived meanwhile
  QList<BaseModel> models_;                 ///< of a project for language models
  bool schemaLoaded_ = false, starting_ = false, recipeChosen_ = false;
};

}  // namespace cloister
