// cloister-cli as scripts and people use it, with a scripted worker: exit codes, one JSON object, Ctrl+C, kills, locks and full disks.
#include <signal.h>
#include <QtTest>

#include "core/domain/process_identity.h"
#include "core/runs/run_row.h"
#include "core/runs/run_supervisor.h"
#include "core/runs/worker_launch.h"
#include "tests/support/run_project.h"

using namespace cloister;

class TestCliRuns : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  QString project_;
  int number_ = 0;

  struct Answer {
    int code = -1;
    QByteArray out, err;
    QJsonObject json;  ///< empty unless stdout is exactly one object and a line end
  };

  static QString cli() { return QStringLiteral(CLOISTER_BIN_DIR) + "/cloister-cli"; }

  static Answer answerOf(QProcess& process) {
    Answer answer;
    if (!process.waitForFinished(60'000)) process.kill();
    answer.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    answer.out = process.readAllStandardOutput();
    answer.err = process.readAllStandardError();
    if (answer.out.count('\n') == 1) answer.json = QJsonDocument::fromJson(answer.out).object();
    return answer;
  }

  static Answer run(const QStringList& arguments) {
    QProcess process;
    process.start(cli(), arguments);
    return answerOf(process);
  }

  QStringList on(const QStringList& words) const { return words + QStringList{"--project", project_, "--json"}; }

  void script(const QByteArray& lines) { QVERIFY(test::writeScript(dir_.filePath("script"), lines)); }

  static QString kind(const Answer& answer) { return answer.json["error"].toObject()["kind"].toString(); }

  QString runDir(const QString& id = "r-0001") const { return project_ + "/runs/" + id; }

  bool waitForStep(qint64 step) const {
    return QTest::qWaitFor(
        [&] {
          const auto events = readRunEvents(runDir());
          return events && !events->isEmpty() && events->last().body["step"].toInteger() >= step;
        },
        20'000);
  }

  /// A shell line in its own mount table; code -2 when this machine does not let tests mount.
  static Answer mounted(const QString& line) {
    QProcess process;
    process.start("unshare", {"-r", "-m", "sh", "-c", line});
    if (!process.waitForStarted()) return {-2, {}, {}, {}};
    Answer answer = answerOf(process);
    if (answer.err.startsWith("unshare:") || answer.err.contains("mount:")) answer.code = -2;
    return answer;
  }

 private Q_SLOTS:
  void initTestCase() {
    test::useFakePrograms(CLOISTER_BIN_DIR);
    QVERIFY(QFileInfo(cli()).isExecutable());
  }

  void init() {
    project_ = dir_.filePath(QStringLiteral("p%1").arg(++number_));
    QVERIFY(test::makeProject(project_));
  }

  void everyVerbExplainsItselfWithAnExample() {
    const Answer all = run({"--help"});
    QCOMPARE(all.code, 0);
    int verbs = 0;
    for (const QByteArray& raw : all.out.split('\n')) {
      if (!raw.startsWith("  ")) continue;
      const QStringList path = QString::fromUtf8(raw).trimmed().section(QRegularExpression("\\s{2,}"), 0, 0).split(' ');
      const Answer help = run(path + QStringList{"--help"});
      QVERIFY2(help.code == 0, qPrintable(path.join(' ')));
      const qsizetype examples = help.out.indexOf("Example");
      QVERIFY2(examples > 0 && help.out.indexOf("cloister-cli " + path.join(' ').toUtf8(), examples) > 0, help.out.constData());
      ++verbs;
    }
    QVERIFY(verbs >= 10);
    QVERIFY(run({"--version"}).out.startsWith("cloister-cli "));
  }

  void wrongWordsAreUsage() {
    const Answer verb = run({"trian"});
    QCOMPARE(verb.code, 2);
    QVERIFY2(verb.err.contains("Did you mean: train"), verb.err.constData());
    const Answer group = run({"runs", "lst", "--json"});
    QCOMPARE(group.code, 2);
    QCOMPARE(kind(group), "invalid_argument");
    QVERIFY(group.err.contains("runs list"));
    const Answer option = run({"train", "--epoch", "3", "--json"});
    QCOMPARE(option.code, 2);
    QCOMPARE(kind(option), "invalid_argument");
    QCOMPARE(run({"runs", "list", "surplus"}).code, 2);
    QCOMPARE(run({"train", "--seed", "many", "--json"}).code, 2);
    QCOMPARE(run({"train", "--language", "tlh"}).code, 2);
    QCOMPARE(run({"train", "--set"}).code, 2);
  }

  void trainPrintsOneObjectAndNothingElse() {
    script(test::goodRun());
    const Answer answer = run(on({"train", "--set", "epochs=2", "--seed", "7"}));
    QVERIFY2(answer.code == 0, answer.err.constData());
    QCOMPARE(answer.json["run"].toString(), "r-0001");
    QCOMPARE(answer.json["state"].toString(), "finished");
    QCOMPARE(answer.json["step"].toInt(), 4);
    const Answer shown = run(on({"runs", "show"}));
    QCOMPARE(shown.json["spec"].toObject()["parameters"].toObject()["epochs"].toInt(), 2);
    QCOMPARE(shown.json["spec"].toObject()["seed"].toInt(), 7);
    const Answer list = run(on({"runs", "list"}));
    QCOMPARE(list.json["runs"].toArray().size(), 1);
    const Answer follow = run(on({"runs", "follow"}));
    QCOMPARE(follow.code, 0);
    QCOMPARE(follow.json["state"].toString(), "finished");
  }

  void badParametersAreNamed() {
    const Answer answer = run(on({"train", "--set", "epochs=0"}));
    QCOMPARE(answer.code, 2);
    QCOMPARE(answer.json["error"].toObject()["args"].toObject()["name"].toString(), "epochs");
    QCOMPARE(run(on({"train", "--snapshot", "ffff"})).code, 3);
    QCOMPARE(run({"runs", "list", "--project", dir_.filePath("nowhere"), "--json"}).code, 3);
    QCOMPARE(run(on({"runs", "show"})).code, 3);
    QCOMPARE(kind(run(on({"evaluate"}))), "nothing_to_do");
  }

  void interruptStopsAfterACheckpoint() {
    script("event started {\"steps\":4}\nevent metric {\"step\":1,\"values\":{}}\nwaitstop\n");
    QProcess process;
    process.start(cli(), on({"train"}));
    QVERIFY(process.waitForStarted());
    QVERIFY(waitForStep(1));
    ::kill(pid_t(process.processId()), SIGINT);
    const Answer answer = answerOf(process);
    QCOMPARE(answer.code, 130);
    QCOMPARE(kind(answer), "stopped");
    QCOMPARE(answer.json["state"].toString(), "stopped");
    script(test::goodRun());
    const Answer resumed = run(on({"runs", "resume"}));
    QVERIFY2(resumed.code == 0, resumed.err.constData());
    QCOMPARE(resumed.json["attempts"].toInt(), 2);
  }

  void aKilledProgramDoesNotTakeTheWorkerAlong() {
    script("event started {\"steps\":4}\nevent metric {\"step\":1,\"values\":{}}\nwaitstop\n");
    QProcess process;
    process.start(cli(), on({"train"}));
    QVERIFY(process.waitForStarted());
    QVERIFY(waitForStep(1));
    // The worker may be faster than the program that notes whom it started.
    QVERIFY(QTest::qWaitFor([&] { return !readWorkerFile(attemptFolder(runDir(), 1)).isEmpty(); }, 20'000));
    process.kill();
    QVERIFY(process.waitForFinished());
    const ProcessIdentity worker = readWorkerFile(attemptFolder(runDir(), 1))[0];
    QCOMPARE(livenessOf(worker), Liveness::Alive);
    QCOMPARE(run(on({"runs", "list"})).json["runs"].toArray()[0].toObject()["state"].toString(), "running");
    const Answer refused = run(on({"train"}));
    QCOMPARE(refused.code, 4);
    QCOMPARE(kind(refused), "policy_refused");
    const Answer stopped = run(on({"runs", "stop"}));
    QVERIFY2(stopped.code == 0, stopped.err.constData());
    QCOMPARE(stopped.json["state"].toString(), "stopped");
    QCOMPARE(livenessOf(worker), Liveness::Dead);
  }

  void detachedRunsAreFollowedLater() {
    script("event started {\"steps\":4}\nsleep 500\n" + test::goodRun());
    const Answer started = run(on({"train", "--detach"}));
    QVERIFY2(started.code == 0, started.err.constData());
    QCOMPARE(started.json["state"].toString(), "running");
    const Answer followed = run(on({"runs", "follow"}));
    QCOMPARE(followed.code, 0);
    QCOMPARE(followed.json["state"].toString(), "finished");
  }

  void aProjectHeldByTheDesktopCanBeWatchedAndStopped() {
    script("event started {\"steps\":4}\nevent metric {\"step\":1,\"values\":{}}\nwaitstop\n");
    auto project = Project::open(project_);
    QVERIFY(bool(project));
    RunSupervisor desktop(**project);
    QVERIFY(bool(desktop.start({})));
    QTRY_COMPARE((*project)->run("r-0001")->step, 1);
    const Answer locked = run(on({"train"}));
    QCOMPARE(locked.code, 1);
    QCOMPARE(kind(locked), "database_locked");
    const Answer listed = run(on({"runs", "list"}));
    QCOMPARE(listed.json["runs"].toArray()[0].toObject()["state"].toString(), "running");
    const Answer asked = run(on({"runs", "stop", "--no-wait"}));
    QVERIFY2(asked.code == 0, asked.err.constData());
    QTRY_COMPARE((*project)->run("r-0001")->state, "stopped");
  }

  void aCrashHasASentenceAndAnExitCode() {
    script("event started {\"steps\":4}\nsay out of luck\ncrash\n");
    const Answer answer = run(on({"train"}));
    QCOMPARE(answer.code, 1);
    QCOMPARE(kind(answer), "crashed");
    QVERIFY(answer.json["error"].toObject()["detail"].toString().contains("out of luck"));
    QCOMPARE(answer.json["state"].toString(), "attempt_failed");
    script("event failed {\"failure\":{\"kind\":\"non_finite\",\"args\":{\"step\":3,\"batch\":1}}}\nexit 40\n");
    const Answer second = run(on({"train"}));
    QCOMPARE(second.code, 1);
    QCOMPARE(kind(second), "non_finite");
  }

  void jobsGiveTheirResultAndFolder() {
    script(test::goodRun());
    QCOMPARE(run(on({"train"})).code, 0);
    script("file evaluation/report.json {\"headline\":[{\"name\":\"accuracy\",\"value\":0.8}]}\nexit 0\n");
    const Answer evaluated = run(on({"evaluate", "--no-attacks"}));
    QVERIFY2(evaluated.code == 0, evaluated.err.constData());
    QCOMPARE(evaluated.json["headline"].toArray().size(), 1);
    QCOMPARE((*readJson(runDir() + "/evaluation/request.json"))["attacks"].toBool(true), false);
    script("file export/fp32.onnx graph\nfile export/export.json {\"recommended\":\"fp32\",\"candidates\":[]}\nexit 0\n");
    const Answer exported = run(on({"export", "--quantize", "none", "--quantize", "static-int8", "--to", dir_.filePath("out")}));
    QVERIFY2(exported.code == 0, exported.err.constData());
    QCOMPARE(exported.json["recommended"].toString(), "fp32");
    QVERIFY(QFileInfo::exists(dir_.filePath("out/fp32.onnx")));
    QCOMPARE((*readJson(runDir() + "/export/request.json"))["quantize"].toArray(), QJsonArray({"none", "static-int8"}));
    const Answer again = run(on({"export", "--to", dir_.filePath("out")}));
    QCOMPARE(again.code, 3);
    QCOMPARE(kind(again), "already_exists");
    QCOMPARE(run(on({"export", "--quantize", "int4"})).code, 2);
    QCOMPARE(run(on({"export", "--target", "fortran"})).code, 2);
  }

  void aFullDiskIsSaidAndNothingIsLost() {
    script(test::goodRun());
    const QString small = dir_.filePath("small");
    QVERIFY(QDir().mkpath(small));
    // The project moves onto a disk with hardly any space left.
    const Answer answer =
        mounted(QStringLiteral("mount -t tmpfs -o size=2m none '%1' && cp -r '%2/.' '%1/' && head -c 4m /dev/zero > '%1/filler'; "
                               "'%3' train --project '%1' --json; code=$?; ls '%1/runs' 1>&2; exit $code")
                    .arg(small, project_, cli()));
    if (answer.code == -2) QSKIP("this machine does not let tests mount a small disk");
    QCOMPARE(answer.code, 1);
    QVERIFY2(kind(answer) == u"disk_full", answer.out.constData());
  }

  void aReadOnlyProjectIsSaid() {
    script(test::goodRun());
    const Answer answer = mounted(
        QStringLiteral("mount --bind '%1' '%1' && mount -o remount,bind,ro '%1' && '%2' train --project '%1' --json").arg(project_, cli()));
    if (answer.code == -2) QSKIP("this machine does not let tests mount read-only");
    QCOMPARE(answer.code, 1);
    QVERIFY2(kind(answer) == u"read_only" || kind(answer) == u"permission_denied", answer.out.constData());
  }

  void theMachineIsDescribed() {
    const Answer answer = run({"system", "show", "--json"});
    QCOMPARE(answer.code, 0);
    QVERIFY(answer.json["cpu"].toObject()["threads"].toInt() > 0);
    QVERIFY(!answer.json["advice"].toString().isEmpty());
    const Answer plan = run(on({"plan"}));
    QVERIFY2(plan.code == 0, plan.err.constData());
    QVERIFY(plan.json["fits"].toBool());
  }
};

QTEST_GUILESS_MAIN(TestCliRuns)
#include "test_cli_runs.moc"
