// The live chart against independently computed values: smoothing, resume cuts, table twin, files, and a million points.
#include <cmath>

#include <QJsonDocument>
#include <QRandomGenerator>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QXmlStreamReader>

#include "widgets/common/plot.h"
#include "widgets/train/run_chart.h"

using namespace cloister;

class TestRunChart : public QObject {
  Q_OBJECT
  static RunEvent metric(double step, const QJsonObject& values) {
    return {qint64(step) + 1,  // after the started event
            QStringLiteral("2026-11-24T06:00:00.000Z"),
            QStringLiteral("metric"),
            {{"step", step}, {"epoch", step / 100}, {"values", values}}};
  }
  static RunEvent started(double steps, double resumedFrom) {
    return {1,
            QStringLiteral("2026-11-24T05:00:00.000Z"),
            QStringLiteral("started"),
            {{"pid", resumedFrom}, {"steps", steps}, {"resumedFrom", resumedFrom}}};
  }
  static QCPGraph* graphNamed(QCustomPlot* plot, const QString& name) {
    for (int i = 0; i < plot->graphCount(); ++i)
      if (plot->graph(i)->name() == name) return plot->graph(i);
    return nullptr;
  }
  static void wait(RunChart& chart, int redraws) { QTRY_VERIFY_WITH_TIMEOUT(chart.redraws() >= redraws, 5000); }

 private Q_SLOTS:
  void aResumeReplacesTheStepsItRepeats() {
    RunCurves curves;
    curves.append({started(10, 0), metric(1, {{"train/loss", 3.0}}), metric(2, {{"train/loss", 2.0}}), metric(3, {{"train/loss", 1.5}})});
    curves.append({started(10, 1), metric(2, {{"train/loss", 2.25}}), metric(3, {{"train/loss", 1.75}})});
    const Curve loss = curves.curves()["train/loss"];
    QCOMPARE(loss.step, QVector<double>({1, 2, 3}));
    QCOMPARE(loss.value, QVector<double>({3.0, 2.25, 1.75}));
    QCOMPARE(curves.resumeSteps(), QList<double>{1});
    QCOMPARE(curves.totalSteps(), 10.0);
    QCOMPARE(curves.rows().size(), 3);  // and so does the table
  }

  // A log that is read whole while its new lines also arrive one by one.
  void whatIsReadTwiceCountsOnce() {
    const QList<RunEvent> first{started(9, 0), metric(1, {{"train/loss", 3.0}}), metric(2, {{"train/loss", 2.0}})};
    QList<RunEvent> second{started(9, 1), metric(2, {{"train/loss", 2.5}}), metric(3, {{"train/loss", 1.0}})};
    for (RunEvent& e : second) e.at.replace(QStringLiteral("11-24"), QStringLiteral("11-25"));
    const QList<RunEvent> all = first + second;
    for (qsizetype from = 0; from < all.size(); ++from)
      for (qsizetype to = from; to <= all.size(); ++to) {
        // Read up to `to`; meanwhile everything from `from` on had arrived.
        RunCurves curves;
        curves.append(all.mid(0, to));
        curves.append(withoutOverlap(all.mid(0, to), all.mid(from)));
        QCOMPARE(curves.curves()["train/loss"].step, QVector<double>({1, 2, 3}));
        QCOMPARE(curves.curves()["train/loss"].value, QVector<double>({3.0, 2.5, 1.0}));
        QCOMPARE(curves.rows().size(), 3);
        curves.append({second.last()});  // and once more
        QCOMPARE(curves.rows().size(), 3);
      }
  }

  void validationIsReportedTwiceAndShownOnce() {
    const QJsonObject values{{"validation/auc", 0.75}};
    RunCurves curves;
    curves.append({started(9, 0), RunEvent{2, {}, QStringLiteral("evaluation"), {{"step", 4}, {"values", values}}}, metric(4, values)});
    QCOMPARE(curves.rows().size(), 1);
    QCOMPARE(curves.curves()["validation/auc"].step, QVector<double>{4});
  }

  void aResumeRedrawsTheLineAndTheTable() {
    auto curves = std::make_shared<RunCurves>();
    RunChart chart;
    curves->append({started(9, 0), metric(1, {{"train/loss", 3.0}}), metric(2, {{"train/loss", 2.0}}), metric(3, {{"train/loss", 1.5}})});
    chart.setRuns({{"r-0001", curves}});
    const int before = chart.redraws();
    curves->append(
        {started(9, 1), metric(2, {{"train/loss", 2.25}}), metric(3, {{"train/loss", 1.75}}), metric(4, {{"train/loss", 1.25}})});
    chart.grown();
    wait(chart, before + 1);
    QCPGraph* loss = graphNamed(chart.plot(), RunChart::tr("Training loss"));
    QCOMPARE(loss->dataCount(), 4);
    QCOMPARE(loss->dataMainValue(1), 2.25);
    QCOMPARE(loss->dataMainValue(3), 1.25);
    QCOMPARE(chart.findChild<QTableView*>()->model()->rowCount(), 4);
  }

