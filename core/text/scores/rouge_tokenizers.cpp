#include "core/text/scores/rouge_tokenizers.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "core/text/scores/porter.h"
#include "core/text/scores/python_text.h"

namespace cloister::scores {
namespace {

bool isPlain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool isWordCharacter(char32_t c) {
  if (c < 0x80) return isPlain(char(c));
  return (U_GET_GC_MASK(UChar32(c)) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

bool isWordAlone(char32_t c) {
  if (c < 0x2E80) return false;
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(UChar32(c), &error);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || script == USCRIPT_BOPOMOFO;
}

}  // namespace

void RougeTokenizer::addWord(std::string_view word) {
  // rouge-score stems words of more than three letters.
  if (options_.stemmer && word.size() > 3 && std::all_of(word.begin(), word.end(), isPlain)) {
    stem_.assign(word);
    porterStem(stem_);
    word = stem_;
  }
  kept_ += word;
  if (!word.empty()) ends_.push_back(kept_.size());
}

void RougeTokenizer::words(std::string_view text, std::vector<std::string_view>& words) {
  words.clear();
  kept_.clear();
  ends_.clear();
  lower(text, lowered_);
  const char *p = lowered_.data(), *const end = p + lowered_.size(), *word = nullptr;
  const auto endWord = [&](const char* at) {
    if (word) addWord({word, std::size_t(at - word)});
    word = nullptr;
  };
  while (p < end) {
    const char* const from = p;
    bool inWord = false, alone = false;
    if (options_.tokenizer == RougeOptions::Tokenizer::Default) {
      inWord = isPlain(*p++);
    } else {
      const char32_t c = nextCharacter(p);
      alone = options_.tokenizer == RougeOptions::Tokenizer::Char ? !isSpace(c) : isWordAlone(c) && isWordCharacter(c);
      inWord = !alone && options_.tokenizer == RougeOptions::Tokenizer::Zh && isWordCharacter(c);
    }
    if (inWord) {
      if (!word) word = from;
      continue;
    }
    endWord(from);
    if (alone) addWord({from, std::size_t(p - from)});
  }
  endWord(end);
  std::size_t from = 0;
  for (const std::size_t to : ends_) words.emplace_back(kept_.data() + from, to - from), from = to;
}

}  // namespace cloister::scores
