// Runs a parsed chat template once. Throws TemplateError.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text/jinja/machine.h"
#include "core/text/jinja/syntax.h"

namespace cloister::jinja {

struct Date {
  int year = 1970, month = 1, day = 1;
};

struct Output {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> generation;  ///< byte ranges of {% generation %} blocks
};

/// context: what the template knows by name. Without a date there is no strftime_now.
Output run(const Body&, const std::vector<std::pair<std::string, Value>>& context, const std::optional<Date>&);

}  // namespace cloister::jinja
