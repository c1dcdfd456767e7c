// A grid of equal thumbnails over a SampleModel that paints only what is visible, so that a million samples scroll as smoothly as a
// hundred. Keyboard: arrows, Shift, Ctrl+A, Home, End; 1…9 label, X excludes, Enter opens. Main thread.
#pragma once
#include <QAbstractItemView>

namespace cloister {

class SampleModel;

class ThumbGrid : public QAbstractItemView {
  Q_OBJECT
 public:
  explicit ThumbGrid(QWidget* parent = nullptr);
  void setSamples(SampleModel* model);
  QList<int> selectedRows() const;
  qint64 selectedCount() const;
  int columns() const;

  QRect visualRect(const QModelIndex&) const override;
  void scrollTo(const QModelIndex&, ScrollHint = EnsureVisible) override;
  QModelIndex indexAt(const QPoint&) const override;

 Q_SIGNALS:
  void labelKey(int number);  ///< 1…9
  void excludeKey();
  void selectionChanged_();
  void opened(int row);

 protected:
  QModelIndex moveCursor(CursorAction, Qt::KeyboardModifiers) override;
  int horizontalOffset() const override { return 0; }
  int verticalOffset() const override;
  bool isIndexHidden(const QModelIndex&) const override { return false; }
  void setSelection(const QRect&, QItemSelectionModel::SelectionFlags) override;
  QRegion visualRegionForSelection(const QItemSelection&) const override;
  void selectionChanged(const QItemSelection&, const QItemSelection&) override;
  void dataChanged(const QModelIndex&, const QModelIndex&, const QList<int>&) override;
  void currentChanged(const QModelIndex&, const QModelIndex&) override;
  void updateGeometries() override;
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override;
  void keyPressEvent(QKeyEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseMoveEvent(QMouseEvent*) override;
  void mouseReleaseEvent(QMouseEvent*) override {}
  void mouseDoubleClickEvent(QMouseEvent*) override;

 private:
  QSize cellSize() const;         ///< the columns share the whole width
  QRect cellRect(int row) const;  ///< in viewport coordinates
  void paintCell(QPainter&, int row, const QRect&) const;
  void choose(int row, Qt::KeyboardModifiers);
  SampleModel* samples_ = nullptr;
  int anchor_ = -1;
};

}  // namespace cloister
