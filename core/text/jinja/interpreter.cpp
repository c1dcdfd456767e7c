#include "core/text/jinja/interpreter.h"

#include <algorithm>

namespace cloister::jinja {
namespace {

constexpr std::size_t kMostWork = 400'000'000, kWorkPerByteGiven = 64;  // bytes made or looked through; a step counts as 32
constexpr std::size_t kLongestOutput = std::size_t(256) << 20;
constexpr int kDeepest = 1000;
constexpr std::int64_t kLongestRange = 100'000;  // as the sandbox of Jinja

using Kind = Expression::Kind;

struct Scope {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<std::string, Value>> names;

  const Value* find(const std::string& name) const {
    for (const Scope* s = this; s; s = s->parent.get())
      for (const auto& [key, value] : s->names)
        if (key == name) return &value;
    return nullptr;
  }
  void set(const std::string& name, Value value) {
    for (auto& [key, old] : names)
      if (key == name) {
        old = std::move(value);
        return;
      }
    names.emplace_back(name, std::move(value));
  }
};
using ScopePtr = std::shared_ptr<Scope>;

enum class Flow { Normal, Break, Continue };

class Interpreter : public Machine {
 public:
  explicit Interpreter(const std::optional<Date>& date) : date_(date) {}
  ~Interpreter() override {
    // Macros hold their scope and namespaces may hold themselves.
    for (const ScopePtr& scope : captured_) scope->names.clear();
    for (const auto& space : spaces_) space->items.clear();
  }
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  Output render(const Body& body, const std::vector<std::pair<std::string, Value>>& context) {
    const auto root = std::make_shared<Scope>();
    root->names = context;
    for (const auto& [name, value] : context) left_ += value.weight() * kWorkPerByteGiven;
    const auto globals = std::make_shared<Scope>();
    addGlobals(*globals);
    root->parent = globals;
    run(body, std::make_shared<Scope>(Scope{root, {}}));
    return {std::move(main_), std::move(generation_)};
  }

  void spend(std::size_t bytes) override {
    if (bytes >= left_) refuse("the template asks for more work than a conversation may take");
    left_ -= bytes;
  }

  Value call(const Value& what, Arguments& arguments) override {
    if (what.isUndefined()) refuseUndefined(what);
    const Callable* function = what.callable();
    if (const Loop* loop = what.loop()) {
      if (!loop->again) refuse("The loop must have the 'recursive' marker to be called recursively.");
      if (arguments.positional.size() != 1) refuse("loop() wants one list");
      return loop->again(arguments.positional[0]);
    }
    if (!function) refuse(std::string("'") + what.typeName() + "' object is not callable");
    return function->call(arguments);
  }

 private:
  // Places and bounds.

  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) {
      if (++depth_ > kDeepest) {
        --depth_;
        refuse("the template calls itself too deep");
      }
    }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };

  void write(std::string_view text) {
    spend(text.size() + 32);
    if (out_->size() + text.size() > kLongestOutput) refuse("the template writes more than 256 MB");
    out_->append(text);
  }

  /// What is written meanwhile, as a text.
  template <class Write>
  std::string captured(const Write& body) {
    std::string text, *before = std::exchange(out_, &text);
    try {
      body();
    } catch (...) {
      out_ = before;
      throw;
    }
    out_ = before;
    return text;
  }

  // Functions every template knows.

  void addFunction(Scope& scope, const char* name, std::function<Value(Arguments&)> call) {
    scope.set(name, Value(Value::Any(std::make_shared<const Callable>(Callable{name, std::move(call)}))));
  }

  void addGlobals(Scope& scope) {
    addFunction(scope, "range", [this](Arguments& a) { return range(a); });
    addFunction(scope, "dict", [](Arguments& a) { return Value::mapping(mappingOf(a)); });
    addFunction(scope, "namespace", [this](Arguments& a) { return nameSpace(a); });
    addFunction(scope, "raise_exception", [](Arguments& a) -> Value {
      const Bound args("raise_exception", a, {"message"});
      throw Refusal{args.text(0), true};
    });
    if (date_)
      addFunction(scope, "strftime_now", [this](Arguments& a) {
        const Bound args("strftime_now", a, {"format"});
        return Value(dateText(args.text(0), date_->year, date_->month, date_->day));
      });
  }

