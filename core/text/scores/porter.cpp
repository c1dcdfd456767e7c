#include "core/text/scores/porter.h"

#include <array>
#include <initializer_list>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace cloister::scores {
namespace {

using View = std::string_view;

bool isVowelLetter(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

/// y is a consonant where the letter before it is none, or where it begins the word.
bool nextIsConsonant(char c, bool first, bool beforeIsConsonant) {
  if (isVowelLetter(c)) return false;
  return c != 'y' || first || !beforeIsConsonant;
}

bool isConsonant(View word, std::size_t place) {
  bool consonant = false;
  std::size_t from = place;
  while (from > 0 && word[from] == 'y') --from;  // only a run of y depends on what stands before it
  for (std::size_t i = from; i <= place; ++i) consonant = nextIsConsonant(word[i], i == 0, consonant);
  return consonant;
}

/// The paper's m: how often a consonant follows a vowel.
int measure(View stem) {
  int m = 0;
  bool before = false;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const bool consonant = nextIsConsonant(stem[i], i == 0, before);
    m += i > 0 && consonant && !before;
    before = consonant;
  }
  return m;
}

bool containsVowel(View stem) {
  bool consonant = false;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    consonant = nextIsConsonant(stem[i], i == 0, consonant);
    if (!consonant) return true;
  }
  return false;
}

bool endsDoubleConsonant(View word) {
  const std::size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && isConsonant(word, n - 1);
}

/// *o, and NLTK's: two letters, a vowel and a consonant.
bool endsConsonantVowelConsonant(View word) {
  const std::size_t n = word.size();
  if (n == 2) return !isConsonant(word, 0) && isConsonant(word, 1);
  return n >= 3 && isConsonant(word, n - 3) && !isConsonant(word, n - 2) && isConsonant(word, n - 1) && word[n - 1] != 'w' &&
         word[n - 1] != 'x' && word[n - 1] != 'y';
}

View without(const std::string& word, View suffix) { return View(word).substr(0, word.size() - suffix.size()); }

void replaceEnd(std::string& word, View suffix, View with) {
  word.resize(word.size() - suffix.size());
  word += with;
}

struct Rule {
  View suffix, with;
};

/// The first rule whose suffix the word has decides, whether or not its stem is long enough.
template <std::size_t N>
void applyRules(std::string& word, const std::array<Rule, N>& rules, int leastMeasure) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    if (measure(without(word, rule.suffix)) >= leastMeasure) replaceEnd(word, rule.suffix, rule.with);
    return;
  }
}

void plurals(std::string& word) {
  if (word.ends_with("ies") && word.size() == 4) return replaceEnd(word, "ies", "ie");
  if (word.ends_with("sses")) replaceEnd(word, "sses", "ss");
  else if (word.ends_with("ies")) replaceEnd(word, "ies", "i");
  else if (!word.ends_with("ss") && word.ends_with("s")) word.pop_back();
}

void pastAndGerund(std::string& word) {
  if (word.ends_with("ied")) return replaceEnd(word, "ied", word.size() == 4 ? "ie" : "i");
  if (word.ends_with("eed")) {
    if (measure(without(word, "eed")) > 0) word.pop_back();
    return;
  }
  const View suffix = word.ends_with("ed") ? "ed" : "ing";
  if (!word.ends_with(suffix) || !containsVowel(without(word, suffix))) return;
  word.resize(word.size() - suffix.size());
  const bool always = word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz");
  if (!always && endsDoubleConsonant(word)) {
    const char last = word.back();
    if (last != 'l' && last != 's' && last != 'z') word.pop_back();
  } else if (always || (measure(word) == 1 && endsConsonantVowelConsonant(word))) {
    word += 'e';
  }
}

void finalY(std::string& word) {
  if (word.size() > 2 && word.back() == 'y' && isConsonant(word, word.size() - 2)) word.back() = 'i';
}

void doubleSuffixes(std::string& word) {
  if (word.ends_with("alli") && measure(without(word, "alli")) > 0) {
    replaceEnd(word, "alli", "al");
    return doubleSuffixes(word);
  }
  static constexpr std::array kRules{Rule{"ational", "ate"}, Rule{"tional", "tion"}, Rule{"enci", "ence"},   Rule{"anci", "ance"},
                                     Rule{"izer", "ize"},    Rule{"bli", "ble"},     Rule{"alli", "al"},     Rule{"entli", "ent"},
                                     Rule{"eli", "e"},       Rule{"ousli", "ous"},   Rule{"ization", "ize"}, Rule{"ation", "ate"},
                                     Rule{"ator", "ate"},    Rule{"alism", "al"},    Rule{"iveness", "ive"}, Rule{"fulness", "ful"},
                                     Rule{"ousness", "ous"}, Rule{"aliti", "al"},    Rule{"iviti", "ive"},   Rule{"biliti", "ble"},
                                     Rule{"fulli", "ful"}};
  for (const Rule& rule : kRules)
    if (word.ends_with(rule.suffix)) return applyRules(word, kRules, 1);
  // The l of logi counts as part of the stem: geo and theo are long enough then.
  if (word.ends_with("logi") && measure(View(word).substr(0, word.size() - 3)) > 0) word.pop_back();
}

void longSuffixes(std::string& word) {
  static constexpr std::array kRules{Rule{"icate", "ic"}, Rule{"ative", ""}, Rule{"alize", "al"}, Rule{"iciti", "ic"},
                                     Rule{"ical", "ic"},  Rule{"ful", ""},   Rule{"ness", ""}};
  applyRules(word, kRules, 1);
}

void lastSuffixes(std::string& word) {
  static constexpr std::array kBefore{Rule{"al", ""},    Rule{"ance", ""}, Rule{"ence", ""}, Rule{"er", ""},
                                      Rule{"ic", ""},    Rule{"able", ""}, Rule{"ible", ""}, Rule{"ant", ""},
                                      Rule{"ement", ""}, Rule{"ment", ""}, Rule{"ent", ""}};
  for (const Rule& rule : kBefore)
    if (word.ends_with(rule.suffix)) return applyRules(word, kBefore, 2);
  if (word.ends_with("ion")) {
    const View stem = without(word, "ion");
    if (measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't')) word.resize(stem.size());
    return;
  }
  static constexpr std::array kAfter{Rule{"ou", ""},  Rule{"ism", ""}, Rule{"ate", ""}, Rule{"iti", ""},
                                     Rule{"ous", ""}, Rule{"ive", ""}, Rule{"ize", ""}};
  applyRules(word, kAfter, 2);
}

void finalE(std::string& word) {
  if (!word.ends_with('e')) return;
  const View stem = without(word, "e");
  if (const int m = measure(stem); m > 1 || (m == 1 && !endsConsonantVowelConsonant(stem))) word.pop_back();
}

/// A table of forms that the rules would get wrong.
const std::string* irregular(const std::string& word) {
  static const std::unordered_map<std::string, std::string> kForms{
      {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
      {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
      {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};
  const auto found = kForms.find(word);
  return found == kForms.end() ? nullptr : &found->second;
}

}  // namespace

void porterStem(std::string& word) {
  if (const std::string* form = irregular(word)) {
    word = *form;
    return;
  }
  if (word.size() <= 2) return;
  plurals(word);
  pastAndGerund(word);
  finalY(word);
  doubleSuffixes(word);
  longSuffixes(word);
  lastSuffixes(word);
  finalE(word);
  if (word.ends_with("ll") && measure(View(word).substr(0, word.size() - 1)) > 1) word.pop_back();
}

}  // namespace cloister::scores
