#include "widgets/common/flow_layout.h"

#include <QWidget>

namespace cloister {

FlowLayout::FlowLayout(QWidget* parent, int gap) : QLayout(parent) {
  setContentsMargins(0, 0, 0, 0);
  setSpacing(gap);
}

FlowLayout::~FlowLayout() { qDeleteAll(items_); }

void FlowLayout::setGeometry(const QRect& rect) {
  QLayout::setGeometry(rect);
  arrange(rect, true);
}

QSize FlowLayout::minimumSize() const {
  QSize size;
  for (const QLayoutItem* item : items_) size = size.expandedTo(item->minimumSize());
  return size;
}

int FlowLayout::arrange(const QRect& rect, bool apply) const {
  QList<QLayoutItem*> shown;
  for (QLayoutItem* item : items_)
    if (!item->isEmpty()) shown << item;
  int y = rect.y();
  for (qsizetype from = 0; from < shown.size();) {
    // One row: as many as fit, all as tall as the tallest.
    int x = rect.x(), height = 0;
    qsizetype to = from;
    for (; to < shown.size(); ++to) {
      const QSize size = shown[to]->sizeHint();
      if (to > from && x + size.width() > rect.right() + 1) break;
      x += size.width() + spacing();
      height = std::max(height, size.height());
    }
    x = rect.x();
    for (; from < to; ++from) {
      const int width = shown[from]->sizeHint().width();
      if (apply) shown[from]->setGeometry(QRect(x, y, width, height));
      x += width + spacing();
    }
    y += height + (to < shown.size() ? spacing() : 0);
  }
  return y - rect.y();
}

}  // namespace cloister
