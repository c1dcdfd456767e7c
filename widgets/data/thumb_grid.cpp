#include "widgets/data/thumb_grid.h"

#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>

#include "widgets/common/icons.h"
#include "widgets/common/theme.h"
#include "widgets/data/sample_model.h"

namespace cloister {
namespace {
constexpr int kImage = 96;  // longest side of a stored thumbnail
constexpr int kLeastWidth = kImage + 2 * space::kS;
}  // namespace

ThumbGrid::ThumbGrid(QWidget* parent) : QAbstractItemView(parent) {
  setSelectionMode(ExtendedSelection);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollMode(ScrollPerPixel);
  setTabKeyNavigation(false);
  setEditTriggers(NoEditTriggers);
  whenThemed(this, [this] {
    updateGeometries();
    viewport()->update();
  });
}

void ThumbGrid::setSamples(SampleModel* model) {
  samples_ = model;
  setModel(model);
  connect(model, &QAbstractItemModel::modelReset, this, [this] {
    anchor_ = -1;
    updateGeometries();
  });
}

QSize ThumbGrid::cellSize() const {
  const int text = QFontMetrics(Theme::current().font(TextSize::Small)).height();
  return {std::max(kLeastWidth, (viewport()->width() - space::kXs) / columns()), kImage + 2 * space::kS + text + space::kXs};
}

int ThumbGrid::columns() const { return std::max(1, (viewport()->width() - space::kXs) / kLeastWidth); }

QRect ThumbGrid::cellRect(int row) const {
  const QSize cell = cellSize();
  const int n = columns();
  return {space::kXs + row % n * cell.width(), row / n * cell.height() - verticalOffset() + space::kXs, cell.width(), cell.height()};
}

int ThumbGrid::verticalOffset() const { return verticalScrollBar()->value(); }

QRect ThumbGrid::visualRect(const QModelIndex& index) const { return index.isValid() ? cellRect(index.row()) : QRect(); }

QModelIndex ThumbGrid::indexAt(const QPoint& at) const {
  if (!model()) return {};
  const QSize cell = cellSize();
  const int column = (at.x() - space::kXs) / cell.width(), line = (at.y() + verticalOffset() - space::kXs) / cell.height();
  if (at.x() < space::kXs || column >= columns() || line < 0) return {};
  const qint64 row = qint64(line) * columns() + column;
  return row < model()->rowCount() ? model()->index(int(row), 0) : QModelIndex();
}

void ThumbGrid::scrollTo(const QModelIndex& index, ScrollHint hint) {
  if (!index.isValid()) return;
  const QRect r = cellRect(index.row());
  QScrollBar* bar = verticalScrollBar();
  if (hint == PositionAtCenter) bar->setValue(bar->value() + r.center().y() - viewport()->height() / 2);
  else if (r.top() < 0 || hint == PositionAtTop) bar->setValue(bar->value() + r.top());
  else if (r.bottom() > viewport()->height() || hint == PositionAtBottom) bar->setValue(bar->value() + r.bottom() - viewport()->height());
}

void ThumbGrid::updateGeometries() {
  QAbstractItemView::updateGeometries();
  const QSize cell = cellSize();
  const qint64 rows = model() ? model()->rowCount() : 0;
  const qint64 lines = (rows + columns() - 1) / columns();
  QScrollBar* bar = verticalScrollBar();
  bar->setSingleStep(cell.height() / 2);
  bar->setPageStep(viewport()->height());
  bar->setRange(0, int(std::max<qint64>(0, lines * cell.height() + 2 * space::kXs - viewport()->height())));
}

void ThumbGrid::resizeEvent(QResizeEvent* event) {
  // The sample at the top stays at the top when the number of columns changes.
  const QModelIndex top = indexAt(QPoint(space::kXs + 1, space::kXs + 1));
  QAbstractItemView::resizeEvent(event);
  updateGeometries();
  if (top.isValid() && verticalOffset() > 0) scrollTo(top, PositionAtTop);
}

void ThumbGrid::paintEvent(QPaintEvent*) {
  QPainter p(viewport());
  p.setRenderHint(QPainter::SmoothPixmapTransform);
  if (!samples_) return;
  const QSize cell = cellSize();
  const int n = columns(), first = std::max(0, (verticalOffset() - space::kXs) / cell.height()) * n;
  const int last = std::min(samples_->rowCount(), ((verticalOffset() + viewport()->height()) / cell.height() + 1) * n);
  p.setFont(Theme::current().font(TextSize::Small));
  for (int row = first; row < last; ++row) paintCell(p, row, cellRect(row));
}

void ThumbGrid::paintCell(QPainter& p, int row, const QRect& rect) const {
  const Theme& theme = Theme::current();
  const Tokens& t = theme.tokens();
  const QModelIndex index = samples_->index(row);
  const bool selected = selectionModel() && selectionModel()->isSelected(index);
  const bool current = currentIndex() == index && hasFocus();
  const QRect area = rect.adjusted(2, 2, -2, -2);
  if (selected) p.fillRect(area, t.selection);
  const QRect box(rect.x() + (rect.width() - kImage) / 2, rect.y() + space::kS, kImage, kImage);
  const SampleModel::Cell* c = samples_->cell(row);
  p.fillRect(box, c && !c->thumb.isNull() ? t.image : t.raised);
  if (c && !c->thumb.isNull()) {
    QSize size = c->thumb.size();
    size.scale(kImage, kImage, Qt::KeepAspectRatio);
    const QRect fit(box.x() + (kImage - size.width()) / 2, box.y() + (kImage - size.height()) / 2, size.width(), size.height());
    p.setOpacity(c->sample.excluded ? 0.3 : 1);
    p.drawImage(fit, c->thumb);
    p.setOpacity(1);
  } else if (c) {
    p.drawPixmap(box.center() - QPoint(space::kIcon / 2, space::kIcon / 2),
                 themedPixmap("image", Role::Quiet, space::kIcon, devicePixelRatioF()));
  }
  if (c && (c->sample.excluded || !c->sample.problem.isEmpty())) {
    const QRect mark(box.right() - space::kIcon, box.top() + 1, space::kIcon, space::kIcon);
    p.fillRect(mark, t.panel);
    p.drawPixmap(mark.topLeft(), themedPixmap(c->sample.excluded ? "exclude" : "warning", c->sample.excluded ? Role::Quiet : Role::Warning,
                                              space::kIcon, devicePixelRatioF()));
  }
  const QRect text(rect.x() + space::kXs, box.bottom() + space::kXs, rect.width() - 2 * space::kXs,
                   rect.bottom() - box.bottom() - space::kXs);
  const bool labelled = c && !c->sample.label.isEmpty();
  p.setPen(labelled ? t.text : t.quiet);
  const QString words = !c ? QString() : labelled ? c->sample.label : tr("no label");
  p.drawText(text, Qt::AlignHCenter | Qt::AlignVCenter, p.fontMetrics().elidedText(words, Qt::ElideMiddle, text.width()));
  if (selected || current) {
    p.setPen(QPen(current ? t.accent : t.line, current ? 2 : 1));
    p.setBrush(Qt::NoBrush);
    p.drawRect(area);
  }
}

QModelIndex ThumbGrid::moveCursor(CursorAction action, Qt::KeyboardModifiers) {
  const int count = model() ? model()->rowCount() : 0;
  if (count == 0) return {};
  int row = std::max(0, currentIndex().row());
  const int n = columns(), page = std::max(1, viewport()->height() / cellSize().height()) * n;
  if (!currentIndex().isValid()) return model()->index(0, 0);
  switch (action) {
    case MoveLeft:
    case MovePrevious:
      row -= 1;
      break;
    case MoveRight:
    case MoveNext:
      row += 1;
      break;
    case MoveUp:
      row -= row >= n ? n : 0;
      break;
    case MoveDown:
      row += row + n < count ? n : 0;
      break;
    case MovePageUp:
      row = row - page >= 0 ? row - page : row % n;
      break;
    case MovePageDown:
      row = row + page < count ? row + page : count - 1;
      break;
    case MoveHome:
      row = 0;
      break;
    case MoveEnd:
      row = count - 1;
      break;
  }
  return model()->index(std::clamp(row, 0, count - 1), 0);
}

void ThumbGrid::choose(int row, Qt::KeyboardModifiers modifiers) {
  const QModelIndex index = model()->index(row, 0);
  if (modifiers & Qt::ShiftModifier) {
    if (anchor_ < 0) anchor_ = std::max(0, currentIndex().row());
    const QItemSelection range(model()->index(std::min(anchor_, row), 0), model()->index(std::max(anchor_, row), 0));
    selectionModel()->select(range, QItemSelectionModel::ClearAndSelect);
  } else if (modifiers & Qt::ControlModifier) {
    selectionModel()->select(index, QItemSelectionModel::Toggle);
    anchor_ = row;
  } else {
    selectionModel()->select(index, QItemSelectionModel::ClearAndSelect);
    anchor_ = row;
  }
  selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
  scrollTo(index);
}

void ThumbGrid::setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags flags) {
  const QModelIndex index = indexAt(rect.center());
  if (index.isValid()) selectionModel()->select(index, flags);
}

