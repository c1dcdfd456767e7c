// A chat template. Byte 0: bit 0 a generation prompt is asked for, bit 1 the day is known; then the template. It is refused with a place,
// or it writes the same valid text every time.
#include <cstdlib>

#include "core/text/jinja/jinja_template.h"
#include "core/text/tokenizers/unicode.h"

using namespace cloister;
using jinja::Value;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

Value message(const char* role, const char* content) {
  jinja::Mapping m;
  m.set(Value(std::string("role")), Value(std::string(role)));
  m.set(Value(std::string("content")), Value(std::string(content)));
  return Value::mapping(std::move(m));
}

void requirePlace(const Failure& failure) {
  require(failure.kind == FailureKind::TemplateFailed || failure.kind == FailureKind::TooLarge);
  require(failure.kind == FailureKind::TooLarge || (failure.args["line"].toInt() >= 1 && failure.args["column"].toInt() >= 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto made = JinjaTemplate::parse({reinterpret_cast<const char*>(data) + 1, size - 1}, QStringLiteral("t"));
  if (!made) return requirePlace(made.error()), 0;
  const std::vector<std::pair<std::string, Value>> context{
      {"messages",
       Value::list({message("system", "Be brief."), message("user", "Hi \xC3\xBC\n"), message("assistant", " <think>x</think> Yes.")})},
      {"bos_token", Value(std::string("<s>"))},
      {"eos_token", Value(std::string("</s>"))},
      {"tools", Value::none()},
      {"add_generation_prompt", Value((data[0] & 1) != 0)}};
  const std::optional<jinja::Date> date = data[0] & 2 ? std::optional<jinja::Date>({2024, 7, 26}) : std::nullopt;
  const auto once = (*made)->render(context, date), again = (*made)->render(context, date);
  require(bool(once) == bool(again));
  if (!once) return requirePlace(once.error()), 0;
  require(once->text == again->text && isValidUtf8(once->text));
  for (const auto& [from, to] : once->generation) require(from <= to);
  return 0;
}
