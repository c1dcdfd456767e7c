#include "widgets/train/runs_table.h"

#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

QString RunsModel::stateText(const QString& state) {
  static const QMap<QString, const char*> kStates{
      {QStringLiteral("queued"), QT_TR_NOOP("Waiting")},  {QStringLiteral("submitted"), QT_TR_NOOP("Handed over")},
      {QStringLiteral("running"), QT_TR_NOOP("Running")}, {QStringLiteral("stopping"), QT_TR_NOOP("Stopping")},
      {QStringLiteral("stopped"), QT_TR_NOOP("Stopped")}, {QStringLiteral("attempt_failed"), QT_TR_NOOP("Interrupted")},
      {QStringLiteral("failed"), QT_TR_NOOP("Failed")},   {QStringLiteral("finished"), QT_TR_NOOP("Finished")}};
  const auto it = kStates.constFind(state);
  return it == kStates.constEnd() ? state : tr(*it);
}

void RunsModel::setRuns(const QList<RunRecord>& runs) {
  // Keep selection and scroll place when only values changed.
  const bool sameRows =
      runs.size() == runs_.size() && std::equal(runs.begin(), runs.end(), runs_.begin(), [](auto& a, auto& b) { return a.id == b.id; });
  if (sameRows) {
    runs_ = runs;
    if (!runs_.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(int(runs_.size()) - 1, ColumnCount - 1));
    return;
  }
  beginResetModel();
  runs_ = runs;
  endResetModel();
}

int RunsModel::rowOf(const QString& run) const {
  for (int i = 0; i < runs_.size(); ++i)
    if (runs_[i].id == run) return i;
  return -1;
}

void RunsModel::retranslate() {
  Q_EMIT headerDataChanged(Qt::Horizontal, 0, ColumnCount - 1);
  if (!runs_.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(int(runs_.size()) - 1, ColumnCount - 1));
}

int RunsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : int(runs_.size()); }
int RunsModel::columnCount(const QModelIndex&) const { return ColumnCount; }

QVariant RunsModel::data(const QModelIndex& i, int role) const {
  const RunRecord& r = runs_.at(i.row());
  if (role == Qt::CheckStateRole && i.column() == Id) return overlaid_.contains(r.id) ? Qt::Checked : Qt::Unchecked;
  if (role == Qt::ForegroundRole && i.column() == State) {
    if (r.state == u"finished") return Theme::current().color(Role::Good);
    if (r.state == u"failed" || r.state == u"attempt_failed") return Theme::current().color(Role::Bad);
  }
  if (role != Qt::DisplayRole) return {};
  switch (i.column()) {
    case Id:
      return r.id;
    case State:
      return stateText(r.state);
    case Family:
      return words::architecture(r.summary["architecture"].toString(r.family));
    case Progress:
      return r.steps > 0 ? words::percent(double(r.step) / double(r.steps)) : QString();
    case Best: {
      const QJsonObject best = r.summary["best"].toObject();
      return best.contains("value") ? words::figures(best["value"].toDouble()) : QStringLiteral("–");
    }
    default:
      return words::dateTime(r.createdAt);
  }
}

bool RunsModel::setData(const QModelIndex& i, const QVariant& value, int role) {
  if (role != Qt::CheckStateRole || i.column() != Id) return false;
  const QString id = runs_.at(i.row()).id;
  if (value.toInt() == Qt::Checked) overlaid_.insert(id);
  else overlaid_.remove(id);
  Q_EMIT dataChanged(i, i, {role});
  Q_EMIT overlayChanged();
  return true;
}

Qt::ItemFlags RunsModel::flags(const QModelIndex& i) const {
  Qt::ItemFlags f = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
  if (i.column() == Id) f |= Qt::ItemIsUserCheckable;
  return f;
}

QVariant RunsModel::headerData(int section, Qt::Orientation o, int role) const {
  if (o != Qt::Horizontal || role != Qt::DisplayRole) return {};
  const QString titles[] = {tr("Run"), tr("State"), tr("Model"), tr("Done"), tr("Best"), tr("Started")};
  return titles[section];
}

}  // namespace cloister
