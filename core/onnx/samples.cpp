#include "core/onnx/samples.h"

#include <algorithm>
#include <cstring>

#include <QJsonArray>

#include "core/domain/files.h"

namespace cloister::onnx {

Samples::Samples(std::shared_ptr<const void> owner, const TensorView& images, const TensorView* labels) {
  blocks_.push_back({std::move(owner), images, labels ? *labels : TensorView{}});
  channels_ = int(images.shape[1]);
  height_ = int(images.shape[2]);
  width_ = int(images.shape[3]);
  for (std::int64_t i = 0; i < images.shape[0]; ++i) order_.push_back({0, std::uint32_t(i)});
}

std::int64_t Samples::label(int i) const {
  const Place& p = order_[std::size_t(i)];
  const TensorView& labels = blocks_[p.block].labels;
  if (!labels.data) return -1;
  std::int64_t v = -1;
  std::memcpy(&v, labels.data + std::size_t(p.row) * sizeof v, sizeof v);
  return v;
}

std::vector<float> Samples::batch(int first, int n) const {
  const int last = std::min(first + n, count());
  const std::size_t each = imageElements();
  std::vector<float> out(std::size_t(std::max(last - first, 0)) * each);
  for (int i = first; i < last; ++i) {
    const Place& p = order_[std::size_t(i)];
    const TensorView& images = blocks_[p.block].images;
    float* to = out.data() + std::size_t(i - first) * each;
    if (images.dtype == DType::F32) {
      std::memcpy(to, images.data + p.row * each * sizeof(float), each * sizeof(float));
      continue;
    }
    const auto* from = reinterpret_cast<const std::uint8_t*>(images.data) + p.row * each;
    for (std::size_t k = 0; k < each; ++k) to[k] = float(from[k]) / 255.0F;
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
  Samples s = *this;
  s.order_.clear();
  for (int i = 0; i < n; ++i) s.order_.push_back(order_[std::size_t(std::int64_t(i) * count() / n)]);
  return s;
}

Result<PreparedSet> PreparedSet::open(const QString& folder) {
  const QString file = folder + QStringLiteral("/prepared.json");
  auto description = readJson(file);
  if (!description) return description.error();
  PreparedSet set;
  set.description_ = *description;
  const QJsonObject& d = set.description_;
  const auto damaged = [&](const QString& path, const QString& what) { return Failure{FailureKind::CorruptFile, {{"path", path}}, what}; };
  const int channels = d["channels"].toInt(), size = d["size"].toInt();
  Samples& all = set.all_;
  all.channels_ = channels;
  all.height_ = all.width_ = size;
  const QJsonArray shards = d["shards"].toArray();
  for (const QJsonValue& v : shards) {
    const QString path = folder + '/' + v["file"].toString();
    auto opened = SafetensorsFile::open(path);
    if (!opened) return opened.error();
    const TensorView* images = (*opened)->find("images");
    const TensorView* labels = (*opened)->find("labels");
    if (!images || images->dtype != DType::U8 || images->shape.size() != 4 || images->shape[1] != channels || images->shape[2] != size ||
        images->shape[3] != size)
      return damaged(path, QStringLiteral("images are missing or of another shape than prepared.json says"));
    if (!labels || labels->dtype != DType::I64 || labels->shape != std::vector<std::int64_t>{images->shape[0]})
      return damaged(path, QStringLiteral("labels are missing or not one an image"));
    const auto block = std::uint32_t(all.blocks_.size());
    for (std::int64_t i = 0; i < images->shape[0]; ++i) all.order_.push_back({block, std::uint32_t(i)});
    all.blocks_.push_back({*opened, *images, *labels});
  }
  if (all.count() != d["count"].toInt()) return damaged(file, QStringLiteral("count is not the number of images in the shards"));
  const QJsonObject splits = d["splits"].toObject();
  for (const QJsonValue& split : splits)
    for (const QJsonValue& i : split.toArray())
      if (i.toInt(-1) < 0 || i.toInt() >= all.count()) return damaged(file, QStringLiteral("a split names an image that is not there"));
  return set;
}

QStringList PreparedSet::classes() const {
  QStringList names;
  const QJsonArray array = description_["classes"].toArray();
  for (const QJsonValue& v : array) names << v.toString();
  return names;
}

Samples PreparedSet::split(const QString& name) const {
  Samples s = all_;
  s.order_.clear();
  const QJsonArray indices = description_["splits"].toObject()[name].toArray();
  for (const QJsonValue& i : indices) s.order_.push_back(all_.order_[std::size_t(i.toInt())]);
  return s;
}

}  // namespace cloister::onnx
