#include <dcmtk/config/osconfig.h>
// osconfig first, as DCMTK asks
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include <memory>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"
#include "plugins/sources/dicom/dicom_file.h"

namespace cloister::dicom {
namespace {

struct JpegHeader {
  int width = 0, height = 0, samples = 0, precision = 0;
  bool huffmanDct = false;  // baseline, extended or progressive
  bool jfif = false;
  int adobeTransform = -1;  // APP14: 0 none (RGB), 1 YCbCr
  bool rgbIds = false;
};

/// Walks the markers up to the first frame header. Everything the codec is given memory for is read here first.
JpegHeader readHeader(const std::uint8_t* p, std::size_t size) {
  JpegHeader h;
  std::size_t at = 0;
  while (at + 1 < size && !(p[at] == 0xFF && p[at + 1] == 0xD8)) ++at;
  if (at + 4 > size) throw SourceError(FailureKind::CorruptFile, QStringLiteral("no JPEG start of image"));
  at += 2;
  while (at + 4 <= size) {
    if (p[at] != 0xFF) {
      ++at;
      continue;
    }
    const int marker = p[at + 1];
    if (marker == 0xFF || marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    const std::size_t length = std::size_t(p[at + 2]) << 8 | p[at + 3];
    if (length < 2 || at + 2 + length > size)
      throw SourceError(FailureKind::TruncatedFile, QStringLiteral("JPEG marker segment ends too early"));
    const std::uint8_t* body = p + at + 4;
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      if (length < 8) throw SourceError(FailureKind::CorruptFile, QStringLiteral("JPEG frame header"));
      h.huffmanDct = marker <= 0xC2;
      h.precision = body[0];
      h.height = body[1] << 8 | body[2];
      h.width = body[3] << 8 | body[4];
      h.samples = body[5];
      if (length >= 17 && h.samples == 3) h.rgbIds = body[6] == 'R' && body[9] == 'G' && body[12] == 'B';
      return h;
    }
    if (marker == 0xE0 && length >= 7 && std::equal(body, body + 4, "JFIF")) h.jfif = true;
    if (marker == 0xEE && length >= 14 && std::equal(body, body + 5, "Adobe")) h.adobeTransform = body[11];
    at += 2 + length;
  }
  throw SourceError(FailureKind::CorruptFile, QStringLiteral("no JPEG frame header"));
}

}  // namespace

CodecImage decodeJpeg(const std::uint8_t* data, std::size_t size) {
  const JpegHeader h = readHeader(data, size);
  if (h.precision < 2 || h.precision > 16 || (h.samples != 1 && h.samples != 3))
    throw SourceError(FailureKind::UnsupportedEncoding, {},
                      {{"encoding", QStringLiteral("JPEG, %1 bit, %2 components").arg(h.precision).arg(h.samples)}});
  const int bytes = h.precision > 8 ? 2 : 1;
  checkFrameSize(h.width, h.height, h.samples, bytes);
  CodecImage image{h.width, h.height, h.samples, bytes, h.precision, false, false, false, {}};
  image.ycc = h.samples == 3 && !h.rgbIds && (h.adobeTransform == 1 || (h.adobeTransform < 0 && h.jfif));
  image.saysRgb = h.samples == 3 && (h.rgbIds || h.adobeTransform == 0);
  image.bytes.resize(std::size_t(h.width) * std::size_t(h.height) * std::size_t(h.samples) * std::size_t(bytes));
  if (h.precision == 8 && h.huffmanDct && decodeSoundJpeg8(data, size, image)) return image;

  quietDcmtk();
  const DJCodecParameter parameter(ECC_lossyRGB, EDC_never, EUC_never, EPC_colorByPixel);
  std::unique_ptr<DJDecoder> decoder;
  if (h.precision <= 8) decoder = std::make_unique<DJDecompressIJG8Bit>(parameter, OFFalse);
  else if (h.precision <= 12) decoder = std::make_unique<DJDecompressIJG12Bit>(parameter, OFFalse);
  else decoder = std::make_unique<DJDecompressIJG16Bit>(parameter, OFFalse);
  OFCondition done = decoder->init();
  if (done.good()) done = decoder->decode(const_cast<Uint8*>(data), Uint32(size), image.bytes.data(), Uint32(image.bytes.size()), OFFalse);
  if (done == EJ_Suspension) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the JPEG stream ends too early"));
  if (done.bad()) throw SourceError(FailureKind::CorruptFile, QStringLiteral("JPEG: ") + QString::fromLatin1(done.text()));
  return image;
}

}  // namespace cloister::dicom
