// The event log of a child process: append-only, one JSON object a line. The file is the protocol: a child writes, any number of
// readers follow by byte offset. Whole lines only; half a line is left for the next read. One thread per object.
//
// A line: {"seq":17,"at":"2026-11-24T06:40:00.123Z","type":"metric","step":120,"epoch":2,"values":{"train/loss":0.21}}
// Types and members: docs/formats.md.
#pragma once
#include <QJsonObject>
#include <QList>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct RunEvent {
  qint64 seq = 0;
  QString at;        ///< ISO 8601, UTC, milliseconds
  QString type;      ///< started phase heartbeat metric checkpoint evaluation progress warning failed stopped finished
  QJsonObject body;  ///< the whole object
};

/// Appends whole lines with one write(2) each. Opening an existing log cuts a torn last line and goes on with its sequence.
class EventWriter {
 public:
  static Result<EventWriter> open(const QString& path);
  EventWriter(EventWriter&&) noexcept;
  EventWriter& operator=(EventWriter&&) noexcept;
  ~EventWriter();
  /// DiskFull and the like are returned, never thrown; the caller decides whether losing the line matters.
  Result<void> append(const QString& type, QJsonObject body = {}, bool sync = false);

 private:
  EventWriter(int fd, qint64 next) : fd_(fd), next_(next) {}
  int fd_ = -1;
  qint64 next_ = 1;
  QString path_;
};

/// Reads what is new since the last call. A line that is no JSON object becomes an event of type "garbled": reading goes on.
class EventReader {
 public:
  explicit EventReader(QString path, qint64 offset = 0) : path_(std::move(path)), offset_(offset) {}
  /// A file that does not exist yet gives an empty list. maxBytes bounds one call.
  Result<QList<RunEvent>> readNew(qint64 maxBytes = 8 << 20);
  qint64 offset() const { return offset_; }

 private:
  QString path_;
  qint64 offset_ = 0;
};

}  // namespace cloister
