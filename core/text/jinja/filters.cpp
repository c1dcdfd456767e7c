// The filters behind |. Source: Jinja 3.1, filters.py, and transformers' tojson.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/text/jinja/machine.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

using Filter = Value (*)(Machine&, const Value& on, Arguments&);

/// textOf, with the work counted.
std::string asText(Machine& machine, const Value& v) {
  machine.spend(v.weight());
  return textOf(v);
}

Value generator(Values items) { return Value::sequence(Sequence::Kind::Generator, std::move(items)); }

template <std::string (*kChange)(std::string_view)>
Value changed(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("this filter", given, {});
  return kChange(asText(machine, on));
}

/// Jinja's own title: words begin behind white space, - ( { [ <.
std::string titleWords(std::string_view text) {
  std::string out;
  std::size_t start = 0;
  const auto word = [&](std::size_t end) {
    if (end == start) return;
    std::size_t first = start;
    nextCodePoint(text, first);
    out += uppered(text.substr(start, first - start)) + lowered(text.substr(first, end - first));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = nextCodePoint(text, at);
    const std::string_view character = text.substr(from, at - from);
    if (!stripped(character, nullptr, true, false).empty() && std::u32string_view(U"-({[<").find(c) == std::u32string_view::npos) continue;
    word(from);
    out += character;
    start = at;
  }
  word(text.size());
  return out;
}

Value trim(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("trim", given, {"chars"});
  const std::string text = asText(machine, on);
  if (args.given(0) && !args[0]->text()) refuse("trim wants a text");
  return stripped(text, args.given(0) ? args[0]->text() : nullptr, true, true);
}

Value standard(Machine&, const Value& on, Arguments& given) {
  const Bound args("default", given, {"default_value", "boolean"});
  if (!on.isUndefined() && !(args.truth(1) && !on.truth())) return on;
  return args[0] ? *args[0] : Value(std::string());
}

Value length(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("length", given, {});
  std::int64_t n = 0;
  if (on.text()) machine.spend(on.text()->size());
  if (!lengthOf(on, n)) refuse(std::string("object of type '") + on.typeName() + "' has no len()");
  return n;
}

Value first(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("first", given, {});
  if (on.text()) return itemOf(machine, on, Value(std::int64_t(0)));
  const Values items = walked(machine, on);
  return items.empty() ? Value::undefined("No first item, sequence was empty.") : items.front();
}

Value last(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("last", given, {});
  if (on.text()) return itemOf(machine, on, Value(std::int64_t(-1)));
  if (on.sequence() && on.sequence()->kind == Sequence::Kind::Generator) refuse("'generator' object is not reversible");
  const Values items = walked(machine, on);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

/// A dotted name, or a number, of each item.
Value attributeOf(Machine& machine, Value item, const Value& path) {
  if (!path.text()) return itemOf(machine, item, path);
  std::string_view rest = *path.text();
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string part(rest.substr(0, dot));
    const bool digits = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    item = itemOf(machine, item, digits ? Value(std::int64_t(std::stol(part))) : Value(part));
    if (dot == std::string_view::npos) return item;
    rest.remove_prefix(dot + 1);
  }
}

Value join(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("join", given, {"d", "attribute"});
  const std::string between = args.text(0);
  std::string out;
  bool begun = false;
  for (const Value& item : walked(machine, on)) {
    if (begun) out += between;
    begun = true;
    out += asText(machine, args.given(1) ? attributeOf(machine, item, *args[1]) : item);
    machine.spend(between.size());
  }
  return out;
}

Value list(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("list", given, {});
  return Value::list(walked(machine, on));
}

Value items(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("items", given, {});
  if (on.isUndefined()) return generator({});
  if (!on.mapping()) refuse("Can only get item pairs from a mapping.");
  Values pairs;
  for (const auto& [key, value] : on.mapping()->items) pairs.push_back(Value::sequence(Sequence::Kind::Tuple, {key, value}));
  machine.spend(pairs.size() * 64);
  return generator(std::move(pairs));
}

Value string(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("string", given, {});
  return on.text() ? on : Value(asText(machine, on));
}

