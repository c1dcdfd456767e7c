#include "plugins/sources/table/text_input.h"

#include <iconv.h>
#include <cerrno>

#include <QStringDecoder>

#include "core/extension/source_plugin.h"

namespace cloister::table {
namespace {

bool isUtf8(const QByteArray& bytes) {
  QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
  // A character cut at the end of the piece is no fault.
  QByteArray whole = bytes;
  for (int i = 0; i < 3 && !whole.isEmpty() && (quint8(whole.back()) & 0xC0) == 0x80; ++i) whole.chop(1);
  if (!whole.isEmpty() && quint8(whole.back()) >= 0xC0) whole.chop(1);
  else whole = bytes;
  (void)QString(decoder.decode(whole));
  return !decoder.hasError();
}

/// Chinese text has its high bytes in pairs, Latin-1 text one at a time.
bool looksChinese(const QByteArray& bytes) {
  qsizetype paired = 0, alone = 0;
  for (qsizetype i = 0; i < bytes.size(); ++i) {
    if (quint8(bytes[i]) < 0x80) continue;
    if (quint8(bytes[i]) >= 0x81 && i + 1 < bytes.size() && quint8(bytes[i + 1]) >= 0x80) {
      paired += 2;
      ++i;
    } else {
      ++alone;
    }
  }
  return paired > 2 * alone;
}

}  // namespace

QString detectEncoding(const QByteArray& start) {
  if (start.startsWith("\xEF\xBB\xBF")) return QStringLiteral("UTF-8");
  if (start.startsWith("\xFF\xFE")) return QStringLiteral("UTF-16LE");
  if (start.startsWith("\xFE\xFF")) return QStringLiteral("UTF-16BE");
  if (start.size() >= 8) {
    qsizetype even = 0, odd = 0;
    for (qsizetype i = 0; i < start.size(); ++i)
      if (start[i] == '\0') ++(i % 2 ? odd : even);
    if (odd > start.size() / 4 && even == 0) return QStringLiteral("UTF-16LE");
    if (even > start.size() / 4 && odd == 0) return QStringLiteral("UTF-16BE");
  }
  if (isUtf8(start)) return QStringLiteral("UTF-8");
  return looksChinese(start) ? QStringLiteral("GB18030") : QStringLiteral("ISO-8859-1");
}

ToUtf8::ToUtf8(const QString& encoding) {
  if (encoding.compare(u"UTF-8", Qt::CaseInsensitive) == 0) return;
  converter_ = ::iconv_open("UTF-8", encoding.toLatin1().constData());
  if (converter_ == iconv_t(-1)) {
    converter_ = nullptr;
    throw SourceError(
        FailureKind::InvalidArgument, {},
        {{"name", "encoding"}, {"value", encoding}, {"allowed", "UTF-8, UTF-16, GB18030, ISO-8859-1 or another name that iconv knows"}});
  }
}

ToUtf8::~ToUtf8() {
  if (converter_) ::iconv_close(iconv_t(converter_));
}

QByteArray ToUtf8::convert(const QByteArray& bytes, bool last) {
  QByteArray out;
  if (!converter_) {
    out = bytes;
  } else {
    QByteArray in = rest_ + bytes;
    rest_.clear();
    char* from = in.data();
    size_t left = size_t(in.size());
    char buffer[1 << 14];
    while (left > 0) {
      char* to = buffer;
      size_t room = sizeof buffer;
      const size_t r = ::iconv(iconv_t(converter_), &from, &left, &to, &room);
      const int error = errno;
      out.append(buffer, qsizetype(sizeof buffer - room));
      if (r != size_t(-1) || error == E2BIG) continue;
      if (error == EINVAL && !last) {  // a character cut in two: with the next piece
        rest_ = QByteArray(from, qsizetype(left));
        break;
      }
      out.append("\xEF\xBF\xBD");
      ++from;
      --left;
    }
  }
  if (start_ && out.size() >= 3) {
    start_ = false;
    if (out.startsWith("\xEF\xBB\xBF")) out.remove(0, 3);
  }
  return out;
}

}  // namespace cloister::table
