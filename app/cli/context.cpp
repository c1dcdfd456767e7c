#include "app/cli/context.h"

#include <signal.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>

#include <QCoreApplication>
#include <QDir>
#include <QJsonDocument>
#include <QSocketNotifier>

namespace cloister::cli {
namespace {

std::atomic<int> stopSignals{0};
int stopPipe[2] = {-1, -1};

// Only async-signal-safe calls here: a flag for blocking code, a byte for the event loop.
extern "C" void onStopSignal(int) {
  if (stopSignals.fetch_add(1) > 0) ::_exit(130);
  const char byte = 1;
  [[maybe_unused]] const ssize_t n = ::write(stopPipe[1], &byte, 1);
}

void writeOut(FILE* to, QByteArray bytes) {
  bytes += '\n';
  std::fwrite(bytes.constData(), 1, size_t(bytes.size()), to);
  std::fflush(to);
}

}  // namespace

QString tr(const char* text) { return QCoreApplication::translate("Cli", text); }

Context::Context(const QCommandLineParser& parser) : parser_(parser), json_(parser.isSet(QStringLiteral("json"))) {
  if (::pipe(stopPipe) == 0) {
    auto* notifier = new QSocketNotifier(stopPipe[0], QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, [this, notifier] {
      notifier->setEnabled(false);
      Q_EMIT stopAsked();
    });
  }
  struct sigaction action {};
  action.sa_handler = onStopSignal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Context::~Context() = default;

bool Context::stopRequested() { return stopSignals.load() > 0; }

Result<qint64> Context::integer(const QString& option, qint64 minimum, qint64 maximum) const {
  bool ok = false;
  const qint64 number = value(option).toLongLong(&ok);
  if (!ok || number < minimum || number > maximum)
    return Failure{FailureKind::InvalidArgument,
                   {{"name", "--" + option}, {"value", value(option)}, {"allowed", QStringLiteral("%1 … %2").arg(minimum).arg(maximum)}},
                   {}};
  return number;
}

QString Context::projectDir() const {
  QString dir = value(QStringLiteral("project"));
  if (dir.isEmpty()) dir = qEnvironmentVariable("CLOISTER_PROJECT");
  return QDir::cleanPath(QDir::current().absoluteFilePath(dir.isEmpty() ? QStringLiteral(".") : dir));
}

void Context::emitJson(const QJsonObject& object) {
  if (!json_) return;
  Q_ASSERT_X(!emitted_, "emitJson", "scripts get one object");
  if (std::exchange(emitted_, true)) return;
  progress_.clear();
  writeOut(stdout, QJsonDocument(object).toJson(QJsonDocument::Compact));
}

void Context::print(const QString& line) {
  if (json_) return;
  progress_.clear();
  writeOut(stdout, line.toLocal8Bit());
}

void Context::note(const QString& line) {
  progress_.clear();
  writeOut(stderr, line.toLocal8Bit());
}

int Context::fail(const Failure& failure, QJsonObject more) {
  if (json_) {
    more["error"] = failure.toJson();
    emitJson(more);
  } else {
    note(describe(failure));
    if (!failure.detail.isEmpty()) note("  " + failure.detail);
  }
  return exitCodeFor(failure.kind);
}

int Context::runEventLoop() { return QCoreApplication::exec(); }

void Context::quit(int code) { QCoreApplication::exit(code); }

}  // namespace cloister::cli
