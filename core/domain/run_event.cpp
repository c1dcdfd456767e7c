#include "core/domain/run_event.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <utility>

#include <QDateTime>
#include <QFile>
#include <QJsonDocument>

namespace cloister {

Result<EventWriter> EventWriter::open(const QString& path) {
  const int fd = ::open(QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return failureFromErrno(errno, path);
  EventWriter writer(fd, 1);
  writer.path_ = path;
  // Continue after the last whole line; a torn one (the process died inside write) is cut away.
  EventReader reader(path);
  for (;;) {
    auto events = reader.readNew();
    if (!events) return events.error();
    if (events->isEmpty()) break;
    for (const RunEvent& e : *events) writer.next_ = std::max(writer.next_, e.seq + 1);
  }
  if (::ftruncate(fd, reader.offset()) != 0) return failureFromErrno(errno, path);
  return writer;
}

EventWriter::EventWriter(EventWriter&& o) noexcept : fd_(std::exchange(o.fd_, -1)), next_(o.next_), path_(std::move(o.path_)) {}

EventWriter& EventWriter::operator=(EventWriter&& o) noexcept {
  std::swap(fd_, o.fd_);
  next_ = o.next_;
  path_ = std::move(o.path_);
  return *this;
}

EventWriter::~EventWriter() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> EventWriter::append(const QString& type, QJsonObject body, bool sync) {
  body["seq"] = next_;
  body["at"] = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);
  body["type"] = type;
  const QByteArray line = QJsonDocument(body).toJson(QJsonDocument::Compact) + '\n';
  ssize_t n;
  do n = ::write(fd_, line.constData(), size_t(line.size()));
  while (n < 0 && errno == EINTR);
  if (n != line.size()) {
    const Failure failure = failureFromErrno(n < 0 ? errno : ENOSPC, path_);
    if (n > 0) {  // a torn line must not swallow the next one
      const off_t end = ::lseek(fd_, 0, SEEK_END);
      if (::ftruncate(fd_, end - n) != 0) return failure;
    }
    return failure;
  }
  ++next_;
  if (sync && ::fdatasync(fd_) != 0) return failureFromErrno(errno, path_);
  return {};
}

Result<QList<RunEvent>> EventReader::readNew(qint64 maxBytes) {
  QList<RunEvent> events;
  QFile file(path_);
  if (!file.exists()) return events;
  if (!file.open(QIODevice::ReadOnly)) return failureFromErrno(errno ? errno : EACCES, path_);
  if (file.size() < offset_) offset_ = 0;  // replaced by a shorter file: start over
  if (!file.seek(offset_)) return failureFromErrno(errno, path_);
  const QByteArray bytes = file.read(maxBytes);
  qsizetype from = 0;
  for (qsizetype end; (end = bytes.indexOf('\n', from)) >= 0; from = end + 1) {
    const QJsonObject o = QJsonDocument::fromJson(bytes.mid(from, end - from)).object();
    if (o.isEmpty()) events << RunEvent{0, {}, QStringLiteral("garbled"), {}};
    else events << RunEvent{o["seq"].toInteger(), o["at"].toString(), o["type"].toString(), o};
  }
  // A line longer than the bound would stop the reader for ever; skip it as garbled.
  if (from == 0 && bytes.size() == maxBytes) {
    from = bytes.size();
    events << RunEvent{0, {}, QStringLiteral("garbled"), {}};
  }
  offset_ += from;
  return events;
}

}  // namespace cloister
