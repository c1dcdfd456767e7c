// Timed by test_bench_gui.py, which interleaves the modes. Prints one JSON line.
//   bench_gui chart|plain-chart POINTS   milliseconds of one redraw with that many points: our chart, and QCustomPlot by itself
//   bench_gui plain-window               milliseconds from process start to the first frame of an empty window
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QMainWindow>
#include <QTimer>

#include "widgets/common/plot.h"
#include "widgets/common/process_age.h"
#include "widgets/train/run_chart.h"

using namespace cloister;

namespace {

constexpr int kRedraws = 15;

double medianOf(QVector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

double medianRedraw(QCustomPlot* plot) {
  QVector<double> times;
  for (int i = 0; i < kRedraws; ++i) {
    QElapsedTimer timer;
    timer.start();
    plot->replot(QCustomPlot::rpImmediateRefresh);
    times << double(timer.nsecsElapsed()) / 1e6;
  }
  return medianOf(times);
}

double valueAt(int i) { return 2.0 / std::sqrt(1.0 + i / 5000.0) + 0.1 * std::sin(i * 0.37); }

int chart(int points) {
  auto curves = std::make_shared<RunCurves>();
  QList<RunEvent> events;
  events.reserve(points);
  for (int i = 1; i <= points; ++i)
    events << RunEvent{i, {}, QStringLiteral("metric"), {{"step", i}, {"values", QJsonObject{{"train/loss", valueAt(i)}}}}};
  curves->append(events);
  RunChart chart;
  chart.resize(1000, 600);
  chart.show();
  chart.setRuns({{QStringLiteral("r-0001"), curves}});
  std::printf("{\"redraw_ms\":%.3f}\n", medianRedraw(chart.plot()));
  return 0;
}

int plainChart(int points) {
  QCustomPlot plot;
  plot.resize(1000, 600);
  plot.show();
  QVector<double> x, y;
  for (int i = 1; i <= points; ++i) {
    x << i;
    y << valueAt(i);
  }
  plot.addGraph()->setData(x, y, true);
  plot.rescaleAxes();
  std::printf("{\"redraw_ms\":%.3f}\n", medianRedraw(&plot));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  const QString mode = QString::fromLocal8Bit(argc > 1 ? argv[1] : "");
  const int points = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
  if (mode == u"chart") return chart(points);
  if (mode == u"plain-chart") return plainChart(points);
  if (mode == u"plain-window") {
    QMainWindow window;
    window.resize(1366, 768);
    window.show();
    QTimer::singleShot(0, &app, [] {
      std::printf("{\"first_frame_ms\":%.1f}\n", processAgeMilliseconds());
      QCoreApplication::quit();
    });
    return QApplication::exec();
  }
  std::fprintf(stderr, "usage: bench_gui chart|plain-chart POINTS | plain-window\n");
  return 2;
}
