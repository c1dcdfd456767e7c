// Arithmetic, comparisons and slices of a chat template, as Python does them. Source: CPython 3.11, Objects/longobject.c, sliceobject.c.
#include <algorithm>
#include <cmath>

#include "core/text/jinja/machine.h"
#include "core/text/scores/python_text.h"

namespace cloister::jinja {
namespace {

[[noreturn]] void unsupported(const std::string& sign, const Value& a, const Value& b) {
  refuse("unsupported operand types for " + sign + ": '" + a.typeName() + "' and '" + b.typeName() + "'");
}

[[noreturn]] void tooLarge() { refuse("a number needs more than 64 bits"); }

std::int64_t floorDivided(std::int64_t a, std::int64_t b) {
  if (b == -1) {
    std::int64_t out = 0;
    if (__builtin_sub_overflow(std::int64_t(0), a, &out)) tooLarge();
    return out;
  }
  const std::int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

double floorModulo(double a, double b) {
  double m = std::fmod(a, b);
  if (m != 0 && (b < 0) != (m < 0)) m += b;
  else if (m == 0) m = std::copysign(0.0, b);
  return m;
}

double floorQuotient(double a, double b) {
  double m = std::fmod(a, b), q = (a - m) / b;
  if (m != 0 && (b < 0) != (m < 0)) q -= 1;
  if (q == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(q);
  return q - floor > 0.5 ? floor + 1 : floor;
}

Value integerPower(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) refuse("0.0 cannot be raised to a negative power");
    return std::pow(double(base), double(exponent));
  }
  std::int64_t out = 1;
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(out, base, &out)) tooLarge();
    if (base == 0 || base == 1) return out;
    if (base == -1) return std::int64_t(exponent % 2 ? -1 : 1);
  }
  return out;
}

Value integers(char sign, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool over = false;
  switch (sign) {
    case '+':
      over = __builtin_add_overflow(a, b, &out);
      break;
    case '-':
      over = __builtin_sub_overflow(a, b, &out);
      break;
    case '*':
      over = __builtin_mul_overflow(a, b, &out);
      break;
    case '%':
      if (b == 0) refuse("integer modulo by zero");
      return b == -1 ? std::int64_t(0) : a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0);
    default:
      if (b == 0) refuse("integer division or modulo by zero");
      return floorDivided(a, b);
  }
  if (over) tooLarge();
  return out;
}

Value floats(const std::string& sign, double a, double b) {
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "**") {
    if (a == 0 && b < 0) refuse("0.0 cannot be raised to a negative power");
    const double power = std::pow(a, b);
    if (std::isnan(power) || (std::isinf(power) && std::isfinite(a) && std::isfinite(b))) refuse("the power is no number that fits");
    return power;
  }
  if (b == 0) refuse("float division by zero");
  if (sign == "/") return a / b;
  return sign == "//" ? floorQuotient(a, b) : floorModulo(a, b);
}

Value repeated(Machine& machine, const Value& what, std::int64_t times) {
  times = std::max<std::int64_t>(times, 0);
  const std::string* text = what.text();
  const std::size_t one = text ? text->size() : what.sequence()->items.size() * 16;
  if (one > 0 && std::size_t(times) > (std::size_t(1) << 32) / one) refuse("the repeated value is too large");
  machine.spend(one * std::size_t(times));
  if (text) {
    std::string out;
    out.reserve(one * std::size_t(times));
    for (std::int64_t i = 0; i < times; ++i) out += *text;
    return out;
  }
  Values items;
  for (std::int64_t i = 0; i < times && one > 0; ++i)
    items.insert(items.end(), what.sequence()->items.begin(), what.sequence()->items.end());
  return Value::sequence(what.sequence()->kind, std::move(items));
}

bool listLike(const Value& v) { return v.sequence() && v.sequence()->kind <= Sequence::Kind::Tuple; }

