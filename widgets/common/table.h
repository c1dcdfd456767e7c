// A small read-only table whose cells can be selected and copied (Ctrl+C gives tab-separated text), as tall as its rows. Main thread.
#pragma once
#include <QStringList>
#include <QTableWidget>

namespace cloister {

class CopyTable : public QTableWidget {
  Q_OBJECT
 public:
  CopyTable(const QStringList& columns, const QList<QStringList>& rows, QWidget* parent = nullptr);
  /// Height of header and rows, so that a page scrolls as a whole instead of every table in it.
  void fitHeight();
  QString selectedText() const;

 protected:
  void keyPressEvent(QKeyEvent*) override;
  void changeEvent(QEvent*) override;
};

}  // namespace cloister
