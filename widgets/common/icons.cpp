#include "widgets/common/icons.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

namespace cloister {
namespace {

QByteArray drawing(const QString& name) {
  QFile file(":/icons/" + name + ".svg");
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// Paints on demand in the colours of the moment: a theme change needs a repaint and nothing else.
class ThemedEngine : public QIconEngine {
 public:
  ThemedEngine(QString name, Role role) : name_(std::move(name)), role_(role) {}
  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    const qreal ratio = painter->device() ? painter->device()->devicePixelRatioF() : 1;
    const int side = std::min(rect.width(), rect.height());
    const Role role = mode == QIcon::Disabled ? Role::Quiet : role_;
    painter->drawPixmap(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2,
                        themedPixmap(name_, role, side, ratio));
  }
  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override {
    return themedPixmap(name_, mode == QIcon::Disabled ? Role::Quiet : role_, std::min(size.width(), size.height()), 1);
  }
  QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal) override { return pixmap(size, mode, state); }
  QIconEngine* clone() const override { return new ThemedEngine(name_, role_); }

 private:
  QString name_;
  Role role_;
};

}  // namespace

QPixmap themedPixmap(const QString& name, Role role, int size, qreal ratio) {
  const QColor colour = Theme::current().color(role);
  const QString key = QStringLiteral("icon/%1/%2/%3/%4").arg(name, colour.name()).arg(size).arg(ratio);
  QPixmap pixmap;
  if (size <= 0) return pixmap;
  if (QPixmapCache::find(key, &pixmap)) return pixmap;
  pixmap = QPixmap(QSize(size, size) * ratio);
  pixmap.fill(Qt::transparent);
  QSvgRenderer renderer(drawing(name).replace("currentColor", colour.name().toLatin1()));
  QPainter painter(&pixmap);
  renderer.render(&painter, QRectF(0, 0, pixmap.width(), pixmap.height()));
  painter.end();
  pixmap.setDevicePixelRatio(ratio);
  QPixmapCache::insert(key, pixmap);
  return pixmap;
}

QIcon themedIcon(const QString& name, Role role) { return QIcon(new ThemedEngine(name, role)); }

}  // namespace cloister
