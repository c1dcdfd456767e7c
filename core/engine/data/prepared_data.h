// Prepared samples of a snapshot: memory-mapped safetensors shards with U8 pixels and labels (docs/formats.md, prepare). Read-only and
// thread-safe after opening. No LibTorch.
#pragma once
#include <memory>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"
#include "core/tensors/safetensors.h"

namespace cloister {

class PreparedData {
 public:
  /// Opens and checks: digest of prepared.json (IdentityChanged when expectedDigest is given and differs), SHA-256 of each shard, shapes,
  /// labels, split indices. CorruptFile names the file.
  static Result<std::shared_ptr<PreparedData>> open(const QString& dir, const QString& expectedDigest = {});

  const QString& dir() const { return dir_; }
  const QString& digest() const { return digest_; }
  std::int64_t count() const { return count_; }
  int channels() const { return channels_; }
  int size() const { return size_; }
  const QStringList& classes() const { return classes_; }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& std() const { return std_; }
  /// Sample indices of "train", "validation" or "test".
  const std::vector<std::int64_t>& split(const QString& name) const;

  const std::uint8_t* pixels(std::int64_t index) const;  ///< [channels, size, size]
  std::int64_t label(std::int64_t index) const { return labels_[std::size_t(index)]; }
  std::int64_t bytesPerSample() const { return std::int64_t(channels_) * size_ * size_; }
  /// Samples per class of a split.
  std::vector<std::int64_t> classCounts(const QString& splitName) const;
  /// Keys of samples, for messages; read from the snapshot's samples.jsonl, or "#index" without it.
  QStringList keys(const std::vector<std::int64_t>& indices) const;

 private:
  PreparedData() = default;
  Result<void> openShard(const QJsonObject& entry);
  Result<void> readSplits(const QJsonObject& json);

  struct Shard {
    std::shared_ptr<SafetensorsFile> file;
    const std::uint8_t* pixels = nullptr;
    std::int64_t first = 0;
  };
  QString dir_, digest_;
  std::int64_t count_ = 0;
  int channels_ = 1, size_ = 0;
  QStringList classes_;
  std::vector<double> mean_, std_;
  std::vector<Shard> shards_;
  std::vector<std::int64_t> labels_;
  std::vector<std::int64_t> train_, validation_, test_;
};

}  // namespace cloister
