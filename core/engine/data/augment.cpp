#include "core/engine/data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/engine/data/counter_rng.h"

// The pixel loops are compiled for several instruction sets; the loader picks one when the library is loaded.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define CLOISTER_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLOISTER_CLONES
#endif

namespace cloister {
namespace {

struct Affine {  // output pixel (x, y) → source position
  float xx, xy, x0, yx, yy, y0;
};

Affine drawAffine(const AugmentRecipe& r, int size, CounterRng& rng) {
  const double angle = rng.between(-r.rotationDegrees, r.rotationDegrees) * std::numbers::pi / 180;
  const double zoom = rng.between(1 - r.scale, 1 + r.scale);
  const double dx = rng.between(-r.translation, r.translation) * size, dy = rng.between(-r.translation, r.translation) * size;
  const double mirror = r.horizontalFlip && rng.uniform() < 0.5 ? -1 : 1;
  const double c = std::cos(angle) / zoom, s = std::sin(angle) / zoom, centre = (size - 1) / 2.0;
  const double ox = centre + dx, oy = centre + dy;
  return {float(mirror * c), float(mirror * s), float(centre - mirror * (c * ox + s * oy)),
          float(-s),         float(c),          float(centre + s * ox - c * oy)};
}

std::array<float, 256> drawTable(const AugmentRecipe& r, CounterRng& rng) {
  const double exponent = std::exp(rng.between(-r.gamma, r.gamma));
  const double contrast = rng.between(1 - r.contrast, 1 + r.contrast), brightness = rng.between(-r.brightness, r.brightness);
  std::array<float, 256> table;
  for (int i = 0; i < 256; ++i)
    table[std::size_t(i)] = float(std::clamp((std::pow(i / 255.0, exponent) - 0.5) * contrast + 0.5 + brightness, 0.0, 1.0));
  return table;
}

// A frame of one pixel (two at the far side) spares the inner loop every bounds check.
void pad(const std::uint8_t* image, int size, const std::array<float, 256>& table, std::vector<float>& padded) {
  const std::size_t stride = std::size_t(size) + 3;
  padded.assign(stride * stride, table[0]);
  for (int y = 0; y < size; ++y) {
    float* row = padded.data() + (std::size_t(y) + 1) * stride + 1;
    const std::uint8_t* from = image + std::size_t(y) * std::size_t(size);
    for (int x = 0; x < size; ++x) row[x] = table[from[x]];
  }
}

CLOISTER_CLONES void warp(const float* padded, int size, const Affine a, float* out) {
  const int stride = size + 3;
  const float limit = float(size) + 1;
  for (int y = 0; y < size; ++y) {
    const float bx = a.xy * float(y) + a.x0 + 1, by = a.yy * float(y) + a.y0 + 1;
    float* row = out + std::size_t(y) * std::size_t(size);
    for (int x = 0; x < size; ++x) {
      const float sx = std::min(std::max(a.xx * float(x) + bx, 0.0f), limit), sy = std::min(std::max(a.yx * float(x) + by, 0.0f), limit);
      const int ix = int(sx), iy = int(sy);
      const float fx = sx - float(ix), fy = sy - float(iy);
      const int at = iy * stride + ix;
      const float top = padded[at] + fx * (padded[at + 1] - padded[at]);
      const float bottom = padded[at + stride] + fx * (padded[at + stride + 1] - padded[at + stride]);
      row[x] = top + fy * (bottom - top);
    }
  }
}

// Four 16-bit uniforms added: standard deviation 65536 √(4/12), near enough to a normal for noise.
CLOISTER_CLONES void addNoise(float* out, std::int64_t n, std::uint64_t key, float deviation) {
  const float factor = deviation / (65536.0f * 0.57735026919f);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t h = mix64(key + 0x9e3779b97f4a7c15ULL * std::uint64_t(i + 1));
    const std::int32_t sum =
        std::int32_t(h & 0xffff) + std::int32_t((h >> 16) & 0xffff) + std::int32_t((h >> 32) & 0xffff) + std::int32_t(h >> 48);
    out[i] += factor * float(sum - 131070);
  }
}

}  // namespace

bool AugmentRecipe::any() const {
  return rotationDegrees > 0 || translation > 0 || scale > 0 || brightness > 0 || contrast > 0 || gamma > 0 || noise > 0 || horizontalFlip;
}

AugmentRecipe augmentPreset(const QString& name, const QJsonObject& overrides) {
  AugmentRecipe r;
  if (name == u"light") r = {5, 0.03, 0.05, 0.05, 0.10, 0.10, 0.01, false};
  if (name == u"standard") r = {10, 0.06, 0.10, 0.08, 0.20, 0.20, 0.02, false};
  if (name == u"strong") r = {20, 0.10, 0.20, 0.12, 0.30, 0.30, 0.04, false};
  const auto use = [&](const char* key, double& value) { value = overrides[QLatin1String(key)].toDouble(value); };
  use("rotation_degrees", r.rotationDegrees);
  use("translation", r.translation);
  use("scale", r.scale);
  use("brightness", r.brightness);
  use("contrast", r.contrast);
  use("gamma", r.gamma);
  use("noise", r.noise);
  r.horizontalFlip = overrides["horizontal_flip"].toBool(r.horizontalFlip);
  return r;
}

CLOISTER_CLONES void plainSample(const std::uint8_t* image, std::int64_t pixels, float* out) {
  for (std::int64_t i = 0; i < pixels; ++i) out[i] = float(image[i]) / 255.0f;
}

void augmentSample(const AugmentRecipe& recipe, const std::uint8_t* image, int channels, int size, std::uint64_t key, float* out,
                   AugmentScratch& scratch) {
  CounterRng rng(key);
  const Affine affine = drawAffine(recipe, size, rng);
  const std::array<float, 256> table = drawTable(recipe, rng);
  const float deviation = float(rng.between(0, recipe.noise));
  const std::uint64_t noiseKey = rng.next();
  const std::size_t plane = std::size_t(size) * std::size_t(size);
  for (int c = 0; c < channels; ++c) {
    pad(image + std::size_t(c) * plane, size, table, scratch.padded);
    warp(scratch.padded.data(), size, affine, out + std::size_t(c) * plane);
  }
  if (deviation > 0) addNoise(out, std::int64_t(plane) * channels, noiseKey, deviation);
}

}  // namespace cloister
