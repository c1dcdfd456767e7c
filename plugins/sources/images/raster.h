// Decoders of plain image files from memory: PNG, JPEG, TIFF, BMP. Sizes are read and checked before pixels are given memory. Throw
// SourceError. Decode child only; one thread.
#pragma once
#include <cstdint>
#include <vector>

#include <QByteArray>
#include <QString>

namespace cloister::images {

struct Info {
  QString format;    ///< PNG, JPEG, TIFF, BMP
  QString encoding;  ///< for people: "palette, 4 bit", "YCbCr, progressive" …
  int width = 0, height = 0;
  int samples = 1;  ///< 1 grey, 3 colour, as decoded
  int bits = 8;     ///< per sample as stored: 1 … 16, 32 for floating point
  int pages = 1;
};

struct Raster {
  int width = 0, height = 0, samples = 1;
  int bytesPerSample = 1;  ///< 1, 2, or 4 (float)
  bool isFloat = false;
  bool inverted = false;  ///< TIFF: 0 is white
  std::vector<std::uint8_t> bytes;
};

Info pngInfo(const QByteArray&);
Raster decodePng(const QByteArray&);
Info jpegInfo(const QByteArray&);
Raster decodeJpeg(const QByteArray&);
Info tiffInfo(const QByteArray&);
Raster decodeTiff(const QByteArray&, int page);
Info bmpInfo(const QByteArray&);
Raster decodeBmp(const QByteArray&);

enum class Format { None, Png, Jpeg, Tiff, Bmp };
/// By the first bytes; the name says nothing.
Format formatOf(const QByteArray& head);
Info infoOf(const QByteArray&);
Raster decode(const QByteArray&, int page);

/// Throws for sizes that are nothing or more than 64 Mi pixels or 384 MiB.
void checkSize(std::int64_t width, std::int64_t height, std::int64_t bytesPerPixel);

}  // namespace cloister::images
