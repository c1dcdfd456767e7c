// The pixels of one frame of a DICOM object as they are stored: native or encapsulated, every syntax we decode, as interleaved samples in
// host order with unused bits removed. Throws SourceError. Decode child only; one thread.
#pragma once
#include <cstdint>
#include <vector>

#include "plugins/sources/dicom/dicom_file.h"

namespace cloister::dicom {

struct PixelFormat {
  int rows = 0, columns = 0, samples = 1;
  int bitsAllocated = 8, bitsStored = 8, highBit = 7;
  bool isSigned = false;
  bool planar = false;
  int frames = 1;
  bool framesRepaired = false;  ///< Number of Frames was 0
  QString photometric;          ///< upper case
  enum Kind { Integer, Float, Double } kind = Integer;
};

struct Pixels {
  StoredFrame frame;
  int precision = 8;     ///< bits that carry the value
  bool ycc = false;      ///< lossy JPEG: the stream itself says YCbCr …
  bool saysRgb = false;  ///< … or RGB
};

class PixelReader {
 public:
  /// Reads and checks the image pixel module. NoPixelData when the object has none.
  explicit PixelReader(File& file);
  const PixelFormat& format() const { return format_; }
  Pixels read(int frame);
  /// Whether preview() may be smaller than read(): one grey sample in JPEG 2000.
  bool hasSmaller() const;
  /// Perhaps a lower resolution of the frame, its longer edge of at least `side` pixels. Refuses what read() refuses.
  Pixels preview(int frame, int side);

 private:
  Pixels readNative(int frame);
  Pixels readEncapsulated(int frame, int side = 0);
  void checkFrame(int frame) const;
  std::int64_t length() const;
  std::vector<std::uint8_t> compressedFrame(int frame);
  std::vector<std::uint64_t> extendedOffsets();
  std::vector<std::uint8_t> nativeBytes(std::int64_t offset, std::int64_t count);
  Pixels unpackBits(const std::uint8_t* bits, std::int64_t firstBit) const;
  void finish(Pixels& pixels) const;
  void checkNativeLength();

  File& file_;
  PixelFormat format_;
  DcmElement* element_ = nullptr;        ///< pixel data, float pixel data or double float pixel data …
  const PlainElement* plain_ = nullptr;  ///< … or, of an object read in place, pixel data
};

}  // namespace cloister::dicom
