// A person's changes leave their audit entry, and none without it.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/curation/labelling.h"
#include "core/trust/audit_log.h"

using namespace cloister;

class TestLabelling : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

 private Q_SLOTS:
  void everyChangeIsNotedAndUndone() {
    const QString dir = folder_.filePath("p");
    auto project = Project::create(dir, "p", "image-classification");
    QVERIFY(project);
    auto import = (*project)->beginImport("images", {});
    QVERIFY(import);
    Sample sample;
    sample.key = "a.png";
    sample.sha256 = QString(64, 'a');
    QVERIFY((*project)->addSamples(*import, {sample}));
    const qint64 id = (*project)->samples({}, 0, 1)->first().id;
    Project::SampleChange change;
    change.id = id;
    change.label = "OPACITY";
    change.labelOrigin = "person";
    QVERIFY(changeByPerson(**project, {change}, "label"));
    QCOMPARE((*project)->sampleByKey("a.png")->label, QStringLiteral("OPACITY"));
    QVERIFY(undoByPerson(**project, false));
    QCOMPARE((*project)->sampleByKey("a.png")->label, QString());
    auto log = AuditLog::open(dir, true);
    QVERIFY(log);
    QVERIFY((*log)->verify()->intact);
    QStringList what;
    const auto entries = (*log)->entries();
    QVERIFY(entries);
    for (const AuditEntry& e : *entries)
      if (e.body["action"].toString() == u"label") what << e.body["obj"].toObject()["what"].toString();
    QCOMPARE(what, QStringList({"label", "undo"}));
    // A log that cannot be written keeps the change from being made.
    (*log).reset();
    QVERIFY(QFile::remove(dir + "/audit.sqlite"));
    for (const char* rest : {"-wal", "-shm"}) QFile::remove(dir + "/audit.sqlite" + rest);
    QVERIFY(QDir(dir).mkdir("audit.sqlite"));
    QVERIFY(!changeByPerson(**project, {change}, "label"));
    QCOMPARE((*project)->sampleByKey("a.png")->label, QString());
  }
};

QTEST_GUILESS_MAIN(TestLabelling)
#include "test_labelling.moc"
