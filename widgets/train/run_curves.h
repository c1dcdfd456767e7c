// The curves of one run as columns of numbers, filled from its events. A value without widgets; main thread.
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

  /// Long format for files and the table twin: step, epoch, series, value.
  struct Row {
    double step, epoch;
    QString series;
    double value;
  };
  const QVector<Row>& rows() const { return rows_; }
  QByteArray csv(const QString& run) const;

 private:
  void metric(const RunEvent&);
  QMap<QString, Curve> curves_;
  QVector<Row> rows_;
  QList<double> resumes_;
  QStringList warnings_;
  QJsonObject failure_;
  QString phase_;
  double lastStep_ = 0, totalSteps_ = 0, epoch_ = 0;
  // For the time left: steps a second over the last minute of events of this attempt.
  QList<QPair<qint64, double>> pace_;
};

}  // namespace cloister
