// The bytes of a text file as UTF-8, piece by piece, whatever they were encoded in. Throws SourceError. One thread.
#pragma once
#include <memory>

#include <QByteArray>
#include <QString>

namespace cloister::table {

/// UTF-8, UTF-16LE, UTF-16BE, GB18030 or ISO-8859-1. By byte order mark, then by what the bytes allow.
QString detectEncoding(const QByteArray& start);

class ToUtf8 {
 public:
  /// encoding: as detectEncoding gives it, or anything the C library converts. InvalidArgument for names it does not know.
  explicit ToUtf8(const QString& encoding);
  ~ToUtf8();
  ToUtf8(const ToUtf8&) = delete;
  ToUtf8& operator=(const ToUtf8&) = delete;
  /// What can be converted so far; bytes that are no character become U+FFFD. last: nothing follows.
  QByteArray convert(const QByteArray& bytes, bool last);

 private:
  void* converter_ = nullptr;  ///< iconv_t; null for UTF-8, which passes through
  QByteArray rest_;
  bool start_ = true;
};

}  // namespace cloister::table