QRegion ThumbGrid::visualRegionForSelection(const QItemSelection&) const { return viewport()->rect(); }

void ThumbGrid::selectionChanged(const QItemSelection& now, const QItemSelection& before) {
  QAbstractItemView::selectionChanged(now, before);
  viewport()->update();
  Q_EMIT selectionChanged_();
}

void ThumbGrid::dataChanged(const QModelIndex&, const QModelIndex&, const QList<int>&) { viewport()->update(); }

void ThumbGrid::currentChanged(const QModelIndex& now, const QModelIndex& before) {
  QAbstractItemView::currentChanged(now, before);
  viewport()->update();
  Q_EMIT selectionChanged_();
}

void ThumbGrid::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
  if (plain && key >= Qt::Key_1 && key <= Qt::Key_9) {
    Q_EMIT labelKey(key - Qt::Key_0);
    return;
  }
  if (plain && (key == Qt::Key_X || key == Qt::Key_Delete)) {
    Q_EMIT excludeKey();
    return;
  }
  if ((key == Qt::Key_Return || key == Qt::Key_Enter) && currentIndex().isValid()) {
    Q_EMIT opened(currentIndex().row());
    return;
  }
  if (event->matches(QKeySequence::SelectAll) && model() && model()->rowCount() > 0) {
    selectionModel()->select(QItemSelection(model()->index(0, 0), model()->index(model()->rowCount() - 1, 0)),
                             QItemSelectionModel::ClearAndSelect);
    return;
  }
  static const QHash<int, CursorAction> moves{{Qt::Key_Left, MoveLeft},     {Qt::Key_Right, MoveRight},      {Qt::Key_Up, MoveUp},
                                              {Qt::Key_Down, MoveDown},     {Qt::Key_Home, MoveHome},        {Qt::Key_End, MoveEnd},
                                              {Qt::Key_PageUp, MovePageUp}, {Qt::Key_PageDown, MovePageDown}};
  if (const auto it = moves.find(key); it != moves.end() && !(event->modifiers() & Qt::AltModifier)) {
    const QModelIndex to = moveCursor(*it, event->modifiers());
    if (to.isValid()) choose(to.row(), event->modifiers() & Qt::ShiftModifier);
    return;
  }
  event->ignore();
}

