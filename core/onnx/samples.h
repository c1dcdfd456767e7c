// Images and labels for calibration, accuracy and parity, read from the prepared shards (docs/formats.md, prepare) by mmap. Called by
// export and by the accuracy search. Read-only after opening; any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"
#include "core/tensors/safetensors.h"

namespace cloister::onnx {

/// A list of images of one size, as the model wants them: float32 [C,H,W], pixel / 255.
class Samples {
 public:
  Samples() = default;
  /// Images U8 (divided by 255) or F32 (taken as they are) [n,C,H,W]; labels I64 [n] or none. The views' owner is kept alive.
  Samples(std::shared_ptr<const void> owner, const TensorView& images, const TensorView* labels);

  int count() const { return int(order_.size()); }
  int channels() const { return channels_; }
  int height() const { return height_; }
  int width() const { return width_; }
  std::size_t imageElements() const { return std::size_t(channels_) * std::size_t(height_) * std::size_t(width_); }
  std::int64_t label(int i) const;  ///< -1 without labels
  /// n images from place first on, [n,C,H,W]; the last batch may be shorter.
  std::vector<float> batch(int first, int n) const;
  TensorView view(const std::vector<float>& batch) const;

  /// At most n of them, spread evenly over the list: the order of a prepared set follows digests, so this is a fair sample.
  Samples spread(int n) const;

 private:
  friend class PreparedSet;
  struct Block {
    std::shared_ptr<const void> owner;
    TensorView images, labels;
  };
  struct Place {
    std::uint32_t block = 0;
    std::uint32_t row = 0;
  };
  std::vector<Block> blocks_;
  std::vector<Place> order_;
  int channels_ = 0, height_ = 0, width_ = 0;
};

/// A folder of prepared shards.
class PreparedSet {
 public:
  /// CorruptFile when shards and prepared.json disagree; NotFound without the folder.
  static Result<PreparedSet> open(const QString& folder);
  const QJsonObject& description() const { return description_; }  ///< prepared.json
  QStringList classes() const;
  /// "train", "validation" or "test".
  Samples split(const QString& name) const;

 private:
  QJsonObject description_;
  Samples all_;
};

}  // namespace cloister::onnx
