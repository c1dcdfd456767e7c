#include <png.h>

#include <csetjmp>
#include <cstring>

#include "core/extension/source_plugin.h"
#include "plugins/sources/images/raster.h"

namespace cloister::images {
namespace {

struct Source {
  const char* data;
  size_t size, at = 0;
  bool ended = false;
  char message[160] = {};
};

// libpng reports errors by longjmp: between setjmp and the end of these functions nothing with a destructor is made.
[[noreturn]] void onError(png_structp png, png_const_charp text) {
  auto* s = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(s->message, text, sizeof s->message - 1);
  png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}

void onRead(png_structp png, png_bytep to, png_size_t count) {
  auto* s = static_cast<Source*>(png_get_io_ptr(png));
  if (count > s->size - s->at) {
    s->ended = true;
    png_error(png, "the file ends too early");
  }
  std::memcpy(to, s->data + s->at, count);
  s->at += count;
}

class Reader {
 public:
  explicit Reader(const QByteArray& bytes) : source_{bytes.constData(), size_t(bytes.size())} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, onError, onWarning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw std::bad_alloc();
    png_set_user_limits(png_, 1 << 26, 1 << 26);
    png_set_chunk_cache_max(png_, 64);
    png_set_chunk_malloc_max(png_, 16 << 20);
    png_set_read_fn(png_, &source_, onRead);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void header() {
    if (!tryHeader()) fail();
    checkSize(png_get_image_width(png_, info_), png_get_image_height(png_, info_), 1);
  }

  Raster pixels() {
    header();
    if (!tryTransforms()) fail();
    Raster r;
    r.width = int(png_get_image_width(png_, info_));
    r.height = int(png_get_image_height(png_, info_));
    r.samples = png_get_channels(png_, info_);
    r.bytesPerSample = png_get_bit_depth(png_, info_) / 8;
    if (r.samples != 1 && r.samples != 3) throw SourceError(FailureKind::Internal, QStringLiteral("PNG channels"));
    checkSize(r.width, r.height, std::int64_t(r.samples) * r.bytesPerSample);
    const size_t row = png_get_rowbytes(png_, info_);
    r.bytes.resize(row * size_t(r.height));
    std::vector<png_bytep> rows(size_t(r.height), nullptr);
    for (size_t y = 0; y < rows.size(); ++y) rows[y] = r.bytes.data() + y * row;
    if (!tryRead(rows.data())) fail();
    return r;
  }

  Info info() {
    header();
    Info i;
    const int type = png_get_color_type(png_, info_);
    i.format = QStringLiteral("PNG");
    i.width = int(png_get_image_width(png_, info_));
    i.height = int(png_get_image_height(png_, info_));
    i.bits = png_get_bit_depth(png_, info_);
    i.samples = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
    i.encoding = type == PNG_COLOR_TYPE_PALETTE ? QStringLiteral("palette")
                 : type & PNG_COLOR_MASK_COLOR  ? QStringLiteral("RGB")
                                                : QStringLiteral("grey");
    if (type & PNG_COLOR_MASK_ALPHA) i.encoding += QStringLiteral(", alpha left out");
    if (type == PNG_COLOR_TYPE_PALETTE) i.bits = 8;
    return i;
  }

 private:
  bool tryHeader() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    return true;
  }
  bool tryTransforms() {
    if (setjmp(png_jmpbuf(png_))) return false;
    const int type = png_get_color_type(png_, info_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png_, info_) < 8) png_set_expand_gray_1_2_4_to_8(png_);
    if (type & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png_);
    else if (png_get_valid(png_, info_, PNG_INFO_tRNS) && type == PNG_COLOR_TYPE_PALETTE) png_set_strip_alpha(png_);
    if (png_get_bit_depth(png_, info_) == 16) png_set_swap(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool tryRead(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }
  [[noreturn]] void fail() const {
    const QString text = QStringLiteral("PNG: ") + QString::fromLatin1(source_.message);
    if (source_.ended) throw SourceError(FailureKind::TruncatedFile, text);
    if (text.contains(u"exceeds user limit") || text.contains(u"limit"))
      throw SourceError(FailureKind::TooLarge, text, {{"limit", QStringLiteral("64 Mi pixels, 384 MiB an image")}});
    throw SourceError(FailureKind::CorruptFile, text);
  }

  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Info pngInfo(const QByteArray& bytes) { return Reader(bytes).info(); }
Raster decodePng(const QByteArray& bytes) { return Reader(bytes).pixels(); }

}  // namespace cloister::images
