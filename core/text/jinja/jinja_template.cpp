#include "core/text/jinja/jinja_template.h"

#include "core/text/jinja/parser.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

constexpr std::size_t kLargestSource = 1 << 20;

Failure failureOf(const jinja::TemplateError& e, const QString& path) {
  QJsonObject args{{"path", path}, {"line", e.place.line}, {"column", e.place.column}, {"why", QString::fromStdString(e.why)}};
  if (e.raised) args["raised"] = true;
  return {FailureKind::TemplateFailed, args, {}};
}

}  // namespace

Result<std::shared_ptr<const JinjaTemplate>> JinjaTemplate::parse(std::string_view source, const QString& path) {
  if (source.size() > kLargestSource)
    return Failure{FailureKind::TooLarge, {{"path", path}, {"limit", QStringLiteral("1 MiB of a chat template")}}, {}};
  try {
    jinja::Body body = jinja::parse(isValidUtf8(source) ? std::string(source) : repairedUtf8(source));
    return std::shared_ptr<const JinjaTemplate>(new JinjaTemplate(std::move(body), path));
  } catch (const jinja::TemplateError& e) {
    return failureOf(e, path);
  }
}

Result<jinja::Output> JinjaTemplate::render(const std::vector<std::pair<std::string, jinja::Value>>& context,
                                            const std::optional<jinja::Date>& date) const {
  try {
    return jinja::run(body_, context, date);
  } catch (const jinja::TemplateError& e) {
    return failureOf(e, path_);
  } catch (const jinja::Refusal& r) {
    return failureOf({{}, r.why, r.raised}, path_);
  }
}

}  // namespace cloister
