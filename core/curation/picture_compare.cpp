#include "core/curation/picture_compare.h"

#include <cmath>

#include "core/store/project.h"

namespace cloister {
namespace {

constexpr int kSide = 32;
constexpr int kLargest = 1024;  // a thumbnail's side; more is a damaged record

/// Mean of the channels over the source pixels whose centres fall into each cell; every cell gets at least its nearest pixel.
std::vector<float> shrunk(const QByteArray& pixels, int width, int height, int channels) {
  std::vector<float> cells(size_t(kSide) * kSide);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const int top = y * height / kSide, bottom = std::max(top + 1, (y + 1) * height / kSide);
      const int left = x * width / kSide, right = std::max(left + 1, (x + 1) * width / kSide);
      qint64 sum = 0;
      for (int v = top; v < bottom; ++v)
        for (int u = left * channels; u < right * channels; ++u) sum += quint8(pixels[qsizetype(v) * width * channels + u]);
      cells[size_t(y) * kSide + size_t(x)] = float(double(sum) / (double(bottom - top) * (right - left) * channels));
    }
  return cells;
}

/// Mean 0 and length 1, so that a dot product is the correlation; empty for a single grey.
std::vector<float> normalised(std::vector<float> v) {
  double mean = 0, square = 0;
  for (const float x : v) mean += x;
  mean /= double(v.size());
  for (float& x : v) x -= float(mean), square += double(x) * x;
  if (square < 1) return {};
  for (float& x : v) x /= float(std::sqrt(square));
  return v;
}

}  // namespace

PictureCompare::Vector PictureCompare::load(const Sample& s) {
  if (s.thumbOffset < 0 || s.thumbWidth < 1 || s.thumbHeight < 1 || s.thumbWidth > kLargest || s.thumbHeight > kLargest ||
      (s.thumbChannels != 1 && s.thumbChannels != 3))
    return {};
  auto& pack = packs_[s.importId];
  if (!pack) {
    pack = std::make_shared<QFile>(project_.importDir(s.importId) + "/thumbs.pack");
    pack->open(QIODevice::ReadOnly);
  }
  const qint64 size = qint64(s.thumbWidth) * s.thumbHeight * s.thumbChannels;
  if (!pack->isOpen() || !pack->seek(s.thumbOffset)) return {};
  const QByteArray pixels = pack->read(size);
  return pixels.size() == size ? normalised(shrunk(pixels, s.thumbWidth, s.thumbHeight, s.thumbChannels)) : Vector();
}

const PictureCompare::Vector* PictureCompare::vectorOf(const Sample& s) {
  if (!cache_.contains(s.id)) cache_.insert(s.id, new Vector(load(s)));
  return cache_.object(s.id);
}

std::optional<double> PictureCompare::correlation(const Sample& a, const Sample& b) {
  const Vector first = *vectorOf(a);  // a copy: the second look-up may push the first out of the cache
  const Vector* second = vectorOf(b);
  if (first.empty() || second->empty()) return std::nullopt;
  double dot = 0;
  for (size_t i = 0; i < first.size(); ++i) dot += double(first[i]) * (*second)[i];
  return dot;
}

}  // namespace cloister
