// Label tables end to end: the real cloister-ingest reads them, applyLabelTable puts them on samples.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QTest>

#include "core/curation/import_job.h"
#include "core/trust/audit_log.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

namespace {

struct Table : DatasetFixture {
  QString csv = folder.filePath("labels.csv");
  void write(const QByteArray& text) { ok(writeFileAtomically(csv, text)); }
  LabelTableResult apply(const QString& key = {}, const QString& label = {}, const QString& group = {}, const QString& site = {}) {
    return get(applyLabelTable(*project, csv, key, label, group, site));
  }
  Sample sample(qint64 id) const { return get(project->samplesById({id})).first(); }
};

Sample at(int number, const QString& key) {
  Sample s = madeUp(number, {}, {});
  s.key = key;
  s.file = "/import/root/" + key;
  return s;
}

}  // namespace

class TestLabelTable : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR); }

  void everyWayToNameAFile() {
    Table t;
    Sample frames[2] = {at(5, "multi.dcm#0"), at(5, "multi.dcm#1")};
    frames[1].frame = 1;
    Sample instance = at(6, "x/unnamed");
    instance.instance = "1.2.3.4.5";
    get(t.project->addSamples(t.importId, {at(1, "a/one.png"), at(2, "b/one.png"), at(3, "c/three.png"), at(4, "d/four.png"), frames[0],
                                           frames[1], instance, at(7, "e/seven.jpeg")}));
    t.write(
        "file,label,patient_id,site\n"
        "a/one.png,key,p1,s1\n"            // by key
        "root/b/one.png,longer,p2,s1\n"    // a path that ends in it
        ".\\c\\three.png,windows,p3,s1\n"  // written on Windows
        "four.png,name,p4,s2\n"            // the name alone
        "multi.dcm,frames,p5,s2\n"         // all frames of the file
        "1.2.3.4.5,uid,p6,s2\n"            // SOPInstanceUID
        "seven,stem,p7,s2\n"               // without the ending
        "one.png,ambiguous,p8,s2\n"        // two files have this name
        "nowhere.png,missing,p9,s2\n");
    const LabelTableResult r = t.apply();
    QCOMPARE(r.rows, 9);
    QCOMPARE(r.matched, 7);
    QCOMPARE(r.unmatchedRows, 2);
    QCOMPARE(r.unmatched[0].toObject()["reason"].toString(), "ambiguous");
    QCOMPARE(r.unmatched[1].toObject()["reason"].toString(), "missing");
    QCOMPARE(r.unlabelledSamples, 0);
    QStringList labels;
    for (const Sample& s : get(t.project->samples({}, 0, 100))) {
      labels.append(s.label);
      QCOMPARE(s.labelOrigin, "csv");
    }
    QCOMPARE(labels, (QStringList{"key", "longer", "windows", "name", "frames", "frames", "uid", "stem"}));
    QCOMPARE(t.sample(2).patient, "p2");
    QCOMPARE(t.sample(4).site, "s2");
  }

  void rowsThatDisagreeChangeNothing() {
    Table t;
    get(t.project->addSamples(t.importId, {at(1, "one.png"), at(2, "two.png")}));
    ok(t.project->addDuplicates(t.importId, {{"/import/root/copy.png", "/import/root/two.png"}}));
    t.write("file,label\none.png,a\none.png,b\ntwo.png,a\ncopy.png,b\n");
    const LabelTableResult r = t.apply();
    QCOMPARE(r.conflicts.size(), 2);  // also the copy that has the same bytes under another name
    QCOMPARE(r.conflicts[1].toObject()["key"].toString(), "two.png");
    QCOMPARE(t.sample(1).label, "");
    QCOMPARE(t.sample(2).label, "");
    QCOMPARE(get(t.project->setting("labels.conflicts")).toArray().size(), 2);
  }

  void emptyCellsLeaveWhatIsThere() {
    Table t;
    Sample s = at(1, "one.png");
    s.label = "known", s.patient = "p";
    get(t.project->addSamples(t.importId, {s}));
    t.write("file,label,patient_id\none.png,,\n");
    t.apply();
    QCOMPARE(t.sample(1).label, "known");
    QCOMPARE(t.sample(1).patient, "p");
  }

  void wholeTableIsOneUndo() {
    Table t;
    get(t.project->addSamples(t.importId, {at(1, "one.png"), at(2, "two.png")}));
    t.write("file;label;patient_id\none.png;größer;张三\ntwo.png;b;p2\n");
    t.apply();
    QCOMPARE(t.sample(1).label, QStringLiteral("größer"));
    QCOMPARE(t.sample(1).patient, QStringLiteral("张三"));
    QCOMPARE(get(t.project->undo()), "labels from labels.csv");
    QCOMPARE(t.sample(1).label, "");
    QCOMPARE(t.sample(2).patient, "");
    auto log = get(AuditLog::open(t.project->dir(), true));
    QCOMPARE(get(log->entries()).last().body["action"].toString(), "label");
    QVERIFY(QDir(t.project->dir() + "/imports").entryList(QDir::Files | QDir::Hidden).isEmpty());  // no table left behind
  }

  void wrongColumnNamesTheRightOnes() {
    Table t;
    get(t.project->addSamples(t.importId, {at(1, "one.png")}));
    t.write("image,diagnosis_code,who\none.png,a,p\n");
    auto result = applyLabelTable(*t.project, t.csv, {}, "label", {}, {});
    QVERIFY(!result);
    QCOMPARE(result.error().kind, FailureKind::InvalidArgument);
    QCOMPARE(result.error().args["allowed"].toString(), "image, diagnosis_code, who");
    QVERIFY(!checkLabelTable(*t.project, t.csv, {}, {}, {}, {}));
    QVERIFY(checkLabelTable(*t.project, t.csv, "image", "diagnosis_code", "who", {}));
    QCOMPARE(t.apply("image", "diagnosis_code", "who").matched, 1);
    QCOMPARE(t.sample(1).patient, "p");
    QCOMPARE(applyLabelTable(*t.project, t.folder.filePath("none.csv"), {}, {}, {}, {}).error().kind, FailureKind::NotFound);
  }

  void badColumnIsSaidBeforeTheImport() {
    Table t;
    t.write("file,label\nx,y\n");
    ImportRequest request;
    request.source = "images";
    request.paths = QStringList{t.folder.path()};
    request.labelsFile = t.csv;
    request.labelColumn = "typo";
    const qsizetype before = get(t.project->imports()).size();
    auto started = ImportJob(*t.project, request).start();
    QVERIFY(!started);
    QCOMPARE(started.error().kind, FailureKind::InvalidArgument);
    QCOMPARE(get(t.project->imports()).size(), before);
  }
};

QTEST_GUILESS_MAIN(TestLabelTable)
#include "test_label_table.moc"
