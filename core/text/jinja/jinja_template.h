// A Jinja template as chat templates of Hugging Face folders are written, rendered as transformers' apply_chat_template renders it: a
// small, strict interpreter without side effects. Untrusted: parse and render in child processes only. What it may take is bounded: 1 MiB
// of source, nesting, the depth of calls and lists, steps and bytes in proportion to what is given, 256 MB of output. Immutable; any thread
// may render. Sources: Jinja 3.1.6 and transformers 5 (chat_template_utils.py), which are the judges in tests/interop.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include <QString>

#include "core/domain/result.h"
#include "core/text/jinja/interpreter.h"

namespace cloister {

class JinjaTemplate {
 public:
  /// source: any bytes. path only names the file in failures. TemplateFailed (line, column, why), TooLarge.
  static Result<std::shared_ptr<const JinjaTemplate>> parse(std::string_view source, const QString& path);

  /// TemplateFailed, with "raised" where the template itself refuses (raise_exception). Texts of the context are valid UTF-8.
  Result<jinja::Output> render(const std::vector<std::pair<std::string, jinja::Value>>& context,
                               const std::optional<jinja::Date>& = {}) const;

 private:
  JinjaTemplate(jinja::Body body, QString path) : body_(std::move(body)), path_(std::move(path)) {}
  const jinja::Body body_;
  const QString path_;
};

}  // namespace cloister