/// Python's slice.indices for a length.
struct Steps {
  std::int64_t from, to, step;
};
Steps stepsOf(const Value& from, const Value& to, const Value& step, std::int64_t length) {
  Steps s{0, 0, 1};
  const auto read = [](const Value& v, std::int64_t& out) {
    if (v.isNone()) return false;
    if (!v.integer(out)) refuse("slice indices must be integers or None");
    return true;
  };
  if (read(step, s.step) && s.step == 0) refuse("slice step cannot be zero");
  s.step = std::max(s.step, -INT64_MAX);
  const std::int64_t low = s.step < 0 ? -1 : 0, high = s.step < 0 ? length - 1 : length;
  const auto bound = [&](const Value& v, std::int64_t standard) {
    std::int64_t at = 0;
    if (!read(v, at)) return standard;
    return at < 0 ? std::max(at + length, low) : std::min(at, high);
  };
  s.from = bound(from, s.step < 0 ? high : low);
  s.to = bound(to, s.step < 0 ? low : high);
  return s;
}

template <class Take>
void walk(const Steps& s, const Take& take) {
  if (s.step > 0)
    for (std::int64_t i = s.from; i < s.to; i += std::min(s.step, s.to - i)) take(i);
  else
    for (std::int64_t i = s.from; i > s.to; i -= std::min(-s.step, i - s.to)) take(i);
}

}  // namespace

Value computed(Machine& machine, const std::string& sign, const Value& a, const Value& b) {
  for (const Value* v : {&a, &b})
    if (v->isUndefined()) refuseUndefined(*v);
  std::int64_t i = 0, j = 0;
  if (a.integer(i) && b.integer(j)) {
    if (sign == "**") return integerPower(i, j);
    if (sign != "/") return integers(sign[0], i, j);
    if (j == 0) refuse("division by zero");
    return double(i) / double(j);
  }
  double x = 0, y = 0;
  if (a.number(x) && b.number(y)) return floats(sign, x, y);
  if (sign == "+" && a.text() && b.text()) {
    machine.spend(a.text()->size() + b.text()->size());
    return *a.text() + *b.text();
  }
  if (sign == "+" && listLike(a) && listLike(b) && a.sequence()->kind == b.sequence()->kind) {
    Values items = a.sequence()->items;
    items.insert(items.end(), b.sequence()->items.begin(), b.sequence()->items.end());
    machine.spend(items.size() * 16);
    return Value::sequence(a.sequence()->kind, std::move(items));
  }
  if (sign == "*" && (a.text() || listLike(a)) && b.integer(j)) return repeated(machine, a, j);
  if (sign == "*" && (b.text() || listLike(b)) && a.integer(i)) return repeated(machine, b, i);
  if (sign == "%" && a.text()) refuse("formatting with % is not known here; use ~");
  unsupported(sign, a, b);
}

bool compared(Machine& machine, const std::string& sign, const Value& a, const Value& b) {
  machine.spend(a.weight() + b.weight());
  if (sign == "==") return equal(a, b);
  if (sign == "!=") return !equal(a, b);
  if (sign == "in") return contains(b, a);
  if (sign == "not in") return !contains(b, a);
  if (sign == "<") return less(a, b);
  if (sign == ">") return less(b, a);
  double x = 0, y = 0;
  if (a.number(x) && b.number(y) && (std::isnan(x) || std::isnan(y))) return false;
  return sign == "<=" ? !less(b, a) : !less(a, b);
}

Value sliced(Machine& machine, const Value& on, const Value& from, const Value& to, const Value& step) {
  for (const Value* v : {&on, &from, &to, &step})
    if (v->isUndefined()) refuseUndefined(*v);
  if (const std::string* text = on.text()) {
    machine.spend(text->size());
    const Steps s = stepsOf(from, to, step, characters(*text));
    if (s.step == 1) {
      const std::size_t first = byteOf(*text, s.from);
      return text->substr(first, s.to <= s.from ? 0 : byteOf(std::string_view(*text).substr(first), s.to - s.from));
    }
    std::u32string all;
    scores::toCharacters(*text, all);
    std::string out;
    walk(s, [&](std::int64_t i) { scores::append(out, all[std::size_t(i)]); });
    return out;
  }
  const Sequence* s = on.sequence();
  if (!s || s->kind > Sequence::Kind::Range) refuse(std::string("'") + on.typeName() + "' object is not subscriptable");
  Values items;
  walk(stepsOf(from, to, step, std::int64_t(s->items.size())), [&](std::int64_t i) { items.push_back(s->items[std::size_t(i)]); });
  machine.spend(items.size() * 16);
  return Value::sequence(s->kind, std::move(items));
}

}  // namespace cloister::jinja
