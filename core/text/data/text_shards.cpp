#include "core/text/data/text_shards.h"

#include <algorithm>

#include <QJsonArray>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr std::size_t kTokensPerShard = 16 << 20;
constexpr int kFormat = 1;

template <typename T>
TensorView viewOf(DType type, const std::vector<T>& v) {
  return {type, {std::int64_t(v.size())}, reinterpret_cast<const std::byte*>(v.data()), v.size() * sizeof(T)};
}

Failure corrupt(const QString& path, const QString& why) { return {FailureKind::CorruptFile, {{"path", path}}, why}; }

/// The tensor as a list of T; empty with false when it is not one.
template <typename T>
bool listOf(const SafetensorsFile& file, const char* name, DType type, std::span<const T>& list) {
  const TensorView* t = file.find(name);
  if (!t || t->dtype != type || t->shape.size() != 1) return false;
  list = {reinterpret_cast<const T*>(t->data), t->bytes / sizeof(T)};
  return true;
}

}  // namespace

Result<void> TextShardWriter::add(const TextRow& row) {
  tokens_.insert(tokens_.end(), row.tokens.begin(), row.tokens.end());
  mask_.insert(mask_.end(), row.mask.begin(), row.mask.end());
  starts_.insert(starts_.end(), row.starts.begin(), row.starts.end());
  offsets_.push_back(std::int64_t(tokens_.size()));
  masked_ += std::count(row.mask.begin(), row.mask.end(), 1);
  // A pair of rows stays in one shard.
  return tokens_.size() >= kTokensPerShard && (rows_ + std::int64_t(offsets_.size()) - 1) % 2 == 0 ? flush() : Result<void>();
}

Result<void> TextShardWriter::flush() {
  if (offsets_.size() == 1) return {};
  const QString name = QStringLiteral("%1-%2.safetensors").arg(part_).arg(shards_.size(), 5, 10, QChar('0'));
  const QString path = dir_ + '/' + name;
  auto written = writeSafetensors(path, {{"tokens", viewOf(DType::I32, tokens_)},
                                         {"mask", viewOf(DType::U8, mask_)},
                                         {"starts", viewOf(DType::U8, starts_)},
                                         {"offsets", viewOf(DType::I64, offsets_)}});
  if (!written) return written.error();
  const auto digest = sha256OfFile(path);
  if (!digest) return digest.error();
  const auto rows = std::int64_t(offsets_.size()) - 1;
  shards_.append(QJsonObject{{"file", name}, {"rows", qint64(rows)}, {"tokens", qint64(tokens_.size())}, {"sha256", *digest}});
  rows_ += rows;
  tokensWritten_ += std::int64_t(tokens_.size());
  tokens_.clear();
  mask_.clear();
  starts_.clear();
  offsets_.assign(1, 0);
  return {};
}

Result<QJsonObject> TextShardWriter::finish() {
  if (auto flushed = flush(); !flushed) return flushed.error();
  return QJsonObject{{"rows", qint64(rows_)}, {"tokens", qint64(tokensWritten_)}, {"masked", qint64(masked_)}, {"shards", shards_}};
}

Result<TextData::Shard> TextData::openShard(const QString& path, std::int64_t first) const {
  const auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  Shard shard;
  shard.file = *file;
  shard.first = first;
  if (!listOf(**file, "tokens", DType::I32, shard.tokens) || !listOf(**file, "mask", DType::U8, shard.mask) ||
      !listOf(**file, "starts", DType::U8, shard.starts) || !listOf(**file, "offsets", DType::I64, shard.offsets))
    return corrupt(path, QStringLiteral("tokens I32, mask U8, starts U8 and offsets I64 of one dimension are expected"));
  if (shard.mask.size() != shard.tokens.size() || shard.starts.size() != shard.tokens.size() || shard.offsets.empty() ||
      shard.offsets.front() != 0 || shard.offsets.back() != std::int64_t(shard.tokens.size()) ||
      !std::is_sorted(shard.offsets.begin(), shard.offsets.end()))
    return corrupt(path, QStringLiteral("the lists do not fit each other"));
  const int vocabulary = index_["vocabularySize"].toInt();
  if (std::any_of(shard.tokens.begin(), shard.tokens.end(), [&](std::int32_t id) { return id < 0 || id >= vocabulary; }))
    return corrupt(path, QStringLiteral("a token outside the vocabulary"));
  return shard;
}

Result<std::shared_ptr<TextData>> TextData::open(const QString& dir) {
  const QString path = dir + "/index.json";
  const auto index = readJson(path);
  if (!index) return index.error();
  if ((*index)["format"].toInt() > kFormat)
    return Failure{FailureKind::NewerVersion, {{"path", path}, {"found", (*index)["format"]}, {"supported", kFormat}}, {}};
  if ((*index)["format"].toInt() != kFormat || (*index)["length"].toInt() < 2)
    return corrupt(path, QStringLiteral("not an index of prepared texts"));
  auto data = std::make_shared<TextData>();
  data->index_ = *index;
  const QJsonObject parts = (*index)["parts"].toObject();
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    auto& shards = data->parts_[part.key()];
    std::int64_t first = 0;
    for (const QJsonValue& entry : part->toObject()["shards"].toArray()) {
      const QString name = entry["file"].toString();
      if (name.contains('/') || name.startsWith('.')) return corrupt(path, QStringLiteral("a shard outside the folder"));
      auto shard = data->openShard(dir + '/' + name, first);
      if (!shard) return shard.error();
      first += std::int64_t(shard->offsets.size()) - 1;
      shards.push_back(std::move(*shard));
    }
  }
  return data;
}

std::int64_t TextData::rows(const QString& part) const {
  const auto it = parts_.find(part);
  if (it == parts_.end() || it->second.empty()) return 0;
  return it->second.back().first + std::int64_t(it->second.back().offsets.size()) - 1;
}

TextRow TextData::row(const QString& part, std::int64_t row) const {
  const auto& shards = parts_.at(part);
  const auto after = std::upper_bound(shards.begin(), shards.end(), row, [](std::int64_t r, const Shard& s) { return r < s.first; });
  const Shard& shard = *(after - 1);
  const auto from = std::size_t(shard.offsets[std::size_t(row - shard.first)]),
             to = std::size_t(shard.offsets[std::size_t(row - shard.first) + 1]);
  return {shard.tokens.subspan(from, to - from), shard.mask.subspan(from, to - from), shard.starts.subspan(from, to - from)};
}

}  // namespace cloister
