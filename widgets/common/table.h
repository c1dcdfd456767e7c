// Tables of the program: what all of them share, and a small read-only one as tall as its rows. Main thread.
#pragma once
#include <QStringList>
#include <QTableWidget>

namespace cloister {

/// Titles left, no grid, Tab leaves the table, Ctrl+C copies what is selected as tab-separated text.
void prepareTable(QTableView* table);
QString selectedText(const QTableView* table);
/// A cell of text, or of a number, which stands right, as its column's title then does (headRight, after the titles are set).
QTableWidgetItem* tableCell(const QString& text, bool right = false);
void headRight(QTableWidget* table, int column);

class CopyTable : public QTableWidget {
  Q_OBJECT
 public:
  CopyTable(const QStringList& columns, const QList<QStringList>& rows, QWidget* parent = nullptr);
  /// Height of header and rows, so that a page scrolls as a whole instead of every table in it.
  void fitHeight();

 protected:
  void changeEvent(QEvent*) override;
};

}  // namespace cloister
