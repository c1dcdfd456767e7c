// Turns run events, jobs and the import into lines of the run strip. Main thread.
#pragma once
#include <QMap>
#include <QObject>

#include "core/domain/run_event.h"
#include "widgets/common/progress_strip.h"

namespace cloister {

class StoreClient;

class RunWatcher : public QObject {
  Q_OBJECT
 public:
  RunWatcher(StoreClient& store, ProgressStrip& strip, QObject* parent = nullptr);

 Q_SIGNALS:
  void pageWanted(QString pageId);

 private:
  void runEvents(const QString& run, const QList<RunEvent>& events);
  void jobEvents(const QString& run, const QString& verb, const QList<RunEvent>& events);
  void stateChanged();
  void stop(const QString& id);
  static QString phaseText(const QString& phase);
  QString jobTitle(const QString& run, const QString& verb) const;

  struct Progress {
    qint64 step = 0, steps = 0;
    double loss = -1, rate = -1, tokenRate = -1, secondsLeft = -1;
    QString phase;
  };
  QString detail(const Progress&) const;
  StoreClient& store_;
  ProgressStrip& strip_;
  QMap<QString, Progress> progress_;
  struct Job {
    QString run, verb, phase;
    double fraction = -1, secondsLeft = -1;
  };
  void showJob(const Job&);
  QMap<QString, Job> jobs_;  ///< by id of their line, to word them anew after a change of language
};

}  // namespace cloister
