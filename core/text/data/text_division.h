// Which texts are for training, validation and test: decided by the text itself and a seed, so that the same text is always in one part,
// whatever file it stands in. Immutable; any thread.
#pragma once
#include <string_view>
#include <vector>

#include "core/text/data/text_records.h"

namespace cloister {

struct TextDivision {
  enum Part { Train, Validation, Test };
  static constexpr const char* kNames[] = {"train", "validation", "test"};

  qint64 seed = 1;
  double validation = 0, test = 0;  ///< shares

  /// Of a record: by SHA-256 of the seed and all that is given to the model.
  Part partOf(const TextSample&) const;
  /// Running text: a document goes to one part as a whole; one that is a whole file gives its end to validation and test, cut behind lines.
  struct Piece {
    std::string_view text;
    Part part;
  };
  std::vector<Piece> pieces(const TextSample&) const;
};

/// Records and bytes that go to each part, and how many texts there are more than once. job: inputs (as prepareText), kind, seed,
/// validation, test. Returns {"parts": {name: {"records","bytes"}}, "repeated", "across": NearTexts::report()}. Runs in a cloister-ingest
/// child.
Result<QJsonObject> countDivision(const QJsonObject& job, const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace cloister
