// The audit log: every change inside the chain is found and named; a cut tail only against an anchor; concurrent and killed writers.
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

#include "core/trust/audit_log.h"

using namespace cloister;

namespace {

QString logPath(const QString& dir) { return dir + "/audit.sqlite"; }

/// An attacker's hand: opens the file without our code and drops the triggers.
class Vandal {
 public:
  explicit Vandal(const QString& dir) {
    sqlite3_open(QFile::encodeName(logPath(dir)).constData(), &db_);
    sql("DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete; PRAGMA synchronous=OFF;");
  }
  ~Vandal() { sqlite3_close(db_); }
  bool sql(const char* text) { return sqlite3_exec(db_, text, nullptr, nullptr, nullptr) == SQLITE_OK; }
  QByteArray column(const char* name, qint64 seq) {
    sqlite3_stmt* s = nullptr;
    sqlite3_prepare_v2(db_, (QByteArray("SELECT ") + name + " FROM audit WHERE seq=?1").constData(), -1, &s, nullptr);
    sqlite3_bind_int64(s, 1, seq);
    QByteArray bytes;
    if (sqlite3_step(s) == SQLITE_ROW) bytes = QByteArray(static_cast<const char*>(sqlite3_column_blob(s, 0)), sqlite3_column_bytes(s, 0));
    sqlite3_finalize(s);
    return bytes;
  }
  void set(const char* name, qint64 seq, const QByteArray& bytes) {
    sqlite3_stmt* s = nullptr;
    sqlite3_prepare_v2(db_, (QByteArray("UPDATE audit SET ") + name + "=?2 WHERE seq=?1").constData(), -1, &s, nullptr);
    sqlite3_bind_int64(s, 1, seq);
    sqlite3_bind_blob(s, 2, bytes.constData(), int(bytes.size()), SQLITE_TRANSIENT);
    if (sqlite3_step(s) != SQLITE_DONE) qFatal("vandal failed");
    sqlite3_finalize(s);
  }

 private:
  sqlite3* db_ = nullptr;
};

void fill(const QString& dir, int n) {
  auto log = AuditLog::open(dir);
  QVERIFY(bool(log));
  for (int i = 0; i < n; ++i) QVERIFY(bool((*log)->append("label", {{"sample", i}})));
}

AuditLog::Verification verified(const QString& dir, const QJsonObject& anchor = {}) {
  auto log = AuditLog::open(dir, true);
  if (!log) qFatal("cannot open");
  auto v = (*log)->verify(anchor);
  if (!v) qFatal("cannot verify: %s", qPrintable(v.error().detail));
  return *v;
}

}  // namespace

