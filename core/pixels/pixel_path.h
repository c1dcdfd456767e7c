// The one way from a decoded frame to the pixels a model or a person sees: window → 0…1 → inversion → fit → 8 bit (docs/formats.md).
// Used by thumbnails, prepare, render and by whoever applies a bundle. Pure functions; any thread.
#pragma once
#include <cstdint>
#include <vector>

#include <QString>

#include "core/extension/source_plugin.h"

namespace cloister {

/// Values 0…1, [height][width][channels].
struct UnitImage {
  int width = 0, height = 0, channels = 1;
  std::vector<float> values;
  int halved = 0, fullWidth = 0, fullHeight = 0;  ///< as in DecodedFrame
};

/// Where grey values become 0…1. width 0 means: the VOI LUT of the frame.
struct GreyWindow {
  double center = 0, width = 0;
  VoiFunction function = VoiFunction::Linear;
  bool lut = false;
};

/// window: "voi" (stored window or LUT, else percentile), "minmax", "percentile" (0.5–99.5, linear interpolation as numpy.percentile)
/// or "center,width". Unknown words behave as "voi".
GreyWindow chooseWindow(const DecodedFrame&, const QString& window);

/// Windowed and, for MONOCHROME1, inverted. Colour frames are value/255.
UnitImage toUnit(const DecodedFrame&, const GreyWindow&);

/// Area averaging along an axis that shrinks, bilinear (half-pixel centres, edges repeated) along one that grows.
UnitImage resized(const UnitImage&, int width, int height);

/// Square of the given size. fit: letterbox (black borders), stretch, crop (centre square). channels 1 or 3: colour → grey by
/// 0.299/0.587/0.114, grey → three equal planes.
UnitImage fitted(const UnitImage&, int size, const QString& fit, int channels);

/// round(255 x), same layout.
std::vector<std::uint8_t> toBytes(const UnitImage&);

/// 64-bit difference hash: grey, 9×8 by area averaging, bit = left pixel darker than its right neighbour, first pixel in the highest bit.
/// Of a halved image the areas are those of the whole, so that the hash is nearly always the same.
quint64 differenceHash(const UnitImage&);

}  // namespace cloister
