#include "widgets/data/file_list.h"

#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"

namespace cloister {
namespace {

constexpr qsizetype kMost = 20000;

using Rows = QList<FileListModel::Row>;

Result<Rows> readRows(Project& project, FileList::Show what, qint64 importId) {
  Rows rows;
  if (what != FileList::Show::Duplicates) {
    auto refused = project.refusals(importId);
    if (!refused) return refused.error();
    // Worded again here, in the language of the screen: the stored message is what the child said.
    for (const RefusedFile& r : *refused) rows << FileListModel::Row{true, r.file, r.kind + '\n' + r.message};
  }
  if (what != FileList::Show::Refused) {
    auto duplicates = project.duplicates(importId);
    if (!duplicates) return duplicates.error();
    for (const auto& [file, original] : *duplicates) rows << FileListModel::Row{false, file, original};
  }
  return rows.size() > kMost ? rows.mid(0, kMost) : rows;
}

}  // namespace

QVariant FileListModel::data(const QModelIndex& at, int role) const {
  const Row& row = rows_[at.row()];
  if (role == Qt::DecorationRole && at.column() == 0)
    return themedIcon(row.refused ? "bad" : "copy", row.refused ? Role::Bad : Role::Quiet);
  if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
  switch (at.column()) {
    case 0:
      return row.refused ? tr("Refused") : tr("Duplicate");
    case 1:
      return row.file;
    default:
      if (!row.refused) return tr("Same content as %1").arg(row.reason);
      const FailureKind kind = failureKindFromName(row.reason.section('\n', 0, 0));
      return kind == FailureKind::Internal ? row.reason.section('\n', 1) : describe({kind, {{"path", row.file.section('/', -1)}}, {}});
  }
}

QVariant FileListModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  return section == 0 ? tr("Result") : section == 1 ? tr("File") : tr("Reason");
}

void FileListModel::setRows(const QList<Row>& rows) {
  if (rows.size() >= rows_.size() && rows.size() - rows_.size() < 1000 && !rows_.isEmpty() &&
      rows[rows_.size() - 1].file == rows_.last().file) {
    if (rows.size() == rows_.size()) return;
    beginInsertRows({}, int(rows_.size()), int(rows.size()) - 1);  // grew: keep the place on the screen
    rows_ = rows;
    endInsertRows();
    return;
  }
  beginResetModel();
  rows_ = rows;
  endResetModel();
}

void FileListModel::retranslate() {
  Q_EMIT headerDataChanged(Qt::Horizontal, 0, 2);
  if (!rows_.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(int(rows_.size()) - 1, 2));
}

FileList::FileList(StoreClient& store, QWidget* parent) : QWidget(parent), store_(store), model_(new FileListModel(this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  table_ = new QTableView(this);
  table_->setModel(model_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  prepareTable(table_);
  table_->setAlternatingRowColors(true);
  table_->setTextElideMode(Qt::ElideMiddle);
  table_->setColumnWidth(0, 120);
  table_->setColumnWidth(1, 360);
  column->addWidget(table_);
  whenTranslated(this, [this] {
    table_->setAccessibleName(tr("Files that were not imported"));
    model_->retranslate();
  });
}

void FileList::refresh(Show what, qint64 importId) {
  if (asking_) return;
  asking_ = true;
  store_.read([what, importId](Project& p) { return readRows(p, what, importId); }, this,
              [this](const Result<Rows>& rows) {
                asking_ = false;
                if (rows) model_->setRows(*rows);
              });
}

}  // namespace cloister
