// The picture in the viewer: fitted to the space, zoomed with Ctrl and the wheel; dragging changes the window (sideways: width, up and
// down: level), the arrow keys do the same, the wheel turns frames. Main thread.
#pragma once
#include <QImage>
#include <QWidget>

namespace cloister {

class ImageCanvas : public QWidget {
  Q_OBJECT
 public:
  explicit ImageCanvas(QWidget* parent = nullptr);
  void setImage(const QImage&);
  void setMessage(const QString&);  ///< instead of a picture
  void fit();
  QSize sizeHint() const override { return {320, 320}; }

 Q_SIGNALS:
  void dragged(double dx, double dy);  ///< share of the picture's side
  void reset();                        ///< double click
  void frameStep(int step);
  void playToggled();

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseMoveEvent(QMouseEvent*) override;
  void mouseDoubleClickEvent(QMouseEvent*) override { Q_EMIT reset(); }
  void wheelEvent(QWheelEvent*) override;
  void keyPressEvent(QKeyEvent*) override;

 private:
  QImage image_;
  QString message_;
  QPointF last_, pan_;
  double zoom_ = 1;
};

}  // namespace cloister
