#include <algorithm>
#include <cstring>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"

namespace cloister::dicom {
namespace {

std::uint32_t little32(const std::uint8_t* p) {
  return std::uint32_t(p[0]) | std::uint32_t(p[1]) << 8 | std::uint32_t(p[2]) << 16 | std::uint32_t(p[3]) << 24;
}

/// PackBits of one segment. Returns the number of bytes made, at most count.
std::size_t unpack(const std::uint8_t* in, std::size_t size, std::uint8_t* out, std::size_t count) {
  std::size_t made = 0, at = 0;
  while (at < size && made < count) {
    const int control = std::int8_t(in[at++]);
    if (control >= 0) {
      const std::size_t run = std::min({std::size_t(control) + 1, size - at, count - made});
      std::memcpy(out + made, in + at, run);
      made += run;
      at += run;
    } else if (control != -128) {
      if (at >= size) break;
      const std::size_t run = std::min(std::size_t(1 - control), count - made);
      std::memset(out + made, in[at++], run);
      made += run;
    }
  }
  return made;
}

/// Planes of bytes → samples; step 2 is every 16-bit image.
void interleave(const std::uint8_t* planes, std::size_t pixels, std::size_t step, std::uint8_t* out) {
  if (step == 2) {
    const std::uint8_t *first = planes, *second = planes + pixels;
    for (std::size_t i = 0; i < pixels; ++i) {
      out[2 * i] = first[i];
      out[2 * i + 1] = second[i];
    }
    return;
  }
  for (std::size_t k = 0; k < step; ++k)
    for (std::size_t i = 0; i < pixels; ++i) out[i * step + k] = planes[k * pixels + i];
}

struct Segments {
  int count = 0;
  std::size_t from[16] = {};
};

Segments segmentsOf(const std::uint8_t* data, std::size_t size) {
  if (size < 64) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("RLE header is incomplete"));
  Segments s;
  s.count = int(std::min<std::uint32_t>(little32(data), 16));
  if (s.count < 1 || s.count > 15) throw SourceError(FailureKind::CorruptFile, QStringLiteral("RLE header names %1 segments").arg(s.count));
  for (int i = 0; i < s.count; ++i) {
    s.from[i] = little32(data + 4 + 4 * i);
    if (s.from[i] < 64 || s.from[i] > size || (i && s.from[i] < s.from[i - 1]))
      throw SourceError(FailureKind::CorruptFile, QStringLiteral("RLE segment %1 lies outside the frame").arg(i));
  }
  s.from[s.count] = size;
  return s;
}

}  // namespace

void checkFrameSize(std::int64_t width, std::int64_t height, std::int64_t samples, std::int64_t bytesPerSample) {
  if (width < 1 || height < 1 || samples < 1 || samples > 4)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("image size %1×%2×%3").arg(width).arg(height).arg(samples));
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels ||
      width * height * samples * bytesPerSample > (std::int64_t(384) << 20))
    throw SourceError(FailureKind::TooLarge, QStringLiteral("%1×%2×%3 pixels").arg(width).arg(height).arg(samples),
                      {{"limit", QStringLiteral("64 Mi pixels, 384 MiB a frame")}});
}

CodecImage decodeRle(const std::uint8_t* data, std::size_t size, int width, int height, int samples, int bytesPerSample) {
  checkFrameSize(width, height, samples, bytesPerSample);
  const Segments s = segmentsOf(data, size);
  if (s.count != samples * bytesPerSample)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("RLE has %1 segments, needs %2").arg(s.count).arg(samples * bytesPerSample));
  const std::size_t pixels = std::size_t(width) * std::size_t(height), step = std::size_t(samples * bytesPerSample);
  CodecImage image{
      width, height, samples, bytesPerSample, 8 * bytesPerSample, false, false, false, std::vector<std::uint8_t>(pixels * step)};
  std::vector<std::uint8_t> planes(step > 1 ? pixels * step : 0);
  for (int sample = 0; sample < samples; ++sample)
    for (int byte = 0; byte < bytesPerSample; ++byte) {
      const int segment = sample * bytesPerSample + byte;
      // The first segment of a sample is its most significant byte; host order is little endian.
      const std::size_t plane = std::size_t(sample * bytesPerSample + (bytesPerSample - 1 - byte));
      std::uint8_t* out = step > 1 ? planes.data() + plane * pixels : image.bytes.data();
      if (unpack(data + s.from[segment], s.from[segment + 1] - s.from[segment], out, pixels) < pixels)
        throw SourceError(FailureKind::TruncatedFile, QStringLiteral("RLE segment %1 ends too early").arg(segment));
    }
  if (step > 1) interleave(planes.data(), pixels, step, image.bytes.data());
  return image;
}

std::vector<std::uint8_t> decodeRleBits(const std::uint8_t* data, std::size_t size, std::size_t bytes) {
  const Segments s = segmentsOf(data, size);
  std::vector<std::uint8_t> out(bytes);
  if (unpack(data + s.from[0], s.from[1] - s.from[0], out.data(), bytes) < bytes)
    throw SourceError(FailureKind::TruncatedFile, QStringLiteral("RLE segment ends too early"));
  return out;
}

}  // namespace cloister::dicom
