// tojson: json.dumps as transformers calls it (nothing escaped for HTML, characters as they are). Source: CPython 3.11,
// Lib/json/encoder.py.
#include <algorithm>
#include <cmath>

#include "core/text/jinja/machine.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

struct Style {
  bool ascii = false, sorted = false, lines = false;
  std::string indent, comma = ", ", colon = ": ";
};

void addUnit(std::string& out, unsigned unit) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", unit);
  out += buffer;
}

void addText(std::string& out, const std::string& text, bool ascii) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = nextCodePoint(text, at);
    static constexpr std::string_view kShort = "\"\\\n\r\t\b\f", kLetter = "\"\\nrtbf";
    const std::size_t known = c < 0x80 ? kShort.find(char(c)) : std::string_view::npos;
    if (known != std::string_view::npos) out += '\\', out += kLetter[known];
    else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000)) addUnit(out, unsigned(c));
    else if (ascii && c >= 0x10000) {
      addUnit(out, unsigned(0xD800 + ((c - 0x10000) >> 10)));
      addUnit(out, unsigned(0xDC00 + ((c - 0x10000) & 0x3FF)));
    } else appendUtf8(out, c);
  }
  out += '"';
}

std::string scalar(const Value& v) {
  if (v.isNone()) return "null";
  if (const bool* b = v.as<bool>()) return *b ? "true" : "false";
  if (const double* d = v.as<double>())
    return std::isnan(*d) ? "NaN" : std::isinf(*d) ? (*d > 0 ? "Infinity" : "-Infinity") : shownNumber(*d);
  if (v.as<std::int64_t>()) return textOf(v);
  refuse(std::string("Object of type ") + v.typeName() + " is not JSON serializable");
}

class Writer {
 public:
  Writer(Machine& machine, const Style& style) : machine_(machine), style_(style) {}
  std::string write(const Value& v) {
    machine_.spend(v.weight() * 2);
    add(v, 1);
    machine_.spend(out_.size());
    return std::move(out_);
  }

 private:
  void breakLine(int depth) {
    if (!style_.lines) return;
    out_ += '\n';
    for (int i = 0; i < depth; ++i) out_ += style_.indent;
    if (out_.size() > (std::size_t(1) << 28)) refuse("the JSON text is too large");
  }

  void add(const Value& v, int depth) {
    if (const std::string* text = v.text()) return addText(out_, *text, style_.ascii);
    if (const Mapping* m = v.mapping()) return addMapping(*m, depth);
    const Sequence* s = v.sequence();
    if (!s || s->kind > Sequence::Kind::Tuple) {
      out_ += scalar(v);
      return;
    }
    out_ += '[';
    for (std::size_t i = 0; i < s->items.size(); ++i) {
      if (i) out_ += style_.comma;
      breakLine(depth);
      add(s->items[i], depth + 1);
    }
    if (!s->items.empty()) breakLine(depth - 1);
    out_ += ']';
  }

  void addMapping(const Mapping& m, int depth) {
    auto items = m.items;
    if (style_.sorted) std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
    out_ += '{';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i) out_ += style_.comma;
      breakLine(depth);
      const Value& key = items[i].first;
      if (key.sequence() || key.isUndefined()) refuse(std::string("keys must be str, int, float, bool or None, not ") + key.typeName());
      addText(out_, key.text() ? *key.text() : scalar(key), style_.ascii);
      out_ += style_.colon;
      add(items[i].second, depth + 1);
    }
    if (!items.empty()) breakLine(depth - 1);
    out_ += '}';
  }

  Machine& machine_;
  const Style& style_;
  std::string out_;
};

}  // namespace

std::string jsonOf(Machine& machine, const Value& value, const Bound& options) {
  Style style;
  style.ascii = options.truth(0);
  style.sorted = options.truth(3);
  if (options.given(1)) {
    style.lines = true;
    style.comma = ",";
    if (const std::string* text = options[1]->text()) style.indent = *text;
    else style.indent = std::string(std::size_t(std::clamp<std::int64_t>(options.integer(1, 0), 0, 100)), ' ');
    if (style.indent.size() > 100) refuse("the indent is too wide");
  }
  if (options.given(2)) {
    const Sequence* two = options[2]->sequence();
    if (!two || two->items.size() != 2 || !two->items[0].text() || !two->items[1].text()) refuse("separators are two texts");
    style.comma = *two->items[0].text();
    style.colon = *two->items[1].text();
  }
  return Writer(machine, style).write(value);
}

}  // namespace cloister::jinja
