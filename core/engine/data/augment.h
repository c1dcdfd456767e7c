// Augmentation fit for radiographs: a small rotation, shift and zoom, brightness, contrast and gamma as an exposure would change them, and
// noise. Mirroring is off by default because it moves the heart. One pass over the pixels, no LibTorch. Any thread.
#pragma once
#include <cstdint>
#include <vector>

#include <QJsonObject>

namespace cloister {

struct AugmentRecipe {
  double rotationDegrees = 0;  ///< uniform in ±
  double translation = 0;      ///< fraction of the side, uniform in ±, each axis
  double scale = 0;            ///< zoom uniform in 1 ±
  double brightness = 0;       ///< added, uniform in ±
  double contrast = 0;         ///< factor around mid grey, uniform in 1 ±
  double gamma = 0;            ///< exponent e^u, u uniform in ±
  double noise = 0;            ///< largest standard deviation; each sample draws its own from 0 … this
  bool horizontalFlip = false;
  bool any() const;
};

/// "none", "light", "standard", "strong"; keys in overrides (rotation_degrees, translation, scale, brightness, contrast, gamma, noise,
/// horizontal_flip) that are not null win.
AugmentRecipe augmentPreset(const QString& name, const QJsonObject& overrides);

/// Working memory of one thread.
struct AugmentScratch {
  std::vector<float> padded;
};

/// image: U8 [channels, size, size] → out: float32 [channels, size, size], 0…1 (noise may leave it slightly). Outside the image is what
/// grey level 0 became. key decides every draw.
void augmentSample(const AugmentRecipe&, const std::uint8_t* image, int channels, int size, std::uint64_t key, float* out, AugmentScratch&);
/// pixel / 255
void plainSample(const std::uint8_t* image, std::int64_t pixels, float* out);

}  // namespace cloister
