// A chat template cut into tokens, with white space as transformers sets it: trim_blocks and lstrip_blocks on, one newline at the end
// dropped. Source: Jinja 3.1, lexer.py. Throws TemplateError.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/syntax.h"

namespace cloister::jinja {

struct Token {
  enum class Type { Data, VariableBegin, VariableEnd, BlockBegin, BlockEnd, Name, String, Integer, Float, Operator, End } type = Type::End;
  std::string text;  ///< of a string without its quotes and escapes
  Place place;
};

/// source is valid UTF-8. The last token is End.
std::vector<Token> tokensOf(std::string_view source);

}  // namespace cloister::jinja
