#include "core/text/jinja/expression_parser.h"

#include <algorithm>
#include <charconv>

namespace cloister::jinja {
namespace {

constexpr int kDeepestNesting = 200, kDeepestTree = 400;

using Kind = Expression::Kind;

int deepest(const std::vector<ExpressionPtr>& parts) {
  int depth = 0;
  for (const ExpressionPtr& part : parts) depth = std::max(depth, part ? part->depth : 0);
  return depth;
}

std::string shown(const Token& token) {
  switch (token.type) {
    case Token::Type::End:
      return "end of template";
    case Token::Type::VariableEnd:
      return "end of print statement";
    case Token::Type::BlockEnd:
      return "end of statement block";
    default:
      return token.text;
  }
}

}  // namespace

void ExpressionParser::expectName(std::string_view word) {
  if (!skipName(word)) fail(current().place, "expected '" + std::string(word) + "', got '" + shown(current()) + "'");
}

void ExpressionParser::expectSign(std::string_view sign) {
  if (!skipSign(sign)) fail(current().place, "expected '" + std::string(sign) + "', got '" + shown(current()) + "'");
}

void ExpressionParser::expectType(Token::Type type, const char* what) {
  if (current().type != type) fail(current().place, std::string("expected ") + what + ", got '" + shown(current()) + "'");
  next();
}

ExpressionParser::Made ExpressionParser::make(Kind kind, Place place) const {
  auto e = std::make_unique<Expression>();
  e->kind = kind;
  e->place = place;
  return e;
}

ExpressionPtr ExpressionParser::finish(Made made) const {
  int depth = std::max(deepest(made->parts), deepest(made->given.positional));
  for (const auto& [name, value] : made->given.named) depth = std::max(depth, value->depth);
  for (const ExpressionPtr* e : {&made->given.star, &made->given.starStar})
    if (*e) depth = std::max(depth, (*e)->depth);
  made->depth = depth + 1;
  if (made->depth > kDeepestTree) fail(made->place, "the expression is nested too deep");
  return made;
}

ExpressionPtr ExpressionParser::unaryOf(Kind kind, Place place, ExpressionPtr part) const {
  Made e = make(kind, place);
  e->parts.push_back(std::move(part));
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::binaryOf(Kind kind, Place place, std::string name, ExpressionPtr left, ExpressionPtr right) const {
  Made e = make(kind, place);
  e->name = std::move(name);
  e->parts.push_back(std::move(left));
  e->parts.push_back(std::move(right));
  return finish(std::move(e));
}

bool ExpressionParser::tupleEnds(const char* endName) const {
  const Token::Type type = current().type;
  return type == Token::Type::VariableEnd || type == Token::Type::BlockEnd || isSign(")") || (endName && isName(endName));
}

ExpressionPtr ExpressionParser::tuple(bool conditions, const char* endName, bool parentheses) {
  Made all = make(Kind::Tuple, current().place);
  bool isTuple = false;
  for (;;) {
    if (!all->parts.empty()) expectSign(",");
    if (tupleEnds(endName)) break;
    all->parts.push_back(expression(conditions));
    if (!isSign(",")) break;
    isTuple = true;
  }
  if (!isTuple && !all->parts.empty()) return std::move(all->parts[0]);
  if (!isTuple && !parentheses) fail(current().place, "Expected an expression, got '" + shown(current()) + "'");
  return finish(std::move(all));
}

ExpressionPtr ExpressionParser::simpleTarget(bool members) {
  const Token token = current();
  const bool constant = token.text == "true" || token.text == "false" || token.text == "none" || token.text == "True" ||
                        token.text == "False" || token.text == "None";
  if (token.type == Token::Type::Operator && token.text == "(") {
    next();
    Made all = make(Kind::Tuple, token.place);
    while (!isSign(")")) {
      if (!all->parts.empty()) expectSign(",");
      if (isSign(")")) break;
      const Deeper deeper(*this, kDeepestNesting);
      all->parts.push_back(simpleTarget(members));
    }
    next();
    return finish(std::move(all));
  }
  if (token.type != Token::Type::Name || constant) fail(token.place, "can't assign to '" + shown(token) + "'");
  next();
  Made name = make(Kind::Name, token.place);
  name->name = token.text;
  if (members && skipSign(".")) {
    if (current().type != Token::Type::Name) fail(current().place, "expected a name behind '.'");
    name->kind = Kind::Member;
    name->attribute = current().text;
    next();
  }
  return finish(std::move(name));
}

ExpressionPtr ExpressionParser::target(bool members) {
  const Place place = current().place;
  ExpressionPtr first = simpleTarget(members);
  if (!isSign(",")) return first;
  Made all = make(Kind::Tuple, place);
  all->parts.push_back(std::move(first));
  while (skipSign(",")) {
    if (tupleEnds("in") || isSign("=")) break;
    all->parts.push_back(simpleTarget(members));
  }
  return finish(std::move(all));
}

std::string ExpressionParser::targetName() {
  ExpressionPtr name = simpleTarget(false);
  if (name->kind != Kind::Name) fail(name->place, "a name is expected");
  return name->name;
}

ExpressionPtr ExpressionParser::expression(bool conditions) {
  const Deeper deeper(*this, kDeepestNesting);
  return conditions ? conditional() : orExpression();
}

ExpressionPtr ExpressionParser::conditional() {
  const Deeper deeper(*this, kDeepestNesting);
  const Place place = current().place;
  ExpressionPtr value = orExpression();
  while (skipName("if")) {
    Made e = make(Kind::Condition, place);
    e->parts.push_back(orExpression());
    e->parts.push_back(std::move(value));
    e->parts.push_back(skipName("else") ? conditional() : nullptr);
    value = finish(std::move(e));
  }
  return value;
}

ExpressionPtr ExpressionParser::orExpression() {
  const Place place = current().place;
  ExpressionPtr left = andExpression();
  while (skipName("or")) left = binaryOf(Kind::Or, place, {}, std::move(left), andExpression());
  return left;
}

ExpressionPtr ExpressionParser::andExpression() {
  const Place place = current().place;
  ExpressionPtr left = notExpression();
  while (skipName("and")) left = binaryOf(Kind::And, place, {}, std::move(left), notExpression());
  return left;
}

ExpressionPtr ExpressionParser::notExpression() {
  const Place place = current().place;
  if (!skipName("not")) return comparison();
  const Deeper deeper(*this, kDeepestNesting);
  return unaryOf(Kind::Not, place, notExpression());
}

ExpressionPtr ExpressionParser::comparison() {
  Made e = make(Kind::Compare, current().place);
  e->parts.push_back(sum());
  for (;;) {
    const std::string word = current().text;
    const bool sign = current().type == Token::Type::Operator;
    if (sign && (word == "==" || word == "!=" || word == "<" || word == "<=" || word == ">" || word == ">=")) {
      next();
      e->operators.push_back(word);
    } else if (skipName("in")) e->operators.emplace_back("in");
    else if (isName("not") && look().type == Token::Type::Name && look().text == "in") {
      next();
      next();
      e->operators.emplace_back("not in");
    } else break;
    e->parts.push_back(sum());
  }
  if (e->operators.empty()) return std::move(e->parts[0]);
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (isSign("+") || isSign("-")) {
    const Token token = current();
    next();
    left = binaryOf(Kind::Binary, token.place, token.text, std::move(left), concatenation());
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  Made e = make(Kind::Concat, current().place);
  e->parts.push_back(product());
  while (skipSign("~")) e->parts.push_back(product());
  if (e->parts.size() == 1) return std::move(e->parts[0]);
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (isSign("*") || isSign("/") || isSign("//") || isSign("%")) {
    const Token token = current();
    next();
    left = binaryOf(Kind::Binary, token.place, token.text, std::move(left), power());
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  while (isSign("**")) {
    const Token token = current();
    next();
    left = binaryOf(Kind::Binary, token.place, token.text, std::move(left), unary());
  }
  return left;
}

ExpressionPtr ExpressionParser::unary(bool withFilters) {
  const Deeper deeper(*this, kDeepestNesting);
  const Place place = current().place;
  ExpressionPtr e;
  if (skipSign("-")) e = unaryOf(Kind::Minus, place, unary(false));
  else if (skipSign("+")) e = unaryOf(Kind::Plus, place, unary(false));
  else e = primary();
  e = postfix(std::move(e));
  return withFilters ? filtersAndTests(std::move(e)) : std::move(e);
}

ExpressionPtr ExpressionParser::number() {
  Made e = make(Kind::Constant, current().place);
  const std::string& digits = current().text;
  if (current().type == Token::Type::Float) {
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    e->value = Value(value);
  } else {
    const char second = digits.size() > 2 ? char(digits[1] | 32) : '\0';
    const int base = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 10;
    std::int64_t value = 0;
    if (std::from_chars(digits.data() + (base == 10 ? 0 : 2), digits.data() + digits.size(), value, base).ec != std::errc())
      fail(current().place, "the number needs more than 64 bits");
    e->value = Value(value);
  }
  next();
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::primary() {
  const Token token = current();
  if (token.type == Token::Type::Integer || token.type == Token::Type::Float) return number();
  if (isSign("(")) {
    next();
    ExpressionPtr inside = tuple(true, nullptr, true);
    expectSign(")");
    return inside;
  }
  if (isSign("[")) return list();
  if (isSign("{")) return mapping();
  Made e = make(Kind::Constant, token.place);
  if (token.type == Token::Type::String) {
    std::string text;
    for (; current().type == Token::Type::String; next()) text += current().text;
    e->value = Value(std::move(text));
    return finish(std::move(e));
  }
  if (token.type != Token::Type::Name) fail(token.place, "unexpected '" + shown(token) + "'");
  next();
  if (token.text == "true" || token.text == "True") e->value = Value(true);
  else if (token.text == "false" || token.text == "False") e->value = Value(false);
  else if (token.text == "none" || token.text == "None") e->value = Value::none();
  else e->kind = Kind::Name, e->name = token.text;
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::list() {
  Made e = make(Kind::List, current().place);
  expectSign("[");
  while (!isSign("]")) {
    if (!e->parts.empty()) expectSign(",");
    if (isSign("]")) break;
    e->parts.push_back(expression());
  }
  next();
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::mapping() {
  Made e = make(Kind::Mapping, current().place);
  expectSign("{");
  while (!isSign("}")) {
    if (!e->parts.empty()) expectSign(",");
    if (isSign("}")) break;
    e->parts.push_back(expression());
    expectSign(":");
    e->parts.push_back(expression());
  }
  next();
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr on) {
  for (;;) {
    if (isSign(".") || isSign("[")) on = subscript(std::move(on));
    else if (isSign("(")) on = call(std::move(on));
    else return on;
  }
}

ExpressionPtr ExpressionParser::filtersAndTests(ExpressionPtr on) {
  for (;;) {
    if (isSign("|")) on = filters(std::move(on));
    else if (isName("is")) on = test(std::move(on));
    else if (isSign("(")) on = call(std::move(on));
    else return on;
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr on) {
  const Place place = current().place;
  if (skipSign(".")) {
    const Token token = current();
    if (token.type == Token::Type::Integer) return binaryOf(Kind::Item, place, {}, std::move(on), number());
    if (token.type != Token::Type::Name) fail(token.place, "expected name or number");
    next();
    Made e = make(Kind::Attribute, place);
    e->name = token.text;
    e->parts.push_back(std::move(on));
    return finish(std::move(e));
  }
  next();
  if (isSign("]")) fail(place, "an index is expected");
  ExpressionPtr first = isSign(":") ? nullptr : expression();
  if (!isSign(":")) {
    if (isSign(",")) fail(current().place, "an index of several parts is not known here");
    expectSign("]");
    return binaryOf(Kind::Item, place, {}, std::move(on), std::move(first));
  }
  Made e = make(Kind::Slice, place);
  e->parts.push_back(std::move(on));
  e->parts.push_back(std::move(first));
  for (int i = 0; i < 2; ++i) e->parts.push_back(skipSign(":") && !isSign(":") && !isSign("]") ? expression() : nullptr);
  expectSign("]");
  return finish(std::move(e));
}

void ExpressionParser::arguments(GivenArguments& given) {
  const Place place = current().place;
  const auto ensure = [&](bool holds) {
    if (!holds) fail(place, "invalid syntax for function call expression");
  };
  expectSign("(");
  for (bool comma = false; !isSign(")"); comma = true) {
    if (comma) {
      expectSign(",");
      if (isSign(")")) break;
    }
    if (skipSign("*")) {
      ensure(!given.star && !given.starStar);
      given.star = expression();
    } else if (skipSign("**")) {
      ensure(!given.starStar);
      given.starStar = expression();
    } else if (current().type == Token::Type::Name && look().type == Token::Type::Operator && look().text == "=") {
      ensure(!given.starStar);
      const std::string name = current().text;
      next();
      next();
      given.named.emplace_back(name, expression());
    } else {
      ensure(!given.star && !given.starStar && given.named.empty());
      given.positional.push_back(expression());
    }
  }
  next();
}

ExpressionPtr ExpressionParser::call(ExpressionPtr on) {
  Made e = make(Kind::Call, current().place);
  e->parts.push_back(std::move(on));
  arguments(e->given);
  return finish(std::move(e));
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr on, bool inlineFirst) {
  while (isSign("|") || inlineFirst) {
    if (!inlineFirst) next();
    inlineFirst = false;
    const Token token = current();
    expectType(Token::Type::Name, "the name of a filter");
    Made e = make(Kind::Filter, token.place);
    e->name = token.text;
    while (skipSign(".")) {
      e->name += '.' + current().text;
      expectType(Token::Type::Name, "the name of a filter");
    }
    e->parts.push_back(std::move(on));
    if (isSign("(")) arguments(e->given);
    on = finish(std::move(e));
  }
  return on;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr on) {
  const Place place = current().place;
  next();
  const bool negated = skipName("not");
  Made e = make(Kind::Test, place);
  e->name = current().text;
  expectType(Token::Type::Name, "the name of a test");
  while (skipSign(".")) {
    e->name += '.' + current().text;
    expectType(Token::Type::Name, "the name of a test");
  }
  e->parts.push_back(std::move(on));
  const Token::Type type = current().type;
  const bool value = type == Token::Type::Name || type == Token::Type::String || type == Token::Type::Integer ||
                     type == Token::Type::Float || isSign("[") || isSign("{");
  if (isSign("(")) arguments(e->given);
  else if (value && !isName("else") && !isName("or") && !isName("and")) {
    if (isName("is")) fail(current().place, "You cannot chain multiple tests with is");
    e->given.positional.push_back(postfix(primary()));
  }
  ExpressionPtr made = finish(std::move(e));
  return negated ? unaryOf(Kind::Not, place, std::move(made)) : std::move(made);
}

}  // namespace cloister::jinja
