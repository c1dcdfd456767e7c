// Messages between the supervisor and its decode children over pipes: u32 LE length of the JSON, u32 LE length of the bytes after it, JSON,
// bytes. Blocking; one reader and one writer a descriptor. The reader trusts no length.
#pragma once
#include <QByteArray>
#include <QJsonObject>

namespace cloister {

struct Message {
  QJsonObject json;
  QByteArray bytes;
};

constexpr quint32 kMaxJson = 64u << 20, kMaxBytes = 256u << 20;

/// False when the other side is gone.
bool writeMessage(int fd, const Message&);

/// Collects what arrives; take() gives one whole message at a time.
class MessageReader {
 public:
  enum class State { Open, Closed, Garbled };
  /// One read(2); Closed at the end of the stream, Garbled when lengths or JSON make no sense.
  State readSome(int fd);
  bool take(Message&);

 private:
  QByteArray buffer_;
  bool garbled_ = false;
};

/// Reads until one message is whole; false at the end of the stream.
bool readMessage(int fd, MessageReader&, Message&);

}  // namespace cloister