  Value range(Arguments& a) {
    std::int64_t n[3] = {0, 0, 1};
    if (a.positional.empty() || a.positional.size() > 3 || !a.named.empty()) refuse("range() wants one to three whole numbers");
    for (std::size_t i = 0; i < a.positional.size(); ++i) {
      if (a.positional[i].isUndefined()) refuseUndefined(a.positional[i]);
      if (!a.positional[i].integer(n[a.positional.size() == 1 ? 1 : i])) refuse("range() wants whole numbers");
    }
    if (n[2] == 0) refuse("range() arg 3 must not be zero");
    Values items;
    for (std::int64_t i = n[0]; n[2] > 0 ? i < n[1] : i > n[1];) {
      if (std::int64_t(items.size()) >= kLongestRange) refuse("Range too big. The sandbox blocks ranges larger than 100000.");
      items.emplace_back(i);
      if (__builtin_add_overflow(i, n[2], &i)) break;
    }
    spend(items.size() * 32);
    return Value::sequence(Sequence::Kind::Range, std::move(items));
  }

  static Mapping mappingOf(const Arguments& a) {
    Mapping m;
    if (a.positional.size() > 1) refuse("dict() takes at most one mapping");
    for (const Value& first : a.positional) {
      if (const Mapping* given = first.mapping()) {
        m = *given;
        continue;
      }
      for (const Value& pair : itemsOf(first)) {
        const Values two = itemsOf(pair);
        if (two.size() != 2) refuse("dict() wants pairs");
        requireKey(two[0]);
        m.set(two[0], two[1]);
      }
    }
    for (const auto& [name, value] : a.named) m.set(Value(name), value);
    return m;
  }

  Value nameSpace(const Arguments& a) {
    const auto space = std::make_shared<Namespace>();
    for (const auto& [key, value] : mappingOf(a).items) {
      if (!key.text()) refuse("the names of a namespace are texts");
      setIn(*space, *key.text(), value);
    }
    spend(64);
    spaces_.push_back(space);
    return Value(Value::Any(space));
  }

  static void setIn(Namespace& space, const std::string& name, const Value& value) {
    if (name.starts_with('_')) refuse("Chat templates cannot store underscore-prefixed attributes on a namespace");
    for (auto& [key, old] : space.items)
      if (key == name) {
        old = value;
        return;
      }
    space.items.emplace_back(name, value);
  }

  // Statements.

  Flow run(const Body& body, const ScopePtr& scope) {
    for (const auto& statement : body) {
      try {
        const Deeper deeper(depth_);
        if (const Flow flow = run(*statement, scope); flow != Flow::Normal) return flow;
      } catch (const Refusal& r) {
        throw TemplateError{statement->place, r.why, r.raised};
      }
    }
    return Flow::Normal;
  }

  Flow run(const Statement& s, const ScopePtr& scope) {
    spend(32);
    switch (s.kind) {
      case Statement::Kind::Data:
        write(s.text);
        break;
      case Statement::Kind::Print:
        print(value(*s.value, scope));
        break;
      case Statement::Kind::Set:
        assign(*s.target, value(*s.value, scope), scope);
        break;
      case Statement::Kind::SetBlock:
        assign(*s.target, blockText(s, scope), scope);
        break;
      case Statement::Kind::FilterBlock:
        print(blockText(s, scope));
        break;
      case Statement::Kind::For:
        loop(s, value(*s.value, scope), scope, 1);
        break;
      case Statement::Kind::If:
        return choose(s, scope);
      case Statement::Kind::With:
        return with(s, scope);
      case Statement::Kind::Macro:
        scope->set(s.text, macro(s, s.text, scope));
        break;
      case Statement::Kind::CallBlock:
        callBlock(s, scope);
        break;
      case Statement::Kind::Generation:
        generation(s, scope);
        break;
      case Statement::Kind::Break:
        return Flow::Break;
      case Statement::Kind::Continue:
        return Flow::Continue;
    }
    return Flow::Normal;
  }

  void print(const Value& v) {
    if (const std::string* text = v.text()) return write(*text);
    spend(v.weight());
    write(textOf(v));
  }

  static ScopePtr inside(const ScopePtr& scope) { return std::make_shared<Scope>(Scope{scope, {}}); }

  Value blockText(const Statement& s, const ScopePtr& scope) {
    const ScopePtr inner = inside(scope);
    const std::string text = captured([&] { run(s.body, inner); });
    return s.value ? filter(*s.value, scope, Value(text)) : Value(text);
  }

