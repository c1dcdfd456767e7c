// The text files of a project as a table: name, kind, records, size, state. Main thread.
#pragma once
#include <QAbstractTableModel>

#include "core/domain/sample.h"

namespace cloister {

class TextList : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, Kind, Records, Size, State, Columns };
  using QAbstractTableModel::QAbstractTableModel;
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(rows_.size()); }
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(Columns); }
  QVariant data(const QModelIndex&, int role) const override;
  QVariant headerData(int section, Qt::Orientation, int role) const override;
  void setRows(const QList<Sample>&);
  const Sample& at(int row) const { return rows_[row]; }
  void retranslate();
  static QString kindName(const QString& kind);

 private:
  QString stateOf(const Sample&) const;
  QList<Sample> rows_;
};

}  // namespace cloister
