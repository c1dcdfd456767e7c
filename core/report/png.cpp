#include "core/report/png.h"

#include <array>

#include <QtEndian>

namespace cloister {
namespace {

/// CRC-32 of ISO 3309 as PNG wants it, over chunk type and data.
std::uint32_t crc32(QByteArrayView bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t c = n;
      for (int k = 0; k < 8; ++k) c = (c & 1) ? 0xEDB88320U ^ (c >> 1) : c >> 1;
      t[n] = c;
    }
    return t;
  }();
  std::uint32_t c = 0xFFFFFFFFU;
  for (const char byte : bytes) c = table[(c ^ static_cast<std::uint8_t>(byte)) & 0xFFU] ^ (c >> 8);
  return c ^ 0xFFFFFFFFU;
}

QByteArray bigEndian(std::uint32_t value) {
  QByteArray out(4, Qt::Uninitialized);
  qToBigEndian(value, out.data());
  return out;
}

QByteArray chunk(const char* type, const QByteArray& data) {
  const QByteArray body = QByteArray(type, 4) + data;
  return bigEndian(static_cast<std::uint32_t>(data.size())) + body + bigEndian(crc32(body));
}

}  // namespace

QByteArray encodePng(std::span<const std::uint8_t> pixels, int width, int height, int channels) {
  const auto row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  if (width <= 0 || height <= 0 || (channels != 1 && channels != 3) || pixels.size() != row * static_cast<std::size_t>(height)) return {};
  QByteArray raw;
  raw.reserve(static_cast<qsizetype>((row + 1) * static_cast<std::size_t>(height)));
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    raw.append('\0');  // filter: none
    raw.append(reinterpret_cast<const char*>(pixels.data() + y * row), static_cast<qsizetype>(row));
  }
  // qCompress puts a length of four bytes before the zlib stream that PNG wants.
  const QByteArray header = bigEndian(static_cast<std::uint32_t>(width)) + bigEndian(static_cast<std::uint32_t>(height)) + '\x08' +
                            (channels == 3 ? '\x02' : '\x00') + QByteArray(3, '\0');
  return QByteArray("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", header) + chunk("IDAT", qCompress(raw, 9).mid(4)) + chunk("IEND", {});
}

}  // namespace cloister
