// Windows bitmaps without compression and with bit fields: 1, 4, 8, 16, 24, 32 bits a pixel, bottom-up or top-down.
#include <bit>

#include <QtEndian>

#include "core/extension/source_plugin.h"
#include "plugins/sources/images/raster.h"

namespace cloister::images {
namespace {

struct Header {
  std::int64_t width = 0, height = 0;
  bool topDown = false;
  int bits = 0;
  quint32 compression = 0, pixels = 0;
  std::int64_t palette = 0;
  int paletteEntry = 4, paletteCount = 0;
  quint32 masks[3] = {};
};

template <typename T>
T at(const QByteArray& b, qint64 place) {
  if (place + qint64(sizeof(T)) > b.size()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("BMP header"));
  return qFromLittleEndian<T>(b.constData() + place);
}

Header readHeader(const QByteArray& b) {
  Header h;
  h.pixels = at<quint32>(b, 10);
  const quint32 size = at<quint32>(b, 14);
  if (size == 12) {
    h.width = at<quint16>(b, 18);
    h.height = at<quint16>(b, 20);
    h.bits = at<quint16>(b, 24);
    h.paletteEntry = 3;
  } else if (size >= 40 && size <= 1024) {
    h.width = at<qint32>(b, 18);
    h.height = at<qint32>(b, 22);
    h.bits = at<quint16>(b, 28);
    h.compression = at<quint32>(b, 30);
    h.paletteCount = int(std::min<quint32>(at<quint32>(b, 46), 256));
  } else {
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("BMP header of %1 bytes").arg(size));
  }
  h.topDown = h.height < 0;
  h.height = std::abs(h.height);
  h.palette = 14 + qint64(size);
  if (h.bits <= 8 && h.paletteCount == 0) h.paletteCount = 1 << h.bits;
  if (h.compression != 0 && h.compression != 3 && h.compression != 6)
    throw SourceError(FailureKind::UnsupportedEncoding, {}, {{"encoding", QStringLiteral("BMP compression %1").arg(h.compression)}});
  if (h.bits != 1 && h.bits != 4 && h.bits != 8 && h.bits != 16 && h.bits != 24 && h.bits != 32)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("BMP with %1 bits").arg(h.bits));
  if (h.compression == 0) {
    const quint32 wide[3] = {0xFF0000, 0xFF00, 0xFF}, narrow[3] = {0x7C00, 0x3E0, 0x1F};
    for (int c = 0; c < 3; ++c) h.masks[c] = h.bits == 16 ? narrow[c] : wide[c];
  } else {
    for (int c = 0; c < 3; ++c) h.masks[c] = at<quint32>(b, 54 + 4 * c);  // after, or within, the header: the same place
  }
  checkSize(h.width, h.height, 3);
  const qint64 stride = (h.width * h.bits + 31) / 32 * 4;
  if (qint64(h.pixels) + stride * h.height > b.size())
    throw SourceError(FailureKind::TruncatedFile, QStringLiteral("BMP pixels end too early"));
  return h;
}

std::vector<std::uint8_t> paletteOf(const QByteArray& b, const Header& h) {
  std::vector<std::uint8_t> rgb(256 * 3, 0);
  if (h.bits > 8) return rgb;
  for (int i = 0; i < h.paletteCount; ++i)
    for (int c = 0; c < 3; ++c) rgb[size_t(i * 3 + 2 - c)] = at<quint8>(b, h.palette + qint64(i) * h.paletteEntry + c);
  return rgb;
}

bool isGrey(const std::vector<std::uint8_t>& rgb) {
  for (size_t i = 0; i < rgb.size(); i += 3)
    if (rgb[i] != rgb[i + 1] || rgb[i] != rgb[i + 2]) return false;
  return true;
}

std::uint8_t field(quint32 pixel, quint32 mask) {
  if (!mask) return 0;
  const int shift = std::countr_zero(mask), bits = std::popcount(mask);
  const quint32 value = (pixel & mask) >> shift;
  if (bits >= 8) return std::uint8_t(value >> (bits - 8));
  return std::uint8_t((value * 255u + ((1u << bits) - 1) / 2) / ((1u << bits) - 1));
}

}  // namespace

Info bmpInfo(const QByteArray& bytes) {
  const Header h = readHeader(bytes);
  Info i;
  i.format = QStringLiteral("BMP");
  i.width = int(h.width);
  i.height = int(h.height);
  i.samples = h.bits <= 8 && isGrey(paletteOf(bytes, h)) ? 1 : 3;
  i.encoding = h.bits <= 8 ? QStringLiteral("palette, %1 bit").arg(h.bits) : QStringLiteral("%1 bit").arg(h.bits);
  return i;
}

Raster decodeBmp(const QByteArray& bytes) {
  const Header h = readHeader(bytes);
  const std::vector<std::uint8_t> palette = paletteOf(bytes, h);
  Raster r;
  r.width = int(h.width);
  r.height = int(h.height);
  r.samples = h.bits <= 8 && isGrey(palette) ? 1 : 3;
  r.bytes.resize(size_t(r.width) * size_t(r.height) * size_t(r.samples));
  const qint64 stride = (h.width * h.bits + 31) / 32 * 4;
  std::uint8_t* to = r.bytes.data();
  for (int y = 0; y < r.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint8_t*>(bytes.constData()) + h.pixels + stride * (h.topDown ? y : r.height - 1 - y);
    for (int x = 0; x < r.width; ++x) {
      if (h.bits <= 8) {
        const int perByte = 8 / h.bits;
        const int index = (row[x / perByte] >> (8 - h.bits * (x % perByte + 1))) & ((1 << h.bits) - 1);
        for (int c = 0; c < r.samples; ++c) *to++ = palette[size_t(index * 3 + c)];
      } else if (h.bits == 24) {
        for (int c = 2; c >= 0; --c) *to++ = row[x * 3 + c];
      } else {
        const quint32 pixel = h.bits == 16 ? qFromLittleEndian<quint16>(row + 2 * x) : qFromLittleEndian<quint32>(row + 4 * x);
        for (quint32 mask : h.masks) *to++ = field(pixel, mask);
      }
    }
  }
  return r;
}

}  // namespace cloister::images