/// A float as Python reads it from a text; false for what is none.
bool readFloat(std::string_view text, double& out) {
  const std::string trimmed(stripped(text, nullptr, true, true));
  if (trimmed.empty() || trimmed.find_first_not_of("0123456789+-.eE") != std::string::npos) {
    const std::string word = lowered(trimmed);
    const bool negative = word.starts_with('-');
    const std::string rest = word.substr(negative || word.starts_with('+') ? 1 : 0);
    if (rest == "nan") return out = NAN, true;
    if (rest != "inf" && rest != "infinity") return false;
    return out = negative ? -INFINITY : INFINITY, true;
  }
  char* end = nullptr;
  out = std::strtod(trimmed.c_str(), &end);
  return *end == '\0';
}

bool readInteger(std::string_view text, std::int64_t base, std::int64_t& out) {
  std::string digits(stripped(text, nullptr, true, true));
  if (base == 16 && (digits.starts_with("0x") || digits.starts_with("0X"))) digits.erase(0, 2);
  const std::size_t start = !digits.empty() && (digits[0] == '-' || digits[0] == '+') ? 1 : 0;
  if (digits.size() == start || base < 2 || base > 36) return false;
  char* end = nullptr;
  errno = 0;
  out = std::strtoll(digits.c_str(), &end, int(base));
  if (errno == ERANGE) refuse("a number needs more than 64 bits");
  return *end == '\0' && digits.find_first_of(" \t\n") == std::string::npos;
}

Value whole(double d, const Value& otherwise) {
  if (!std::isfinite(d)) return otherwise;
  if (std::abs(d) >= 0x1p63) refuse("a number needs more than 64 bits");
  return std::int64_t(d);
}

Value toInteger(Machine&, const Value& on, Arguments& given) {
  const Bound args("int", given, {"default", "base"});
  const Value otherwise = args[0] ? *args[0] : Value(std::int64_t(0));
  if (on.isUndefined()) refuseUndefined(on);
  std::int64_t i = 0;
  if (on.integer(i)) return i;
  double d = 0;
  if (on.number(d)) {
    if (std::isinf(d)) refuse("cannot convert float infinity to integer");
    return whole(d, otherwise);
  }
  if (!on.text()) return otherwise;
  if (readInteger(*on.text(), args.integer(1, 10), i)) return i;
  return readFloat(*on.text(), d) ? whole(d, otherwise) : otherwise;
}

Value toFloat(Machine&, const Value& on, Arguments& given) {
  const Bound args("float", given, {"default"});
  if (on.isUndefined()) refuseUndefined(on);
  double d = 0;
  if (on.number(d) || (on.text() && readFloat(*on.text(), d))) return d;
  return args[0] ? *args[0] : Value(0.0);
}

Value absolute(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("abs", given, {});
  if (on.isUndefined()) refuseUndefined(on);
  if (const double* d = on.as<double>()) return std::abs(*d);
  std::int64_t i = 0;
  if (!on.integer(i)) refuse(std::string("bad operand type for abs(): '") + on.typeName() + "'");
  return i < 0 ? computed(machine, "-", Value(std::int64_t(0)), on) : Value(i);
}

Value rounded(Machine&, const Value& on, Arguments& given) {
  const Bound args("round", given, {"precision", "method"});
  const std::int64_t precision = args.integer(0, 0);
  const std::string method = args.text(1, "common");
  if (on.isUndefined()) refuseUndefined(on);
  double d = 0;
  if (!on.number(d)) refuse("round wants a number");
  if (precision < 0 || precision > 15) refuse("round wants a precision from 0 to 15");
  std::int64_t i = 0;
  if (method == "common") {
    if (on.integer(i)) return i;
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, "%.*f", int(precision), d);
    return std::strtod(buffer, nullptr);
  }
  if (method != "ceil" && method != "floor") refuse("method must be common, ceil or floor");
  const double scale = std::pow(10.0, double(precision));
  return (method == "ceil" ? std::ceil(d * scale) : std::floor(d * scale)) / scale;
}

Value replace(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("replace", given, {"old", "new", "count"});
  if (!args[0] || !args[1]) refuse("replace wants what and by what");
  return replaced(machine, asText(machine, on), args.text(0), args.text(1), args.integer(2, -1));
}

Value reversed(Machine& machine, const Value& on, Arguments& given) {
  const Bound none("reverse", given, {});
  if (on.text()) return sliced(machine, on, Value::none(), Value::none(), Value(std::int64_t(-1)));
  if (on.sequence() && on.sequence()->kind == Sequence::Kind::Generator) refuse("argument must be iterable");
  Values all = walked(machine, on);
  std::reverse(all.begin(), all.end());
  return generator(std::move(all));
}

