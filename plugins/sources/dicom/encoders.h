// Lossless encoders for the phantoms: JPEG-LS (CharLS) and JPEG 2000 (OpenJPEG), one grey frame. Throw SourceError.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister::dicom {

/// bytes: 8- or 16-bit samples in host order.
std::vector<std::uint8_t> encodeJpegLs(const std::vector<std::uint8_t>& bytes, int width, int height, int bits);
std::vector<std::uint8_t> encodeJpeg2000(const std::vector<std::uint16_t>& values, int width, int height, int bits);

}  // namespace cloister::dicom
