// What a chat template computes with: Python's values, as far as Jinja lets a template see them. Texts are valid UTF-8 and are counted in
// code points; numbers have 64 bits (beyond: refused). Lists and mappings do not change after they are made, as in the sandbox of
// transformers; namespaces do. One render, one thread. Sources: Jinja 3.1 (runtime.py, sandbox.py), CPython 3.11 (Objects).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cloister::jinja {

/// Something the template may not do; the interpreter adds the place.
struct Refusal {
  std::string why;
  bool raised = false;  ///< the template itself refused (raise_exception)
};

class Value;
using Values = std::vector<Value>;

struct UndefinedValue {
  std::shared_ptr<const std::string> why;  ///< null: nothing is known of it
};
struct NoneValue {};

/// list, tuple, range, and what only can be walked through: the views of a mapping, and generators.
struct Sequence {
  enum class Kind { List, Tuple, Range, View, Generator } kind = Kind::List;
  Values items;
  int depth = 1;
  std::size_t weight = 0;  ///< bytes of all that lies in it, shared parts counted each time
};

/// In the order of insertion; few members, so that a search walks through them.
struct Mapping {
  std::vector<std::pair<Value, Value>> items;
  int depth = 1;
  std::size_t weight = 0;
  const Value* find(const Value& key) const;
  void set(const Value& key, Value value);
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> items;
};

/// The `loop` of a for.
struct Loop {
  const Values* items = nullptr;  ///< of the for that runs; null behind it
  std::size_t index = 0;
  int depth = 1;
  Values changed;
  bool everChanged = false;
  std::function<Value(const Value&)> again;  ///< of a recursive for: walks through something else with the same body
};

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

struct Callable {
  std::string name;
  std::function<Value(Arguments&)> call;
};

class Value {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Any =
      std::variant<UndefinedValue, NoneValue, bool, std::int64_t, double, Text, std::shared_ptr<const Sequence>,
                   std::shared_ptr<const Mapping>, std::shared_ptr<Namespace>, std::shared_ptr<Loop>, std::shared_ptr<const Callable>>;

  Value() = default;  ///< undefined
  static Value none() { return Value(Any(NoneValue{})); }
  static Value undefined(std::string why) { return Value(Any(UndefinedValue{std::make_shared<const std::string>(std::move(why))})); }
  Value(bool b) : any_(b) {}                                                         // NOLINT(google-explicit-constructor)
  Value(std::int64_t i) : any_(i) {}                                                 // NOLINT(google-explicit-constructor)
  Value(double d) : any_(d) {}                                                       // NOLINT(google-explicit-constructor)
  Value(std::string s) : any_(std::make_shared<const std::string>(std::move(s))) {}  // NOLINT(google-explicit-constructor)
  Value(std::string_view s) : Value(std::string(s)) {}                               // NOLINT(google-explicit-constructor)
  Value(const char*) = delete;
  explicit Value(Any any) : any_(std::move(any)) {}
  /// Refused when lists would lie too deep in one another, or hold too much.
  static Value sequence(Sequence::Kind, Values items);
  static Value list(Values items) { return sequence(Sequence::Kind::List, std::move(items)); }
  static Value mapping(Mapping items);

  template <class T>
  const T* as() const {
    return std::get_if<T>(&any_);
  }
  bool isUndefined() const { return as<UndefinedValue>() != nullptr; }
  bool isNone() const { return as<NoneValue>() != nullptr; }
  const std::string* text() const { return as<Text>() ? as<Text>()->get() : nullptr; }
  const Sequence* sequence() const { return pointed<const Sequence>(); }
  const Mapping* mapping() const { return pointed<const Mapping>(); }
  Namespace* nameSpace() const { return pointed<Namespace>(); }
  Loop* loop() const { return pointed<Loop>(); }
  const Callable* callable() const { return pointed<const Callable>(); }
  /// bool and int.
  bool integer(std::int64_t& out) const;
  /// bool, int and float.
  bool number(double& out) const;
  bool isNumber() const { return as<bool>() || as<std::int64_t>() || as<double>(); }

  /// Python's name of its type, for sentences.
  const char* typeName() const;
  bool truth() const;
  int depth() const;
  /// What it takes to look through it, in bytes.
  std::size_t weight() const;

 private:
  template <class T>
  T* pointed() const {
    const auto* p = std::get_if<std::shared_ptr<T>>(&any_);
    return p ? p->get() : nullptr;
  }
  Any any_;
};

/// UndefinedError for a value that is undefined, with what is known of it.
[[noreturn]] void refuseUndefined(const Value&);
[[noreturn]] void refuse(std::string why);

/// str() and repr().
std::string textOf(const Value&);
std::string shownOf(const Value&);
std::string shownNumber(double);
/// ==. Numbers compare by value, whatever their type.
bool equal(const Value&, const Value&);
/// <, or TypeError.
bool less(const Value&, const Value&);
/// `item in container`, or TypeError.
bool contains(const Value& container, const Value& item);
/// What a for walks through: the items of a sequence, the keys of a mapping, the characters of a text, nothing for undefined. TypeError.
Values itemsOf(const Value&);
/// len(), or TypeError. False: has none.
bool lengthOf(const Value&, std::int64_t& out);
/// Whether it can be a key; lists and mappings cannot.
void requireKey(const Value&);

// Texts, in code points.
std::int64_t characters(std::string_view);
/// The byte at which character `at` begins (0 ≤ at ≤ characters).
std::size_t byteOf(std::string_view, std::int64_t at);

}  // namespace cloister::jinja
