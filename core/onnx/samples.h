// Images and labels for calibration, accuracy and parity: a list of rows in memory that somebody else maps (prepared shards, a safetensors
// file). Called by export and the accuracy search. Read-only; any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensors/safetensors.h"

namespace cloister::onnx {

/// Rows of one size, handed out as the model wants them: float32 [C,H,W], pixel / 255.
class Samples {
 public:
  Samples() = default;
  Samples(std::shared_ptr<const void> owner, int channels, int height, int width)
      : owner_(std::move(owner)), channels_(channels), height_(height), width_(width) {}
  /// All rows of images U8 or F32 [n,C,H,W]; labels I64 [n] or null.
  Samples(std::shared_ptr<const void> owner, const TensorView& images, const TensorView* labels);

  /// pixels: U8 [C,H,W], divided by 255 when read; label -1: unknown.
  void add(const std::uint8_t* pixels, std::int64_t label = -1) { rows_.push_back({pixels, nullptr, label}); }
  /// values: float [C,H,W], taken as they are.
  void add(const float* values, std::int64_t label = -1) { rows_.push_back({nullptr, values, label}); }

  int count() const { return int(rows_.size()); }
  bool isEmpty() const { return rows_.empty(); }
  std::size_t imageElements() const { return std::size_t(channels_) * std::size_t(height_) * std::size_t(width_); }
  std::int64_t label(int i) const { return rows_[std::size_t(i)].label; }
  /// n images from place first on, [n,C,H,W]; the last batch may be shorter.
  std::vector<float> batch(int first, int n) const;
  TensorView view(const std::vector<float>& batch) const;  ///< of a batch: valid as long as the batch

  /// At most n of them, spread evenly over the list: the order of a prepared set follows digests, so this is a fair sample.
  Samples spread(int n) const;

 private:
  struct Row {
    const std::uint8_t* pixels;
    const float* values;
    std::int64_t label;
  };
  std::shared_ptr<const void> owner_;
  std::vector<Row> rows_;
  int channels_ = 0, height_ = 0, width_ = 0;
};

}  // namespace cloister::onnx