Value indented(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("indent", given, {"width", "first", "blank"});
  const std::int64_t width = args[0] && args[0]->text() ? 0 : args.integer(0, 4);
  if (width > 1000) refuse("the indent is too wide");
  const std::string by = args[0] && args[0]->text() ? *args[0]->text() : std::string(std::size_t(std::max<std::int64_t>(width, 0)), ' ');
  if (!on.text()) refuse("indent wants a text");
  const std::string text = *on.text() + '\n';
  const auto lines = linesOf(text, false);
  machine.spend(text.size() + lines.size() * by.size());
  std::string out = args.truth(1) ? by : std::string();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i > 0 && (args.truth(2) || !lines[i].empty())) out += by;
    out += lines[i];
  }
  return out;
}

Value json(Machine& machine, const Value& on, Arguments& given) {
  return jsonOf(machine, on, Bound("tojson", given, {"ensure_ascii", "indent", "separators", "sort_keys"}));
}

// Filters over lists.

Value map(Machine& machine, const Value& on, Arguments& given) {
  Values out;
  if (!on.truth()) return generator({});
  if (given.positional.empty()) {
    const Bound args("map", given, {"attribute", "default"});
    if (!args[0]) refuse("map requires a filter argument");
    for (const Value& item : walked(machine, on)) {
      Value v = attributeOf(machine, item, *args[0]);
      out.push_back(v.isUndefined() && args[1] ? *args[1] : v);
    }
    return generator(std::move(out));
  }
  const std::string name = textOf(given.positional[0]);
  for (const Value& item : walked(machine, on)) {
    Arguments rest{{given.positional.begin() + 1, given.positional.end()}, given.named};
    out.push_back(filtered(machine, name, item, rest));
  }
  return generator(std::move(out));
}

/// select, reject (kAttribute false), selectattr, rejectattr.
template <bool kAttribute, bool kKeep>
Value select(Machine& machine, const Value& on, Arguments& given) {
  const std::size_t at = kAttribute ? 1 : 0;
  if (given.positional.size() < at) refuse("Missing parameter for attribute name");
  if (!on.truth()) return generator({});
  const bool hasTest = given.positional.size() > at;
  const std::string name = hasTest ? textOf(given.positional[at]) : std::string();
  Values out;
  for (const Value& item : walked(machine, on)) {
    const Value value = kAttribute ? attributeOf(machine, item, given.positional[0]) : item;
    Arguments rest;
    if (hasTest) rest = {{given.positional.begin() + std::ptrdiff_t(at) + 1, given.positional.end()}, given.named};
    if ((hasTest ? tested(machine, name, value, rest) : value.truth()) == kKeep) out.push_back(item);
  }
  return generator(std::move(out));
}

/// What lists are ordered by: texts in lower case unless asked otherwise.
Value orderKey(Machine& machine, const Value& item, const Value& attribute, bool cased) {
  const Value v = attribute.isNone() || attribute.isUndefined() ? item : attributeOf(machine, item, attribute);
  return v.text() && !cased ? Value(lowered(*v.text())) : v;
}

Values inOrder(Machine& machine, Values all, const Value& attribute, bool cased, bool reverse) {
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : all) keyed.emplace_back(orderKey(machine, item, attribute, cased), std::move(item));
  const auto before = [&](const auto& a, const auto& b) {
    machine.spend(a.first.weight() + b.first.weight());
    return reverse ? less(b.first, a.first) : less(a.first, b.first);
  };
  std::stable_sort(keyed.begin(), keyed.end(), before);
  Values out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return out;
}

Value sorted(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("sort", given, {"reverse", "case_sensitive", "attribute"});
  return Value::list(inOrder(machine, walked(machine, on), args[2] ? *args[2] : Value::none(), args.truth(1), args.truth(0)));
}

Value sortedMapping(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("dictsort", given, {"case_sensitive", "by", "reverse"});
  if (!on.mapping()) refuse("dictsort wants a mapping");
  const std::string by = args.text(1, "key");
  if (by != "key" && by != "value") refuse("You can only sort by either \"key\" or \"value\"");
  Values pairs;
  for (const auto& [key, value] : on.mapping()->items) pairs.push_back(Value::sequence(Sequence::Kind::Tuple, {key, value}));
  return Value::list(inOrder(machine, std::move(pairs), Value(std::int64_t(by == "key" ? 0 : 1)), args.truth(0), args.truth(2)));
}

