// Files of texts. Byte 0: bits 0-2 the file's suffix, bits 3-4 the kind asked for, bit 5 guess it, bits 6-7 what one document is; then the
// file. Every record lies where it is told, is not blank, and goes to the same part however often it is asked; the pieces of a document are
// the document.
#include <cstdlib>

#include "core/text/data/text_division.h"

using namespace cloister;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const TextSample& sample, const TextDivision& division) {
  require(sample.line >= 1);
  const TextDivision::Part part = division.partOf(sample);
  require(part == division.partOf(sample));
  if (!sample.turns.empty()) return;
  require(!sample.text.empty());
  std::size_t bytes = 0;
  for (const TextDivision::Piece& piece : division.pieces(sample)) {
    require(!piece.text.empty() && piece.text.data() == sample.text.data() + bytes);
    bytes += piece.text.size();
  }
  require(bytes == sample.text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const char* const suffixes[] = {"txt", "json", "jsonl", "tsv", "md", "ndjson", "text", ""};
  static const char* const documents[] = {"file", "line", "paragraph", "file"};
  const QString name = QStringLiteral("a.") + QLatin1String(suffixes[data[0] & 7]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  RecordOptions how{TextKind(data[0] >> 3 & 3), QLatin1String(documents[data[0] >> 6]), {}, 0, 1};
  if (data[0] & 32) {
    const auto guessed = guessTextKind(name, bytes);
    if (!guessed) return 0;
    how.kind = *guessed;
  }
  const TextDivision division{3, 0.2, 0.2};
  RecordSinks sinks;
  sinks.sample = [&](TextSample sample) { check(sample, division); };
  sinks.refused = [](const QString&, qint64 line, const QString& why) { require(line >= 1 && !why.isEmpty()); };
  (void)readRecords(name, bytes, how, sinks);
  return 0;
}
