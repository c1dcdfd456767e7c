#include "core/report/svg_chart.h"

#include <algorithm>
#include <cmath>

#include <QStringList>

namespace cloister {
namespace {

// The drawing area in SVG units; the page scales it.
constexpr double kWidth = 440, kHeight = 330, kLeft = 56, kRight = 14, kTop = 12, kBottom = 48;
constexpr int kColours = 7;
const char* const kDashes[] = {"", "7 3", "2 3", "10 3 2 3", "4 2", "1 2", "12 4"};

QString number(double v) { return QString::number(std::round(v * 100) / 100); }

QString tickText(double v) { return QString::number(std::abs(v) < 1e-12 ? 0.0 : v, 'g', 4); }

struct Frame {
  const ChartSpec& spec;
  double x(double v) const {
    const double t = (v - spec.xMin) / std::max(1e-300, spec.xMax - spec.xMin);
    return kLeft + std::clamp(t, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
  double y(double v) const {
    const double t = (v - spec.yMin) / std::max(1e-300, spec.yMax - spec.yMin);
    return kHeight - kBottom - std::clamp(t, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }
  QString at(double px, double py) const { return number(x(px)) + ',' + number(y(py)); }
};

QString line(double x1, double y1, double x2, double y2, const char* css) {
  return QStringLiteral("<line x1=\"%1\" y1=\"%2\" x2=\"%3\" y2=\"%4\" class=\"%5\"/>")
      .arg(number(x1), number(y1), number(x2), number(y2), QLatin1String(css));
}

QString text(double x, double y, const QString& words, const char* css, const char* anchor = "middle") {
  return QStringLiteral("<text x=\"%1\" y=\"%2\" class=\"%3\" text-anchor=\"%4\">%5</text>")
      .arg(number(x), number(y), QLatin1String(css), QLatin1String(anchor), words.toHtmlEscaped());
}

QString axes(const Frame& f) {
  QString out;
  for (const double v : roundTicks(f.spec.xMin, f.spec.xMax, 5)) {
    out += line(f.x(v), f.y(f.spec.yMin), f.x(v), f.y(f.spec.yMax), "grid");
    out += text(f.x(v), kHeight - kBottom + 16, tickText(v), "tick");
  }
  for (const double v : roundTicks(f.spec.yMin, f.spec.yMax, 5)) {
    out += line(f.x(f.spec.xMin), f.y(v), f.x(f.spec.xMax), f.y(v), "grid");
    out += text(kLeft - 7, f.y(v) + 3.5, tickText(v), "tick", "end");
  }
  out += line(f.x(f.spec.xMin), f.y(f.spec.yMin), f.x(f.spec.xMax), f.y(f.spec.yMin), "axis");
  out += line(f.x(f.spec.xMin), f.y(f.spec.yMin), f.x(f.spec.xMin), f.y(f.spec.yMax), "axis");
  out += text((kLeft + kWidth - kRight) / 2, kHeight - 10, f.spec.xLabel, "label");
  const double middle = (kTop + kHeight - kBottom) / 2;
  out += QStringLiteral("<text transform=\"translate(14 %1) rotate(-90)\" class=\"label\" text-anchor=\"middle\">%2</text>")
             .arg(number(middle), f.spec.yLabel.toHtmlEscaped());
  return out;
}

QString bars(const Frame& f) {
  QString out;
  const double base = f.y(f.spec.yMin);
  for (const QPointF& b : f.spec.bars) {
    const double left = f.x(b.x() - f.spec.barWidth / 2), right = f.x(b.x() + f.spec.barWidth / 2);
    const double height = b.y() * (base - f.y(f.spec.yMax));
    out += QStringLiteral("<rect x=\"%1\" y=\"%2\" width=\"%3\" height=\"%4\" class=\"bar\"/>")
               .arg(number(left + 0.5), number(base - height), number(std::max(0.0, right - left - 1)), number(height));
  }
  return out;
}

QString band(const Frame& f, const ChartSeries& s, int colour) {
  if (s.band.size() != s.points.size() || s.points.size() < 2) return {};
  QStringList upper, lower;
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    if (std::isnan(s.band[i].x()) || std::isnan(s.band[i].y())) return {};
    upper << f.at(s.points[i].x(), s.band[i].y());
    lower.prepend(f.at(s.points[i].x(), s.band[i].x()));
  }
  return QStringLiteral("<polygon points=\"%1 %2\" class=\"band\" style=\"fill:var(--s%3)\"/>")
      .arg(upper.join(' '), lower.join(' '))
      .arg(colour);
}

QString curve(const Frame& f, const ChartSeries& s, std::size_t index) {
  const int colour = static_cast<int>(index % kColours);
  QStringList points;
  QString dots;
  for (const QPointF& p : s.points) {
    points << f.at(p.x(), p.y());
    if (s.markers)
      dots += QStringLiteral("<circle cx=\"%1\" cy=\"%2\" r=\"3.2\" style=\"fill:var(--s%3)\"/>")
                  .arg(number(f.x(p.x())), number(f.y(p.y())))
                  .arg(colour);
  }
  return QStringLiteral("<polyline points=\"%1\" class=\"curve\" style=\"stroke:var(--s%2)\" stroke-dasharray=\"%3\"/>")
             .arg(points.join(' '))
             .arg(colour)
             .arg(QLatin1String(kDashes[colour])) +
         dots;
}

/// Below the drawing as HTML, so that long class names wrap.
QString legend(const std::vector<ChartSeries>& series) {
  QString out = QStringLiteral("<div class=\"legend\">");
  for (std::size_t i = 0; i < series.size(); ++i) {
    const int colour = static_cast<int>(i % kColours);
    out += QStringLiteral(
               "<span><svg width=\"26\" height=\"8\" aria-hidden=\"true\"><line x1=\"0\" y1=\"4\" x2=\"26\" y2=\"4\" "
               "class=\"curve\" style=\"stroke:var(--s%1)\" stroke-dasharray=\"%2\"/></svg>%3</span>")
               .arg(colour)
               .arg(QLatin1String(kDashes[colour]), series[i].name.toHtmlEscaped());
  }
  return out + QStringLiteral("</div>");
}

}  // namespace

std::vector<double> roundTicks(double low, double high, int about) {
  const double span = high - low;
  if (!(span > 0) || about < 1) return {low};
  const double rough = span / about, power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double m : {1.0, 2.0, 5.0})
    if (m * power >= rough * 0.999) {
      step = m * power;
      break;
    }
  std::vector<double> out;
  for (auto i = static_cast<long long>(std::ceil(low / step - 1e-9)); static_cast<double>(i) * step <= high + step * 1e-9; ++i)
    out.push_back(static_cast<double>(i) * step);
  return out;
}

QString lineChart(const ChartSpec& spec) {
  const Frame f{spec};
  QString out =
      QStringLiteral("<svg viewBox=\"0 0 %1 %2\" role=\"img\" aria-label=\"%3\">").arg(kWidth).arg(kHeight).arg(spec.title.toHtmlEscaped());
  out += axes(f) + bars(f);
  if (spec.diagonal) out += line(f.x(spec.xMin), f.y(spec.yMin), f.x(spec.xMax), f.y(spec.yMax), "chance");
  for (std::size_t i = 0; i < spec.series.size(); ++i) out += band(f, spec.series[i], static_cast<int>(i % kColours));
  for (std::size_t i = 0; i < spec.series.size(); ++i) out += curve(f, spec.series[i], i);
  out += QStringLiteral("</svg>");
  return spec.series.size() > 1 ? out + legend(spec.series) : out;
}

QString confusionChart(const QString& title, const QStringList& classes, const std::vector<std::vector<double>>& counts,
                       const QString& trueLabel, const QString& predictedLabel) {
  QString out = QStringLiteral(
                    "<table class=\"confusion\" aria-label=\"%1\"><thead><tr><td></td><th colspan=\"%2\" "
                    "scope=\"colgroup\">%3</th></tr><tr><th>%4</th>")
                    .arg(title.toHtmlEscaped())
                    .arg(classes.size())
                    .arg(predictedLabel.toHtmlEscaped(), trueLabel.toHtmlEscaped());
  for (const QString& c : classes) out += QStringLiteral("<th scope=\"col\">%1</th>").arg(c.toHtmlEscaped());
  out += QStringLiteral("</tr></thead><tbody>");
  for (std::size_t t = 0; t < counts.size(); ++t) {
    double total = 0;
    for (const double n : counts[t]) total += n;
    out += QStringLiteral("<tr><th scope=\"row\">%1</th>").arg(classes.value(static_cast<qsizetype>(t)).toHtmlEscaped());
    for (std::size_t p = 0; p < counts[t].size(); ++p) {
      const double share = total > 0 ? counts[t][p] / total : 0;
      // Dark enough a cell takes the page's background as its text colour, so that both stay legible in both themes.
      out += QStringLiteral("<td class=\"%1\" style=\"--share:%2%\"><b>%3</b><span>%4 %</span></td>")
                 .arg(share > 0.5 ? QStringLiteral("deep") : QString())
                 .arg(number(share * 100), QString::number(counts[t][p], 'f', 0),
                      QString::number(share * 100, 'f', share > 0 && share < 0.1 ? 1 : 0));
    }
    out += QStringLiteral("</tr>");
  }
  return out + QStringLiteral("</tbody></table>");
}

}  // namespace cloister
