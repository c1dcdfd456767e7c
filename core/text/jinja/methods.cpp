// What a template may ask of a text, a list, a mapping, a namespace or a loop with a dot or brackets. Nothing that changes a value is here:
// the sandbox of transformers refuses it as well. Source: CPython 3.11 and Jinja 3.1 (sandbox.py).
#include <unicode/uchar.h>

#include <algorithm>
#include <map>

#include "core/text/jinja/machine.h"
#include "core/text/scores/python_text.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

const std::string kUnsafe = "access to attribute '";

using Method = Value (*)(Machine&, const Value& self, Arguments&);

const std::string& textArgument(const char* function, const Value* v) {
  if (!v || !v->text()) refuse(std::string(function) + "() wants a text");
  return *v->text();
}

template <bool kLeft, bool kRight>
Value strip(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("strip", given, {"chars"});
  if (args.given(0)) textArgument("strip", args[0]);
  machine.spend(self.text()->size());
  return stripped(*self.text(), args.given(0) ? args[0]->text() : nullptr, kLeft, kRight);
}

Value texts(const std::vector<std::string_view>& parts) {
  Values items;
  for (const std::string_view part : parts) items.emplace_back(part);
  return Value::list(std::move(items));
}

std::vector<std::string_view> splitAtSpaces(std::string_view text, std::int64_t most, bool right) {
  std::vector<std::string_view> parts;
  if (!right) {
    for (text = stripped(text, nullptr, true, false); !text.empty();) {
      std::size_t end = 0;
      while (end < text.size() && scores::spaceBytes(text.data() + end) == 0) ++end;
      if (most-- == 0) end = text.size();
      parts.push_back(text.substr(0, end));
      text = stripped(text.substr(end), nullptr, true, false);
    }
    return parts;
  }
  for (text = stripped(text, nullptr, false, true); !text.empty();) {
    std::size_t start = text.size();
    while (start > 0 && scores::spaceBytes(text.data() + previousCodePoint(text, start)) == 0) start = previousCodePoint(text, start);
    if (most-- == 0) start = 0;
    parts.push_back(text.substr(start));
    text = stripped(text.substr(0, start), nullptr, false, true);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> splitAt(std::string_view text, const std::string& at, std::int64_t most, bool right) {
  std::vector<std::string_view> parts;
  if (!right) {
    std::size_t found = 0;
    while (most-- != 0 && (found = text.find(at)) != std::string_view::npos) {
      parts.push_back(text.substr(0, found));
      text.remove_prefix(found + at.size());
    }
    parts.push_back(text);
    return parts;
  }
  std::size_t found = 0;
  while (most-- != 0 && (found = text.rfind(at)) != std::string_view::npos) {
    parts.push_back(text.substr(found + at.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

template <bool kRight>
Value split(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("split", given, {"sep", "maxsplit"});
  const std::int64_t most = args.integer(1, -1);
  std::vector<std::string_view> parts;
  if (!args.given(0)) {
    parts = splitAtSpaces(*self.text(), most < 0 ? INT64_MAX : most, kRight);
  } else {
    const std::string& at = textArgument("split", args[0]);
    if (at.empty()) refuse("empty separator");
    parts = splitAt(*self.text(), at, most, kRight);
  }
  machine.spend(self.text()->size() + parts.size() * 64);
  return texts(parts);
}

template <bool kEnd>
Value startsOrEnds(Machine&, const Value& self, Arguments& given) {
  const Bound args(kEnd ? "endswith" : "startswith", given, {"prefix"});
  const auto holds = [&](const Value& v) {
    const std::string& part = textArgument("startswith", &v);
    return kEnd ? self.text()->ends_with(part) : self.text()->starts_with(part);
  };
  if (!args[0]) refuse("startswith() wants a text");
  if (const Sequence* any = args[0]->sequence(); any && any->kind == Sequence::Kind::Tuple)
    return std::any_of(any->items.begin(), any->items.end(), holds);
  return holds(*args[0]);
}

template <std::string (*kChange)(std::string_view)>
Value changed(Machine& machine, const Value& self, Arguments& given) {
  const Bound none("this method", given, {});
  machine.spend(self.text()->size() * 4);
  return kChange(*self.text());
}

Value replaceText(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("replace", given, {"old", "new", "count"});
  return replaced(machine, *self.text(), textArgument("replace", args[0]), textArgument("replace", args[1]), args.integer(2, -1));
}

/// find, rfind, index, rindex: in characters.
template <bool kLast, bool kMust>
Value find(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("find", given, {"sub"});
  const std::string& what = textArgument("find", args[0]);
  machine.spend(self.text()->size());
  const std::size_t at = kLast ? self.text()->rfind(what) : self.text()->find(what);
  if (at == std::string::npos && kMust) refuse("substring not found");
  return at == std::string::npos ? Value(std::int64_t(-1)) : Value(characters(std::string_view(*self.text()).substr(0, at)));
}

Value countText(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("count", given, {"sub"});
  const std::string& what = textArgument("count", args[0]);
  machine.spend(self.text()->size());
  if (what.empty()) return characters(*self.text()) + 1;
  return std::int64_t(splitAt(*self.text(), what, -1, false).size() - 1);
}

Value lines(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("splitlines", given, {"keepends"});
  const auto parts = linesOf(*self.text(), args.truth(0));
  machine.spend(self.text()->size() + parts.size() * 64);
  return texts(parts);
}

Value joinTexts(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("join", given, {"iterable"});
  if (!args[0]) refuse("join() wants a list");
  std::string out;
  bool first = true;
  for (const Value& item : walked(machine, *args[0])) {
    if (!first) out += *self.text();
    first = false;
    out += textArgument("join", &item);
    machine.spend(item.text()->size() + self.text()->size());
  }
  return out;
}

template <bool kEnd>
Value removeAffix(Machine& machine, const Value& self, Arguments& given) {
  const Bound args(kEnd ? "removesuffix" : "removeprefix", given, {"affix"});
  const std::string& affix = textArgument("removeprefix", args[0]);
  std::string_view text = *self.text();
  machine.spend(text.size());
  if (kEnd ? text.ends_with(affix) : text.starts_with(affix))
    text = kEnd ? text.substr(0, text.size() - affix.size()) : text.substr(affix.size());
  return text;
}

template <bool kLast>
Value partition(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("partition", given, {"sep"});
  const std::string& sep = textArgument("partition", args[0]);
  if (sep.empty()) refuse("empty separator");
  const std::string& text = *self.text();
  machine.spend(text.size());
  const std::size_t at = kLast ? text.rfind(sep) : text.find(sep);
  const std::string nothing;
  Values parts;
  if (at == std::string::npos) parts = kLast ? Values{nothing, nothing, text} : Values{text, nothing, nothing};
  else parts = {text.substr(0, at), sep, text.substr(at + sep.size())};
  return Value::sequence(Sequence::Kind::Tuple, std::move(parts));
}

template <bool (*kIs)(char32_t)>
Value allAre(Machine& machine, const Value& self, Arguments& given) {
  const Bound none("this method", given, {});
  machine.spend(self.text()->size());
  for (std::size_t at = 0; at < self.text()->size();)
    if (!kIs(nextCodePoint(*self.text(), at))) return false;
  return !self.text()->empty();
}

bool isAlphabetic(char32_t c) { return (U_GET_GC_MASK(UChar32(c)) & U_GC_L_MASK) != 0; }
bool isDecimal(char32_t c) { return u_charType(UChar32(c)) == U_DECIMAL_DIGIT_NUMBER; }
bool isDigit(char32_t c) {
  const auto type = u_getIntPropertyValue(UChar32(c), UCHAR_NUMERIC_TYPE);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}
bool isNumeric(char32_t c) { return u_getIntPropertyValue(UChar32(c), UCHAR_NUMERIC_TYPE) != U_NT_NONE; }
bool isAlphanumeric(char32_t c) { return isAlphabetic(c) || isNumeric(c); }
bool isWhite(char32_t c) { return scores::isSpace(c); }

template <bool kUpper>
Value isCase(Machine& machine, const Value& self, Arguments& given) {
  const Bound none("this method", given, {});
  machine.spend(self.text()->size());
  bool any = false;
  for (std::size_t at = 0; at < self.text()->size();) {
    const auto c = UChar32(nextCodePoint(*self.text(), at));
    const bool upper = u_hasBinaryProperty(c, UCHAR_UPPERCASE), lower = u_hasBinaryProperty(c, UCHAR_LOWERCASE);
    if ((kUpper ? lower : upper) || u_istitle(c)) return false;
    any |= kUpper ? upper : lower;
  }
  return any;
}

Value fillZeros(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("zfill", given, {"width"});
  const std::int64_t missing = args.integer(0, 0) - characters(*self.text());
  if (missing <= 0) return self;
  if (missing > 1'000'000) refuse("zfill() is too wide");
  machine.spend(std::size_t(missing));
  std::string text = *self.text();
  text.insert(text.starts_with('-') || text.starts_with('+') ? 1 : 0, std::size_t(missing), '0');
  return text;
}

const std::map<std::string, Method, std::less<>>& textMethods() {
  static const std::map<std::string, Method, std::less<>> methods{{"strip", strip<true, true>},
                                                                  {"lstrip", strip<true, false>},
                                                                  {"rstrip", strip<false, true>},
                                                                  {"split", split<false>},
                                                                  {"rsplit", split<true>},
                                                                  {"startswith", startsOrEnds<false>},
                                                                  {"endswith", startsOrEnds<true>},
                                                                  {"lower", changed<lowered>},
                                                                  {"upper", changed<uppered>},
                                                                  {"capitalize", changed<capitalized>},
                                                                  {"title", changed<titled>},
                                                                  {"replace", replaceText},
                                                                  {"find", find<false, false>},
                                                                  {"rfind", find<true, false>},
                                                                  {"index", find<false, true>},
                                                                  {"rindex", find<true, true>},
                                                                  {"count", countText},
                                                                  {"splitlines", lines},
                                                                  {"join", joinTexts},
                                                                  {"removeprefix", removeAffix<false>},
                                                                  {"removesuffix", removeAffix<true>},
                                                                  {"partition", partition<false>},
                                                                  {"rpartition", partition<true>},
                                                                  {"isspace", allAre<isWhite>},
                                                                  {"isalpha", allAre<isAlphabetic>},
                                                                  {"isdecimal", allAre<isDecimal>},
                                                                  {"isdigit", allAre<isDigit>},
                                                                  {"isnumeric", allAre<isNumeric>},
                                                                  {"isalnum", allAre<isAlphanumeric>},
                                                                  {"isupper", isCase<true>},
                                                                  {"islower", isCase<false>},
                                                                  {"zfill", fillZeros}};
  return methods;
}

Value indexIn(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("index", given, {"value"});
  if (!args[0]) refuse("index() wants a value");
  const Values& items = self.sequence()->items;
  machine.spend(self.weight());
  const auto at = std::find_if(items.begin(), items.end(), [&](const Value& v) { return equal(v, *args[0]); });
  if (at == items.end()) refuse("the value is not in the list");
  return std::int64_t(at - items.begin());
}

Value countIn(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("count", given, {"value"});
  if (!args[0]) refuse("count() wants a value");
  const Values& items = self.sequence()->items;
  machine.spend(self.weight());
  return std::int64_t(std::count_if(items.begin(), items.end(), [&](const Value& v) { return equal(v, *args[0]); }));
}

template <int kWhat>
Value viewOf(Machine& machine, const Value& self, Arguments& given) {
  const Bound none("this method", given, {});
  Values items;
  for (const auto& [key, value] : self.mapping()->items)
    items.push_back(kWhat == 0 ? key : kWhat == 1 ? value : Value::sequence(Sequence::Kind::Tuple, {key, value}));
  machine.spend(items.size() * 64);
  return Value::sequence(Sequence::Kind::View, std::move(items));
}

Value getFrom(Machine& machine, const Value& self, Arguments& given) {
  const Bound args("get", given, {"key", "default"});
  if (!args[0]) refuse("get() wants a key");
  requireKey(*args[0]);
  machine.spend(self.mapping()->items.size() * 16);
  const Value* found = self.mapping()->find(*args[0]);
  return found ? *found : args[1] ? *args[1] : Value::none();
}

Value copyOf(Machine&, const Value& self, Arguments& given) {
  const Bound none("copy", given, {});
  return self;
}

Method methodNamed(const Value& on, const std::string& name) {
  if (on.text()) {
    const auto found = textMethods().find(name);
    return found == textMethods().end() ? nullptr : found->second;
  }
  if (on.mapping()) {
    if (name == "keys") return viewOf<0>;
    if (name == "values") return viewOf<1>;
    if (name == "items") return viewOf<2>;
    if (name == "get") return getFrom;
    return name == "copy" ? copyOf : nullptr;
  }
  if (const Sequence* s = on.sequence(); s && s->kind <= Sequence::Kind::Range) {
    if (name == "index") return indexIn;
    if (name == "count") return countIn;
    if (name == "copy" && s->kind == Sequence::Kind::List) return copyOf;
  }
  return nullptr;
}

Value loopMember(const Value& on, const std::string& name) {
  Loop& loop = *on.loop();
  if (!loop.items) refuse("'loop' is used outside of its for");
  const auto size = std::int64_t(loop.items->size()), index = std::int64_t(loop.index);
  if (name == "index") return index + 1;
  if (name == "index0") return index;
  if (name == "revindex") return size - index;
  if (name == "revindex0") return size - index - 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == size;
  if (name == "length") return size;
  if (name == "depth") return std::int64_t(loop.depth);
  if (name == "depth0") return std::int64_t(loop.depth - 1);
  if (name == "previtem") return index > 0 ? (*loop.items)[loop.index - 1] : Value::undefined("there is no previous item");
  if (name == "nextitem") return index + 1 < size ? (*loop.items)[loop.index + 1] : Value::undefined("there is no next item");
  const auto function = [&](auto body) {
    return Value(Value::Any(std::make_shared<const Callable>(Callable{name, [on, body](Arguments& a) { return body(*on.loop(), a); }})));
  };
  if (name == "cycle")
    return function([](Loop& l, Arguments& a) {
      if (a.positional.empty()) refuse("no items for cycling given");
      return a.positional[l.index % a.positional.size()];
    });
  if (name == "changed")
    return function([](Loop& l, Arguments& a) {
      const bool same = l.everChanged && l.changed.size() == a.positional.size() &&
                        std::equal(l.changed.begin(), l.changed.end(), a.positional.begin(), equal);
      l.everChanged = true;
      l.changed = a.positional;
      return Value(!same);
    });
  return Value::undefined("'loop' has no attribute '" + name + "'");
}

std::string lacks(const Value& on, const std::string& what) {
  return std::string("'") + on.typeName() + " object' has no attribute '" + what + "'";
}

}  // namespace

Values walked(Machine& machine, const Value& value) {
  std::int64_t length = 0;
  lengthOf(value, length);
  machine.spend(std::size_t(length) * (value.text() ? 80 : 24));
  return itemsOf(value);
}

Value methodOf(Machine& machine, const Value& on, const std::string& name) {
  const Method method = methodNamed(on, name);
  if (!method) return Value::undefined(lacks(on, name));
  Machine* m = &machine;
  return Value(Value::Any(std::make_shared<const Callable>(Callable{name, [m, on, method](Arguments& a) { return method(*m, on, a); }})));
}

Value memberOf(Machine& machine, const Value& on, const std::string& name) {
  // As in Jinja an attribute with two underscores is asked of the undefined value itself, and lacks; what is unsafe stays refused.
  if (const auto* undefined = on.as<UndefinedValue>())
    if (!name.starts_with("__") || (undefined->why && undefined->why->starts_with(kUnsafe))) refuseUndefined(on);
  if (on.loop()) return loopMember(on, name);
  if (const Namespace* space = on.nameSpace()) {
    for (const auto& [key, value] : space->items)
      if (key == name) return value;
    return Value::undefined(lacks(on, name));
  }
  if (methodNamed(on, name)) return methodOf(machine, on, name);
  if (const Mapping* m = on.mapping()) {
    machine.spend(m->items.size() * 16);
    if (const Value* found = m->find(Value(name))) return *found;
  }
  if (name.starts_with("__")) return Value::undefined(kUnsafe + name + "' is unsafe");
  return Value::undefined(lacks(on, name));
}

Value itemOf(Machine& machine, const Value& on, const Value& key) {
  if (on.isUndefined()) refuseUndefined(on);
  if (const Mapping* m = on.mapping()) {
    machine.spend(m->items.size() * 16);
    if (const Value* found = m->find(key)) return *found;
  }
  std::int64_t at = 0;
  const Sequence* s = on.sequence();
  const bool indexed = (s && s->kind <= Sequence::Kind::Range) || on.text();
  if (indexed && key.integer(at)) {
    const std::int64_t length = s ? std::int64_t(s->items.size()) : characters(*on.text());
    if (!s) machine.spend(on.text()->size());
    if (at < 0) at += length;
    if (at < 0 || at >= length) return Value::undefined(std::string(on.typeName()) + " object has no element " + textOf(key));
    if (s) return s->items[std::size_t(at)];
    const std::size_t from = byteOf(*on.text(), at);
    return std::string_view(*on.text()).substr(from, byteOf(std::string_view(*on.text()).substr(from), 1));
  }
  if (const std::string* name = key.text()) {
    if (on.loop() || on.nameSpace()) return memberOf(machine, on, *name);
    if (methodNamed(on, *name)) return methodOf(machine, on, *name);
    return Value::undefined(lacks(on, *name));
  }
  return Value::undefined(std::string(on.typeName()) + " object has no such element");
}

}  // namespace cloister::jinja