Value unique(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("unique", given, {"case_sensitive", "attribute"});
  Values seen, out;
  for (const Value& item : walked(machine, on)) {
    const Value key = orderKey(machine, item, args[1] ? *args[1] : Value::none(), args.truth(0));
    requireKey(key);
    machine.spend(key.weight() * (seen.size() + 1));
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& v) { return equal(v, key); })) continue;
    seen.push_back(key);
    out.push_back(item);
  }
  return generator(std::move(out));
}

template <bool kLargest>
Value extreme(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("min", given, {"case_sensitive", "attribute"});
  const Values all = walked(machine, on);
  if (all.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  const Value attribute = args[1] ? *args[1] : Value::none();
  std::size_t best = 0;
  Value bestKey = orderKey(machine, all[0], attribute, args.truth(0));
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Value key = orderKey(machine, all[i], attribute, args.truth(0));
    machine.spend(key.weight());
    if (kLargest ? !less(bestKey, key) : !less(key, bestKey)) continue;
    best = i;
    bestKey = key;
  }
  return all[best];
}

Value sum(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("sum", given, {"attribute", "start"});
  Value total = args[1] ? *args[1] : Value(std::int64_t(0));
  for (const Value& item : walked(machine, on))
    total = computed(machine, "+", total, args.given(0) ? attributeOf(machine, item, *args[0]) : item);
  return total;
}

Value attribute(Machine& machine, const Value& on, Arguments& given) {
  const Bound args("attr", given, {"name"});
  if (on.mapping()) return methodOf(machine, on, args.text(0));
  return memberOf(machine, on, args.text(0));
}

const std::map<std::string, Filter, std::less<>>& filters() {
  static const std::map<std::string, Filter, std::less<>> all{{"abs", absolute},
                                                              {"attr", attribute},
                                                              {"capitalize", changed<capitalized>},
                                                              {"count", length},
                                                              {"d", standard},
                                                              {"default", standard},
                                                              {"dictsort", sortedMapping},
                                                              {"first", first},
                                                              {"float", toFloat},
                                                              {"indent", indented},
                                                              {"int", toInteger},
                                                              {"items", items},
                                                              {"join", join},
                                                              {"last", last},
                                                              {"length", length},
                                                              {"list", list},
                                                              {"lower", changed<lowered>},
                                                              {"map", map},
                                                              {"max", extreme<true>},
                                                              {"min", extreme<false>},
                                                              {"reject", select<false, false>},
                                                              {"rejectattr", select<true, false>},
                                                              {"replace", replace},
                                                              {"reverse", reversed},
                                                              {"round", rounded},
                                                              {"select", select<false, true>},
                                                              {"selectattr", select<true, true>},
                                                              {"sort", sorted},
                                                              {"string", string},
                                                              {"sum", sum},
                                                              {"title", changed<titleWords>},
                                                              {"tojson", json},
                                                              {"trim", trim},
                                                              {"unique", unique},
                                                              {"upper", changed<uppered>}};
  return all;
}

}  // namespace

Bound::Bound(const std::string& function, Arguments& arguments, std::initializer_list<const char*> names)
    : function_(function), slots_(names.size(), nullptr) {
  if (arguments.positional.size() > names.size()) refuse(function_ + "() takes at most " + std::to_string(names.size()) + " values");
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) slots_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) refuse(function_ + "() got an unexpected keyword argument '" + name + "'");
    const Value*& slot = slots_[std::size_t(known - names.begin())];
    if (slot) refuse(function_ + "() got several values for '" + name + "'");
    slot = &value;
  }
}

std::string Bound::text(std::size_t i, std::string_view standard) const { return slots_[i] ? textOf(*slots_[i]) : std::string(standard); }

std::int64_t Bound::integer(std::size_t i, std::int64_t standard) const {
  if (!given(i)) return standard;
  std::int64_t out = 0;
  if (slots_[i]->isUndefined()) refuseUndefined(*slots_[i]);
  if (!slots_[i]->integer(out)) refuse(function_ + "() wants a whole number");
  return out;
}

bool isFilter(const std::string& name) { return filters().contains(name); }

Value filtered(Machine& machine, const std::string& name, const Value& on, Arguments& given) {
  const auto found = filters().find(name);
  if (found == filters().end()) refuse("no filter named '" + name + "'");
  machine.spend(16);
  return found->second(machine, on, given);
}

}  // namespace cloister::jinja
