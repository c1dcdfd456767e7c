#include "widgets/train/run_curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QDateTime>

namespace cloister {
namespace {

constexpr qsizetype kWrittenKept = 100;

}  // namespace

void RunCurves::append(const QList<RunEvent>& events) {
  for (const RunEvent& e : events) {
    if (!isNew(e)) continue;
    if (e.type == u"metric") {  // an evaluation event says the same once more
      metric(e);
    } else if (e.type == u"started") {
      started(e);
    } else if (e.type == u"phase") {
      phase_ = e.body["name"].toString();
    } else if (e.type == u"sample") {
      written_ << Written{e.body["step"].toDouble(), e.body["prompt"].toString(), e.body["text"].toString()};
      if (written_.size() > kWrittenKept) written_.removeFirst();
    } else if (e.type == u"warning") {
      warnings_ << e.body["message"].toString();
    } else if (e.type == u"failed") {
      failure_ = e.body["failure"].toObject();
    } else if (e.type == u"heartbeat") {
      lastStep_ = std::max(lastStep_, e.body["step"].toDouble());
    }
  }
}

bool RunCurves::isNew(const RunEvent& e) {
  if (e.seq <= 0) return true;  // a garbled line: nothing is taken from it
  if (e.seq == 1) {
    const QString first = e.at + e.type + QString::number(e.body["pid"].toInteger());
    if (first != firstLine_) {
      firstLine_ = first;
      lastSeq_ = 0;
    }
  }
  if (e.seq <= lastSeq_) return false;
  lastSeq_ = e.seq;
  return true;
}

void RunCurves::started(const RunEvent& e) {
  totalSteps_ = e.body["steps"].toDouble(totalSteps_);
  const double from = e.body["resumedFrom"].toDouble();
  // The new attempt measures the steps after its checkpoint again.
  if (!rows_.isEmpty()) cutAfter(from);
  if (from > 0) resumes_ << from;
  pace_.clear();
  failure_ = {};
}

void RunCurves::cutAfter(double step) {
  for (Curve& c : curves_) {
    const auto end = std::upper_bound(c.step.cbegin(), c.step.cend(), step) - c.step.cbegin();
    c.step.resize(end);
    c.value.resize(end);
  }
  while (!rows_.isEmpty() && rows_.last().step > step) rows_.removeLast();
  while (!resumes_.isEmpty() && resumes_.last() > step) resumes_.removeLast();
  while (!written_.isEmpty() && written_.last().step > step) written_.removeLast();
  lastStep_ = step;
  ++cuts_;
}

void RunCurves::metric(const RunEvent& e) {
  const double step = e.body["step"].toDouble();
  lastStep_ = step;
  epoch_ = e.body["epoch"].toDouble(epoch_);
  const QJsonObject values = e.body["values"].toObject();
  for (auto it = values.begin(); it != values.end(); ++it) {
    const double value = it.value().toDouble(std::numeric_limits<double>::quiet_NaN());
    Curve& c = curves_[it.key()];
    c.step << step;
    c.value << value;
    rows_ << Row{step, epoch_, it.key(), value};
  }
  const qint64 at = QDateTime::fromString(e.at, Qt::ISODateWithMs).toMSecsSinceEpoch();
  pace_ << qMakePair(at, step);
  while (pace_.size() > 2 && at - pace_.first().first > 60'000) pace_.removeFirst();
}

QList<RunEvent> withoutOverlap(const QList<RunEvent>& earlier, const QList<RunEvent>& later) {
  if (later.isEmpty()) return later;
  const RunEvent& first = later.first();
  for (qsizetype i = earlier.size() - 1; i >= 0; --i)
    if (earlier[i].seq == first.seq && earlier[i].at == first.at && earlier[i].type == first.type)
      return later.mid(std::min(later.size(), earlier.size() - i));
  return later;
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
