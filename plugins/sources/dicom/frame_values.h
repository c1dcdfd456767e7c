// From stored pixels to what they mean: modality LUT or rescale, palette, YBR → RGB, VOI windows and LUT, per-frame functional groups.
// Throws SourceError. Decode child only; one thread.
#pragma once
#include <vector>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/pixel_reader.h"

namespace cloister::dicom {

struct WindowPreset {
  double center = 0, width = 0;
  QString explanation;
};

struct VoiDescription {
  std::vector<WindowPreset> windows;
  VoiFunction function = VoiFunction::Linear;
  std::vector<float> lut;  ///< 0…1
  double lutFirst = 0;
};

/// Windows of this frame (functional groups first), then of the object. Windows without a usable width are left out.
VoiDescription voiOf(File& file, int frame, bool withLut);

/// Grey in modality units or 8-bit RGB, with the VOI to show it by.
DecodedFrame decodedFrame(File& file, PixelReader& reader, int frame);

/// As decodedFrame, perhaps at a lower resolution with a longer edge of at least `side` pixels. Only where the frame brings its window: the
/// percentiles that stand in for one are those of all pixels.
DecodedFrame previewFrame(File& file, PixelReader& reader, int frame, int side);

}  // namespace cloister::dicom
