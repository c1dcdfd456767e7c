// Files that an import did not take: refused with the reason, duplicates with their original. Grows while an import runs. Main thread.
#pragma once
#include <QAbstractTableModel>
#include <QWidget>

#include "core/store/project.h"

class QTableView;

namespace cloister {

class StoreClient;

class FileListModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  struct Row {
    bool refused = true;
    QString file, reason;
  };
  using QAbstractTableModel::QAbstractTableModel;
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(rows_.size()); }
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 3; }
  QVariant data(const QModelIndex&, int role) const override;
  QVariant headerData(int section, Qt::Orientation, int role) const override;
  void setRows(const QList<Row>&);
  void retranslate();

 private:
  QList<Row> rows_;
};

class FileList : public QWidget {
  Q_OBJECT
 public:
  enum class Show { All, Refused, Duplicates };
  explicit FileList(StoreClient& store, QWidget* parent = nullptr);
  void refresh(Show what, qint64 importId = -1);

 private:
  StoreClient& store_;
  FileListModel* model_;
  QTableView* table_;
  bool asking_ = false;
};

}  // namespace cloister