  void assign(const Expression& target, const Value& v, const ScopePtr& scope) {
    if (target.kind == Kind::Name) return scope->set(target.name, v);
    if (target.kind == Kind::Member) {
      const Value* space = scope->find(target.name);
      if (!space) refuse("'" + target.name + "' is undefined");
      if (!space->nameSpace()) refuse("cannot assign attribute on non-namespace object");
      return setIn(*space->nameSpace(), target.attribute, v);
    }
    if (v.isUndefined()) refuse("not enough values to unpack");
    const Values items = walked(*this, v);
    if (items.size() != target.parts.size())
      refuse("expected " + std::to_string(target.parts.size()) + " values to unpack, got " + std::to_string(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) assign(*target.parts[i], items[i], scope);
  }

  Flow choose(const Statement& s, const ScopePtr& scope) {
    for (const Branch& branch : s.branches)
      if (value(*branch.condition, scope).truth()) return run(branch.body, scope);
    return run(s.otherwise, scope);
  }

  Flow with(const Statement& s, const ScopePtr& scope) {
    const ScopePtr inner = inside(scope);
    for (const auto& [target, given] : s.assignments) assign(*target, value(*given, scope), inner);
    return run(s.body, inner);
  }

  /// At the end of a for its `loop` says nothing any more.
  struct Ending {
    explicit Ending(Loop& loop) : loop_(loop) {}
    ~Ending() {
      loop_.items = nullptr;
      loop_.again = nullptr;
    }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    Loop& loop_;
  };

  void loop(const Statement& s, const Value& over, const ScopePtr& scope, int depth) {
    Values items = walked(*this, over);
    if (s.condition)
      std::erase_if(items, [&](const Value& item) {
        const ScopePtr inner = inside(scope);
        assign(*s.target, item, inner);
        return !value(*s.condition, inner).truth();
      });
    if (items.empty()) {
      run(s.otherwise, inside(scope));
      return;
    }
    const auto state = std::make_shared<Loop>();
    const Ending ending(*state);
    state->items = &items;
    state->depth = depth;
    if (s.recursive)
      state->again = [this, &s, scope, depth](const Value& inner) {
        return Value(captured([&] {
          const Deeper deeper(depth_);
          loop(s, inner, scope, depth + 1);
        }));
      };
    for (std::size_t i = 0; i < items.size(); ++i) {
      state->index = i;
      const ScopePtr inner = inside(scope);
      inner->set("loop", Value(Value::Any(state)));
      assign(*s.target, items[i], inner);
      spend(64);
      if (run(s.body, inner) == Flow::Break) break;
    }
  }

  // Macros.

  Value macro(const Statement& s, const std::string& name, const ScopePtr& scope) {
    if (captured_.empty() || captured_.back() != scope) captured_.push_back(scope);
    spend(64);
    return Value(Value::Any(
        std::make_shared<const Callable>(Callable{name, [this, &s, name, scope](Arguments& a) { return invoke(s, name, scope, a); }})));
  }

  static Value takeNamed(Arguments& a, const std::string& name, bool& found) {
    const auto it = std::find_if(a.named.begin(), a.named.end(), [&](const auto& n) { return n.first == name; });
    found = it != a.named.end();
    if (!found) return {};
    const Value v = it->second;
    a.named.erase(it);
    return v;
  }

  Value invoke(const Statement& s, const std::string& name, const ScopePtr& scope, Arguments& given) {
    const Deeper deeper(depth_);
    const ScopePtr inner = inside(scope);
    bool found = false, hasCaller = false;
    for (std::size_t i = 0; i < s.parameters.size(); ++i) {
      const Parameter& p = s.parameters[i];
      hasCaller |= p.name == "caller";
      Value v = i < given.positional.size() ? given.positional[i] : takeNamed(given, p.name, found);
      if (i >= given.positional.size() && !found)
        v = p.standard ? value(*p.standard, inner) : Value::undefined("parameter '" + p.name + "' was not provided");
      inner->set(p.name, v);
    }
    if (s.caller && !hasCaller) {
      const Value v = takeNamed(given, "caller", found);
      inner->set("caller", found ? v : Value::undefined("No caller defined"));
    }
    if (s.kwargs) inner->set("kwargs", Value::mapping(mappingOf(Arguments{{}, given.named})));
    else if (!given.named.empty()) refuse("macro '" + name + "' takes no keyword argument '" + given.named[0].first + "'");
    const std::size_t count = std::min(s.parameters.size(), given.positional.size());
    if (s.varargs)
      inner->set("varargs",
                 Value::sequence(Sequence::Kind::Tuple, {given.positional.begin() + std::ptrdiff_t(count), given.positional.end()}));
    else if (given.positional.size() > count)
      refuse("macro '" + name + "' takes not more than " + std::to_string(s.parameters.size()) + " argument(s)");
    return captured([&] { run(s.body, inner); });
  }

  void callBlock(const Statement& s, const ScopePtr& scope) {
    const Value caller = macro(s, "caller", scope);
    const Value what = value(*s.value->parts[0], scope);
    Arguments a = arguments(s.value->given, scope);
    a.named.emplace_back("caller", caller);
    print(call(what, a));
  }

  void generation(const Statement& s, const ScopePtr& scope) {
    const ScopePtr inner = inside(scope);
    const std::string text = captured([&] { run(s.body, inner); });
    generation_.emplace_back(main_.size(), main_.size() + text.size());
    write(text);
  }

  // Expressions.

  Arguments arguments(const GivenArguments& given, const ScopePtr& scope) {
    Arguments a;
    for (const ExpressionPtr& e : given.positional) a.positional.push_back(value(*e, scope));
    for (const auto& [name, e] : given.named) a.named.emplace_back(name, value(*e, scope));
    if (given.star)
      for (Value& v : walked(*this, value(*given.star, scope))) a.positional.push_back(std::move(v));
    if (!given.starStar) return a;
    const Value more = value(*given.starStar, scope);
    if (!more.mapping()) refuse("argument after ** must be a mapping");
    for (const auto& [key, v] : more.mapping()->items) {
      if (!key.text()) refuse("keywords must be strings");
      a.named.emplace_back(*key.text(), v);
    }
    return a;
  }

  Value filter(const Expression& e, const ScopePtr& scope, const Value& text) {
    const Value on = !e.parts[0] ? text : e.parts[0]->kind == Kind::Filter ? filter(*e.parts[0], scope, text) : value(*e.parts[0], scope);
    Arguments a = arguments(e.given, scope);
    return placed(e, [&] { return filtered(*this, e.name, on, a); });
  }

  /// What happens at this expression is told with its place.
  template <class Do>
  Value placed(const Expression& e, const Do& what) {
    try {
      return what();
    } catch (const Refusal& r) {
      throw TemplateError{e.place, r.why, r.raised};
    }
  }

  Value value(const Expression& e, const ScopePtr& scope) {
    return placed(e, [&] {
      const Deeper deeper(depth_);
      spend(32);
      return plainValue(e, scope);
    });
  }

  Value part(const Expression& e, std::size_t i, const ScopePtr& scope) {
    return i < e.parts.size() && e.parts[i] ? value(*e.parts[i], scope) : Value::none();
  }

  Values parts(const Expression& e, const ScopePtr& scope) {
    Values all;
    for (const ExpressionPtr& p : e.parts) all.push_back(value(*p, scope));
    return all;
  }

  Value plainValue(const Expression& e, const ScopePtr& scope) {
    switch (e.kind) {
      case Kind::Constant:
        return e.value;
      case Kind::Name:
      case Kind::Member: {
        const Value* found = scope->find(e.name);
        return found ? *found : Value::undefined("'" + e.name + "' is undefined");
      }
      case Kind::List:
        return Value::list(parts(e, scope));
      case Kind::Tuple:
        return Value::sequence(Sequence::Kind::Tuple, parts(e, scope));
      case Kind::Mapping:
        return mapping(e, scope);
      case Kind::Attribute:
        return memberOf(*this, part(e, 0, scope), e.name);
      case Kind::Item:
        return itemOf(*this, part(e, 0, scope), part(e, 1, scope));
      case Kind::Slice: {
        const Value on = part(e, 0, scope), from = part(e, 1, scope), to = part(e, 2, scope);
        return sliced(*this, on, from, to, part(e, 3, scope));
      }
      case Kind::Call: {
        const Value what = part(e, 0, scope);
        Arguments a = arguments(e.given, scope);
        return call(what, a);
      }
      case Kind::Filter:
        return filter(e, scope, {});
      case Kind::Test: {
        const Value on = part(e, 0, scope);
        Arguments a = arguments(e.given, scope);
        return tested(*this, e.name, on, a);
      }
      case Kind::Not:
        return !part(e, 0, scope).truth();
      case Kind::Minus:
      case Kind::Plus:
        return signedValue(e.kind == Kind::Minus, part(e, 0, scope));
      case Kind::Binary: {
        const Value left = part(e, 0, scope);
        return computed(*this, e.name, left, part(e, 1, scope));
      }
      case Kind::Compare:
        return comparison(e, scope);
      case Kind::And:
      case Kind::Or: {
        const Value left = part(e, 0, scope);
        return left.truth() == (e.kind == Kind::Or) ? left : part(e, 1, scope);
      }
      case Kind::Concat:
        return concatenated(e, scope);
      case Kind::Condition:
        if (part(e, 0, scope).truth()) return part(e, 1, scope);
        if (!e.parts[2]) return Value::undefined("the inline if-expression evaluated to false and no else section was defined.");
        return part(e, 2, scope);
    }
    return {};
  }

  Value mapping(const Expression& e, const ScopePtr& scope) {
    Mapping m;
    for (std::size_t i = 0; i + 1 < e.parts.size(); i += 2) {
      const Value key = part(e, i, scope);
      requireKey(key);
      m.set(key, part(e, i + 1, scope));
    }
    return Value::mapping(std::move(m));
  }

  Value signedValue(bool minus, const Value& v) {
    if (!v.isUndefined() && !v.isNumber()) refuse(std::string("bad operand type for unary -: '") + v.typeName() + "'");
    if (minus && v.as<double>()) return -*v.as<double>();
    return computed(*this, minus ? "-" : "+", Value(std::int64_t(0)), v);
  }

  Value comparison(const Expression& e, const ScopePtr& scope) {
    Value left = part(e, 0, scope);
    for (std::size_t i = 0; i < e.operators.size(); ++i) {
      const Value right = part(e, i + 1, scope);
      if (!compared(*this, e.operators[i], left, right)) return false;
      left = right;
    }
    return true;
  }

  Value concatenated(const Expression& e, const ScopePtr& scope) {
    std::string text;
    for (const Value& v : parts(e, scope)) {
      spend(v.weight());
      text += textOf(v);
    }
    return text;
  }

  const std::optional<Date> date_;
  std::string main_, *out_ = &main_;
  std::vector<std::pair<std::size_t, std::size_t>> generation_;
  std::size_t left_ = kMostWork;
  int depth_ = 0;
  std::vector<ScopePtr> captured_;
  std::vector<std::shared_ptr<Namespace>> spaces_;
};

}  // namespace

