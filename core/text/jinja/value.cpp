#include "core/text/jinja/value.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

constexpr int kDeepest = 60;
constexpr std::size_t kHeaviest = std::size_t(1) << 28;

void requireBounded(int depth, std::size_t weight) {
  if (depth > kDeepest) refuse("lists lie more than 60 deep in one another");
  if (weight > kHeaviest) refuse("a list holds more than 256 MB");
}

bool isPrintable(char32_t c) {
  if (c == ' ') return true;
  constexpr std::uint32_t kNot =
      U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK | U_GC_CN_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK | U_GC_ZS_MASK;
  return (U_GET_GC_MASK(UChar32(c)) & kNot) == 0;
}

/// repr() of a text.
std::string quoted(std::string_view text) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = nextCodePoint(text, at);
    if (c == char32_t(quote) || c == '\\') {
      out += '\\';
      out += char(c);
    } else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (isPrintable(c)) appendUtf8(out, c);
    else {
      char buffer[16];
      std::snprintf(buffer, sizeof buffer, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", unsigned(c));
      out += buffer;
    }
  }
  return out + quote;
}

std::string joined(const Values& items, const char* open, const char* close) {
  std::string out = open;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + shownOf(items[i]);
  return out + close;
}

std::string shownSequence(const Sequence& s) {
  switch (s.kind) {
    case Sequence::Kind::List:
      return joined(s.items, "[", "]");
    case Sequence::Kind::Tuple:
      return joined(s.items, "(", s.items.size() == 1 ? ",)" : ")");
    default:
      refuse("a generator or view is not written out; put |list behind it");
  }
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), equal);
}

bool equalMappings(const Mapping& a, const Mapping& b) {
  if (a.items.size() != b.items.size()) return false;
  return std::all_of(a.items.begin(), a.items.end(), [&](const auto& item) {
    const Value* other = b.find(item.first);
    return other && equal(item.second, *other);
  });
}

/// -1, 0, 1; 2 when one is not a number.
int compareNumbers(const Value& a, const Value& b) {
  std::int64_t i = 0, j = 0;
  if (a.integer(i) && b.integer(j)) return i < j ? -1 : i > j;
  double x = 0, y = 0;
  a.number(x);
  b.number(y);
  if (std::isnan(x) || std::isnan(y)) return 2;
  return x < y ? -1 : x > y;
}

}  // namespace

void refuse(std::string why) { throw Refusal{std::move(why)}; }

void refuseUndefined(const Value& value) {
  const auto* undefined = value.as<UndefinedValue>();
  refuse(undefined && undefined->why ? *undefined->why : "an undefined value is used");
}

const Value* Mapping::find(const Value& key) const {
  for (const auto& [k, v] : items)
    if (equal(k, key)) return &v;
  return nullptr;
}

void Mapping::set(const Value& key, Value value) {
  depth = std::max(depth, std::max(key.depth(), value.depth()) + 1);
  weight += key.weight() + value.weight();
  requireBounded(depth, weight);
  for (auto& [k, v] : items)
    if (equal(k, key)) {
      v = std::move(value);
      return;
    }
  items.emplace_back(key, std::move(value));
}

Value Value::sequence(Sequence::Kind kind, Values items) {
  int depth = 1;
  std::size_t weight = 16;
  for (const Value& item : items) {
    depth = std::max(depth, item.depth() + 1);
    weight += item.weight();
    requireBounded(depth, weight);
  }
  return Value(Any(std::make_shared<const Sequence>(Sequence{kind, std::move(items), depth, weight})));
}

Value Value::mapping(Mapping items) { return Value(Any(std::make_shared<const Mapping>(std::move(items)))); }

bool Value::integer(std::int64_t& out) const {
  if (const bool* b = as<bool>()) return out = *b, true;
  if (const auto* i = as<std::int64_t>()) return out = *i, true;
  return false;
}

bool Value::number(double& out) const {
  std::int64_t i = 0;
  if (integer(i)) return out = double(i), true;
  if (const double* d = as<double>()) return out = *d, true;
  return false;
}

const char* Value::typeName() const {
  static const char* const names[] = {"undefined", "none", "bool",      "int",  "float",   "string",
                                      "list",      "dict", "namespace", "loop", "function"};
  return names[any_.index()];
}

bool Value::truth() const {
  if (isUndefined() || isNone()) return false;
  if (const bool* b = as<bool>()) return *b;
  if (const auto* i = as<std::int64_t>()) return *i != 0;
  if (const double* d = as<double>()) return *d != 0;
  if (const std::string* s = text()) return !s->empty();
  if (const Sequence* s = sequence()) return s->kind == Sequence::Kind::Generator || !s->items.empty();
  if (const Mapping* m = mapping()) return !m->items.empty();
  return true;
}

int Value::depth() const {
  if (const Sequence* s = sequence()) return s->depth;
  if (const Mapping* m = mapping()) return m->depth;
  return 0;
}

std::size_t Value::weight() const {
  if (const std::string* s = text()) return 16 + s->size();
  if (const Sequence* s = sequence()) return s->weight;
  if (const Mapping* m = mapping()) return m->weight + 16;
  return 16;
}

