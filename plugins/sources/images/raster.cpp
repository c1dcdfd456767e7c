#include "plugins/sources/images/raster.h"

#include "core/extension/source_plugin.h"

namespace cloister::images {

void checkSize(std::int64_t width, std::int64_t height, std::int64_t bytesPerPixel) {
  if (width < 1 || height < 1) throw SourceError(FailureKind::CorruptFile, QStringLiteral("image size %1×%2").arg(width).arg(height));
  constexpr std::int64_t pixels = std::int64_t(64) << 20;
  if (width > pixels || height > pixels || width * height > pixels || width * height * bytesPerPixel > (std::int64_t(384) << 20))
    throw SourceError(FailureKind::TooLarge, QStringLiteral("%1×%2 pixels").arg(width).arg(height),
                      {{"limit", QStringLiteral("64 Mi pixels, 384 MiB an image")}});
}

Format formatOf(const QByteArray& head) {
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return Format::Png;
  if (head.startsWith("\xFF\xD8\xFF")) return Format::Jpeg;
  if (head.startsWith(QByteArray("II*\0", 4)) || head.startsWith(QByteArray("MM\0*", 4)) || head.startsWith(QByteArray("II+\0", 4)) ||
      head.startsWith(QByteArray("MM\0+", 4)))
    return Format::Tiff;
  if (head.startsWith("BM") && head.size() >= 18) return Format::Bmp;
  return Format::None;
}

Info infoOf(const QByteArray& bytes) {
  switch (formatOf(bytes)) {
    case Format::Png:
      return pngInfo(bytes);
    case Format::Jpeg:
      return jpegInfo(bytes);
    case Format::Tiff:
      return tiffInfo(bytes);
    case Format::Bmp:
      return bmpInfo(bytes);
    case Format::None:
      break;
  }
  if (bytes.isEmpty()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the file is empty"));
  throw SourceError(FailureKind::UnsupportedFormat, QStringLiteral("neither PNG, JPEG, TIFF nor BMP"));
}

Raster decode(const QByteArray& bytes, int page) {
  switch (formatOf(bytes)) {
    case Format::Png:
      return decodePng(bytes);
    case Format::Jpeg:
      return decodeJpeg(bytes);
    case Format::Tiff:
      return decodeTiff(bytes, page);
    case Format::Bmp:
      return decodeBmp(bytes);
    case Format::None:
      break;
  }
  throw SourceError(FailureKind::UnsupportedFormat, {});
}

}  // namespace cloister::images
