#include "plugins/sources/dicom/text_decoder.h"

#include <iconv.h>
#include <cerrno>
#include <map>
#include <string>

#include <QStringList>

namespace cloister::dicom {
namespace {

/// Through the C library's converter; every undecodable byte costs one U+FFFD and the rest is read on.
QString viaIconv(const char* encoding, const QByteArray& bytes) {
  static auto& converters = *new std::map<std::string, iconv_t>;  // a handle per encoding, kept for the life of the child
  auto it = converters.find(encoding);
  if (it == converters.end()) it = converters.emplace(encoding, ::iconv_open("UTF-8", encoding)).first;
  const iconv_t converter = it->second;
  if (converter == iconv_t(-1)) return QString::fromLatin1(bytes);
  ::iconv(converter, nullptr, nullptr, nullptr, nullptr);
  QByteArray out;
  char* in = const_cast<char*>(bytes.constData());
  size_t left = size_t(bytes.size());
  char buffer[4096];
  while (left > 0) {
    char* to = buffer;
    size_t room = sizeof buffer;
    const size_t r = ::iconv(converter, &in, &left, &to, &room);
    out.append(buffer, qsizetype(sizeof buffer - room));
    if (r != size_t(-1) || errno == E2BIG) continue;
    out.append("\xEF\xBF\xBD");
    ++in;
    --left;
  }
  return QString::fromUtf8(out);
}

const char* singleByteName(const QString& term) {
  static const std::map<QString, const char*> names{{"100", "ISO-8859-1"},  {"101", "ISO-8859-2"}, {"109", "ISO-8859-3"},
                                                    {"110", "ISO-8859-4"},  {"144", "ISO-8859-5"}, {"127", "ISO-8859-6"},
                                                    {"126", "ISO-8859-7"},  {"138", "ISO-8859-8"}, {"148", "ISO-8859-9"},
                                                    {"203", "ISO-8859-15"}, {"166", "TIS-620"},    {"13", "SHIFT_JIS"}};
  const qsizetype at = term.lastIndexOf(' ');
  const QString number =
      term.contains(u"IR") ? QString(term).remove(0, term.lastIndexOf(u"IR") + 2).remove('_').trimmed() : term.mid(at + 1);
  const auto it = names.find(number);
  return it == names.end() ? nullptr : it->second;
}

/// What an escape sequence after ESC switches to: the bytes of the sequence, the encoding, and how a run is handed to iconv.
struct Escape {
  const char* sequence;
  const char* encoding;
  enum { Plain, EucHigh, Iso2022 } form;
};

// PS3.3 tables C.12-3 and C.12-4. G0 sets of two bytes go to iconv with their escape; G1 sets are EUC bytes with the high bit.
constexpr Escape kEscapes[] = {
    {"(B", "ISO-8859-1", Escape::Plain},    {"(J", "SHIFT_JIS", Escape::Plain},        {")I", "SHIFT_JIS", Escape::Plain},
    {"-A", "ISO-8859-1", Escape::Plain},    {"-B", "ISO-8859-2", Escape::Plain},       {"-C", "ISO-8859-3", Escape::Plain},
    {"-D", "ISO-8859-4", Escape::Plain},    {"-L", "ISO-8859-5", Escape::Plain},       {"-G", "ISO-8859-6", Escape::Plain},
    {"-F", "ISO-8859-7", Escape::Plain},    {"-H", "ISO-8859-8", Escape::Plain},       {"-M", "ISO-8859-9", Escape::Plain},
    {"-b", "ISO-8859-15", Escape::Plain},   {"-T", "TIS-620", Escape::Plain},          {"$B", "ISO-2022-JP", Escape::Iso2022},
    {"$@", "ISO-2022-JP", Escape::Iso2022}, {"$(D", "ISO-2022-JP-2", Escape::Iso2022}, {"$)C", "EUC-KR", Escape::EucHigh},
    {"$)A", "GB2312", Escape::EucHigh},
};

const Escape* escapeAt(const QByteArray& bytes, qsizetype at) {
  for (const Escape& e : kEscapes)
    if (bytes.mid(at, qsizetype(std::char_traits<char>::length(e.sequence))) == e.sequence) return &e;
  return nullptr;
}

QString decodeExtended(const QByteArray& bytes, const char* first, bool personName) {
  QString out;
  const Escape* current = nullptr;
  QByteArray run;
  const auto flush = [&] {
    if (run.isEmpty()) return;
    if (!current) out += viaIconv(first, run);
    else if (current->form == Escape::Iso2022) out += viaIconv(current->encoding, QByteArray("\x1b") + current->sequence + run + "\x1b(B");
    else out += viaIconv(current->encoding, run);
    run.clear();
  };
  for (qsizetype i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\x1b') {
      flush();
      const Escape* next = escapeAt(bytes, i + 1);
      if (next) {
        // ESC ( B takes back a two-byte G0 set; the high half stays what the first value of the character set says.
        current = qstrcmp(next->sequence, "(B") == 0 ? nullptr : next;
        i += qsizetype(std::char_traits<char>::length(next->sequence));
      } else {
        out += QChar(0xFFFD);
      }
      continue;
    }
    const bool twoByteG0 = current && current->form == Escape::Iso2022;
    const bool ends = c == '\r' || c == '\n' || c == '\f' || c == '\t' || (!twoByteG0 && c == '\\') ||
                      (!twoByteG0 && personName && (c == '^' || c == '='));
    if (ends) {
      flush();
      out += QLatin1Char(c);
      current = nullptr;
    } else {
      run += c;
    }
  }
  flush();
  return out;
}

}  // namespace

QString decodeDicomText(const QByteArray& bytes, const QString& charset, bool personName) {
  QStringList terms = charset.split('\\');
  for (QString& t : terms) t = t.trimmed().toUpper();
  const QString first = terms.value(0);
  QString text;
  if (first.contains(u"192")) text = QString::fromUtf8(bytes);
  else if (first == u"GB18030" || first == u"GBK") text = viaIconv("GB18030", bytes);
  else {
    const char* name = singleByteName(first);
    if (bytes.contains('\x1b')) text = decodeExtended(bytes, name ? name : "ISO-8859-1", personName);
    else text = name ? viaIconv(name, bytes) : QString::fromLatin1(bytes);
  }
  // Trailing spaces and one NUL are padding.
  while (!text.isEmpty() && (text.back() == ' ' || text.back() == QChar(0))) text.chop(1);
  while (personName && text.endsWith('=')) text.chop(1);  // empty ideographic or phonetic groups
  return text;
}

QString firstValue(const QString& text) { return text.section('\\', 0, 0).trimmed(); }

}  // namespace cloister::dicom
