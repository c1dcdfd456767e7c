// The page of a language model's report: its figures beside the base, texts escaped, both languages, sections left out with their data.
#include <QJsonArray>
#include <QTest>

#include "core/report/report_html.h"

using namespace cloister;

class TestReportLanguage : public QObject {
  Q_OBJECT
  static QJsonObject report() {
    const QJsonObject base{{"value", 20.5}, {"low", 18.25}, {"high", 22.75}};
    return {{"task", "language-model"},
            {"run", "r-0007"},
            {"architecture", "llama"},
            {"snapshot", "0123456789abcdef"},
            {"part", "test"},
            {"texts", 31},
            {"perplexity", QJsonObject{{"tokens", 4321}}},
            {"headline",
             QJsonArray{QJsonObject{{"name", "perplexity"}, {"value", 9.5}, {"low", 8.5}, {"high", 10.5}, {"base", base}, {"p", 0.001}}}},
            {"samples",
             QJsonArray{QJsonObject{{"prompt", "<script>x"}, {"reference", "ref & one"}, {"output", "ours"}, {"baseOutput", "theirs"}}}},
            {"memorisation", QJsonObject{{"texts", 200}, {"promptTokens", 32}, {"repeated", 3}, {"longestVerbatim", 17}}}};
  }

 private Q_SLOTS:
  void figuresAndTexts() {
    const QString page = QString::fromUtf8(reportHtml(report(), {}, "en"));
    for (const char* part : {"9.5 (8.5–10.5)", "20.5 (18.25–22.75)", "&lt;script&gt;x", "ref &amp; one", "ours", "theirs", "r-0007",
                             "4,321", "repeated 3 of them", "Perplexity"})
      QVERIFY2(page.contains(QString::fromUtf8(part)), part);
    QVERIFY(!page.contains("<script"));
    QVERIFY(!page.contains("Fragility"));  // no attacks in it
  }
  void learningAnswersAndReadings() {
    QJsonObject j = report();
    j["curve"] = QJsonObject{{"train", QJsonArray{QJsonArray{1, 6.0}, QJsonArray{50, 4.0}, QJsonArray{100, 3.5}}},
                             {"validation", QJsonArray{QJsonArray{50, 4.5}, QJsonArray{100, 4.25}}}};
    const QJsonObject bad{{"prompt", "p1"}, {"reference", "r1"}, {"output", "wrong <b>"}, {"score", 1.25}};
    const QJsonObject good{{"prompt", "p2"}, {"reference", "r2"}, {"output", "r2"}, {"score", 100.0}};
    j["worst"] = QJsonArray{bad};
    j["best"] = QJsonArray{good};
    const QJsonObject reading{{"before", "the cat"}, {"after", "the hat"}}, unread{{"before", "unmoved"}, {"after", "unmoved"}};
    const QJsonObject weak{{"epsilon", 0.1}, {"successRate", 0.25}, {"readTheSame", 0.5}, {"perplexity", 30.0}, {"cleanPerplexity", 9.5}};
    QJsonObject strong = weak;
    strong["epsilon"] = 0.2;
    strong["readings"] = QJsonArray{reading, unread};
    j["attacks"] = QJsonArray{QJsonObject{{"kind", "pgd"}, {"norm", "linf"}, {"epsilons", QJsonArray{weak, strong}}}};
    j["scores"] = QJsonArray{QJsonObject{{"name", "BLEU"}, {"signature", "nrefs:1|tok:zh"}}};
    j["latency"] = QJsonArray{QJsonObject{{"runtime", "libtorch"}, {"precision", "bf16"}, {"batch", 8}, {"firstTokenMs", 12.5}}};
    const QString page = QString::fromUtf8(reportHtml(j, {}, "en"));
    for (const char* part : {"Training", "polyline", "wrong &lt;b&gt;", "1.25", "Best answers", "the hat", "25.0 %", "PGD L∞",
                             "BLEU: nrefs:1|tok:zh", "0123456789abcdef", "12.5", "bf16"})
      QVERIFY2(page.contains(QString::fromUtf8(part)), part);
    QVERIFY(!page.contains("unmoved"));    // what reads as before shows nothing
    QCOMPARE(page.count("<polyline"), 3);  // two losses, one attack
    // What is not there leaves no empty section behind.
    QVERIFY(!QString::fromUtf8(reportHtml(report(), {}, "en")).contains("Worst answers"));
  }
  void reportOfAFolder() {
    const QJsonObject j{
        {"task", "language-model"}, {"texts", 3}, {"perplexity", QJsonObject{{"value", 7.5}, {"low", 7.0}, {"high", 8.0}, {"tokens", 90}}}};
    QVERIFY(QString::fromUtf8(reportHtml(j, {}, "en")).contains("7.5 (7–8)"));
  }
  void chinese() {
    const QString page = QString::fromUtf8(reportHtml(report(), {}, "zh_CN"));
    QVERIFY(page.contains(QStringLiteral("困惑度")) && page.contains(QStringLiteral("回答对照")) && page.contains("zh-CN"));
  }
};

QTEST_GUILESS_MAIN(TestReportLanguage)
#include "test_report_language.moc"