std::string shownNumber(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
  const std::string_view shortest(buffer, std::size_t(end - buffer));
  const std::size_t e = shortest.find('e');
  const int exponent = std::atoi(std::string(shortest.substr(e + 1)).c_str());
  if (exponent < -4 || exponent >= 16) return std::string(shortest);
  std::string digits(shortest.substr(0, e)), sign;
  if (digits[0] == '-') sign = "-", digits.erase(0, 1);
  if (digits.size() > 1) digits.erase(1, 1);
  if (exponent < 0) return sign + "0." + std::string(std::size_t(-exponent - 1), '0') + digits;
  const auto whole = std::size_t(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + '.' + digits.substr(whole);
}

std::string shownOf(const Value& value) {
  if (const std::string* s = value.text()) return quoted(*s);
  if (value.isUndefined()) return "Undefined";
  return textOf(value);
}

std::string textOf(const Value& value) {
  if (const std::string* s = value.text()) return *s;
  if (value.isUndefined()) return {};
  if (value.isNone()) return "None";
  if (const bool* b = value.as<bool>()) return *b ? "True" : "False";
  if (const auto* i = value.as<std::int64_t>()) return std::to_string(*i);
  if (const double* d = value.as<double>()) return shownNumber(*d);
  if (const Sequence* s = value.sequence()) return shownSequence(*s);
  if (const Mapping* m = value.mapping()) {
    std::string out = "{";
    for (std::size_t i = 0; i < m->items.size(); ++i)
      out += (i ? ", " : "") + shownOf(m->items[i].first) + ": " + shownOf(m->items[i].second);
    return out + '}';
  }
  refuse(std::string("a ") + value.typeName() + " is not written out");
}

bool equal(const Value& a, const Value& b) {
  if (a.isNumber() && b.isNumber()) return compareNumbers(a, b) == 0;
  if (a.text() && b.text()) return *a.text() == *b.text();
  if (a.isUndefined() || b.isUndefined()) return a.isUndefined() && b.isUndefined();
  if (a.isNone() || b.isNone()) return a.isNone() && b.isNone();
  if (const Sequence* s = a.sequence(), *t = b.sequence(); s && t) {
    if (s == t) return true;
    const bool comparable = s->kind == t->kind && s->kind != Sequence::Kind::Generator && s->kind != Sequence::Kind::View;
    return comparable && same(s->items, t->items);
  }
  if (a.mapping() && b.mapping()) return equalMappings(*a.mapping(), *b.mapping());
  if (a.nameSpace()) return a.nameSpace() == b.nameSpace();
  if (a.callable()) return a.callable() == b.callable();
  return a.loop() && a.loop() == b.loop();
}

bool less(const Value& a, const Value& b) {
  if (a.isUndefined()) refuseUndefined(a);
  if (b.isUndefined()) refuseUndefined(b);
  if (a.isNumber() && b.isNumber()) return compareNumbers(a, b) == -1;
  if (a.text() && b.text()) return *a.text() < *b.text();  // UTF-8 keeps the order of code points
  if (const Sequence* s = a.sequence(), *t = b.sequence(); s && t && s->kind == t->kind && s->kind <= Sequence::Kind::Tuple) {
    for (std::size_t i = 0; i < std::min(s->items.size(), t->items.size()); ++i)
      if (!equal(s->items[i], t->items[i])) return less(s->items[i], t->items[i]);
    return s->items.size() < t->items.size();
  }
  refuse(std::string(a.typeName()) + " and " + b.typeName() + " have no order");
}

bool contains(const Value& container, const Value& item) {
  if (const std::string* s = container.text()) {
    if (!item.text()) refuse(std::string("'in <string>' requires string as left operand, not ") + item.typeName());
    return s->find(*item.text()) != std::string::npos;
  }
  if (const Mapping* m = container.mapping()) {
    requireKey(item);
    return m->find(item) != nullptr;
  }
  if (container.isUndefined()) return false;
  const Sequence* s = container.sequence();
  if (!s) refuse(std::string("argument of type '") + container.typeName() + "' is not iterable");
  return std::any_of(s->items.begin(), s->items.end(), [&](const Value& v) { return equal(v, item); });
}

Values itemsOf(const Value& value) {
  if (value.isUndefined()) return {};
  if (const Sequence* s = value.sequence()) return s->items;
  Values out;
  if (const Mapping* m = value.mapping()) {
    for (const auto& [key, v] : m->items) out.push_back(key);
    return out;
  }
  const std::string* s = value.text();
  if (!s) refuse(std::string("'") + value.typeName() + "' object is not iterable");
  for (std::size_t at = 0; at < s->size();) {
    const std::size_t from = at;
    nextCodePoint(*s, at);
    out.emplace_back(s->substr(from, at - from));
  }
  return out;
}

bool lengthOf(const Value& value, std::int64_t& out) {
  out = 0;
  if (value.isUndefined()) return true;
  if (const std::string* s = value.text()) return out = characters(*s), true;
  if (const Mapping* m = value.mapping()) return out = std::int64_t(m->items.size()), true;
  if (const Sequence* s = value.sequence(); s && s->kind != Sequence::Kind::Generator) return out = std::int64_t(s->items.size()), true;
  if (const Loop* l = value.loop(); l && l->items) return out = std::int64_t(l->items->size()), true;
  return false;
}

void requireKey(const Value& value) {
  const Sequence* s = value.sequence();
  if (value.mapping() || (s && s->kind == Sequence::Kind::List)) refuse(std::string("unhashable type: '") + value.typeName() + "'");
  if (s)
    for (const Value& item : s->items) requireKey(item);
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::size_t byteOf(std::string_view text, std::int64_t at) {
  std::size_t byte = 0;
  while (at > 0 && byte < text.size()) {
    ++byte;
    while (byte < text.size() && (static_cast<unsigned char>(text[byte]) & 0xC0) == 0x80) ++byte;
    --at;
  }
  return byte;
}

}  // namespace cloister::jinja
