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
  void chinese() {
    const QString page = QString::fromUtf8(reportHtml(report(), {}, "zh_CN"));
    QVERIFY(page.contains(QStringLiteral("困惑度")) && page.contains(QStringLiteral("回答对照")) && page.contains("zh-CN"));
  }
};

QTEST_GUILESS_MAIN(TestReportLanguage)
#include "test_report_language.moc"
