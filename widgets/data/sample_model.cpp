#include "widgets/data/sample_model.h"

#include <algorithm>

#include "widgets/common/store_client.h"
#include "widgets/data/thumb_files.h"

namespace cloister {
namespace {
constexpr int kBlocksKept = 48;  // 6,144 samples, about 60 MB of thumbnails
constexpr int kInFlight = 2;
constexpr int kWishes = 8;  // older ones were scrolled past

using Cells = QList<SampleModel::Cell>;

Result<Cells> readCells(Project& project, const QList<qint64>& ids, ThumbFiles& thumbs) {
  auto samples = project.samplesById(ids);
  if (!samples) return samples.error();
  Cells cells;
  cells.reserve(samples->size());
  for (const Sample& s : *samples) cells << SampleModel::Cell{s, thumbs.image(project.importDir(s.importId), s)};
  return cells;
}

}  // namespace

SampleModel::SampleModel(StoreClient& store, QObject* parent) : QAbstractListModel(parent), store_(store), blocks_(kBlocksKept) {
  connect(&store, &StoreClient::opened, this, [this] {
    clear();
    reload();
  });
  connect(&store, &StoreClient::closed, this, &SampleModel::clear);
  thumbs_ = std::make_shared<ThumbFiles>();
}

void SampleModel::clear() {
  ++generation_;
  beginResetModel();
  ids_.clear();
  blocks_.clear();
  wanted_.clear();
  loading_.clear();
  thumbs_ = std::make_shared<ThumbFiles>();
  endResetModel();
}

void SampleModel::setFilter(const SampleFilter& filter) {
  filter_ = filter;
  reload();
}

void SampleModel::reload() {
  if (asking_) {
    askAgain_ = true;
    return;
  }
  asking_ = true;
  store_.read([filter = filter_](Project& p) { return p.sampleIds(filter); }, this,
              [this](const Result<QList<qint64>>& ids) {
                asking_ = false;
                if (ids) setIds(*ids);
                else if (ids.error().kind != FailureKind::NothingToDo) Q_EMIT failed(ids.error());
                if (std::exchange(askAgain_, false)) reload();
              });
}

void SampleModel::setIds(const QList<qint64>& ids) {
  ++generation_;
  loading_.clear();
  wanted_.clear();
  if (ids == ids_) {  // the same samples, perhaps with other labels: show the old ones until the new are read
    for (int key : blocks_.keys())
      if (Block* b = blocks_.object(key)) b->stale = true;
    if (!ids_.isEmpty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
  } else {
    beginResetModel();
    ids_ = ids;
    blocks_.clear();
    endResetModel();
  }
  Q_EMIT filtered(ids_.size());
}

const SampleModel::Cell* SampleModel::cell(int row) const {
  if (row < 0 || row >= ids_.size()) return nullptr;
  const Block* block = blocks_.object(row / kBlock);
  if (!block || block->stale) want(row / kBlock);
  const int at = row % kBlock;
  return block && at < block->cells.size() ? &block->cells[at] : nullptr;
}

void SampleModel::want(int block) const {
  if (loading_.contains(block)) return;
  wanted_.removeAll(block);
  wanted_.prepend(block);
  if (wanted_.size() > kWishes) wanted_.removeLast();
  QMetaObject::invokeMethod(const_cast<SampleModel*>(this), &SampleModel::loadNext, Qt::QueuedConnection);
}

void SampleModel::loadNext() {
  while (!wanted_.isEmpty() && loading_.size() < kInFlight) {
    const int block = wanted_.takeFirst();
    loading_.insert(block);
    const QList<qint64> ids = ids_.mid(qsizetype(block) * kBlock, kBlock);
    store_.read([ids, thumbs = thumbs_](Project& p) { return readCells(p, ids, *thumbs); }, this,
                [this, block, generation = generation_, ids](Result<Cells> cells) {
                  if (generation != generation_) return;
                  loading_.remove(block);
                  if (cells) {
                    // Rows follow the ids even when a sample is gone in the meantime.
                    QHash<qint64, Cell> byId;
                    for (const Cell& c : *cells) byId.insert(c.sample.id, c);
                    auto* made = new Block;
                    for (qint64 id : ids) made->cells << byId.value(id);
                    blocks_.insert(block, made);
                    Q_EMIT dataChanged(index(block * kBlock), index(std::min(rowCount(), (block + 1) * kBlock) - 1));
                  } else {
                    Q_EMIT failed(cells.error());
                  }
                  loadNext();
                });
  }
}

QVariant SampleModel::data(const QModelIndex& at, int role) const {
  if (!at.isValid()) return {};
  const Cell* c = cell(at.row());
  switch (role) {
    case Qt::DisplayRole:
      return c ? c->sample.key : tr("Loading…");
    case Qt::DecorationRole:
      return c ? QVariant(c->thumb) : QVariant();
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole: {
      if (!c) return tr("Loading…");
      const QString label = c->sample.label.isEmpty() ? tr("no label") : c->sample.label;
      const QString text = tr("%1, %2").arg(c->sample.key, label);
      return c->sample.excluded ? tr("%1, excluded").arg(text) : text;
    }
    default:
      return {};
  }
}

Qt::ItemFlags SampleModel::flags(const QModelIndex& at) const {
  return at.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren : Qt::NoItemFlags;
}

int SampleModel::rowOf(qint64 id) const {
  const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
  return it != ids_.end() && *it == id ? int(it - ids_.begin()) : -1;
}

QList<qint64> SampleModel::ids(const QList<int>& rows) const {
  QList<qint64> list;
  list.reserve(rows.size());
  for (int row : rows) list << id(row);
  return list;
}

}  // namespace cloister
