// Decoders of one compressed frame: RLE, deflate, JPEG (libjpeg-turbo, IJG of DCMTK), JPEG-LS (CharLS), JPEG 2000 and HTJ2K (OpenJPEG).
// Each checks the sizes in the stream against its own limits before memory is taken and throws SourceError. No colour conversion except
// JPEG 2000's own multiple component transform. Decode child only; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cloister::dicom {

/// Pixel-interleaved samples in host order.
struct CodecImage {
  int width = 0, height = 0, samples = 1;
  int bytesPerSample = 1;  ///< 1, 2 or 4
  int precision = 8;       ///< bits per sample in the stream
  bool isSigned = false;
  bool ycc = false;      ///< JPEG: the stream says that its components are YCbCr
  bool saysRgb = false;  ///< JPEG: the stream says that its components are RGB
  std::vector<std::uint8_t> bytes;
};

/// Segments hold one byte plane each, most significant first (PS3.5 annex G). planes = samples × bytesPerSample.
CodecImage decodeRle(const std::uint8_t* data, std::size_t size, int width, int height, int samples, int bytesPerSample);
/// As decodeRle, for one bit per pixel: the decoded bytes of the single segment.
std::vector<std::uint8_t> decodeRleBits(const std::uint8_t* data, std::size_t size, std::size_t bytes);
/// Raw deflate (RFC 1951) of exactly this many bytes.
std::vector<std::uint8_t> inflateFrame(const std::uint8_t* data, std::size_t size, std::size_t bytes);
CodecImage decodeJpeg(const std::uint8_t* data, std::size_t size);
/// decodeJpeg's fast way, into an image whose sizes are known and whose bytes have room. False: not sound or not of 8 bits and Huffman
/// codes; the slow way has the verdict.
bool decodeSoundJpeg8(const std::uint8_t* data, std::size_t size, CodecImage& image);
CodecImage decodeJpegLs(const std::uint8_t* data, std::size_t size);
/// width and height: what the data set says; a stream of another size is refused before its tiles are given memory.
CodecImage decodeJpeg2000(const std::uint8_t* data, std::size_t size, int width, int height);
/// A lower resolution of the stream: its longer edge has at least `side` pixels after one halving, twice as many after more. The whole
/// image where there is none, or where the stream is not of the plainest kind or holds other samples than the data set says (bits,
/// isSigned): those wrap around. Every packet header is read all the same, and coded bits cannot be wrong in JPEG 2000: a stream that
/// decodeJpeg2000 refuses is refused here.
CodecImage previewJpeg2000(const std::uint8_t* data, std::size_t size, int width, int height, int side, int bits, bool isSigned);

/// More pixels than this in one frame are refused (TooLarge): 64 Mi.
constexpr std::int64_t kMaxPixels = std::int64_t(64) << 20;
/// Throws TooLarge or CorruptFile for sizes nobody can mean.
void checkFrameSize(std::int64_t width, std::int64_t height, std::int64_t samples, std::int64_t bytesPerSample);

}  // namespace cloister::dicom
