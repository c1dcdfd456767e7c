// Texts of one part of the data that stand, nearly or wholly, in another: what makes a test look better than it is. A text is compared in
// lower case, its letters and digits only, with one space for all between them; by its set of shingles of five characters, which needs no
// words and so serves Chinese as well. Near means a Jaccard index of at least 0.8 (the threshold of Lee et al. 2022, "Deduplicating
// Training Data Makes Language Models Better"). Candidates are found by MinHash (Broder 1997) in 16 bands of 4 rows, which miss 2 in 10,000
// pairs of exactly 0.8 and fewer above; each is then compared exactly. Used by one thread; works on all cores.
#pragma once
#include <array>
#include <string>
#include <vector>

#include <QJsonObject>
#include <QStringList>

#include "core/text/data/text_division.h"

namespace cloister {

class NearTexts {
 public:
  static constexpr double kNear = 0.8;
  static constexpr std::size_t kShortest = 20;  ///< shingles; shorter texts are compared for equality only

  /// All that a record says. Documents that are whole files are left out: their parts are cut from one text.
  static bool isCompared(const TextSample& sample) { return !sample.wholeFile; }
  static std::string wordsOf(const TextSample&);

  void add(std::string text, TextDivision::Part, const QString& file, qint64 line);
  /// Behind the last: the candidates, by the number in which they were added.
  Result<void> finish();
  /// Whether this text has to be given once more to compare(), and that.
  bool wants(std::size_t number) const { return number < wanted_.size() && wanted_[number]; }
  void compare(std::size_t number, const std::string& text);

  /// {"equal", "near": texts of validation and test with such a text in another part, "complete": false where only some were compared,
  /// "pairs": the first 100, {"file","line","part","otherFile","otherLine","otherPart","similarity"}}.
  QJsonObject report() const;

 private:
  static constexpr std::size_t kRows = 4, kBands = 16, kHashes = kRows * kBands;
  using Signature = std::array<std::uint32_t, kHashes>;
  struct Entry {
    quint64 words = 0;  ///< hash of the text as it is compared
    qint64 line = 0;
    std::uint32_t file = 0, shingles = 0;
    TextDivision::Part part = TextDivision::Train;
  };
  struct Pair {
    std::uint32_t first = 0, second = 0;  ///< the second is the one of the later part
    double similarity = 1;
  };
  Result<void> sign();
  void findEqual(std::vector<std::uint32_t>& different);
  void findCandidates(const std::vector<std::uint32_t>& different);
  void addBand(std::size_t band, const std::vector<std::uint32_t>& different);
  Pair ordered(std::uint32_t a, std::uint32_t b) const;
  QJsonObject told(const Pair&) const;

  std::vector<std::string> waiting_;
  std::size_t waitingBytes_ = 0;
  std::vector<Entry> entries_;
  std::vector<Signature> signatures_;
  QStringList files_;
  qint64 equal_ = 0;
  bool complete_ = true;
  Result<void> state_;
  std::vector<Pair> equalPairs_, candidates_;
  std::vector<bool> wanted_;
  std::vector<std::vector<quint64>> shingles_;  ///< of those wanted
  std::vector<std::uint32_t> placeOf_;
};

}  // namespace cloister
