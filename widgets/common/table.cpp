#include "widgets/common/table.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>

namespace cloister {

CopyTable::CopyTable(const QStringList& columns, const QList<QStringList>& rows, QWidget* parent)
    : QTableWidget(int(rows.size()), int(columns.size()), parent) {
  setHorizontalHeaderLabels(columns);
  verticalHeader()->hide();
  setEditTriggers(NoEditTriggers);
  setShowGrid(false);
  setWordWrap(false);
  setTabKeyNavigation(false);  // Tab leaves the table
  setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  for (int r = 0; r < rows.size(); ++r)
    for (int c = 0; c < columns.size(); ++c) {
      auto* item = new QTableWidgetItem(rows[r].value(c));
      // Figures stand right, words left.
      const QString text = rows[r].value(c);
      if (c > 0 && !text.isEmpty() && (text[0].isDigit() || text[0] == u'−' || text[0] == u'–'))
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      setItem(r, c, item);
    }
  horizontalHeader()->setStretchLastSection(true);
  resizeColumnsToContents();
  fitHeight();
}

void CopyTable::fitHeight() {
  resizeRowsToContents();
  int height = horizontalHeader()->sizeHint().height() + 2 * frameWidth() + 2;
  for (int r = 0; r < rowCount(); ++r) height += rowHeight(r);
  setFixedHeight(height);
}

QString CopyTable::selectedText() const {
  QString text;
  for (const QTableWidgetSelectionRange& range : selectedRanges())
    for (int r = range.topRow(); r <= range.bottomRow(); ++r) {
      QStringList cells;
      for (int c = range.leftColumn(); c <= range.rightColumn(); ++c) cells << (item(r, c) ? item(r, c)->text() : QString());
      text += cells.join('\t') + '\n';
    }
  return text;
}

void CopyTable::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) QApplication::clipboard()->setText(selectedText());
  else QTableWidget::keyPressEvent(event);
}

void CopyTable::changeEvent(QEvent* event) {
  QTableWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) fitHeight();
}

}  // namespace cloister
