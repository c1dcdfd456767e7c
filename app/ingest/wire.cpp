#include "app/ingest/wire.h"

#include <unistd.h>
#include <cerrno>

#include <QJsonDocument>
#include <QtEndian>

namespace cloister {
namespace {

bool writeAll(int fd, const char* data, qsizetype size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size_t(size));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= n;
  }
  return true;
}

}  // namespace

bool writeMessage(int fd, const Message& message) {
  const QByteArray json = QJsonDocument(message.json).toJson(QJsonDocument::Compact);
  char head[8];
  qToLittleEndian(quint32(json.size()), head);
  qToLittleEndian(quint32(message.bytes.size()), head + 4);
  return writeAll(fd, head, 8) && writeAll(fd, json.constData(), json.size()) &&
         writeAll(fd, message.bytes.constData(), message.bytes.size());
}

MessageReader::State MessageReader::readSome(int fd) {
  char buffer[1 << 16];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN ? State::Open : State::Closed;
  if (n == 0) return State::Closed;
  buffer_.append(buffer, n);
  if (buffer_.size() >= 8) {
    const quint32 json = qFromLittleEndian<quint32>(buffer_.constData()), bytes = qFromLittleEndian<quint32>(buffer_.constData() + 4);
    if (json > kMaxJson || bytes > kMaxBytes) garbled_ = true;
  }
  return garbled_ ? State::Garbled : State::Open;
}

bool MessageReader::take(Message& message) {
  if (garbled_ || buffer_.size() < 8) return false;
  const qsizetype json = qFromLittleEndian<quint32>(buffer_.constData()), bytes = qFromLittleEndian<quint32>(buffer_.constData() + 4);
  if (buffer_.size() < 8 + json + bytes) return false;
  const QJsonDocument doc = QJsonDocument::fromJson(buffer_.mid(8, json));
  if (!doc.isObject()) {
    garbled_ = true;
    return false;
  }
  message.json = doc.object();
  message.bytes = buffer_.mid(8 + json, bytes);
  buffer_.remove(0, 8 + json + bytes);
  return true;
}

bool readMessage(int fd, MessageReader& reader, Message& message) {
  while (!reader.take(message))
    if (reader.readSome(fd) != MessageReader::State::Open) return reader.take(message);
  return true;
}

}  // namespace cloister
