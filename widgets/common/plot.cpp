#include "widgets/common/plot.h"

#include <QSvgGenerator>

namespace cloister {
namespace {

void themeAxis(QCPAxis* axis, const Tokens& t) {
  axis->setBasePen(QPen(t.line, 1));
  axis->setTickPen(QPen(t.line, 1));
  axis->setSubTickPen(QPen(t.line, 0.6));
  axis->setTickLabelColor(t.quiet);
  axis->setLabelColor(t.quiet);
  axis->setTickLabelFont(Theme::current().font(TextSize::Small));
  axis->setLabelFont(Theme::current().font(TextSize::Small));
  QPen grid(t.divider, 1);
  axis->grid()->setPen(grid);
  axis->grid()->setZeroLinePen(grid);
  axis->grid()->setSubGridVisible(false);
}

}  // namespace

void applyTheme(QCustomPlot* plot) {
  const Tokens& t = Theme::current().tokens();
  plot->setBackground(QBrush(t.panel));
  for (QCPAxisRect* rect : plot->axisRects()) {
    rect->setBackground(QBrush(t.panel));
    for (QCPAxis* axis : rect->axes()) themeAxis(axis, t);
  }
  for (int i = 0; i < plot->plotLayout()->elementCount(); ++i)
    if (auto* legend = qobject_cast<QCPLegend*>(plot->plotLayout()->elementAt(i))) legend->setTextColor(t.text);
  if (plot->legend) {
    plot->legend->setBrush(QBrush(t.panel));
    plot->legend->setBorderPen(Qt::NoPen);
    plot->legend->setTextColor(t.text);
    plot->legend->setFont(Theme::current().font(TextSize::Small));
  }
}

void followTheme(QCustomPlot* plot) {
  whenThemed(plot, [plot] {
    applyTheme(plot);
    plot->replot(QCustomPlot::rpQueuedReplot);
  });
}

QPen seriesPen(int index, double width, double opacity) {
  QColor color = Theme::current().series(index);
  color.setAlphaF(float(opacity));
  QPen pen(color, width);
  pen.setStyle(Theme::current().dash(index));
  return pen;
}

bool savePlotSvg(QCustomPlot* plot, const QString& path, const QString& title) {
  QSvgGenerator svg;
  svg.setFileName(path);
  svg.setTitle(title);
  svg.setSize(plot->size());
  svg.setViewBox(QRect(QPoint(), plot->size()));
  QCPPainter painter;
  if (!painter.begin(&svg)) return false;
  painter.setMode(QCPPainter::pmVectorized);
  painter.setMode(QCPPainter::pmNoCaching);
  plot->toPainter(&painter, plot->width(), plot->height());
  return painter.end();
}

}  // namespace cloister
