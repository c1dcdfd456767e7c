#include "core/onnx/samples.h"

#include <algorithm>
#include <cstring>

namespace cloister::onnx {

Samples::Samples(std::shared_ptr<const void> owner, const TensorView& images, const TensorView* labels)
    : owner_(std::move(owner)), channels_(int(images.shape[1])), height_(int(images.shape[2])), width_(int(images.shape[3])) {
  for (std::int64_t i = 0; i < images.shape[0]; ++i) {
    std::int64_t label = -1;
    if (labels) std::memcpy(&label, labels->data + std::size_t(i) * sizeof label, sizeof label);
    const std::size_t at = std::size_t(i) * imageElements();
    if (images.dtype == DType::F32) add(reinterpret_cast<const float*>(images.data) + at, label);
    else add(reinterpret_cast<const std::uint8_t*>(images.data) + at, label);
  }
}

std::vector<float> Samples::batch(int first, int n) const {
  const int last = std::min(first + n, count());
  const std::size_t each = imageElements();
  std::vector<float> out(std::size_t(std::max(last - first, 0)) * each);
  float* to = out.data();
  for (int i = first; i < last; ++i, to += each) {
    const Row& row = rows_[std::size_t(i)];
    if (row.values) std::copy_n(row.values, each, to);
    else std::transform(row.pixels, row.pixels + each, to, [](std::uint8_t v) { return float(v) / 255.0F; });
  }
  return out;
}

TensorView Samples::view(const std::vector<float>& batch) const {
  return {DType::F32,
          {std::int64_t(batch.size() / std::max<std::size_t>(imageElements(), 1)), channels_, height_, width_},
          reinterpret_cast<const std::byte*>(batch.data()),
          batch.size() * sizeof(float)};
}

Samples Samples::spread(int n) const {
  if (n >= count()) return *this;
  Samples s(owner_, channels_, height_, width_);
  for (int i = 0; i < n; ++i) s.rows_.push_back(rows_[std::size_t(std::int64_t(i) * count() / n)]);
  return s;
}

}  // namespace cloister::onnx
