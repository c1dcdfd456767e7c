// A run's or job's events as a progress line on a terminal, or as sparse lines in a log. Main thread.
#pragma once
#include <QElapsedTimer>
#include <QList>

#include "app/cli/context.h"
#include "core/domain/run_event.h"

namespace cloister::cli {

class RunProgress {
 public:
  explicit RunProgress(Context& context);
  void take(const QList<RunEvent>& events);

 private:
  void show();
  QString text() const;
  Context& context_;
  bool terminal_ = false;
  QString phase_;
  qint64 step_ = 0, steps_ = 0, firstStep_ = -1, done_ = 0, total_ = 0;
  double secondsLeft_ = -1;
  QJsonObject values_;
  QElapsedTimer sinceFirst_, sinceLogged_;
};

}  // namespace cloister::cli