std::string dateText(const std::string& format, int year, int month, int day) {
  static const char* const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
  static const char* const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static constexpr int before[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  const int y = year - (month < 3), weekday = (y + y / 4 - y / 100 + y / 400 + before[month - 1] + day) % 7;
  const auto number = [](int n, int width) {
    std::string s = std::to_string(n);
    return std::string(std::size_t(std::max(0, width - int(s.size()))), '0') + s;
  };
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const bool bare = format[i + 1] == '-' && i + 2 < format.size();
    i += bare ? 2 : 1;
    switch (format[i]) {
      case 'd':
        out += number(day, bare ? 1 : 2);
        break;
      case 'm':
        out += number(month, bare ? 1 : 2);
        break;
      case 'Y':
        out += std::to_string(year);
        break;
      case 'y':
        out += number(year % 100, 2);
        break;
      case 'B':
        out += months[month - 1];
        break;
      case 'b':
      case 'h':
        out += std::string(months[month - 1], 3);
        break;
      case 'A':
        out += days[weekday];
        break;
      case 'a':
        out += std::string(days[weekday], 3);
        break;
      case 'F':
        out += std::to_string(year) + '-' + number(month, 2) + '-' + number(day, 2);
        break;
      case 'H':
      case 'M':
      case 'S':
        out += "00";  // a date has no time of day
        break;
      case '%':
        out += '%';
        break;
      default:
        refuse(std::string("strftime_now does not know %") + format[i]);
    }
  }
  return out;
}

Output run(const Body& body, const std::vector<std::pair<std::string, Value>>& context, const std::optional<Date>& date) {
  Interpreter interpreter(date);
  return interpreter.render(body, context);
}

}  // namespace cloister::jinja
