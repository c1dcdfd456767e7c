#include "widgets/common/process_age.h"

#include <time.h>
#include <unistd.h>

#include <QFile>

namespace cloister {

double processAgeMilliseconds() {
  QFile stat(QStringLiteral("/proc/self/stat"));
  if (!stat.open(QIODevice::ReadOnly)) return -1;
  const QByteArray text = stat.readAll();
  // The program's name stands in parentheses and may hold spaces: count fields after the last one.
  const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
  if (fields.size() < 20) return -1;
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return -1;
  const double started = fields[19].toDouble() / double(::sysconf(_SC_CLK_TCK));
  return (double(now.tv_sec) + double(now.tv_nsec) / 1e9 - started) * 1000;
}

}  // namespace cloister
