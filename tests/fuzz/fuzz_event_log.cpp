// The event log read in pieces: every line once, the offset never beyond the file, garbled lines do not stop it.
#include <sys/mman.h>
#include <unistd.h>
#include <cstdlib>

#include "core/domain/run_event.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (1 << 16)) return -1;
  static const int fd = ::memfd_create("events", 0);
  if (fd < 0 || ::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != ssize_t(size)) std::abort();
  const QString path = QStringLiteral("/proc/self/fd/%1").arg(fd);
  std::size_t lines = 0;
  for (std::size_t i = 0; i < size; ++i) lines += data[i] == '\n';
  EventReader whole(path);
  const auto all = whole.readNew(1 << 17);
  if (!all || std::size_t(all->size()) > lines || whole.offset() > qint64(size)) std::abort();
  EventReader pieces(path);
  qsizetype read = 0;
  for (qint64 before = -1; pieces.offset() != before;) {
    before = pieces.offset();
    const auto some = pieces.readNew(4096);
    if (!some) break;
    read += some->size();
  }
  if (pieces.offset() == whole.offset() && read != all->size()) std::abort();
  return 0;
}
