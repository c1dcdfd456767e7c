#include "app/worker/presence.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>

#include <QFile>

#include "core/domain/files.h"
#include "core/domain/process_identity.h"

namespace cloister {
namespace {

constexpr std::chrono::seconds kSignOfLifeEvery{5};

/// The file server's clock, not this host's: readers compare it with times of the same server.
void touch(const QByteArray& path) {
  const int fd = ::open(path.constData(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;  // a full or lost disk shows elsewhere
  ::futimens(fd, nullptr);
  ::close(fd);
}

}  // namespace

int attemptNumber(const QString& given) {
  return std::max(1, given.toInt()) + std::max(0, qEnvironmentVariableIntValue("TORCHELASTIC_RESTART_COUNT"));
}

Presence::Presence(const QString& attemptFolder, int rank) {
  if (!QFile::exists(attemptFolder + "/worker.json")) {
    QJsonObject self = identify(rank, ::getpid()).toJson();
    for (const char* name : {"SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT", "TORCHELASTIC_RUN_ID"})
      if (const QString value = qEnvironmentVariable(name); !value.isEmpty()) self[QLatin1String(name)] = value;
    if (auto written = writeJsonAtomically(QStringLiteral("%1/worker-%2.json").arg(attemptFolder).arg(rank), self); !written)
      qWarning("%s", qUtf8Printable(describe(written.error())));
  }
  const QByteArray path = QFile::encodeName(QStringLiteral("%1/alive-%2").arg(attemptFolder).arg(rank));
  thread_ = std::thread([this, path] {
    std::unique_lock lock(mutex_);
    do touch(path);
    while (!end_.wait_for(lock, kSignOfLifeEvery, [this] { return ending_; }));
  });
}

Presence::~Presence() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  end_.notify_all();
  thread_.join();
}

}  // namespace cloister
