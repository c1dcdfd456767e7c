// A worker that does what a script says, so that tests of the supervisor need neither LibTorch nor luck. Takes cloister-worker's command
// line (train, evaluate, export, plan); started in its place by $CLOISTER_WORKER. The script is the file $FAKE_WORKER_SCRIPT, one command
// a line; a line "N: command" is for rank N (torchrun's RANK) only, "train: command" for that verb only.
//
//   event TYPE {json}   append an event          torn TEXT     bytes without a line end (died inside write)
//   sleep MS            wait                     file NAME TEXT  write a file below the run folder
//   exit CODE           write exit.json, leave   leave CODE    leave without exit.json
//   crash               SIGSEGV                  ignoreterm    ignore SIGTERM
//   waitstop            until stop.request, then `stopped` and exit 10
//   env NAME            event warning with the variable's value         say TEXT  a line on stderr
// plan prints $FAKE_WORKER_PLAN, by default a plan that fits anywhere.
#include <signal.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QRegularExpression>

#include "core/domain/files.h"
#include "core/domain/run_event.h"

using namespace cloister;

namespace {

QString option(const QString& name) {
  const QStringList arguments = QCoreApplication::arguments();
  const qsizetype at = arguments.indexOf(name);
  return at < 0 ? QString() : arguments.value(at + 1);
}

struct Worker {
  QString verb, run, folder, events;
  int rank = qEnvironmentVariableIntValue("RANK");

  Worker() : verb(QCoreApplication::arguments().value(1)), run(option("--run")) {
    if (verb == u"train") {
      folder = run + QStringLiteral("/attempt-%1").arg(option("--attempt").toInt(), 3, 10, QLatin1Char('0'));
      events = folder + QStringLiteral("/rank-%1.events.jsonl").arg(rank);
    } else {
      folder = run + (verb == u"evaluate" ? "/evaluation" : "/export");
      events = folder + "/events.jsonl";
    }
  }

  [[noreturn]] void leave(int code, bool written) const {
    const QString name = rank == 0 ? QStringLiteral("/exit.json") : QStringLiteral("/exit-%1.json").arg(rank);
    if (written) (void)writeJsonAtomically(folder + name, {{"code", code}});
    ::_exit(code);
  }

  void waitForStop(EventWriter& log) const {
    while (!QFile::exists(run + "/stop.request")) ::usleep(10'000);
    (void)log.append("stopped", {{"step", 7}});
    leave(10, true);
  }

  void obey(EventWriter& log, const QString& command, const QString& rest) const {
    if (command == u"event") (void)log.append(rest.section(' ', 0, 0), QJsonDocument::fromJson(rest.section(' ', 1).toUtf8()).object());
    else if (command == u"sleep") ::usleep(rest.toUInt() * 1000);
    else if (command == u"exit") leave(rest.toInt(), true);
    else if (command == u"leave") leave(rest.toInt(), false);
    else if (command == u"crash") ::signal(SIGSEGV, SIG_DFL), ::raise(SIGSEGV);  // without a sanitizer's own last words
    else if (command == u"ignoreterm") ::signal(SIGTERM, SIG_IGN);
    else if (command == u"waitstop") waitForStop(log);
    else if (command == u"env") (void)log.append("warning", {{"kind", rest}, {"message", qEnvironmentVariable(rest.toUtf8())}});
    else if (command == u"say") std::fprintf(stderr, "%s\n", qPrintable(rest));
    else if (command == u"torn") appendTorn(rest);
    else if (command == u"file") writeBelowRun(rest.section(' ', 0, 0), rest.section(' ', 1));
    else std::fprintf(stderr, "unknown command %s\n", qPrintable(command)), leave(2, true);
  }

  void appendTorn(const QString& text) const {
    QFile file(events);
    if (file.open(QIODevice::Append)) file.write(text.toUtf8());
  }

  void writeBelowRun(const QString& name, const QString& text) const {
    const QString path = run + '/' + name;
    QDir().mkpath(QFileInfo(path).path());
    (void)writeFileAtomically(path, text.toUtf8());
  }
};

int plan() {
  const QString answer =
      qEnvironmentVariable("FAKE_WORKER_PLAN", R"({"memoryNeeded":1000,"diskNeeded":1000,"parts":{"weights":1000},"secondsEstimated":1})");
  std::puts(answer.toUtf8().constData());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  if (app.arguments().value(1) == u"plan") return plan();
  const Worker worker;
  auto log = EventWriter::open(worker.events);
  QFile script(qEnvironmentVariable("FAKE_WORKER_SCRIPT"));
  if (!log || !script.open(QIODevice::ReadOnly)) worker.leave(20, true);
  static const QRegularExpression kOnly("^(\\d+|train|evaluate|export): ");
  while (!script.atEnd()) {
    QString line = QString::fromUtf8(script.readLine()).trimmed();
    if (const auto only = kOnly.match(line); only.hasMatch()) {
      if (only.captured(1) != QString::number(worker.rank) && only.captured(1) != worker.verb) continue;
      line.remove(0, only.capturedLength());
    }
    if (!line.isEmpty()) worker.obey(*log, line.section(' ', 0, 0), line.section(' ', 1));
  }
  worker.leave(0, true);
}
