#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <memory>

#include "core/extension/source_plugin.h"
#include "plugins/sources/images/raster.h"

namespace cloister::images {
namespace {

struct Memory {
  const QByteArray& bytes;
  toff_t at = 0;
  QString message;
};

tmsize_t onRead(thandle_t h, void* to, tmsize_t count) {
  auto* m = static_cast<Memory*>(h);
  const auto size = toff_t(m->bytes.size());
  if (m->at >= size || count < 0) return 0;
  const auto n = std::min<toff_t>(toff_t(count), size - m->at);
  std::memcpy(to, m->bytes.constData() + m->at, size_t(n));
  m->at += n;
  return tmsize_t(n);
}
tmsize_t onWrite(thandle_t, void*, tmsize_t) { return 0; }
toff_t onSeek(thandle_t h, toff_t offset, int whence) {
  auto* m = static_cast<Memory*>(h);
  if (whence == SEEK_CUR) offset += m->at;
  if (whence == SEEK_END) offset += toff_t(m->bytes.size());
  return m->at = offset;
}
int onClose(thandle_t) { return 0; }
toff_t onSize(thandle_t h) { return toff_t(static_cast<Memory*>(h)->bytes.size()); }
int onMap(thandle_t, void**, toff_t*) { return 0; }
void onUnmap(thandle_t, void*, toff_t) {}

int onError(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
  auto* m = static_cast<Memory*>(user);
  if (m->message.isEmpty()) m->message = QString::fromLatin1(module) + ": " + QString::vasprintf(format, arguments);
  return 1;
}
int onWarning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Layout {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK, planar = PLANARCONFIG_CONTIG;
  std::uint16_t compression = COMPRESSION_NONE;
  bool tiled = false;

  bool colour() const { return photometric != PHOTOMETRIC_MINISBLACK && photometric != PHOTOMETRIC_MINISWHITE; }
  /// Read sample by sample; everything else goes through libtiff's RGBA reader, which is right for 8 bits and less.
  bool direct() const {
    const bool known = photometric == PHOTOMETRIC_RGB ? samples >= 3 : !colour() && samples >= 1;
    const bool depth =
        (format == SAMPLEFORMAT_UINT && (bits == 8 || bits == 16)) || (format == SAMPLEFORMAT_IEEEFP && bits == 32 && !colour());
    return known && depth && samples <= 8;
  }
};

class Reader {
 public:
  explicit Reader(const QByteArray& bytes) : memory_{bytes, 0, {}} {
    std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t(400) << 20);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), onError, &memory_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), onWarning, nullptr);
    tiff_ = TIFFClientOpenExt("image", "rm", &memory_, onRead, onWrite, onSeek, onClose, onSize, onMap, onUnmap, options.get());
    if (!tiff_) fail("header");
  }
  ~Reader() {
    if (tiff_) TIFFClose(tiff_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Layout layout() {
    Layout l;
    if (!TIFFGetField(tiff_, TIFFTAG_IMAGEWIDTH, &l.width) || !TIFFGetField(tiff_, TIFFTAG_IMAGELENGTH, &l.height)) fail("size");
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_BITSPERSAMPLE, &l.bits);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLESPERPIXEL, &l.samples);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLEFORMAT, &l.format);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_PLANARCONFIG, &l.planar);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_COMPRESSION, &l.compression);
    if (!TIFFGetField(tiff_, TIFFTAG_PHOTOMETRIC, &l.photometric))
      l.photometric = l.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    l.tiled = TIFFIsTiled(tiff_);
    checkSize(l.width, l.height, 1);
    if (!TIFFIsCODECConfigured(l.compression))
      throw SourceError(FailureKind::UnsupportedEncoding, {}, {{"encoding", QStringLiteral("TIFF compression %1").arg(l.compression)}});
    return l;
  }

  Info info() {
    const Layout l = layout();
    Info i;
    i.format = QStringLiteral("TIFF");
    i.width = int(l.width);
    i.height = int(l.height);
    i.bits = l.bits;
    i.samples = l.colour() ? 3 : 1;
    i.encoding = QStringLiteral("photometric %1, compression %2").arg(l.photometric).arg(l.compression);
    i.pages = 1;
    while (i.pages < 4096 && TIFFReadDirectory(tiff_)) ++i.pages;
    return i;
  }

  Raster pixels(int page) {
    if (!TIFFSetDirectory(tiff_, tdir_t(page))) fail("page");
    const Layout l = layout();
    return l.direct() ? readDirect(l) : readRgba(l);
  }

 private:
  Raster readDirect(const Layout& l) {
    Raster r;
    r.width = int(l.width);
    r.height = int(l.height);
    r.samples = l.colour() ? 3 : 1;
    r.bytesPerSample = l.bits / 8;
    r.isFloat = l.format == SAMPLEFORMAT_IEEEFP;
    r.inverted = l.photometric == PHOTOMETRIC_MINISWHITE;
    checkSize(r.width, r.height, std::int64_t(r.samples) * r.bytesPerSample);
    r.bytes.resize(size_t(l.width) * l.height * size_t(r.samples) * size_t(r.bytesPerSample));
    const tmsize_t blockSize = l.tiled ? TIFFTileSize(tiff_) : TIFFStripSize(tiff_);
    if (blockSize <= 0 || blockSize > (tmsize_t(400) << 20)) fail("block size");
    std::vector<std::uint8_t> block(static_cast<size_t>(blockSize));
    const int planes = l.planar == PLANARCONFIG_SEPARATE ? r.samples : 1;
    for (int plane = 0; plane < planes; ++plane)
      if (l.tiled) readTiles(l, r, block, plane);
      else readStrips(l, r, block, plane);
    return r;
  }

  void readStrips(const Layout& l, Raster& r, std::vector<std::uint8_t>& block, int plane) {
    std::uint32_t rows = l.height;
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_ROWSPERSTRIP, &rows);
    rows = std::clamp<std::uint32_t>(rows, 1, l.height);
    const tmsize_t stride = TIFFScanlineSize(tiff_);
    for (std::uint32_t y = 0; y < l.height; y += rows) {
      const std::uint32_t count = std::min(rows, l.height - y);
      const tmsize_t wanted = stride * tmsize_t(count);
      if (wanted <= 0 || wanted > tmsize_t(block.size())) fail("strip size");
      if (TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, tsample_t(plane)), block.data(), wanted) < wanted) fail("strip");
      copy(l, r, block.data(), size_t(stride), 0, y, l.width, count, plane);
    }
  }

  void readTiles(const Layout& l, Raster& r, std::vector<std::uint8_t>& block, int plane) {
    std::uint32_t width = 0, height = 0;
    TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(tiff_, TIFFTAG_TILELENGTH, &height);
    const tmsize_t stride = TIFFTileRowSize(tiff_);
    if (!width || !height || stride <= 0 || tmsize_t(height) > tmsize_t(block.size()) / stride) fail("tile size");
    for (std::uint32_t y = 0; y < l.height; y += height)
      for (std::uint32_t x = 0; x < l.width; x += width) {
        if (TIFFReadTile(tiff_, block.data(), x, y, 0, tsample_t(plane)) < 0) fail("tile");
        copy(l, r, block.data(), size_t(stride), x, y, std::min(width, l.width - x), std::min(height, l.height - y), plane);
      }
  }

  /// A block's pixels to their place; samples beyond the colours (alpha) are left out.
  static void copy(const Layout& l, Raster& r, const std::uint8_t* block, size_t stride, std::uint32_t x, std::uint32_t y, std::uint32_t w,
                   std::uint32_t h, int plane) {
    const size_t bytes = size_t(r.bytesPerSample), out = size_t(r.samples) * bytes;
    const bool separate = l.planar == PLANARCONFIG_SEPARATE;
    const size_t in = separate ? bytes : size_t(l.samples) * bytes;
    if (size_t(w) * in > stride) throw SourceError(FailureKind::CorruptFile, QStringLiteral("TIFF rows are too short"));
    for (std::uint32_t row = 0; row < h; ++row) {
      const std::uint8_t* from = block + row * stride;
      std::uint8_t* to = &r.bytes[(size_t(y + row) * l.width + x) * out + (separate ? size_t(plane) * bytes : 0)];
      for (std::uint32_t i = 0; i < w; ++i, from += in, to += out) std::memcpy(to, from, separate ? bytes : out);
    }
  }

  Raster readRgba(const Layout& l) {
    if (l.bits > 8 && l.format != SAMPLEFORMAT_UINT)
      throw SourceError(FailureKind::UnsupportedEncoding, {},
                        {{"encoding", QStringLiteral("TIFF, %1 bit, sample format %2").arg(l.bits).arg(l.format)}});
    char why[1024] = {};
    if (!TIFFRGBAImageOK(tiff_, why))
      throw SourceError(FailureKind::UnsupportedEncoding, {}, {{"encoding", QStringLiteral("TIFF: ") + QString::fromLatin1(why)}});
    checkSize(l.width, l.height, 4);
    std::vector<std::uint32_t> pixels(size_t(l.width) * l.height);
    if (!TIFFReadRGBAImageOriented(tiff_, l.width, l.height, pixels.data(), ORIENTATION_TOPLEFT, 1)) fail("pixels");
    Raster r;
    r.width = int(l.width);
    r.height = int(l.height);
    r.samples = l.colour() ? 3 : 1;
    r.bytes.resize(pixels.size() * size_t(r.samples));
    for (size_t i = 0; i < pixels.size(); ++i) {
      r.bytes[i * size_t(r.samples)] = std::uint8_t(TIFFGetR(pixels[i]));
      if (r.samples == 3) {
        r.bytes[i * 3 + 1] = std::uint8_t(TIFFGetG(pixels[i]));
        r.bytes[i * 3 + 2] = std::uint8_t(TIFFGetB(pixels[i]));
      }
    }
    return r;
  }

  [[noreturn]] void fail(const char* what) {
    const QString text = QStringLiteral("TIFF %1: %2").arg(QLatin1String(what), memory_.message);
    if (tiff_) TIFFClose(tiff_);
    tiff_ = nullptr;
    const bool cut = text.contains(u"Read error") || text.contains(u"not enough", Qt::CaseInsensitive) ||
                     text.contains(u"beyond", Qt::CaseInsensitive) || text.contains(u"Can not read TIFF directory") ||
                     text.contains(u"Cannot read", Qt::CaseInsensitive) || text.contains(u"got ");
    if (text.contains(u"alloc", Qt::CaseInsensitive))
      throw SourceError(FailureKind::TooLarge, text, {{"limit", QStringLiteral("400 MiB")}});
    throw SourceError(cut ? FailureKind::TruncatedFile : FailureKind::CorruptFile, text);
  }

  Memory memory_;
  TIFF* tiff_ = nullptr;
};

}  // namespace

Info tiffInfo(const QByteArray& bytes) { return Reader(bytes).info(); }
Raster decodeTiff(const QByteArray& bytes, int page) { return Reader(bytes).pixels(page); }

}  // namespace cloister::images
