#include "widgets/data/image_canvas.h"

#include <algorithm>

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr double kKeyStep = 0.02;
constexpr double kMostZoom = 16;
}  // namespace

ImageCanvas::ImageCanvas(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(200, 200);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  setCursor(Qt::CrossCursor);
  whenThemed(this, [this] { update(); });
}

void ImageCanvas::setImage(const QImage& image) {
  if (image.size() != image_.size()) fit();
  image_ = image;
  message_.clear();
  update();
}

void ImageCanvas::setMessage(const QString& message) {
  image_ = {};
  message_ = message;
  update();
}

void ImageCanvas::fit() {
  zoom_ = 1;
  pan_ = {};
  update();
}

void ImageCanvas::paintEvent(QPaintEvent*) {
  const Tokens& t = Theme::current().tokens();
  QPainter p(this);
  p.fillRect(rect(), image_.isNull() ? t.raised : t.image);
  if (!image_.isNull()) {
    QSizeF size = QSizeF(image_.size()).scaled(QSizeF(this->size()), Qt::KeepAspectRatio) * zoom_;
    const QRectF to(QPointF((width() - size.width()) / 2, (height() - size.height()) / 2) + pan_, size);
    p.setRenderHint(QPainter::SmoothPixmapTransform, size.width() < 3.0 * image_.width());
    p.drawImage(to, image_);
  } else {
    p.setPen(t.quiet);
    p.drawText(rect().adjusted(space::kM, space::kM, -space::kM, -space::kM), Qt::AlignCenter | Qt::TextWordWrap, message_);
  }
  if (hasFocus()) {
    p.setPen(QPen(t.accent, 2));
    p.setBrush(Qt::NoBrush);
    p.drawRect(rect().adjusted(1, 1, -1, -1));
  }
}

void ImageCanvas::mousePressEvent(QMouseEvent* event) { last_ = event->position(); }

void ImageCanvas::mouseMoveEvent(QMouseEvent* event) {
  const QPointF d = event->position() - last_;
  last_ = event->position();
  if (event->buttons() & (Qt::MiddleButton | Qt::RightButton)) {
    pan_ += d;
    update();
  } else if (event->buttons() & Qt::LeftButton) {
    const double side = std::max(1, std::min(width(), height()));
    Q_EMIT dragged(d.x() / side, d.y() / side);
  }
}

void ImageCanvas::wheelEvent(QWheelEvent* event) {
  const double steps = event->angleDelta().y() / 120.0;
  if (event->modifiers() & Qt::ControlModifier) {
    zoom_ = std::clamp(zoom_ * (1 + 0.2 * steps), 1.0, kMostZoom);
    if (zoom_ == 1) pan_ = {};
    update();
  } else if (steps != 0) {
    Q_EMIT frameStep(steps > 0 ? -1 : 1);
  }
  event->accept();
}

void ImageCanvas::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      Q_EMIT dragged(-kKeyStep, 0);
      break;
    case Qt::Key_Right:
      Q_EMIT dragged(kKeyStep, 0);
      break;
    case Qt::Key_Up:
      Q_EMIT dragged(0, -kKeyStep);
      break;
    case Qt::Key_Down:
      Q_EMIT dragged(0, kKeyStep);
      break;
    case Qt::Key_PageUp:
      Q_EMIT frameStep(-1);
      break;
    case Qt::Key_PageDown:
      Q_EMIT frameStep(1);
      break;
    case Qt::Key_Space:
      Q_EMIT playToggled();
      break;
    case Qt::Key_Home:
      Q_EMIT reset();
      break;
    default:
      QWidget::keyPressEvent(event);
  }
}

}  // namespace cloister
