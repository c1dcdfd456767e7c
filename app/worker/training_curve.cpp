#include "app/worker/training_curve.h"

#include <map>

#include <QDir>
#include <QJsonArray>

#include "core/domain/run_event.h"

namespace cloister {
namespace {

constexpr std::size_t kPoints = 300;

using Losses = std::map<qint64, double>;

void readLog(const QString& path, Losses& train, Losses& validation) {
  EventReader reader(path);
  for (bool first = true;; first = false) {
    const auto events = reader.readNew();
    if (!events || events->isEmpty()) return;
    for (const RunEvent& e : *events) {
      const QJsonObject values = e.body["values"].toObject();
      const qint64 step = e.body["step"].toInteger();
      // An attempt that went back to a checkpoint does the steps behind it again.
      if (first && e.type == u"metric" && values.contains("train/loss")) {
        train.erase(train.lower_bound(step), train.end());
        validation.erase(validation.lower_bound(step), validation.end());
        first = false;
      }
      if (const QJsonValue v = values["train/loss"]; v.isDouble()) train[step] = v.toDouble();
      if (const QJsonValue v = values["validation/loss"]; v.isDouble()) validation[step] = v.toDouble();
    }
  }
}

QJsonArray thinned(const Losses& losses) {
  QJsonArray out;
  const std::size_t each = (losses.size() + kPoints - 1) / kPoints;
  std::size_t n = 0;
  double sum = 0;
  for (auto it = losses.begin(); it != losses.end(); ++it) {
    sum += it->second;
    if (++n < each && std::next(it) != losses.end()) continue;
    out.append(QJsonArray{it->first, sum / double(n)});
    n = 0, sum = 0;
  }
  return out;
}

}  // namespace

QJsonObject trainingCurve(const QString& runDir) {
  Losses train, validation;
  for (const QString& attempt : QDir(runDir).entryList({"attempt-*"}, QDir::Dirs, QDir::Name))
    readLog(runDir + '/' + attempt + "/rank-0.events.jsonl", train, validation);
  return {{"train", thinned(train)}, {"validation", thinned(validation)}};
}

}  // namespace cloister
