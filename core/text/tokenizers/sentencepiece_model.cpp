#include "core/text/tokenizers/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

/// Fields of one protocol buffer message. broken() once a length or tag makes no sense.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  /// False at the end and when broken.
  bool next() {
    if (at_ == bytes_.size() || broken_) return false;
    const std::uint64_t tag = varint();
    number = int(tag >> 3);
    switch (broken_ ? 8 : tag & 7) {
      case 0:
        value = varint();
        break;
      case 1:
        text = take(8);
        break;
      case 2:
        text = take(varint());
        break;
      case 5:
        text = take(4);
        break;
      default:
        broken_ = true;
    }
    return !broken_;
  }
  bool broken() const { return broken_; }
  std::size_t position() const { return at_; }
  float real() const {
    float f = NAN;
    if (text.size() == 4) std::memcpy(&f, text.data(), 4);
    return f;
  }

  int number = 0;
  std::uint64_t value = 0;
  std::string_view text;

 private:
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) break;
      const auto b = static_cast<unsigned char>(bytes_[at_++]);
      v |= std::uint64_t(b & 0x7F) << shift;
      if (b < 0x80) return v;
    }
    broken_ = true;
    return 0;
  }
  std::string_view take(std::uint64_t length) {
    if (broken_ || length > bytes_.size() - at_) return broken_ = true, std::string_view{};
    at_ += std::size_t(length);
    return bytes_.substr(at_ - std::size_t(length), std::size_t(length));
  }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

bool readPiece(std::string_view bytes, SentencePieceModel::Entry& entry) {
  Fields f(bytes);
  while (f.next()) {
    if (f.number == 1) entry.piece = f.text;
    if (f.number == 2) entry.score = f.real();
    if (f.number == 3) entry.type = SentencePieceModel::PieceType(f.value >= 1 && f.value <= 6 ? f.value : 0);
  }
  return !f.broken() && !entry.piece.empty() && isValidUtf8(entry.piece) && std::isfinite(entry.score) && int(entry.type) != 0;
}

bool readTrainer(std::string_view bytes, SentencePieceModel& model) {
  Fields f(bytes);
  while (f.next()) {
    if (f.number == 3) model.kind = SentencePieceModel::Kind(f.value >= 1 && f.value <= 4 ? f.value : 0);
    if (f.number == 24) model.spaceAsSuffix = f.value;
    if (f.number == 35) model.byteFallback = f.value;
  }
  return !f.broken() && int(model.kind) != 0;
}

bool readNormalizer(std::string_view bytes, SentencePieceModel& model) {
  Fields f(bytes);
  while (f.next()) {
    if (f.number == 1) model.normalizer = f.text;
    if (f.number == 2) model.characterMap = f.text;
    if (f.number == 3) model.dummyPrefix = f.value;
    if (f.number == 4) model.removeExtraSpaces = f.value;
    if (f.number == 5) model.escapeSpaces = f.value;
  }
  return !f.broken();
}

/// u32 LE size of a double-array trie, the trie, NUL-terminated texts.
bool soundMap(std::string_view map) {
  if (map.empty()) return true;
  std::uint32_t size = 0;
  if (map.size() <= 4) return false;
  std::memcpy(&size, map.data(), 4);
  return size >= 1024 && size % 1024 == 0 && size < map.size() - 4 && map.back() == '\0';
}

}  // namespace

Result<SentencePieceModel> SentencePieceModel::read(std::string_view bytes, const QString& path) {
  const auto corrupt = [&](const QString& why, std::size_t at) {
    return Failure{FailureKind::CorruptFile, {{"path", path}, {"position", qint64(at)}}, QStringLiteral("byte %1: ").arg(at) + why};
  };
  SentencePieceModel model;
  std::unordered_set<std::string_view> met;
  Fields f(bytes);
  while (f.next()) {
    bool good = true;
    if (f.number == 1) {
      Entry entry;
      good = readPiece(f.text, entry);
      if (good && !met.insert(entry.piece).second) return corrupt(QStringLiteral("a piece stands here twice"), f.position());
      model.pieces.push_back(entry);
    }
    if (f.number == 2) good = readTrainer(f.text, model);
    if (f.number == 3) good = readNormalizer(f.text, model);
    if (!good) return corrupt(QStringLiteral("field %1 of a SentencePiece model cannot be read").arg(f.number), f.position());
  }
  if (f.broken())
    return Failure{
        FailureKind::TruncatedFile, {{"path", path}, {"position", qint64(f.position())}}, QStringLiteral("byte %1").arg(f.position())};
  if (model.pieces.empty()) return corrupt(QStringLiteral("no pieces"), 0);
  if (!soundMap(model.characterMap)) return corrupt(QStringLiteral("the table of the normalizer is damaged"), 0);
  return model;
}

}  // namespace cloister
