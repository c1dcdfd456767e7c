#include <cstdio>
#include <exception>
#include <new>

#include <QFileInfo>
#include <QJsonDocument>

#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"

namespace cloister {

QString option(const QStringList& arguments, const QString& name, bool required, const QString& fallback) {
  const qsizetype at = arguments.indexOf("--" + name);
  if (at >= 0 && at + 1 < arguments.size()) return arguments[at + 1];
  if (required) throw EngineFailure({FailureKind::InvalidArgument, {{"name", "--" + name}, {"value", ""}, {"allowed", "a value"}}, {}});
  return fallback;
}

WorkerExit exitFor(const Failure& failure) {
  switch (failure.kind) {
    case FailureKind::InvalidArgument:
    case FailureKind::NotFound:
    case FailureKind::CorruptFile:
    case FailureKind::TruncatedFile:
    case FailureKind::UnsupportedFormat:
    case FailureKind::NewerVersion:
    case FailureKind::TooLarge:
    case FailureKind::AlreadyExists:
    case FailureKind::NothingToDo:
    case FailureKind::DeviceUnavailable:
      return WorkerExit::InvalidSpec;
    case FailureKind::OutOfMemory:
      return WorkerExit::OutOfMemory;
    case FailureKind::NonFinite:
      return WorkerExit::NonFiniteLoss;
    case FailureKind::PolicyRefused:
      return WorkerExit::PluginRefused;
    case FailureKind::IdentityChanged:
      return WorkerExit::IdentityChanged;
    case FailureKind::Stopped:
      return WorkerExit::StoppedAsAsked;
    default:
      return WorkerExit::Failed;
  }
}

namespace {

// Any exception as a failure.
Failure failureOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const EngineFailure& e) {
    return e.failure();
  } catch (const std::bad_alloc&) {
    return {FailureKind::OutOfMemory, {}, "allocation refused"};
  } catch (const std::exception& e) {
    const QString text = QString::fromUtf8(e.what());
    const bool memory = text.contains("can't allocate memory") || text.contains("out of memory", Qt::CaseInsensitive);
    return {memory ? FailureKind::OutOfMemory : FailureKind::Internal, {}, text.left(4000)};
  }
}

}  // namespace

int runSpoken(const std::function<void(const Say&)>& job) {
  const Say say = [](const QJsonObject& line) {
    std::printf("%s\n", QJsonDocument(line).toJson(QJsonDocument::Compact).constData());
    std::fflush(stdout);
  };
  try {
    job(say);
    return int(WorkerExit::Finished);
  } catch (...) {
    const Failure failure = failureOf(std::current_exception());
    say({{"type", "failed"}, {"failure", failure.toJson()}});
    return int(exitFor(failure));
  }
}

int runJob(const QString& eventsPath, const std::function<WorkerExit(EventWriter&)>& job, const QString& exitName) {
  EventWriter events = orThrow(EventWriter::open(eventsPath));
  WorkerExit code = WorkerExit::Failed;
  const auto failed = [&](const Failure& f) {
    QJsonObject json = f.toJson();
    json["message"] = describe(f);
    // The log may be what is broken (disk full): the code and stderr still tell.
    if (auto written = events.append("failed", {{"failure", json}}, true); !written)
      qWarning("%s", qUtf8Printable(describe(written.error())));
    qWarning("%s %s", qUtf8Printable(describe(f)), qUtf8Printable(f.detail));
    code = exitFor(f);
  };
  try {
    code = job(events);
  } catch (...) {
    failed(failureOf(std::current_exception()));
  }
  const QString exitFile = QFileInfo(eventsPath).absolutePath() + '/' + exitName;
  if (auto written = writeJsonAtomically(exitFile, {{"code", int(code)}}); !written)
    qWarning("%s", qUtf8Printable(describe(written.error())));
  return int(code);
}

}  // namespace cloister
