// Where a pattern of a tokenizer matches in a text. Regular expressions run in ICU, set to the rules of Oniguruma's Ruby syntax that
// Hugging Face tokenizers uses; the well-known ones of the DeepSeek, Qwen, Llama 3 and GPT-2 families are recognised by their exact text,
// and simple ones by their form, and are then read by loops of our own. Immutable; any thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <QString>

#include "core/domain/result.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {

/// Thrown inside the library by what may fail for a text; the tokenizer turns it into a Result.
struct TokenizerError {
  Failure failure;
};

class Pattern {
 public:
  virtual ~Pattern() = default;
  /// Appends the matches within span (which is treated as a whole text), in order, not overlapping. Empty matches are left out.
  virtual void find(std::string_view text, Span span, std::vector<Span>& matches) const = 0;
  /// Once before the finds in a text, on the same thread; the text must live as long as they go on.
  virtual void begin(std::string_view) const {}
  virtual bool fast() const { return true; }
};

/// A regular expression. where: the member of the file, for the failure. fast false: ICU in any case (the reference for tests).
Result<std::unique_ptr<Pattern>> compileRegex(const std::string& expression, bool fast, const QString& where);
/// A text that is looked for as it is.
std::unique_ptr<Pattern> literalPattern(std::string text);
/// Each character of one of these classes (and of `extra`, ASCII) by itself.
std::unique_ptr<Pattern> characterPattern(std::uint8_t classes, std::string_view extra = {});

/// The loops of our own; null when the expression is none of theirs. For compileRegex.
std::unique_ptr<Pattern> scannerFor(const std::string& expression);
std::unique_ptr<Pattern> simpleSetFor(const std::string& expression);

}  // namespace cloister
