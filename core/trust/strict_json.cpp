#include "core/trust/strict_json.h"

#include <cmath>

#include <QJsonArray>
#include <QUtf8StringView>

namespace cloister {
namespace {

struct Refused {
  const char* why;
  qsizetype at;
};

class Reader {
 public:
  Reader(const QByteArray& bytes, const StrictJsonLimits& limits) : s_(bytes), limits_(limits) {}

  QJsonObject whole() {
    space();
    if (peek() != '{') refuse("not an object");
    const QJsonObject o = object(1);
    space();
    if (i_ != s_.size()) refuse("text after the end");
    return o;
  }

 private:
  [[noreturn]] void refuse(const char* why) const { throw Refused{why, i_}; }
  char peek() const { return i_ < s_.size() ? s_.at(i_) : '\0'; }
  void space() {
    while (i_ < s_.size() && (s_.at(i_) == ' ' || s_.at(i_) == '\n' || s_.at(i_) == '\r' || s_.at(i_) == '\t')) ++i_;
  }
  void expect(char c) {
    if (i_ >= s_.size() || s_.at(i_) != c) refuse("unexpected character");
    ++i_;
  }

  QJsonObject object(int depth) {
    if (depth > limits_.depth) refuse("nested too deeply");
    QJsonObject o;
    expect('{');
    space();
    if (peek() == '}') return ++i_, o;
    for (;;) {
      space();
      const QString name = string();
      if (o.contains(name)) refuse("a name stands twice");
      if (o.size() >= limits_.members) refuse("too many members");
      space();
      expect(':');
      o.insert(name, value(depth));
      space();
      if (peek() != ',') break;
      ++i_;
    }
    expect('}');
    return o;
  }

  QJsonArray array(int depth) {
    if (depth > limits_.depth) refuse("nested too deeply");
    QJsonArray a;
    expect('[');
    space();
    if (peek() == ']') return ++i_, a;
    for (;;) {
      if (a.size() >= limits_.elements) refuse("too many elements");
      a.append(value(depth));
      space();
      if (peek() != ',') break;
      ++i_;
    }
    expect(']');
    return a;
  }

  QJsonValue value(int depth) {
    space();
    switch (peek()) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case 't':
        return word("true", true);
      case 'f':
        return word("false", false);
      case 'n':
        return word("null", QJsonValue::Null);
      default:
        return number();
    }
  }

  QJsonValue word(QByteArrayView text, QJsonValue meaning) {
    if (QByteArrayView(s_).sliced(i_).first(std::min(text.size(), s_.size() - i_)) != text) refuse("unexpected character");
    i_ += text.size();
    return meaning;
  }

  void digits() {
    if (peek() < '0' || peek() > '9') refuse("not a number");
    while (peek() >= '0' && peek() <= '9') ++i_;
  }

  QJsonValue number() {
    const qsizetype from = i_;
    bool whole = true;
    if (peek() == '-') ++i_;
    if (peek() == '0') ++i_;
    else digits();
    if (peek() == '.') {
      whole = false;
      ++i_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++i_;
      if (peek() == '+' || peek() == '-') ++i_;
      digits();
    }
    const QByteArray text = s_.mid(from, i_ - from);
    bool good = false;
    if (whole)
      if (const qint64 n = text.toLongLong(&good); good) return n;
    const double d = text.toDouble(&good);
    if (!good || !std::isfinite(d)) refuse("a number out of range");
    return d;
  }

  char32_t hex4() {
    char32_t v = 0;
    for (int k = 0; k < 4; ++k, ++i_) {
      const char c = peek();
      int digit = -1;
      if (c >= '0' && c <= '9') digit = c - '0';
      else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
      else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
      if (digit < 0) refuse("not a hexadecimal digit");
      v = v * 16 + char32_t(digit);
    }
    return v;
  }

  QString escape() {
    const char c = peek();
    ++i_;
    switch (c) {
      case '"':
        return QStringLiteral("\"");
      case '\\':
        return QStringLiteral("\\");
      case '/':
        return QStringLiteral("/");
      case 'b':
        return QStringLiteral("\b");
      case 'f':
        return QStringLiteral("\f");
      case 'n':
        return QStringLiteral("\n");
      case 'r':
        return QStringLiteral("\r");
      case 't':
        return QStringLiteral("\t");
      case 'u':
        break;
      default:
        refuse("unknown escape");
    }
    const char32_t high = hex4();
    if (high >= 0xDC00 && high <= 0xDFFF) refuse("a lone surrogate");
    if (high < 0xD800 || high > 0xDBFF) return QString(QChar(char16_t(high)));
    expect('\\');
    expect('u');
    const char32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) refuse("a lone surrogate");
    const char16_t pair[] = {char16_t(high), char16_t(low)};
    return QString::fromUtf16(pair, 2);
  }

  QString string() {
    expect('"');
    QString out;
    for (;;) {
      const qsizetype from = i_;
      while (i_ < s_.size() && s_.at(i_) != '"' && s_.at(i_) != '\\' && uchar(s_.at(i_)) >= 0x20) ++i_;
      out += QString::fromUtf8(s_.constData() + from, i_ - from);
      if (i_ >= s_.size()) refuse("the text ends inside a string");
      if (uchar(s_.at(i_)) < 0x20) refuse("a control character inside a string");
      if (s_.at(i_++) == '"') return out;
      out += escape();
    }
  }

  const QByteArray& s_;
  const StrictJsonLimits& limits_;
  qsizetype i_ = 0;
};

}  // namespace

std::optional<QJsonObject> parseStrictJson(const QByteArray& bytes, QString& why, const StrictJsonLimits& limits) {
  if (!QUtf8StringView(bytes.constData(), bytes.size()).isValidUtf8()) {
    why = QStringLiteral("not UTF-8");
    return {};
  }
  try {
    return Reader(bytes, limits).whole();
  } catch (const Refused& refused) {
    why = QStringLiteral("%1 at byte %2").arg(QLatin1String(refused.why)).arg(refused.at);
    return {};
  }
}

std::optional<QByteArray> decodeStrictBase64(const QString& text) {
  for (const QChar c : text)
    if (c.unicode() > 127) return {};
  const QByteArray ascii = text.toLatin1();
  const auto decoded = QByteArray::fromBase64Encoding(ascii, QByteArray::Base64Encoding | QByteArray::AbortOnBase64DecodingErrors);
  if (decoded.decodingStatus != QByteArray::Base64DecodingStatus::Ok || decoded.decoded.toBase64() != ascii) return {};
  return decoded.decoded;
}

}  // namespace cloister
