// The tests behind `is`. Source: Jinja 3.1, tests.py.
#include <cmath>
#include <map>

#include "core/text/jinja/machine.h"

namespace cloister::jinja {
namespace {

using Test = bool (*)(Machine&, const Value& on, Arguments&);

const Value& other(Arguments& given) {
  if (given.positional.size() != 1 || !given.named.empty()) refuse("this test wants one value");
  return given.positional[0];
}

void nothing(const Arguments& given) {
  if (!given.positional.empty() || !given.named.empty()) refuse("this test takes no value");
}

template <auto kIs>
bool plain(Machine&, const Value& on, Arguments& given) {
  nothing(given);
  return kIs(on);
}

template <const char* kSign>
bool comparison(Machine& machine, const Value& on, Arguments& given) {
  return compared(machine, kSign, on, other(given));
}

/// value % by == wanted
bool leaves(Machine& machine, const Value& on, const Value& by, std::int64_t wanted) {
  return equal(computed(machine, "%", on, by), Value(wanted));
}

bool divisible(Machine& machine, const Value& on, Arguments& given) { return leaves(machine, on, other(given), 0); }

template <std::int64_t kWanted>
bool halves(Machine& machine, const Value& on, Arguments& given) {
  nothing(given);
  return leaves(machine, on, Value(std::int64_t(2)), kWanted);
}

bool same(Machine&, const Value& on, Arguments& given) {
  const Value& with = other(given);
  if (on.typeName() != with.typeName()) return false;
  if (on.mapping()) return on.mapping() == with.mapping();
  if (on.sequence()) return on.sequence() == with.sequence();
  return equal(on, with);
}

bool nameOf(const Value& on, bool (*known)(const std::string&)) { return on.text() && known(*on.text()); }

bool isIterable(const Value& v) { return v.isUndefined() || v.text() || v.sequence() || v.mapping(); }

constexpr char kEq[] = "==", kNe[] = "!=", kLt[] = "<", kLe[] = "<=", kGt[] = ">", kGe[] = ">=", kIn[] = "in";

const std::map<std::string, Test, std::less<>>& tests() {
  static const std::map<std::string, Test, std::less<>> all{
      {"defined", plain<[](const Value& v) { return !v.isUndefined(); }>},
      {"undefined", plain<[](const Value& v) { return v.isUndefined(); }>},
      {"none", plain<[](const Value& v) { return v.isNone(); }>},
      {"string", plain<[](const Value& v) { return v.text() != nullptr; }>},
      {"mapping", plain<[](const Value& v) { return v.mapping() != nullptr; }>},
      {"number", plain<[](const Value& v) { return v.isNumber(); }>},
      {"boolean", plain<[](const Value& v) { return v.as<bool>() != nullptr; }>},
      {"integer", plain<[](const Value& v) { return v.as<std::int64_t>() != nullptr; }>},
      {"float", plain<[](const Value& v) { return v.as<double>() != nullptr; }>},
      {"true", plain<[](const Value& v) { return v.as<bool>() && *v.as<bool>(); }>},
      {"false", plain<[](const Value& v) { return v.as<bool>() && !*v.as<bool>(); }>},
      {"iterable", plain<isIterable>},
      {"sequence", plain<[](const Value& v) { return isIterable(v) && !(v.sequence() && v.sequence()->kind > Sequence::Kind::Range); }>},
      {"callable", plain<[](const Value& v) { return v.isUndefined() || v.callable() || v.loop(); }>},
      {"lower",
       plain<[](const Value& v) { return !textOf(v).empty() && textOf(v) == lowered(textOf(v)) && textOf(v) != uppered(textOf(v)); }>},
      {"upper",
       plain<[](const Value& v) { return !textOf(v).empty() && textOf(v) == uppered(textOf(v)) && textOf(v) != lowered(textOf(v)); }>},
      {"filter", plain<[](const Value& v) { return nameOf(v, isFilter); }>},
      {"test", plain<[](const Value& v) { return nameOf(v, isTest); }>},
      {"odd", halves<1>},
      {"even", halves<0>},
      {"divisibleby", divisible},
      {"sameas", same},
      {"eq", comparison<kEq>},
      {"equalto", comparison<kEq>},
      {"==", comparison<kEq>},
      {"ne", comparison<kNe>},
      {"!=", comparison<kNe>},
      {"lt", comparison<kLt>},
      {"lessthan", comparison<kLt>},
      {"<", comparison<kLt>},
      {"le", comparison<kLe>},
      {"<=", comparison<kLe>},
      {"gt", comparison<kGt>},
      {"greaterthan", comparison<kGt>},
      {">", comparison<kGt>},
      {"ge", comparison<kGe>},
      {">=", comparison<kGe>},
      {"in", comparison<kIn>}};
  return all;
}

}  // namespace

bool isTest(const std::string& name) { return tests().contains(name); }

bool tested(Machine& machine, const std::string& name, const Value& on, Arguments& given) {
  const auto found = tests().find(name);
  if (found == tests().end()) refuse("no test named '" + name + "'");
  machine.spend(16);
  return found->second(machine, on, given);
}

}  // namespace cloister::jinja
