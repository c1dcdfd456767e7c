// A chat template as it is understood: expressions and statements with their places. Immutable once parsed.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/value.h"

namespace cloister::jinja {

struct Place {
  int line = 1, column = 1;  ///< both from 1; columns are characters
};

/// What is wrong with a template, and where.
struct TemplateError {
  Place place;
  std::string why;
  bool raised = false;
};

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

/// Of a call, a filter or a test.
struct GivenArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr star, starStar;
};

struct Expression {
  enum class Kind {
    Constant,   ///< value
    Name,       ///< name
    Member,     ///< name "." attribute, as the target of a set
    List,       ///< parts
    Tuple,      ///< parts
    Mapping,    ///< parts: key, value, key, value …
    Attribute,  ///< parts[0] . name
    Item,       ///< parts[0] [parts[1]]
    Slice,      ///< parts[0] [parts[1] : parts[2] : parts[3]], null where left out
    Call,       ///< parts[0] (given)
    Filter,     ///< parts[0] | name (given); parts[0] null: of a block
    Test,       ///< parts[0] is name (given)
    Not,
    Minus,
    Plus,
    Binary,   ///< parts[0] name parts[1]
    Compare,  ///< parts[0] operators[0] parts[1] operators[1] parts[2] …
    And,
    Or,
    Concat,     ///< parts
    Condition,  ///< parts[1] if parts[0] else parts[2], null: undefined
  } kind = Kind::Constant;
  Place place;
  std::string name, attribute;
  Value value;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> operators;
  GivenArguments given;
  int depth = 1;  ///< of the tree below
};

struct Statement;
using Body = std::vector<std::unique_ptr<const Statement>>;

struct Parameter {
  std::string name;
  ExpressionPtr standard;  ///< null: has none
};

struct Branch {
  ExpressionPtr condition;
  Body body;
};

struct Statement {
  enum class Kind {
    Data,         ///< text
    Print,        ///< value
    Set,          ///< target = value
    SetBlock,     ///< target = the body's text through value (a filter or null)
    For,          ///< target in value if condition: body, otherwise
    If,           ///< branches, otherwise
    With,         ///< assignments, body
    Macro,        ///< text is its name; parameters, body
    CallBlock,    ///< value is the call; parameters, body
    FilterBlock,  ///< the body's text through value
    Generation,   ///< body counts as the model's own words
    Break,
    Continue,
  } kind = Kind::Data;
  Place place;
  std::string text;
  ExpressionPtr target, value, condition;
  std::vector<Parameter> parameters;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> assignments;
  std::vector<Branch> branches;
  Body body, otherwise;
  bool recursive = false;
  bool varargs = false, kwargs = false, caller = false;  ///< names that the body of a macro uses
};

}  // namespace cloister::jinja