class TestAuditLog : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void chainAndForm() {
    QTemporaryDir dir;
    auto log = AuditLog::open(dir.path());
    QVERIFY(bool(log));
    QCOMPARE((*(*log)->checkpoint())["head"].toString(), QString(64, u'0'));
    auto first = (*log)->append("import", {{"import", 1}});
    auto second = (*log)->append("train", {{"run", "r-0001"}}, "failure", {{"why", "secret"}});
    QVERIFY(first && second);
    QCOMPARE(first->prev, QString(64, u'0'));
    QCOMPARE(second->prev, first->hash);
    QCOMPARE(second->body["outcome"].toString(), QString("failure"));
    QCOMPARE(first->body["ev"].toString(), QString("110107"));
    for (const char* member :
         {"v", "seq", "prev", "ts", "mono", "boot", "actor", "role", "session", "ev", "action", "outcome", "obj", "detail"})
      QVERIFY2(first->body.contains(QLatin1String(member)), member);
    QCOMPARE((*(*log)->detail(*second))["why"].toString(), QString("secret"));
    QCOMPARE((*(*log)->checkpoint()), (QJsonObject{{"size", 2}, {"head", second->hash}}));
    QCOMPARE((*log)->entries(2)->size(), 1);
    QCOMPARE((*log)->latest(5)->first().seq, 2);
    const auto v = verified(dir.path());
    QVERIFY(v.intact);
    QCOMPARE(v.entries, 2);
    QCOMPARE(v.headHash, second->hash);
    // Erasing the detail leaves the chain whole.
    QVERIFY(Vandal(dir.path()).sql("DELETE FROM detail"));
    QVERIFY(verified(dir.path()).intact);
    QVERIFY((*log)->detail(*second)->isEmpty());
  }

  void storedLeafIsRfc9162() {
    QTemporaryDir dir;
    fill(dir.path(), 3);
    Vandal eye(dir.path());
    for (int seq = 1; seq <= 3; ++seq) {
      QByteArray prefixed("\0", 1);
      prefixed += eye.column("entry", seq);
      QCOMPARE(eye.column("leaf", seq), QCryptographicHash::hash(prefixed, QCryptographicHash::Sha256));
    }
  }

  void triggersStopAccidents() {
    QTemporaryDir dir;
    fill(dir.path(), 2);
    sqlite3* db = nullptr;
    QCOMPARE(sqlite3_open(QFile::encodeName(logPath(dir.path())).constData(), &db), SQLITE_OK);
    QCOMPARE(sqlite3_exec(db, "UPDATE audit SET entry=x'00'", nullptr, nullptr, nullptr), SQLITE_CONSTRAINT);
    QCOMPARE(sqlite3_exec(db, "DELETE FROM audit", nullptr, nullptr, nullptr), SQLITE_CONSTRAINT);
    sqlite3_close(db);
  }

  void everyByteFlipIsFoundAndNamed() {
    QTemporaryDir dir;
    fill(dir.path(), 12);
    Vandal hand(dir.path());
    auto log = AuditLog::open(dir.path(), true);
    int flips = 0;
    for (qint64 seq = 1; seq <= 12; ++seq)
      for (const char* column : {"entry", "leaf"}) {
        const QByteArray good = hand.column(column, seq);
        for (qsizetype i = 0; i < good.size(); ++i, ++flips) {
          QByteArray bad = good;
          bad[i] = char(bad[i] ^ (1 << (i % 8)));
          hand.set(column, seq, bad);
          const auto v = (*log)->verify();
          QVERIFY(bool(v));
          QVERIFY(!v->intact);
          QCOMPARE(v->firstBroken, seq);
        }
        hand.set(column, seq, good);
      }
    QVERIFY(flips > 12 * 300);
    QVERIFY((*log)->verify()->intact);
  }

  void consistentRewriteOfOneEntryBreaksTheNext() {
    QTemporaryDir dir;
    fill(dir.path(), 5);
    {
      Vandal hand(dir.path());
      QByteArray entry = hand.column("entry", 3);
      entry.replace("\"sample\":2", "\"sample\":7");
      hand.set("entry", 3, entry);
      hand.set("leaf", 3, QCryptographicHash::hash(QByteArray("\0", 1) + entry, QCryptographicHash::Sha256));
    }
    const auto v = verified(dir.path());
    QVERIFY(!v.intact);
    QCOMPARE(v.firstBroken, 4);
  }

  void deleteSwapInsert_data() {
    QTest::addColumn<QByteArray>("sql");
    QTest::addColumn<qint64>("broken");
    QTest::newRow("delete first") << QByteArray("DELETE FROM audit WHERE seq=1") << qint64(1);
    QTest::newRow("delete middle") << QByteArray("DELETE FROM audit WHERE seq=6") << qint64(6);
    QTest::newRow("delete and close up") << QByteArray("DELETE FROM audit WHERE seq=6; UPDATE audit SET seq=seq-1 WHERE seq>6")
                                         << qint64(6);
    QTest::newRow("swap")
        << QByteArray("UPDATE audit SET seq=-4 WHERE seq=4; UPDATE audit SET seq=4 WHERE seq=7; UPDATE audit SET seq=7 WHERE seq=-4")
        << qint64(4);
    QTest::newRow("duplicate at the end") << QByteArray("INSERT INTO audit SELECT 11,entry,leaf FROM audit WHERE seq=10") << qint64(11);
    QTest::newRow("before the first") << QByteArray("INSERT INTO audit SELECT 0,entry,leaf FROM audit WHERE seq=1") << qint64(1);
    QTest::newRow("negative") << QByteArray("INSERT INTO audit SELECT -5,entry,leaf FROM audit WHERE seq=1") << qint64(1);
  }
  void deleteSwapInsert() {
    QFETCH(QByteArray, sql);
    QFETCH(qint64, broken);
    QTemporaryDir dir;
    fill(dir.path(), 10);
    QVERIFY(Vandal(dir.path()).sql(sql.constData()));
    const auto v = verified(dir.path());
    QVERIFY(!v.intact);
    QCOMPARE(v.firstBroken, broken);
  }

  void truncationShowsOnlyAgainstAnAnchor() {
    QTemporaryDir dir;
    fill(dir.path(), 20);
    const QJsonObject anchor = *(*AuditLog::open(dir.path(), true))->checkpoint();
    QVERIFY(verified(dir.path(), anchor).anchored);
    for (int keep = 19; keep >= 0; --keep) {
      QVERIFY(Vandal(dir.path()).sql(QByteArray("DELETE FROM audit WHERE seq>" + QByteArray::number(keep)).constData()));
      QVERIFY(verified(dir.path()).intact);
      const auto v = verified(dir.path(), anchor);
      QVERIFY(!v.intact);
      QCOMPARE(v.firstBroken, keep + 1);
    }
  }

  void forkOfSameSizeShowsAgainstAnAnchor() {
    QTemporaryDir one, other;
    fill(one.path(), 6);
    fill(other.path(), 6);
    const QJsonObject anchor = *(*AuditLog::open(one.path(), true))->checkpoint();
    const auto v = verified(other.path(), anchor);
    QVERIFY(!v.intact && !v.anchored);
    QCOMPARE(v.firstBroken, 6);
    QVERIFY(!verified(one.path(), {{"something", 1}}).intact);
  }

  void fourProcessesAppendAtOnce() {
    QTemporaryDir dir;
    QList<pid_t> children;
    for (int c = 0; c < 4; ++c) {
      const pid_t pid = fork();
      if (pid == 0) {
        auto log = AuditLog::open(dir.path());
        if (!log) _exit(2);
        for (int i = 0; i < 50; ++i)
          if (!(*log)->append("label", {{"child", c}, {"i", i}})) _exit(3);
        _exit(0);
      }
      children.append(pid);
    }
    for (pid_t pid : children) {
      int status = 0;
      QCOMPARE(waitpid(pid, &status, 0), pid);
      QVERIFY(WIFEXITED(status));
      QCOMPARE(WEXITSTATUS(status), 0);
    }
    const auto v = verified(dir.path());
    QVERIFY(v.intact);
    QCOMPARE(v.entries, 200);
  }

  void killedWriterLeavesAWholeChain() {
    QTemporaryDir dir;
    fill(dir.path(), 1);
    qint64 before = 1;
    for (int round = 0; round < 25; ++round) {
      const pid_t pid = fork();
      if (pid == 0) {
        auto log = AuditLog::open(dir.path());
        for (;;) (void)(*log)->append("label", {{"round", round}});
      }
      usleep(3000 + round * 1700);
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
      const auto v = verified(dir.path());
      QVERIFY2(v.intact, qPrintable(v.reason));
      QVERIFY(v.entries >= before);
      before = v.entries;
    }
    QVERIFY(before > 1);
  }

  void clockSetBackIsANoteNotABreak() {
    QTemporaryDir dir;
    fill(dir.path(), 1);
    // What a clock set back leaves behind: the last entry lies in the future of the next one.
    {
      Vandal hand(dir.path());
      QJsonObject body = QJsonDocument::fromJson(hand.column("entry", 1)).object();
      body["ts"] = "2999-01-01T00:00:00.000Z";
      const QByteArray bytes = QJsonDocument(body).toJson(QJsonDocument::Compact);
      hand.set("entry", 1, bytes);
      hand.set("leaf", 1, QCryptographicHash::hash(QByteArray("\0", 1) + bytes, QCryptographicHash::Sha256));
    }
    fill(dir.path(), 2);
    const auto v = verified(dir.path());
    QVERIFY(v.intact);
    QCOMPARE(v.clockSetBack, 1);
    auto all = (*AuditLog::open(dir.path(), true))->entries();
    QVERIFY(all->at(2).body["mono"].toInteger() >= all->at(1).body["mono"].toInteger());
  }

  void typedFailures() {
    QTemporaryDir dir;
    QVERIFY(AuditLog::open(dir.path() + "/absent").error().kind == FailureKind::NotFound);
    QVERIFY(AuditLog::open(dir.path(), true).error().kind == FailureKind::NotFound);
    QFile file(logPath(dir.path()));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(5000, 'x'));
    file.close();
    QVERIFY(AuditLog::open(dir.path()).error().kind == FailureKind::DatabaseCorrupt);
    QVERIFY(file.remove());
    fill(dir.path(), 1);
    QVERIFY((*AuditLog::open(dir.path(), true))->append("x", {}).error().kind == FailureKind::ReadOnly);
    QVERIFY((*AuditLog::open(dir.path()))->append("x", {{"big", QString(300'000, u'x')}}).error().kind == FailureKind::TooLarge);
    QVERIFY(Vandal(dir.path()).sql("PRAGMA user_version=9"));
    QVERIFY(AuditLog::open(dir.path()).error().kind == FailureKind::NewerVersion);
    QVERIFY(Vandal(dir.path()).sql("PRAGMA user_version=1; PRAGMA application_id=0"));
    QVERIFY(AuditLog::open(dir.path()).error().kind == FailureKind::DatabaseCorrupt);
  }

  void damagedPagesAreReportedNotCrashed() {
    QTemporaryDir dir;
    fill(dir.path(), 60);
    QVERIFY(Vandal(dir.path()).sql("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE;"));
    QFile file(logPath(dir.path()));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray good = file.readAll();
    file.close();
    int found = 0, rounds = 0;
    for (qsizetype at = 4096; at < good.size(); at += 397, ++rounds) {
      QByteArray bad = good;
      for (int k = 0; k < 16 && at + k < bad.size(); ++k) bad[at + k] = char(~bad[at + k]);
      QFile::remove(logPath(dir.path()) + "-wal");
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.write(bad);
      file.close();
      auto log = AuditLog::open(dir.path(), true);
      if (!log) {
        ++found;
        continue;
      }
      auto v = (*log)->verify();
      found += !v || !v->intact;
    }
    QVERIFY(rounds > 50);
    QVERIFY2(found > rounds / 2, "damage inside live rows must show; free space may hold some");
  }
};

QTEST_GUILESS_MAIN(TestAuditLog)
#include "test_audit_log.moc"
