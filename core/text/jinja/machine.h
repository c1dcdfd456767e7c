// What filters, tests, methods and operators of a chat template ask of the interpreter that runs them. One render, one thread. They throw
// Refusal; the interpreter adds the place.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/text/jinja/value.h"

namespace cloister::jinja {

class Machine {
 public:
  virtual ~Machine() = default;
  /// Counts work; refused beyond what a render may take. bytes: what is made or looked through.
  virtual void spend(std::size_t bytes) = 0;
  virtual Value call(const Value& what, Arguments& arguments) = 0;
};

/// The arguments of a built-in function by their names, as Python binds them.
class Bound {
 public:
  Bound(const std::string& function, Arguments& arguments, std::initializer_list<const char*> names);
  /// Null: not given.
  const Value* operator[](std::size_t i) const { return slots_[i]; }
  bool truth(std::size_t i) const { return slots_[i] && slots_[i]->truth(); }
  /// str() of it.
  std::string text(std::size_t i, std::string_view standard = {}) const;
  std::int64_t integer(std::size_t i, std::int64_t standard) const;
  bool given(std::size_t i) const { return slots_[i] && !slots_[i]->isNone(); }

 private:
  const std::string function_;
  std::vector<const Value*> slots_;
};

/// itemsOf, with the work counted.
Values walked(Machine&, const Value&);

/// value.name, and value[key]: undefined when there is none, refused on an undefined value.
Value memberOf(Machine&, const Value& on, const std::string& name);
Value itemOf(Machine&, const Value& on, const Value& key);
/// A method of a text, list or mapping; undefined when there is none.
Value methodOf(Machine&, const Value& on, const std::string& name);

Value filtered(Machine&, const std::string& name, const Value& on, Arguments&);
/// Whether there is a filter or a test of this name.
bool isFilter(const std::string& name);
bool isTest(const std::string& name);
bool tested(Machine&, const std::string& name, const Value& on, Arguments&);

Value computed(Machine&, const std::string& sign, const Value& left, const Value& right);
bool compared(Machine&, const std::string& sign, const Value& left, const Value& right);
Value sliced(Machine&, const Value& on, const Value& from, const Value& to, const Value& step);

/// json.dumps as transformers' tojson calls it. indent: null for one line.
std::string jsonOf(Machine&, const Value&, const Bound& options);
/// datetime.strftime with English names.
std::string dateText(const std::string& format, int year, int month, int day);

// Texts as Python's str changes them.
std::string lowered(std::string_view);
std::string uppered(std::string_view);
std::string capitalized(std::string_view);
std::string titled(std::string_view);
/// chars null: white space.
std::string_view stripped(std::string_view, const std::string* chars, bool left, bool right);
std::string replaced(Machine&, std::string_view text, std::string_view what, std::string_view by, std::int64_t most);
std::vector<std::string_view> linesOf(std::string_view, bool ends);

}  // namespace cloister::jinja
