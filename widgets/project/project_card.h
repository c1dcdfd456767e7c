// One recent project as a card: name, kind, samples, last model, health. The summary is read in the background (readProjectSummary); the
// card only shows it. Main thread.
#pragma once
#include <QFrame>

#include "core/store/project.h"

class QLabel;
class QPushButton;
class QToolButton;

namespace cloister {

struct ProjectSummary {
  QString dir;
  bool readable = false;
  Failure failure;  ///< why not
  ProjectInfo info;
  qint64 samples = 0, labelled = 0;
  QString lastRun, lastRunState;
  double bestValue = -1;
  QString bestMetric;
  void takeRun(const RunRecord&);
};

/// Blocking; any thread.
ProjectSummary readProjectSummary(const QString& dir);

class ProjectCard : public QFrame {
  Q_OBJECT
 public:
  explicit ProjectCard(const QString& dir, QWidget* parent = nullptr);
  void setSummary(const ProjectSummary&);
  void setCurrent(bool);
  QSize sizeHint() const override;

 Q_SIGNALS:
  void openWanted(QString dir);
  void removeWanted(QString dir);

 private:
  void retranslate();
  QString dir_;
  ProjectSummary summary_;
  bool known_ = false, current_ = false;
  QLabel *name_, *kind_, *samples_, *model_, *health_, *path_;
  QPushButton* open_;
  QToolButton* remove_;
};

}  // namespace cloister
