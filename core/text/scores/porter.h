// The Porter stemmer with the changes of NLTK's NLTK_EXTENSIONS mode, which rouge-score uses. Sources: Porter, "An algorithm for suffix
// stripping", Program 14 (1980); nltk/stem/porter.py. Any thread.
#pragma once
#include <string>

namespace cloister::scores {

/// word: lower-case ASCII letters and digits; replaced by its stem.
void porterStem(std::string& word);

}  // namespace cloister::scores
