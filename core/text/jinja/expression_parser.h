// The expressions of a chat template; the statements' parser stands on it. Throws TemplateError.
#pragma once
#include <string_view>
#include <vector>

#include "core/text/jinja/lexer.h"
#include "core/text/jinja/syntax.h"

namespace cloister::jinja {

class ExpressionParser {
 protected:
  explicit ExpressionParser(std::string_view source) : tokens_(tokensOf(source)) {}

  [[noreturn]] static void fail(Place place, std::string why) { throw TemplateError{place, std::move(why)}; }

  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& tokenAt(std::size_t i) const { return tokens_[i]; }
  std::size_t place() const { return at_; }
  void next() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  bool isName(std::string_view word) const { return current().type == Token::Type::Name && current().text == word; }
  bool isSign(std::string_view sign) const { return current().type == Token::Type::Operator && current().text == sign; }
  bool skipName(std::string_view word) { return isName(word) && (next(), true); }
  bool skipSign(std::string_view sign) { return isSign(sign) && (next(), true); }
  void expectName(std::string_view word);
  void expectSign(std::string_view sign);
  void expectType(Token::Type type, const char* what);

  /// While it lives the template is one level deeper.
  class Deeper {
   public:
    Deeper(ExpressionParser& parser, int most) : parser_(parser) {
      if (++parser.depth_ > most) fail(parser.current().place, "the template is nested too deep");
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    ExpressionParser& parser_;
  };

  /// One expression, or several with commas between: a tuple.
  ExpressionPtr tuple(bool conditions = true, const char* endName = nullptr, bool parentheses = false);
  ExpressionPtr expression(bool conditions = true);
  /// What a set or for gives a value to.
  ExpressionPtr target(bool members);
  std::string targetName();
  /// The filters that stand here, put on `on`; the first one without its | where `inlineFirst`.
  ExpressionPtr filters(ExpressionPtr on, bool inlineFirst = false);

 private:
  using Made = std::unique_ptr<Expression>;
  Made make(Expression::Kind kind, Place place) const;
  ExpressionPtr finish(Made made) const;
  ExpressionPtr unaryOf(Expression::Kind kind, Place place, ExpressionPtr part) const;
  ExpressionPtr binaryOf(Expression::Kind kind, Place place, std::string name, ExpressionPtr left, ExpressionPtr right) const;
  bool tupleEnds(const char* endName) const;
  ExpressionPtr conditional();
  ExpressionPtr orExpression();
  ExpressionPtr andExpression();
  ExpressionPtr notExpression();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool withFilters = true);
  ExpressionPtr primary();
  ExpressionPtr number();
  ExpressionPtr list();
  ExpressionPtr mapping();
  ExpressionPtr postfix(ExpressionPtr on);
  ExpressionPtr filtersAndTests(ExpressionPtr on);
  ExpressionPtr subscript(ExpressionPtr on);
  ExpressionPtr call(ExpressionPtr on);
  ExpressionPtr test(ExpressionPtr on);
  ExpressionPtr simpleTarget(bool members);
  void arguments(GivenArguments& given);

  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace cloister::jinja
