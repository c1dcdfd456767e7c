#include "widgets/common/table.h"

#include <algorithm>

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QPainter>
#include <QRegularExpression>
#include <QShortcut>
#include <QStyledItemDelegate>

#include "widgets/common/theme.h"

namespace cloister {
namespace {

/// The style sheet draws cells without the ground that their data asks for.
class GroundDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    if (const QVariant ground = index.data(Qt::BackgroundRole); ground.isValid() && !(option.state & QStyle::State_Selected))
      painter->fillRect(option.rect, ground.value<QBrush>());
    QStyledItemDelegate::paint(painter, option, index);
  }
};

}  // namespace

void prepareTable(QTableView* table) {
  table->verticalHeader()->hide();
  // Rows as tall as the text wants, also after a larger type was chosen.
  whenThemed(table, [table] { table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().lineSpacing() + space::kM); });
  table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  table->horizontalHeader()->setHighlightSections(false);
  table->horizontalHeader()->setStretchLastSection(true);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setShowGrid(false);
  table->setWordWrap(false);
  table->setTabKeyNavigation(false);
  auto* copy = new QShortcut(QKeySequence::Copy, table);
  copy->setContext(Qt::WidgetWithChildrenShortcut);
  QObject::connect(copy, &QShortcut::activated, table, [table] { QApplication::clipboard()->setText(selectedText(table)); });
}

QString selectedText(const QTableView* table) {
  QModelIndexList chosen = table->selectionModel()->selectedIndexes();
  std::sort(chosen.begin(), chosen.end());
  QString text;
  int row = -1;
  for (const QModelIndex& i : chosen) {
    if (row >= 0) text += i.row() == row ? '\t' : '\n';
    row = i.row();
    text += i.data().toString();
  }
  return text;
}

QTableWidgetItem* tableCell(const QString& text, bool right) {
  auto* item = new QTableWidgetItem(text);
  if (right) item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
  return item;
}

void headRight(QTableWidget* table, int column) {
  if (QTableWidgetItem* title = table->horizontalHeaderItem(column)) title->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
}

CopyTable::CopyTable(const QStringList& columns, const QList<QStringList>& rows, QWidget* parent)
    : QTableWidget(int(rows.size()), int(columns.size()), parent) {
  setHorizontalHeaderLabels(columns);
  prepareTable(this);
  setItemDelegate(new GroundDelegate(this));
  static const QRegularExpression kFigure(QStringLiteral("^[\\d−–-][\\d.,\\s\u00a0()（）–%/-]*(ms|s|[KMG]?i?B)?$"));
  setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  for (int r = 0; r < rows.size(); ++r)
    for (int c = 0; c < columns.size(); ++c) {
      auto* item = new QTableWidgetItem(rows[r].value(c));
      // Figures stand right, words left.
      const QString text = rows[r].value(c);
      if (c > 0 && kFigure.match(text).hasMatch()) item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      if (c > 0 && c == columns.size() - 1 && item->textAlignment() & Qt::AlignRight) horizontalHeader()->setStretchLastSection(false);
      setItem(r, c, item);
    }
  resizeColumnsToContents();
  fitHeight();
}

void CopyTable::fitHeight() {
  resizeRowsToContents();
  int height = horizontalHeader()->sizeHint().height() + 2 * frameWidth() + 2;
  for (int r = 0; r < rowCount(); ++r) height += rowHeight(r);
  setFixedHeight(height);
}

void CopyTable::changeEvent(QEvent* event) {
  QTableWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) fitHeight();
}

}  // namespace cloister