  void smoothingIsTheDebiasedMovingAverage() {
    auto curves = std::make_shared<RunCurves>();
    QList<RunEvent> events;
    QVector<double> raw;
    QRandomGenerator random(7);
    for (int i = 1; i <= 50; ++i) {
      raw << random.generateDouble();
      events << metric(i, {{"train/loss", raw.last()}});
    }
    curves->append(events);
    RunChart chart;
    chart.setSmoothing(0.9);
    chart.setRuns({{"r-0001", curves}});
    QCPGraph* smooth = graphNamed(chart.plot(), RunChart::tr("Training loss"));
    QVERIFY(smooth);
    QCOMPARE(smooth->dataCount(), 50);
    // Closed form: sum of w^(n-1-k) x_k over sum of w^(n-1-k).
    for (const int n : {1, 2, 17, 50}) {
      double up = 0, down = 0;
      for (int k = 0; k < n; ++k) {
        up += std::pow(0.9, n - 1 - k) * raw[k];
        down += std::pow(0.9, n - 1 - k);
      }
      QVERIFY(std::abs(smooth->dataMainValue(n - 1) - up / down) < 1e-12);
    }
  }

  void newPointsAppearWithoutABurstOfRedraws() {
    auto curves = std::make_shared<RunCurves>();
    RunChart chart;
    chart.setRuns({{"r-0001", curves}});
    const int before = chart.redraws();
    for (int i = 1; i <= 1000; ++i) {
      curves->append({metric(i, {{"train/loss", 1.0 / i}})});
      chart.grown();
    }
    wait(chart, before + 1);
    QCOMPARE(chart.redraws(), before + 1);
    QCOMPARE(graphNamed(chart.plot(), RunChart::tr("Training loss"))->dataCount(), 1000);
  }

  void theTableSaysWhatTheChartShows() {
    auto curves = std::make_shared<RunCurves>();
    curves->append({metric(1, {{"train/loss", 0.5}}), metric(2, {{"validation/auc", 0.875}})});
    RunChart chart;
    chart.setRuns({{"r-0001", curves}});
    auto* table = chart.findChild<QTableView*>();
    QVERIFY(table);
    QCOMPARE(table->model()->rowCount(), 2);
    QCOMPARE(table->model()->index(1, 2).data().toString(), RunChart::tr("Validation AUC"));
    QVERIFY(table->model()->index(1, 3).data().toString().contains("0.875"));
    QVERIFY(!table->accessibleName().isEmpty());
  }

  void aLogarithmicAxisLeavesOutWhatHasNoLogarithm() {
    auto curves = std::make_shared<RunCurves>();
    curves->append({metric(1, {{"train/loss", 10.0}}), metric(2, {{"train/loss", 0.0}}), metric(3, {{"train/loss", 0.1}})});
    RunChart chart;
    chart.setRuns({{"r-0001", curves}});
    chart.setLogarithmic(true);
    const QCPRange range = chart.plot()->axisRects().first()->axis(QCPAxis::atLeft)->range();
    QVERIFY(range.lower > 0 && range.lower <= 0.1 && range.upper >= 10);
  }

  void followShowsTheNewestAndTheButtonTheWhole() {
    auto curves = std::make_shared<RunCurves>();
    for (int i = 1; i <= 4000; ++i) curves->append({metric(i, {{"train/loss", 1.0}})});
    RunChart chart;
    chart.resize(800, 500);
    chart.setRuns({{"r-0001", curves}});
    const auto steps = [&] { return chart.plot()->axisRects().first()->axis(QCPAxis::atBottom)->range(); };
    QVERIFY(steps().lower <= 1 && steps().upper >= 4000);
    chart.setFollow(true);
    QVERIFY(steps().lower > 3000 && steps().upper >= 4000);
    const int before = chart.redraws();
    for (int i = 4001; i <= 5000; ++i) curves->append({metric(i, {{"train/loss", 1.0}})});
    chart.grown();
    wait(chart, before + 1);
    QVERIFY(steps().lower > 4000 && steps().upper >= 5000);
    QToolButton* whole = nullptr;
    for (auto* b : chart.findChildren<QToolButton*>())
      if (b->accessibleName() == RunChart::tr("Whole history")) whole = b;
    QVERIFY(whole);
    QTest::mouseClick(whole, Qt::LeftButton);
    QVERIFY(steps().lower <= 1 && steps().upper >= 5000);
  }

