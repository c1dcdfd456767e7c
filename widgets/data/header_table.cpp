#include "widgets/data/header_table.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr int kCell = 400;  // longer values are cut on the screen, whole in the copy
enum Column { Tag, Keyword, Value, Columns };
}  // namespace

HeaderTable::HeaderTable(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kXs);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kXs);
  search_ = new QLineEdit(this);
  search_->setClearButtonEnabled(true);
  copy_ = new QToolButton(this);
  copy_->setIcon(themedIcon("copy"));
  row->addWidget(search_, 1);
  row->addWidget(copy_);
  column->addLayout(row);
  model_ = new QStandardItemModel(0, Columns, this);
  shown_ = new QSortFilterProxyModel(this);
  shown_->setSourceModel(model_);
  shown_->setFilterKeyColumn(-1);
  shown_->setFilterCaseSensitivity(Qt::CaseInsensitive);
  table_ = new QTableView(this);
  table_->setModel(shown_);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setWordWrap(false);
  table_->setShowGrid(false);
  table_->setAlternatingRowColors(true);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->hide();
  table_->horizontalHeader()->setStretchLastSection(true);
  table_->horizontalHeader()->setHighlightSections(false);
  table_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  column->addWidget(table_, 1);
  connect(search_, &QLineEdit::textChanged, shown_, &QSortFilterProxyModel::setFilterFixedString);
  connect(copy_, &QToolButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text()); });
  auto* key = new QShortcut(QKeySequence::Copy, table_);
  key->setContext(Qt::WidgetWithChildrenShortcut);
  connect(key, &QShortcut::activated, this, [this] { QGuiApplication::clipboard()->setText(text()); });
  whenTranslated(this, [this] { retranslate(); });
}

void HeaderTable::retranslate() {
  search_->setPlaceholderText(tr("Search the header"));
  search_->setAccessibleName(search_->placeholderText());
  copy_->setToolTip(tr("Copy the selected cells, or the whole table"));
  copy_->setAccessibleName(copy_->toolTip());
  table_->setAccessibleName(tr("DICOM header"));
  model_->setHorizontalHeaderLabels({tr("Tag"), tr("Keyword"), tr("Value")});
  fill();
}

void HeaderTable::setHeader(const QJsonArray& rows) {
  rows_ = rows;
  fill();
  table_->resizeColumnToContents(Tag);
  table_->setColumnWidth(Keyword, 150);
}

void HeaderTable::fill() {
  model_->setRowCount(0);
  for (const QJsonValue& v : rows_) {
    const QJsonArray r = v.toArray();
    const QString keyword = r[2].toString(), value = r[3].toVariant().toString(), gloss = dicomGloss(keyword);
    QList<QStandardItem*> items{new QStandardItem(r[0].toString()),
                                new QStandardItem(gloss.isEmpty() ? keyword : QStringLiteral("%1 (%2)").arg(keyword, gloss)),
                                new QStandardItem(value.left(kCell))};
    items[Tag]->setToolTip(r[1].toString());
    items[Keyword]->setToolTip(items[Keyword]->text());
    items[Value]->setToolTip(value.left(4 * kCell));
    items[Value]->setData(value, Qt::UserRole);
    model_->appendRow(items);
  }
}

QString HeaderTable::text() const {
  QModelIndexList chosen = table_->selectionModel()->selectedIndexes();
  if (chosen.isEmpty())
    for (int r = 0; r < shown_->rowCount(); ++r)
      for (int c = 0; c < Columns; ++c) chosen << shown_->index(r, c);
  std::sort(chosen.begin(), chosen.end());
  QString all;
  int row = -1;
  for (const QModelIndex& i : chosen) {
    if (row >= 0) all += i.row() == row ? '\t' : '\n';
    row = i.row();
    all += i.column() == Value ? i.data(Qt::UserRole).toString() : i.data().toString();
  }
  return all;
}

}  // namespace cloister
