// The samples that match a filter as a list model for a million rows: eight bytes a row, and the samples with their thumbnails in blocks
// that are read in the background when they come into view (newest wish first) and forgotten when long unseen. Main thread.
#pragma once
#include <memory>

#include <QAbstractListModel>
#include <QCache>
#include <QImage>
#include <QSet>

#include "core/store/project.h"

namespace cloister {

class StoreClient;
class ThumbFiles;

class SampleModel : public QAbstractListModel {
  Q_OBJECT
 public:
  struct Cell {
    Sample sample;
    QImage thumb;
  };
  static constexpr int kBlock = 128;  ///< rows read at once

  explicit SampleModel(StoreClient& store, QObject* parent = nullptr);
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(ids_.size()); }
  QVariant data(const QModelIndex&, int role) const override;
  Qt::ItemFlags flags(const QModelIndex&) const override;

  void setFilter(const SampleFilter&);
  const SampleFilter& filter() const { return filter_; }
  /// Asks for the ids again (after an import or a change of labels); keeps what is loaded until the new rows are there.
  void reload();
  void clear();
  /// Null while its block is not loaded; asks for it then.
  const Cell* cell(int row) const;
  qint64 id(int row) const { return ids_.value(row, 0); }
  int rowOf(qint64 id) const;
  QList<qint64> ids(const QList<int>& rows) const;

 Q_SIGNALS:
  void filtered(qint64 count);
  void failed(cloister::Failure);

 private:
  struct Block {
    QList<Cell> cells;
    bool stale = false;
  };
  void want(int block) const;
  void loadNext();
  void setIds(const QList<qint64>&);

  StoreClient& store_;
  SampleFilter filter_;
  QList<qint64> ids_;
  mutable QCache<int, Block> blocks_;
  mutable QList<int> wanted_;
  QSet<int> loading_;
  std::shared_ptr<ThumbFiles> thumbs_;
  int generation_ = 0;
  bool asking_ = false, askAgain_ = false;
};

}  // namespace cloister
