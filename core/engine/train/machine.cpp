#include "core/engine/train/machine.h"

#include <sched.h>
#include <unistd.h>

#include <QFile>
#include <QList>

namespace cloister {
namespace {

qint64 numberIn(const QString& path) {
  QFile f(path);
  return f.open(QIODevice::ReadOnly) ? f.readAll().trimmed().toLongLong() : 0;  // "max" gives 0
}

}  // namespace

int processorCount() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : int(::sysconf(_SC_NPROCESSORS_ONLN));
}

qint64 memoryAvailable() {
  qint64 available = 0;
  QFile f("/proc/meminfo");
  if (f.open(QIODevice::ReadOnly)) {
    const QList<QByteArray> lines = f.readAll().split('\n');
    for (const QByteArray& line : lines)
      if (line.startsWith("MemAvailable:")) available = line.mid(13).trimmed().split(' ').first().toLongLong() * 1024;
  }
  const qint64 limit = numberIn("/sys/fs/cgroup/memory.max");
  if (limit > 0) available = qMin(available, limit - numberIn("/sys/fs/cgroup/memory.current"));
  return available;
}

qint64 residentBytes() {
  QFile f("/proc/self/statm");
  return f.open(QIODevice::ReadOnly) ? f.readAll().split(' ').value(1).toLongLong() * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace cloister
