#include "widgets/train/run_curves.h"

#include <cmath>
#include <limits>

#include <QDateTime>

namespace cloister {

void RunCurves::append(const QList<RunEvent>& events) {
  for (const RunEvent& e : events) {
    if (e.type == u"metric" || e.type == u"evaluation") {
      metric(e);
    } else if (e.type == u"started") {
      totalSteps_ = e.body["steps"].toDouble(totalSteps_);
      const double from = e.body["resumedFrom"].toDouble();
      if (from > 0) resumes_ << from;
      pace_.clear();
      failure_ = {};
    } else if (e.type == u"phase") {
      phase_ = e.body["name"].toString();
    } else if (e.type == u"warning") {
      warnings_ << e.body["message"].toString();
    } else if (e.type == u"failed") {
      failure_ = e.body["failure"].toObject();
    } else if (e.type == u"heartbeat") {
      lastStep_ = std::max(lastStep_, e.body["step"].toDouble());
    }
  }
}

void RunCurves::metric(const RunEvent& e) {
  const double step = e.body["step"].toDouble();
  lastStep_ = step;
  epoch_ = e.body["epoch"].toDouble(epoch_);
  const QJsonObject values = e.body["values"].toObject();
  for (auto it = values.begin(); it != values.end(); ++it) {
    const double value = it.value().toDouble(std::numeric_limits<double>::quiet_NaN());
    Curve& c = curves_[it.key()];
    // A resumed attempt repeats the steps after its checkpoint: the newer values replace the older ones.
    while (!c.step.isEmpty() && c.step.last() >= step) {
      c.step.removeLast();
      c.value.removeLast();
    }
    c.step << step;
    c.value << value;
    rows_ << Row{step, epoch_, it.key(), value};
  }
  const qint64 at = QDateTime::fromString(e.at, Qt::ISODateWithMs).toMSecsSinceEpoch();
  pace_ << qMakePair(at, step);
  while (pace_.size() > 2 && at - pace_.first().first > 60'000) pace_.removeFirst();
}

double RunCurves::secondsLeft() const {
  if (pace_.size() < 2 || totalSteps_ <= 0) return -1;
  const double seconds = double(pace_.last().first - pace_.first().first) / 1000;
  const double steps = pace_.last().second - pace_.first().second;
  if (seconds <= 0 || steps <= 0) return -1;
  return std::max(0.0, (totalSteps_ - lastStep_) * seconds / steps);
}

double RunCurves::last(const QString& series) const {
  const auto it = curves_.constFind(series);
  return it == curves_.constEnd() || it->value.isEmpty() ? std::numeric_limits<double>::quiet_NaN() : it->value.last();
}

QByteArray RunCurves::csv(const QString& run) const {
  QByteArray out = "run,step,epoch,series,value\n";
  for (const Row& r : rows_)
    out += run.toUtf8() + ',' + QByteArray::number(r.step, 'g', 15) + ',' + QByteArray::number(r.epoch, 'g', 9) + ',' + r.series.toUtf8() +
           ',' + QByteArray::number(r.value, 'g', 17) + '\n';
  return out;
}

}  // namespace cloister
