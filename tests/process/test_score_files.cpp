// Bad text files given to `cloister-ingest score`: each is refused with its kind and place, and nothing crashes.
#include <QtTest>

#include <QJsonArray>
#include <QTemporaryDir>

#include "core/curation/ingest_process.h"
#include "core/domain/files.h"

using namespace cloister;

class TestScoreFiles : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  QString file(const QString& name, const QByteArray& bytes) {
    const QString path = folder_.filePath(name);
    QFile f(path);
    if (!f.open(QIODevice::WriteOnly) || f.write(bytes) != bytes.size()) return {};
    return path;
  }
  Result<QJsonObject> score(const QString& hypotheses, const QString& reference, const QJsonObject& more = {}) {
    QJsonObject request{
        {"format", 1}, {"metric", "bleu"}, {"options", QJsonObject{}}, {"hypotheses", hypotheses}, {"references", QJsonArray{reference}}};
    for (auto it = more.begin(); it != more.end(); ++it) request[it.key()] = it.value();
    return runIngest("score", request, folder_.filePath("request.json"), {});
  }

 private Q_SLOTS:
  void initTestCase() { qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR); }

  void refused_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("format");
    QTest::addColumn<FailureKind>("kind");
    QTest::addColumn<QJsonObject>("place");
    QTest::newRow("empty") << QByteArray() << "lines" << FailureKind::EmptyFile << QJsonObject{};
    QTest::newRow("only a mark") << QByteArray("\xEF\xBB\xBF") << "lines" << FailureKind::EmptyFile << QJsonObject{};
    QTest::newRow("Latin-1") << QByteArray(
                                    "good\nGr\xFC\xDF"
                                    "e\n")
                             << "lines" << FailureKind::InvalidText << QJsonObject{{"line", 2}, {"byte", 3}, {"offset", 7}};
    QTest::newRow("first byte") << QByteArray("\xFFgood\nbad\n") << "lines" << FailureKind::InvalidText
                                << QJsonObject{{"line", 1}, {"byte", 1}, {"offset", 0}};
    QTest::newRow("UTF-16") << QByteArray(
                                   "\xFF\xFE"
                                   "a\0\n\0",
                                   6)
                            << "lines" << FailureKind::InvalidText << QJsonObject{{"line", 1}, {"byte", 1}};
    QTest::newRow("NUL") << QByteArray("one\ntwo\0\n", 9) << "lines" << FailureKind::InvalidText << QJsonObject{{"line", 2}, {"byte", 4}};
    QTest::newRow("cut short") << QByteArray("one\ntwo\xE4\xBB") << "lines" << FailureKind::InvalidText
                               << QJsonObject{{"line", 2}, {"byte", 4}};
    QTest::newRow("too few") << QByteArray("one\n") << "lines" << FailureKind::LineCountMismatch
                             << QJsonObject{{"found", 2}, {"expected", 1}};
    QTest::newRow("too many") << QByteArray("1\n2\n3") << "lines" << FailureKind::LineCountMismatch
                              << QJsonObject{{"found", 2}, {"expected", 3}};
    QTest::newRow("no JSON") << QByteArray("\"one\"\n{\"text\":\n") << "jsonl" << FailureKind::InvalidTextLine << QJsonObject{{"line", 2}};
    QTest::newRow("no such field") << QByteArray("\"one\"\n{\"words\":\"two\"}\n") << "jsonl" << FailureKind::InvalidTextLine
                                   << QJsonObject{{"line", 2}, {"why", "text"}};
    QTest::newRow("a number") << QByteArray("\"one\"\n2\n") << "jsonl" << FailureKind::InvalidTextLine << QJsonObject{{"line", 2}};
    QTest::newRow("an empty list") << QByteArray("[]\n\"two\"\n") << "jsonl" << FailureKind::InvalidTextLine << QJsonObject{{"line", 1}};
    QTest::newRow("NUL in JSON") << QByteArray("\"one\"\n\"\\u0000\"\n") << "jsonl" << FailureKind::InvalidTextLine
                                 << QJsonObject{{"line", 2}};
    QTest::newRow("deep JSON") << QByteArray(100'000, '[') + '\n' + QByteArray("\"two\"\n") << "jsonl" << FailureKind::InvalidTextLine
                               << QJsonObject{{"line", 1}};
  }
  void refused() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, format);
    QFETCH(FailureKind, kind);
    QFETCH(QJsonObject, place);
    const QString bad = file("bad", bytes), good = file("good", format == "jsonl" ? "\"one\"\n\"two\"\n" : "one\ntwo\n");
    const auto result = score(bad, good, {{"textFormat", format}});
    QVERIFY(!result);
    QCOMPARE(failureKindName(result.error().kind), failureKindName(kind));
    for (auto it = place.begin(); it != place.end(); ++it) QCOMPARE(result.error().args[it.key()], it.value());
    QVERIFY(!describe(result.error()).contains("…"));
    if (kind == FailureKind::LineCountMismatch) return;
    // As reference and as baseline it is refused as well.
    QCOMPARE(failureKindName(score(good, bad, {{"textFormat", format}}).error().kind), failureKindName(kind));
    QCOMPARE(failureKindName(score(good, good, {{"textFormat", format}, {"baseline", bad}}).error().kind), failureKindName(kind));
  }

  void missingFilesAndFolders() {
    const QString good = file("good", "one\ntwo\n");
    QCOMPARE(score(folder_.filePath("nowhere"), good).error().kind, FailureKind::NotFound);
    QCOMPARE(score(folder_.path(), good).error().kind, FailureKind::UnsupportedFormat);
    QCOMPARE(score(good, good, {{"metric", "meteor"}}).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(score(good, good, {{"textFormat", "xml"}}).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(score(good, good, {{"references", QJsonArray{}}}).error().kind, FailureKind::InvalidArgument);
  }

  /// Ten megabytes in one line: scored where the metric can, refused with a sentence where it cannot.
  void oneLineOfTenMegabytes() {
    QByteArray line;
    for (int i = 0; line.size() < 10'000'000; ++i) line += "word" + QByteArray::number(i % 5000) + ' ';
    const QString hypothesis = file("long-hyp", line), reference = file("long-ref", "other " + line);
    for (const char* metric : {"bleu", "chrf", "exact"}) {
      const auto result = score(hypothesis, reference, {{"metric", metric}});
      QVERIFY2(bool(result), metric);
      QCOMPARE((*result)["segments"].toInt(), 1);
    }
    const auto rouge = score(hypothesis, reference, {{"metric", "rouge"}});
    QVERIFY(!rouge);
    QCOMPARE(rouge.error().kind, FailureKind::TooLarge);
  }

  /// The child may read what the request names and write where its answer goes, and nothing else.
  void theSandboxHoldsForScores() {
    const QString good = file("good", "one\ntwo\n"), out = folder_.filePath("sentences");
    const auto result = score(good, good, {{"sentences", out}});
    QVERIFY(bool(result));
    QCOMPARE((*result)["score"].toDouble() >= 0, true);
    QCOMPARE(readFile(out).value().count('\n'), 2);
  }
};

QTEST_GUILESS_MAIN(TestScoreFiles)
#include "test_score_files.moc"
