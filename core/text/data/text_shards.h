// Tokens on disk, ready for training: a folder with index.json and safetensors shards, written whole or absent and read by mmap
// (docs/formats.md, "Prepared texts"). No LibTorch. Writing: one thread. Reading: any thread.
//
// A row is one sequence for the model, at most `length` tokens. For each token: mask 1 when the model has to predict it (from the tokens of
// its own document before it), starts 1 where a document begins: attention does not go beyond a start. Rows of preferences come in pairs,
// the chosen one first.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"
#include "core/tensors/safetensors.h"

namespace cloister {

struct TextRow {
  std::span<const std::int32_t> tokens;
  std::span<const std::uint8_t> mask, starts;
};

/// The rows of one part ("train", "validation"), one shard after the other.
class TextShardWriter {
 public:
  TextShardWriter(QString dir, QString part) : dir_(std::move(dir)), part_(std::move(part)) {}
  Result<void> add(const TextRow&);
  /// {"rows", "tokens", "masked", "shards": [{"file", "rows", "tokens", "sha256"}]}.
  Result<QJsonObject> finish();

 private:
  Result<void> flush();
  QString dir_, part_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::uint8_t> mask_, starts_;
  std::vector<std::int64_t> offsets_{0};
  std::int64_t rows_ = 0, tokensWritten_ = 0, masked_ = 0;
  QJsonArray shards_;
};

/// Prepared texts. Every bound of index and shards is checked when it is opened.
class TextData {
 public:
  static Result<std::shared_ptr<TextData>> open(const QString& dir);
  const QJsonObject& index() const { return index_; }
  QString fingerprint() const { return index_["fingerprint"].toString(); }
  int length() const { return index_["length"].toInt(); }
  std::int64_t rows(const QString& part) const;
  /// row < rows(part); valid as long as this lives.
  TextRow row(const QString& part, std::int64_t row) const;

 private:
  struct Shard {
    std::shared_ptr<SafetensorsFile> file;
    std::int64_t first = 0;
    std::span<const std::int32_t> tokens;
    std::span<const std::uint8_t> mask, starts;
    std::span<const std::int64_t> offsets;
  };
  Result<Shard> openShard(const QString& path, std::int64_t first) const;
  QJsonObject index_;
  std::map<QString, std::vector<Shard>> parts_;
};

}  // namespace cloister
