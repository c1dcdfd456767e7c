// Lines of records.jsonl into the project: whole, once, and without trust.
#include <QJsonDocument>
#include <QTest>

#include "core/curation/import_records.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

namespace {

struct Records : DatasetFixture {
  QString path;
  Records() {
    QDir().mkpath(project->importDir(importId) + "/objects");
    path = project->importDir(importId) + "/records.jsonl";
  }
  void append(const QByteArray& bytes) {
    QFile file(path);
    if (!file.open(QIODevice::Append)) qFatal("append");
    file.write(bytes);
  }
  void stage(const Sample& s, const QByteArray& bytes) {
    const QString staged = project->importDir(importId) + "/objects/" + s.sha256.left(2) + "/" + s.sha256;
    QDir().mkpath(QFileInfo(staged).path());
    ok(writeFileAtomically(staged, bytes));
  }
  static QByteArray accepted(const Sample& s) {
    return QJsonDocument(QJsonObject{{"type", "accepted"}, {"sample", s.toJson()}}).toJson(QJsonDocument::Compact) + '\n';
  }
  static Sample sample(int n) {
    Sample s = madeUp(n, "p", "a");
    s.sha256 = sha256Hex(bytes(n));
    s.bytes = bytes(n).size();
    return s;
  }
  static QByteArray bytes(int n) { return "content " + QByteArray::number(n); }
};

}  // namespace

class TestImportRecords : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void linesBecomeRowsAndObjects() {
    Records f;
    f.stage(Records::sample(1), Records::bytes(1));
    f.append(Records::accepted(Records::sample(1)));
    f.append("{\"type\":\"refused\",\"file\":\"/x\",\"kind\":\"timeout\",\"message\":\"m\"}\n");
    f.append("{\"type\":\"duplicate\",\"file\":\"/y\",\"of\":\"/x\"}\n{\"type\":\"changed\",\"file\":\"/z\",\"what\":\"repaired\"}\n");
    ImportRecords records(*f.project, f.importId, 0);
    const auto batch = get(records.applyNew());
    QCOMPARE(batch.lines, 4);
    QCOMPARE(batch.accepted, 1);
    QCOMPARE(batch.refused, 1);
    QCOMPARE(batch.duplicates, 1);
    QCOMPARE(records.offset(), QFileInfo(f.path).size());
    QCOMPARE(get(f.project->importOffset(f.importId)), records.offset());
    QFile object(f.project->objectPath(Records::sample(1).sha256));
    QVERIFY(object.open(QIODevice::ReadOnly));
    QCOMPARE(object.readAll(), Records::bytes(1));
    QVERIFY(!(object.permissions() & QFile::WriteOwner));
    QCOMPARE(records.changed().size(), 1);
    QCOMPARE(get(records.applyNew()).lines, 0);
  }

  void tornLineWaitsAndCanBeCut() {
    Records f;
    f.stage(Records::sample(1), Records::bytes(1));
    const QByteArray line = Records::accepted(Records::sample(1));
    f.append(line + line.left(line.size() / 2));
    ImportRecords records(*f.project, f.importId, 0);
    QCOMPARE(get(records.applyNew()).lines, 1);
    QCOMPARE(get(records.applyNew()).lines, 0);
    ok(records.cutTornLine());
    QCOMPARE(QFileInfo(f.path).size(), line.size());
    ok(records.cutTornLine());
    QCOMPARE(QFileInfo(f.path).size(), line.size());
  }

  void appliedTwiceIsADuplicateNotASecondSample() {
    // As after a kill between the move of the object and the commit: the line comes again, the object has moved already.
    Records f;
    f.stage(Records::sample(1), Records::bytes(1));
    f.append(Records::accepted(Records::sample(1)));
    get(ImportRecords(*f.project, f.importId, 0).applyNew());
    get(ImportRecords(*f.project, f.importId, 0).applyNew());
    QCOMPARE(get(f.project->counts()).samples, 1);
  }

  void digestThatIsAPathIsRefused() {
    Records f;
    Sample evil = Records::sample(1);
    evil.sha256 = "../../../../tmp/evil";
    f.append(Records::accepted(evil));
    evil.sha256 = QString(64, 'g');
    f.append(Records::accepted(evil));
    const auto batch = get(ImportRecords(*f.project, f.importId, 0).applyNew());
    QCOMPARE(batch.accepted, 0);
    QCOMPARE(batch.refused, 2);
    QCOMPARE(get(f.project->refusals())[0].kind, "corrupt_file");
  }

  void missingOrShortObjectIsRefused() {
    Records f;
    f.append(Records::accepted(Records::sample(1)));
    f.stage(Records::sample(2), "short");
    f.append(Records::accepted(Records::sample(2)));
    f.stage(Records::sample(3), Records::bytes(3));
    f.append(Records::accepted(Records::sample(3)));
    const auto batch = get(ImportRecords(*f.project, f.importId, 0).applyNew());
    QCOMPARE(batch.accepted, 1);
    QCOMPARE(get(f.project->refusals())[0].kind, "not_found");
    QCOMPARE(get(f.project->refusals())[1].kind, "corrupt_file");
  }

  void garbageIsSkipped() {
    Records f;
    f.append("\n{\"type\":\"from the future\"}\nnot json\n\xff\xfe\n[1,2]\n");
    f.stage(Records::sample(1), Records::bytes(1));
    f.append(Records::accepted(Records::sample(1)));
    QCOMPARE(get(ImportRecords(*f.project, f.importId, 0).applyNew()).accepted, 1);
  }

  void endlessLineIsSaidNotSwallowed() {
    Records f;
    f.append(QByteArray(5 << 20, 'x'));
    auto applied = ImportRecords(*f.project, f.importId, 0).applyNew();
    QVERIFY(!applied);
    QCOMPARE(applied.error().kind, FailureKind::CorruptFile);
  }

  void batchesMeetWithoutLoss() {
    Records f;
    QByteArray all;
    const QByteArray filler(2000, 'f');
    for (int i = 0; i < 5000; ++i)
      all += "{\"type\":\"refused\",\"file\":\"" + QByteArray::number(i) + "\",\"kind\":\"timeout\",\"message\":\"" + filler + "\"}\n";
    f.append(all);
    ImportRecords records(*f.project, f.importId, 0);
    qint64 lines = 0, batches = 0;
    for (;;) {
      const auto batch = get(records.applyNew());
      if (batch.lines == 0) break;
      lines += batch.lines;
      ++batches;
    }
    QCOMPARE(lines, 5000);
    QVERIFY(batches > 1);
    const auto refusals = get(f.project->refusals());
    for (int i = 0; i < 5000; ++i) QCOMPARE(refusals[i].file, QString::number(i));
  }
};

QTEST_GUILESS_MAIN(TestImportRecords)
#include "test_import_records.moc"
