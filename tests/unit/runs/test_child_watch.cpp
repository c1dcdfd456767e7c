// Starting, following and judging worker processes that nobody is the parent of. The worker is tests/support/fake_worker.
#include <signal.h>
#include <QtTest>

#include "core/domain/files.h"
#include "core/runs/child_watch.h"
#include "core/runs/run_supervisor.h"
#include "core/runs/worker_launch.h"

using namespace cloister;

class TestChildWatch : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  int number_ = 0;

  struct Child {
    QString run, folder;
    QList<ProcessIdentity> ranks;
  };

  Child start(const QByteArray& script, int processes = 1) {
    Child child;
    child.run = dir_.filePath(QStringLiteral("run-%1").arg(++number_));
    child.folder = child.run + "/attempt-001";
    QDir().mkpath(child.folder);
    QFile file(child.run + "/script");
    if (!file.open(QIODevice::WriteOnly)) return child;
    file.write(script);
    file.close();
    qputenv("FAKE_WORKER_SCRIPT", QFile::encodeName(file.fileName()));
    const auto ranks = launchWorkers({{"train", "--run", child.run, "--attempt", "1"}, child.folder, processes});
    if (ranks) child.ranks = *ranks;
    else qWarning("%s", qPrintable(describe(ranks.error())));
    return child;
  }

  /// Follows to the end as the supervisor does; its verdict and what was read.
  static ChildOutcome follow(ChildWatch& watch, QList<RunEvent>* events = nullptr) {
    for (bool alive = true; alive;) {
      alive = watch.isAlive();
      const auto some = watch.readEvents();
      if (events) *events += some;
      if (alive) QTest::qSleep(20);
    }
    return watch.outcome();
  }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("CLOISTER_WORKER", QByteArray(CLOISTER_BIN_DIR) + "/../tests/fake_worker");
    QVERIFY(QFileInfo(workerProgram()).isExecutable());
  }

  void eachEndHasItsVerdict_data() {
    QTest::addColumn<QByteArray>("script");
    QTest::addColumn<QString>("state");
    QTest::addColumn<QString>("kind");
    QTest::newRow("finished") << QByteArray("event finished {\"step\":3}\nexit 0\n") << "finished"
                              << "";
    QTest::newRow("stopped") << QByteArray("event stopped {\"step\":3}\nexit 10\n") << "stopped"
                             << "";
    QTest::newRow("invalid spec") << QByteArray("exit 20\n") << "failed"
                                  << "invalid_argument";
    QTest::newRow("out of memory") << QByteArray("exit 30\n") << "attempt_failed"
                                   << "out_of_memory";
    QTest::newRow("non-finite") << QByteArray("exit 40\n") << "failed"
                                << "non_finite";
    QTest::newRow("plugin") << QByteArray("exit 50\n") << "failed"
                            << "worker_failed";
    QTest::newRow("identity") << QByteArray("exit 60\n") << "failed"
                              << "identity_changed";
    QTest::newRow("crash") << QByteArray("event metric {\"step\":3}\ncrash\n") << "attempt_failed"
                           << "crashed";
    QTest::newRow("silent exit") << QByteArray("leave 0\n") << "attempt_failed"
                                 << "crashed";
    QTest::newRow("no exit file but its last word") << QByteArray("event finished {}\nleave 0\n") << "finished"
                                                    << "";
    QTest::newRow("its own words") << QByteArray("event failed {\"failure\":{\"kind\":\"disk_full\",\"args\":{\"path\":\"x\"}}}\nexit 1\n")
                                   << "attempt_failed"
                                   << "disk_full";
  }

  void eachEndHasItsVerdict() {
    QFETCH(QByteArray, script);
    QFETCH(QString, state);
    QFETCH(QString, kind);
    const Child child = start(script);
    QCOMPARE(child.ranks.size(), 1);
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    const ChildOutcome outcome = follow(watch);
    QCOMPARE(outcome.state, state);
    QCOMPARE(outcome.failure ? failureKindName(outcome.failure->kind) : QString(), kind);
  }

  void aCrashKeepsItsLastWords() {
    const Child child = start("say the last line before the end\ncrash\n");
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    const ChildOutcome outcome = follow(watch);
    QVERIFY(outcome.failure);
    QVERIFY2(outcome.failure->detail.contains("the last line before the end"), qPrintable(outcome.failure->detail));
  }

  void halfALineIsLeftAloneAndNothingIsLost() {
    const Child child = start("event metric {\"step\":1}\ntorn {\"seq\":2,\"type\":\"met\nsleep 100\ncrash\n");
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    QList<RunEvent> events;
    QCOMPARE(follow(watch, &events).state, "attempt_failed");
    QCOMPARE(events.size(), 1);
    QCOMPARE(events[0].body["step"].toInt(), 1);
  }

  void theVerdictIsTheSameForAReaderThatComesLater() {
    const Child child = start("event metric {\"step\":1}\nevent stopped {\"step\":1}\nleave 10\n");
    ChildWatch first(child.folder, "rank-0.events.jsonl");
    QCOMPARE(follow(first).state, "stopped");
    ChildWatch later(child.folder, "rank-0.events.jsonl", first.offset());
    QVERIFY(!later.isAlive());
    QVERIFY(later.readEvents().isEmpty());
    QCOMPARE(later.outcome().state, "stopped");
  }

  void anotherProcessOfTheSameNumberIsNotTheWorker() {
    const Child child = start("waitstop\n");
    ProcessIdentity later = child.ranks[0];
    QCOMPARE(livenessOf(later), Liveness::Alive);
    later.startTicks += 1;
    QCOMPARE(livenessOf(later), Liveness::Dead);
    QVERIFY(!signalProcess(later, SIGKILL));
    QCOMPARE(livenessOf(child.ranks[0]), Liveness::Alive);
    ProcessIdentity rebooted = child.ranks[0];
    rebooted.bootId = "another";
    QCOMPARE(livenessOf(rebooted), Liveness::Dead);
    QVERIFY(signalProcess(child.ranks[0], SIGKILL));
    QTRY_COMPARE(livenessOf(child.ranks[0]), Liveness::Dead);
  }

  void theWorkerLeadsALifeOfItsOwn() {
    const Child child = start("waitstop\n");
    QVERIFY(::getsid(pid_t(child.ranks[0].pid)) != ::getsid(0));
    QVERIFY(::getpgid(pid_t(child.ranks[0].pid)) != ::getpgrp());
    QCOMPARE(readWorkerFile(child.folder).value(0).pid, child.ranks[0].pid);
    QVERIFY(bool(writeStopRequest(child.run)));
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    QCOMPARE(follow(watch).state, "stopped");
  }

  void ranksGetTheTorchrunEnvironment() {
    const Child child = start("env RANK\nenv WORLD_SIZE\nenv MASTER_ADDR\nenv MASTER_PORT\nenv LOCAL_RANK\nexit 0\n", 2);
    QCOMPARE(child.ranks.size(), 2);
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    QCOMPARE(follow(watch).state, "finished");
    QMap<QString, QString> seen[2];
    for (int rank = 0; rank < 2; ++rank) {
      EventReader reader(child.folder + QStringLiteral("/rank-%1.events.jsonl").arg(rank));
      const auto events = reader.readNew();
      QVERIFY(bool(events));
      for (const RunEvent& e : *events) seen[rank][e.body["kind"].toString()] = e.body["message"].toString();
    }
    QCOMPARE(seen[0]["RANK"], "0");
    QCOMPARE(seen[1]["RANK"], "1");
    QCOMPARE(seen[1]["LOCAL_RANK"], "1");
    QCOMPARE(seen[0]["WORLD_SIZE"], "2");
    QCOMPARE(seen[0]["MASTER_ADDR"], "127.0.0.1");
    QVERIFY(seen[0]["MASTER_PORT"].toInt() > 0);
    QCOMPARE(seen[0]["MASTER_PORT"], seen[1]["MASTER_PORT"]);
  }

  void aLostRankEndsTheAttempt() {
    // Rank 0 would wait for ever for its neighbour.
    const Child child = start("event started {\"steps\":9}\n1: say rank one fell\n1: crash\n0: sleep 600000\n", 2);
    ChildWatch watch(child.folder, "rank-0.events.jsonl");
    const ChildOutcome outcome = follow(watch);
    QCOMPARE(outcome.state, "attempt_failed");
    QCOMPARE(outcome.failure->kind, FailureKind::Crashed);
    QCOMPARE(outcome.failure->args["signal"].toString(), "rank 1");
    QVERIFY(outcome.failure->detail.contains("rank one fell"));
  }

  void aMissingWorkerIsNamed() {
    const QByteArray before = qgetenv("CLOISTER_WORKER");
    qputenv("CLOISTER_WORKER", "/nonexistent/worker");
    const auto ranks = launchWorkers({{"train"}, dir_.path(), 1});
    qputenv("CLOISTER_WORKER", before);
    QVERIFY(!ranks);
    QCOMPARE(ranks.error().kind, FailureKind::NotFound);
    QCOMPARE(ranks.error().args["path"].toString(), "/nonexistent/worker");
  }
};

QTEST_GUILESS_MAIN(TestChildWatch)
#include "test_child_watch.moc"