void ThumbGrid::mousePressEvent(QMouseEvent* event) {
  const QModelIndex index = indexAt(event->position().toPoint());
  if (index.isValid()) choose(index.row(), event->modifiers());
  else if (selectionModel()) selectionModel()->clearSelection();
}

void ThumbGrid::mouseMoveEvent(QMouseEvent* event) {
  if (!(event->buttons() & Qt::LeftButton) || anchor_ < 0) return;
  const QModelIndex index = indexAt(event->position().toPoint());
  if (index.isValid() && index != currentIndex()) choose(index.row(), Qt::ShiftModifier);
}

void ThumbGrid::mouseDoubleClickEvent(QMouseEvent* event) {
  const QModelIndex index = indexAt(event->position().toPoint());
  if (index.isValid()) Q_EMIT opened(index.row());
}

QList<int> ThumbGrid::selectedRows() const {
  QList<int> rows;
  if (!selectionModel()) return rows;
  for (const QItemSelectionRange& range : selectionModel()->selection())
    for (int row = range.top(); row <= range.bottom(); ++row) rows << row;
  std::sort(rows.begin(), rows.end());
  return rows;
}

qint64 ThumbGrid::selectedCount() const {
  qint64 n = 0;
  if (selectionModel())
    for (const QItemSelectionRange& range : selectionModel()->selection()) n += range.height();
  return n;
}

}  // namespace cloister
