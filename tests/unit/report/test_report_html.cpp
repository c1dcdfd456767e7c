// The page from a report: what stands in it, what may never stand in it, in both languages. Its looks are judged by eye, its structure by
// tests/interop/test_evaluate.py.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>

#include "core/report/png.h"
#include "core/report/report_html.h"
#include "core/report/report_texts.h"
#include "core/report/svg_chart.h"

using namespace cloister;

namespace {

QJsonObject interval(double v, double low, double high) { return {{"value", v}, {"low", low}, {"high", high}}; }

QJsonObject named(const QString& name, QJsonObject o) {
  o["name"] = name;
  return o;
}

QJsonObject report() {
  const QJsonObject none{{"value", QJsonValue()}, {"low", QJsonValue()}, {"high", QJsonValue()}};
  const QJsonArray epsilons{
      QJsonObject{{"epsilon", 0}, {"epsilonGreyLevels", 0}, {"robustAccuracy", interval(0.9, 0.8, 1)}, {"successRate", interval(0, 0, 0)}},
      QJsonObject{{"epsilon", 0.01}, {"epsilonGreyLevels", 2.55}, {"robustAccuracy", interval(0.3, 0.2, 0.4)}, {"successRate", none}}};
  return {
      {"run", "r-0007"},
      {"hardware", "Some Processor, 2 processors"},
      {"samples", 1006},
      {"groups", 630},
      {"groupedBy", "patient"},
      {"classes", QJsonArray{"normal", "<b>ill</b>"}},
      {"threshold", 0.5},
      {"headline", QJsonArray{named("auc_macro", interval(0.94, 0.91, 0.96)), named("specificity", none)}},
      {"perClass", QJsonArray{QJsonObject{{"class", "<b>ill</b>"}, {"auc", interval(0.94, 0.91, 0.96)}, {"support", 12}}}},
      {"confusion", QJsonArray{QJsonArray{5, 1}, QJsonArray{0, 7}}},
      {"roc",
       QJsonArray{QJsonObject(), QJsonObject{{"class", "<b>ill</b>"}, {"fpr", QJsonArray{0, 0.5, 1}}, {"tpr", QJsonArray{0, 1, 1}}}}},
      {"groupsBy", QJsonObject{{"site", QJsonArray{named("", {{"n", 3}, {"groups", 2}, {"accuracy", none}, {"auc_macro", none}})}}}},
      {"attacks", QJsonArray{QJsonObject{{"name", "pgd"},
                                         {"norm", "linf"},
                                         {"samples", 64},
                                         {"epsilons", epsilons},
                                         {"signs", QJsonArray{QJsonObject{{"kind", "zero_gradient"}, {"value", 0.25}}}}}}},
      {"worst", QJsonArray{QJsonObject{{"key", "a\"><img>"}, {"label", "normal"}, {"predicted", "<b>ill</b>"}, {"image", "images/w.png"}},
                           QJsonObject{{"key", "b"}, {"image", "images/../../secret.png"}}}},
      {"latency", QJsonArray{QJsonObject{{"runtime", "onnxruntime"}, {"precision", "fp32"}, {"p50", 1234.5}, {"p95", 0.01234}}}},
      {"bootstrap", QJsonObject{{"resamples", 1000}, {"by", "group"}, {"seed", 20}}}};
}

}  // namespace

class TestReportHtml : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;

 private Q_SLOTS:
  void initTestCase() {
    QVERIFY(QDir(dir_.path()).mkpath("images"));
    const std::vector<std::uint8_t> grey(64, 90);
    QFile picture(dir_.filePath("images/w.png"));
    QVERIFY(picture.open(QIODevice::WriteOnly));
    picture.write(encodePng(grey, 8, 8, 1));
  }

  void saysWhatWasMeasured() {
    const QString page = QString::fromUtf8(reportHtml(report(), dir_.path(), "en"));
    for (const char* words : {"1,006 samples from 630 patients", "0.940", "95 % interval 0.910–0.960", "0.940 (0.910–0.960)", "not defined",
                              "no interval", "Not a medical device", "Elsewhere they can be much worse", "1,000 resamples by patient",
                              "For 25.0 % of the attempts the gradient was exactly zero", "0.300 (0.200–0.400)", "(not given)",
                              "Some Processor, 2 processors", "64 samples", ">1230<", ">0.0123<", "ONNX Runtime"})
      QVERIFY2(page.contains(QString::fromUtf8(words)), words);
    QVERIFY(!page.contains("nan"));
  }

  void theMachineIsNamedInTheLanguageOfTheReport() {
    const QString page = QString::fromUtf8(reportHtml(report(), dir_.path(), "zh_CN"));
    QVERIFY(page.contains(QString::fromUtf8("Some Processor，2 个处理器")));
    QVERIFY(!page.contains("processors"));
  }

  void nothingFromOutsideBecomesMarkup() {
    for (const char* language : {"en", "zh_CN"}) {
      const QString page = QString::fromUtf8(reportHtml(report(), dir_.path(), language));
      QVERIFY(!page.contains("<b>ill"));
      QVERIFY(page.contains("&lt;b&gt;ill"));
      QVERIFY(!page.contains("\"><img>"));
      QVERIFY(!page.contains("<script"));
      QVERIFY(page.contains("default-src 'none'"));
      // One picture, as data; the path that climbs out of the folder gives none.
      QCOMPARE(page.count("<img "), 1);
      QCOMPARE(page.count("src=\"data:image/png;base64,"), 1);
    }
  }

  void everyTextIsThereInBothLanguages() {
    const ReportTexts english("en"), chinese("zh_CN");
    static const QRegularExpression place("%[1-9]"), han("\\p{Han}");
    for (const QString& key : ReportTexts::keys()) {
      QVERIFY2(!english(key).isEmpty() && !chinese(key).isEmpty(), qPrintable(key));
      QVERIFY2(!english(key).contains(han), qPrintable(key));
      if (!key.startsWith(u"rouge") && key != u"auc_macro") QVERIFY2(chinese(key).contains(han), qPrintable(key));
      // The same placeholders, or a figure would be lost in one language.
      QSet<QString> a, b;
      for (auto it = place.globalMatch(english(key)); it.hasNext();) a << it.next().captured();
      for (auto it = place.globalMatch(chinese(key)); it.hasNext();) b << it.next().captured();
      QVERIFY2(a == b, qPrintable(key));
    }
    QCOMPARE(english("a_newer_metric"), QString("a_newer_metric"));
  }

  void ticksAreRound() {
    QCOMPARE(roundTicks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
    QCOMPARE(roundTicks(0, 8, 5), (std::vector<double>{0, 2, 4, 6, 8}));
    QCOMPARE(roundTicks(3, 3, 5), std::vector<double>{3});
  }

  void chartKeepsInsideItsFrame() {
    ChartSpec spec;
    spec.title = "x < y";
    spec.series.push_back({"s", {{-1, -1}, {0.5, 0.25}, {9, 9}}, {}, true});
    const QString svg = lineChart(spec);
    QVERIFY(svg.contains("aria-label=\"x &lt; y\""));
    // Left bottom and right top corner of the plot, in SVG units.
    QVERIFY(svg.contains("points=\"56,282 241,214.5 426,12\""));
  }
};

QTEST_GUILESS_MAIN(TestReportHtml)
#include "test_report_html.moc"
