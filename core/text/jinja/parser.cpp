#include "core/text/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "core/text/jinja/expression_parser.h"

namespace cloister::jinja {
namespace {

constexpr int kDeepest = 100;

using Words = std::initializer_list<const char*>;

class Parser : ExpressionParser {
 public:
  explicit Parser(std::string_view source) : ExpressionParser(source) {}

  Body run() {
    Body body = statements({});
    return body;
  }

 private:
  using Made = std::unique_ptr<Statement>;
  static Made make(Statement::Kind kind, Place place) {
    auto s = std::make_unique<Statement>();
    s->kind = kind;
    s->place = place;
    return s;
  }

  bool atOneOf(Words ends) const {
    return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return isName(end); });
  }

  /// Up to the name that ends it ({% is read, the name is not); without ends to the end of the template.
  Body statements(Words ends) {
    const Deeper deeper(*this, kDeepest);
    Body body;
    for (;;) {
      const Token& token = current();
      switch (token.type) {
        case Token::Type::Data: {
          Made data = make(Statement::Kind::Data, token.place);
          data->text = token.text;
          next();
          body.push_back(std::move(data));
          break;
        }
        case Token::Type::VariableBegin: {
          Made print = make(Statement::Kind::Print, token.place);
          next();
          print->value = tuple();
          expectType(Token::Type::VariableEnd, "end of print statement");
          body.push_back(std::move(print));
          break;
        }
        case Token::Type::BlockBegin:
          next();
          if (atOneOf(ends)) return body;
          body.push_back(statement());
          expectType(Token::Type::BlockEnd, "end of statement block");
          break;
        default:
          if (ends.size() == 0) return body;
          fail(current().place, std::string("the template ends before '") + *(ends.end() - 1) + "'");
      }
    }
  }

  /// The body of a statement: %}, then up to one of the ends.
  Body bodyUpTo(Words ends) {
    skipSign(":");
    expectType(Token::Type::BlockEnd, "end of statement block");
    return statements(ends);
  }
  Body wholeBody(const char* end) {
    Body body = bodyUpTo({end});
    next();
    return body;
  }

  Made statement() {
    const Token token = current();
    if (token.type != Token::Type::Name) fail(token.place, "tag name expected");
    next();
    const std::string& word = token.text;
    if (word == "set") return set(token.place);
    if (word == "if") return condition(token.place);
    if (word == "for") return loop(token.place);
    if (word == "macro") return macro(token.place);
    if (word == "call") return callBlock(token.place);
    if (word == "filter") return filterBlock(token.place);
    if (word == "with") return with(token.place);
    if (word == "print") return print(token.place);
    if (word == "generation") return generation(token.place);
    if (word == "break" || word == "continue") {
      if (loops_ == 0) fail(token.place, "'" + word + "' outside of a loop");
      return make(word == "break" ? Statement::Kind::Break : Statement::Kind::Continue, token.place);
    }
    for (const char* known : {"include", "import", "from", "extends", "block", "autoescape"})
      if (word == known) fail(token.place, "'" + word + "' has no place in a chat template");
    fail(token.place, "unknown tag '" + word + "'");
  }

  Made set(Place place) {
    ExpressionPtr to = target(true);
    Made s = make(Statement::Kind::Set, place);
    s->target = std::move(to);
    if (skipSign("=")) {
      s->value = tuple();
      return s;
    }
    s->kind = Statement::Kind::SetBlock;
    if (isSign("|")) s->value = filters(nullptr);
    s->body = apart([&] { return wholeBody("endset"); });
    return s;
  }

  Made condition(Place place) {
    Made s = make(Statement::Kind::If, place);
    for (;;) {
      Branch branch;
      branch.condition = tuple(false);
      branch.body = bodyUpTo({"elif", "else", "endif"});
      s->branches.push_back(std::move(branch));
      const std::string word = current().text;
      next();
      if (word == "elif") continue;
      if (word == "else") s->otherwise = wholeBody("endif");
      return s;
    }
  }

  Made loop(Place place) {
    Made s = make(Statement::Kind::For, place);
    s->target = target(false);
    expectName("in");
    s->value = tuple(false, "recursive");
    if (skipName("if")) s->condition = expression();
    s->recursive = skipName("recursive");
    ++loops_;
    s->body = bodyUpTo({"else", "endfor"});
    --loops_;
    const bool hasElse = isName("else");
    next();
    if (hasElse) s->otherwise = wholeBody("endfor");
    return s;
  }

  Made with(Place place) {
    Made s = make(Statement::Kind::With, place);
    while (current().type != Token::Type::BlockEnd) {
      if (!s->assignments.empty()) expectSign(",");
      ExpressionPtr to = target(false);
      expectSign("=");
      s->assignments.emplace_back(std::move(to), expression());
    }
    s->body = wholeBody("endwith");
    return s;
  }

  /// A body that is a function of its own: a break in it does not reach the loop around it, and its names are asked for.
  template <class Read>
  Body apart(const Read& read) {
    const int loops = std::exchange(loops_, 0);
    Body body = read();
    loops_ = loops;
    return body;
  }

  void signature(Statement& s) {
    expectSign("(");
    while (!isSign(")")) {
      if (!s.parameters.empty()) expectSign(",");
      Parameter p;
      const Place place = current().place;
      p.name = targetName();
      if (skipSign("=")) p.standard = expression();
      else if (!s.parameters.empty() && s.parameters.back().standard) fail(place, "non-default argument follows default argument");
      s.parameters.push_back(std::move(p));
    }
    next();
  }

  /// Which of the special names of a macro stand in its body.
  void notes(Statement& s, std::size_t from) const {
    for (std::size_t i = from; i < place(); ++i) {
      const Token& t = tokenAt(i);
      if (t.type != Token::Type::Name) continue;
      s.varargs |= t.text == "varargs";
      s.kwargs |= t.text == "kwargs";
      s.caller |= t.text == "caller";
    }
  }

  Made macro(Place at) {
    Made s = make(Statement::Kind::Macro, at);
    s->text = targetName();
    signature(*s);
    const std::size_t from = place();
    s->body = apart([&] { return wholeBody("endmacro"); });
    notes(*s, from);
    return s;
  }

  Made callBlock(Place at) {
    Made s = make(Statement::Kind::CallBlock, at);
    if (isSign("(")) signature(*s);
    s->value = expression();
    if (s->value->kind != Expression::Kind::Call) fail(at, "expected call");
    const std::size_t from = place();
    s->body = apart([&] { return wholeBody("endcall"); });
    notes(*s, from);
    return s;
  }

  Made filterBlock(Place at) {
    Made s = make(Statement::Kind::FilterBlock, at);
    s->value = filters(nullptr, true);
    s->body = wholeBody("endfilter");
    return s;
  }

  Made print(Place at) {
    Made s = make(Statement::Kind::Print, at);
    s->value = expression();
    if (isSign(",")) fail(current().place, "'print' of several values is not known here");
    return s;
  }

  Made generation(Place at) {
    Made s = make(Statement::Kind::Generation, at);
    s->body = apart([&] { return wholeBody("endgeneration"); });
    return s;
  }

  int loops_ = 0;
};

}  // namespace

Body parse(std::string_view source) { return Parser(source).run(); }

}  // namespace cloister::jinja