  void runsLieOverEachOtherAndResumesAreMarked() {
    auto first = std::make_shared<RunCurves>(), second = std::make_shared<RunCurves>();
    first->append({started(9, 0), metric(1, {{"train/loss", 3.0}}), metric(2, {{"train/loss", 2.0}})});
    second->append({started(9, 1), metric(2, {{"train/loss", 1.0}})});
    RunChart chart;
    chart.setRuns({{"r-0001", first}, {"r-0002", second}});
    QCPGraph* a = graphNamed(chart.plot(), QStringLiteral("r-0001 · ") + RunChart::tr("Training loss"));
    QCPGraph* b = graphNamed(chart.plot(), QStringLiteral("r-0002 · ") + RunChart::tr("Training loss"));
    QVERIFY(a && b);
    QCOMPARE(a->dataCount(), 2);
    QCOMPARE(b->dataCount(), 1);
    QVERIFY(a->pen().color() != b->pen().color() && a->pen().style() != b->pen().style());
    QCOMPARE(chart.plot()->itemCount(), 2);  // one resume, marked in the upper and in the lower chart
    auto* mark = qobject_cast<QCPItemStraightLine*>(chart.plot()->item(0));
    QVERIFY(mark);
    QCOMPARE(mark->point1->coords().x(), 1.0);
  }

  // The first validation comes after the first steps: the lower chart waits for it.
  void theChosenMetricIsWaitedFor() {
    auto curves = std::make_shared<RunCurves>();
    curves->append({metric(1, {{"train/loss", 1.0}, {"gradient_norm", 2.0}})});
    RunChart chart;
    chart.setRuns({{"r-0001", curves}});
    const int before = chart.redraws();
    curves->append({metric(2, {{"validation/auc", 0.75}})});
    chart.grown();
    wait(chart, before + 1);
    QCPGraph* auc = graphNamed(chart.plot(), RunChart::tr("Validation AUC"));
    QVERIFY(auc);
    QCOMPARE(auc->dataCount(), 1);
  }

  void filesHoldEveryPoint() {
    auto curves = std::make_shared<RunCurves>();
    curves->append({metric(1, {{"train/loss", 0.1}, {"learning_rate", 3e-5}}), metric(2, {{"train/loss", 0.05}})});
    RunChart chart;
    chart.resize(800, 500);
    chart.setRuns({{"r-0001", curves}, {"r-0002", curves}});
    QTemporaryDir dir;
    QVERIFY(chart.saveCsv(dir.filePath("c.csv")));
    QFile csv(dir.filePath("c.csv"));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QByteArray text = csv.readAll();
    QCOMPARE(text.count('\n'), 1 + 2 * 3);
    QVERIFY(text.contains("r-0001,1,") && text.contains(",train/loss,0.050000000000000003"));
    QVERIFY(chart.savePng(dir.filePath("c.png")));
    QVERIFY(!QImage(dir.filePath("c.png")).isNull());
    QVERIFY(chart.saveSvg(dir.filePath("c.svg")));
    QFile svg(dir.filePath("c.svg"));
    QVERIFY(svg.open(QIODevice::ReadOnly));
    QXmlStreamReader xml(&svg);
    while (!xml.atEnd()) xml.readNext();
    QVERIFY(!xml.hasError());
    QVERIFY(!chart.saveCsv(QStringLiteral("/nonexistent/c.csv")));
  }

  void aMillionPointsKeepTheirSpikes() {
    auto curves = std::make_shared<RunCurves>();
    QList<RunEvent> events;
    constexpr int kPoints = 1'000'000;
    events.reserve(kPoints);
    for (int i = 1; i <= kPoints; ++i) events << metric(i, {{"train/loss", i == 654'321 ? 9.0 : 1.0}});
    curves->append(events);
    RunChart chart;
    chart.resize(1000, 600);
    chart.setRuns({{"r-0001", curves}});
    chart.grab();
    QCOMPARE(graphNamed(chart.plot(), RunChart::tr("Training loss"))->dataCount(), kPoints);
    QVERIFY(chart.plot()->axisRects().first()->axis(QCPAxis::atLeft)->range().upper >= 9.0);
  }
};

QTEST_MAIN(TestRunChart)
#include "test_run_chart.moc"
