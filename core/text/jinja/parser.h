// A chat template into its tree. Source: the grammar of Jinja 3.1 (parser.py) with the extensions of transformers ({% generation %}, loop
// controls). What chat templates do not need is refused by name: include, import, extends, block, autoescape, unknown tags.
// Throws TemplateError: also for templates nested more than 100 deep, or with an expression more than 400 deep.
#pragma once
#include <string_view>

#include "core/text/jinja/syntax.h"

namespace cloister::jinja {

/// source is valid UTF-8.
Body parse(std::string_view source);

}  // namespace cloister::jinja
