// The curves of one run as columns of numbers, filled from its events: every measured point once, whatever is read twice (a log that is
// read whole while its new lines also arrive) or repeated (a resumed attempt goes back to its checkpoint). A value without widgets; main
// thread.
#pragma once
#include <QList>
#include <QMap>
#include <QString>
#include <QVector>

#include "core/domain/run_event.h"

namespace cloister {

struct Curve {
  QVector<double> step, value;  ///< equal length, in order of arrival; values may be NaN
};

class RunCurves {
 public:
  /// Events of one run in the order of its logs. What is already here is passed over.
  void append(const QList<RunEvent>&);

  const QMap<QString, Curve>& curves() const { return curves_; }
  const QList<double>& resumeSteps() const { return resumes_; }  ///< where a later attempt went on
  double lastStep() const { return lastStep_; }
  double totalSteps() const { return totalSteps_; }  ///< from the started event, 0: unknown
  double epoch() const { return epoch_; }
  double secondsLeft() const;                ///< negative: unknown
  double last(const QString& series) const;  ///< NaN when there is none
  QString phase() const { return phase_; }
  QJsonObject failure() const { return failure_; }
  QStringList warnings() const { return warnings_; }

  /// What a language model wrote at its validations, oldest first; the last hundred.
  struct Written {
    double step;
    QString prompt, text;
  };
  const QList<Written>& written() const { return written_; }
  /// Long format for files and the table twin: step, epoch, series, value.
  struct Row {
    double step, epoch;
    QString series;
    double value;
  };
  const QVector<Row>& rows() const { return rows_; }
  /// Grows when points were taken away again: who draws by appending starts over.
  int cuts() const { return cuts_; }
  QByteArray csv(const QString& run) const;

 private:
  bool isNew(const RunEvent&);
  void started(const RunEvent&);
  void cutAfter(double step);
  void metric(const RunEvent&);
  QMap<QString, Curve> curves_;
  QVector<Row> rows_;
  QList<double> resumes_;
  QList<Written> written_;
  QStringList warnings_;
  QJsonObject failure_;
  QString phase_;
  double lastStep_ = 0, totalSteps_ = 0, epoch_ = 0;
  int cuts_ = 0;
  // Where the log of the newest attempt was read to. Its first line tells attempts apart: each log counts from 1.
  QString firstLine_;
  qint64 lastSeq_ = 0;
  // For the time left: steps a second over the last minute of events of this attempt.
  QList<QPair<qint64, double>> pace_;
};

/// What of `later` is not in `earlier`: two readings of the same logs that overlap or meet. earlier is the longer one.
QList<RunEvent> withoutOverlap(const QList<RunEvent>& earlier, const QList<RunEvent>& later);

}  // namespace cloister
