// Tokenizer files and texts. Byte 0: which file; bytes 1 and 2: how long the text is; the text; the file. What is accepted must encode any
// text into ids of its vocabulary, show pieces with the same ids inside the text, and decode to well-formed UTF-8.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/text/tokenizers/sentencepiece_encoder.h"
#include "core/text/tokenizers/tokenizer.h"

using namespace cloister;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void tryJson(const QByteArray& file, std::string_view text) {
  const auto tokenizer = parseTokenizerJson(file, {}, QStringLiteral("fuzz"));
  if (!tokenizer) return;
  const auto ids = (*tokenizer)->encode(text);
  const auto pieces = (*tokenizer)->pieces(text);
  require(bool(ids) == bool(pieces));
  if (!ids) return;
  require(ids->size() == pieces->size());
  for (std::size_t i = 0; i < ids->size(); ++i) {
    const Piece& p = (*pieces)[i];
    require((*ids)[i] == p.id && p.from <= p.to && p.to <= text.size());
  }
  require(isValidUtf8((*tokenizer)->decode(*ids, false)));
}

/// Our reader and encoder; Debian's library is not instrumented and has bounds of its own.
void tryModel(std::string_view file, std::string_view text) {
  const auto model = SentencePieceModel::read(file, QStringLiteral("fuzz"));
  if (!model) return;
  const auto encoder = SentencePieceEncoder::make(*model);
  if (!encoder) return;
  SentencePieceScratch scratch;
  const std::string repaired = repairedUtf8(text);
  scratch.text.assign(repaired, {});
  encoder->normalize(scratch.text);
  std::vector<std::int32_t> ids, placed;
  std::vector<std::uint32_t> ends;
  const std::string normal = repairedUtf8(scratch.text.view());  // a hostile table may make anything
  encoder->encode(normal, scratch, ids, nullptr);
  encoder->encode(normal, scratch, placed, &ends);
  require(ids == placed && ids.size() == ends.size());
  for (const std::int32_t id : ids) require(id >= 0 && std::size_t(id) < model->pieces.size());
  require(std::is_sorted(ends.begin(), ends.end()) && (ends.empty() || ends.back() <= normal.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t length = std::min<std::size_t>(data[1] | data[2] << 8, size - 3);
  const std::string_view all(reinterpret_cast<const char*>(data) + 3, size - 3), text = all.substr(0, length), file = all.substr(length);
  if (data[0] & 1) tryModel(file, text);
  else tryJson(QByteArray(file.data(), qsizetype(file.size())), text);
  return 0;
}
