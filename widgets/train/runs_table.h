// The runs of a project as a table: state, best metric, when; a tick lays a run's curves over the chart. Main thread.
#pragma once
#include <QAbstractTableModel>
#include <QSet>

#include "core/store/project.h"

namespace cloister {

class RunsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Id, State, Family, Progress, Best, Started, ColumnCount };
  using QAbstractTableModel::QAbstractTableModel;

  void setRuns(const QList<RunRecord>&);
  const RunRecord& at(int row) const { return runs_.at(row); }
  int rowOf(const QString& run) const;
  const QSet<QString>& overlaid() const { return overlaid_; }
  void retranslate();
  static QString stateText(const QString& state);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex&, int role) const override;
  bool setData(const QModelIndex&, const QVariant&, int role) override;
  Qt::ItemFlags flags(const QModelIndex&) const override;
  QVariant headerData(int section, Qt::Orientation, int role) const override;

 Q_SIGNALS:
  void overlayChanged();

 private:
  QList<RunRecord> runs_;
  QSet<QString> overlaid_;
};

}  // namespace cloister
