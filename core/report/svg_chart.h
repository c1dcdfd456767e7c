// Charts as inline SVG text for self-contained reports: no script, no font, no file beside it. Colours are CSS variables of the page, so
// that the same drawing works light, dark and printed; each series also has a dash of its own. Any thread.
#pragma once
#include <vector>

#include <QPointF>
#include <QString>

namespace cloister {

struct ChartSeries {
  QString name;
  std::vector<QPointF> points;
  std::vector<QPointF> band;  ///< per point: low and high; empty: none
  bool markers = false;
};

struct ChartSpec {
  QString title;  ///< read by screen readers, not drawn
  QString xLabel, yLabel;
  double xMin = 0, xMax = 1, yMin = 0, yMax = 1;
  bool diagonal = false;  ///< the line of chance or of perfect calibration
  std::vector<ChartSeries> series;
  std::vector<QPointF> bars;  ///< x and height 0…1 of the chart: how many samples stand behind a point
  double barWidth = 0;        ///< in x units
};

QString lineChart(const ChartSpec&);

/// counts: rows are the truth. Cells are shaded by share of their row and show count and share.
QString confusionChart(const QString& title, const QStringList& classes, const std::vector<std::vector<double>>& counts,
                       const QString& trueLabel, const QString& predictedLabel);

/// Round numbers between low and high, 1, 2 or 5 times a power of ten apart.
std::vector<double> roundTicks(double low, double high, int about);

}  // namespace cloister
