#include <cstdio>
// jpeglib.h needs stdio before it
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>

#include "core/extension/source_plugin.h"
#include "plugins/sources/images/raster.h"

namespace cloister::images {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  jmp_buf jump;
  int code = 0;
  bool ended = false, damaged = false;
  char text[JMSG_LENGTH_MAX] = {};
};

// libjpeg reports errors by longjmp: between setjmp and the end of these functions nothing with a destructor is made.
[[noreturn]] void onError(j_common_ptr cinfo) {
  auto* e = reinterpret_cast<ErrorManager*>(cinfo->err);
  e->code = e->base.msg_code;
  e->base.format_message(cinfo, e->text);
  std::longjmp(e->jump, 1);
}

void onMessage(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  auto* e = reinterpret_cast<ErrorManager*>(cinfo->err);
  const int code = e->base.msg_code;
  // Bytes between segments and odd versions cost no pixel; everything else means that pixels were made up.
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM || code == JWRN_TOO_MUCH_DATA) return;
  if (code == JWRN_JPEG_EOF) e->ended = true;
  if (!e->damaged) e->base.format_message(cinfo, e->text);
  e->damaged = true;
}

class Reader {
 public:
  explicit Reader(const QByteArray& bytes) {
    cinfo_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = onError;
    errors_.base.emit_message = onMessage;
    errors_.base.output_message = [](j_common_ptr) {};
    if (!tryOpen(bytes.constData(), static_cast<unsigned long>(bytes.size()))) {
      jpeg_destroy_decompress(&cinfo_);
      fail();
    }
  }
  ~Reader() { jpeg_destroy_decompress(&cinfo_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Info info() const {
    checkSize(cinfo_.image_width, cinfo_.image_height, 1);
    Info i;
    i.format = QStringLiteral("JPEG");
    i.width = int(cinfo_.image_width);
    i.height = int(cinfo_.image_height);
    i.samples = cinfo_.num_components == 1 ? 1 : 3;
    static const char* const spaces[] = {"unknown", "grey", "RGB", "YCbCr", "CMYK", "YCCK"};
    i.encoding = QString::fromLatin1(spaces[cinfo_.jpeg_color_space <= JCS_YCCK ? cinfo_.jpeg_color_space : 0]);
    if (cinfo_.progressive_mode) i.encoding += QStringLiteral(", progressive");
    return i;
  }

  Raster pixels() {
    const bool cmyk = cinfo_.num_components == 4;
    cinfo_.out_color_space = cinfo_.num_components == 1 ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
    Raster r;
    r.width = int(cinfo_.image_width);
    r.height = int(cinfo_.image_height);
    r.samples = cmyk ? 4 : cinfo_.num_components == 1 ? 1 : 3;
    checkSize(r.width, r.height, r.samples);
    r.bytes.resize(size_t(r.width) * size_t(r.height) * size_t(r.samples));
    if (!tryRead(r.bytes.data(), size_t(r.width) * size_t(r.samples)) || errors_.damaged) fail();
    if (cmyk) fromCmyk(r);
    return r;
  }

 private:
  bool tryOpen(const char* data, unsigned long size) {
    if (setjmp(errors_.jump)) return false;
    jpeg_create_decompress(&cinfo_);
    cinfo_.mem->max_memory_to_use = 512L << 20;
    jpeg_mem_src(&cinfo_, reinterpret_cast<const unsigned char*>(data), size);
    jpeg_read_header(&cinfo_, TRUE);
    return true;
  }
  bool tryRead(std::uint8_t* to, size_t stride) {
    if (setjmp(errors_.jump)) return false;
    jpeg_start_decompress(&cinfo_);
    while (cinfo_.output_scanline < cinfo_.output_height) {
      JSAMPROW row = to + size_t(cinfo_.output_scanline) * stride;
      jpeg_read_scanlines(&cinfo_, &row, 1);
      if (errors_.ended) return false;  // what follows is grey filling
    }
    jpeg_finish_decompress(&cinfo_);
    return true;
  }
  void fromCmyk(Raster& r) const {
    // Adobe writes CMYK turned round.
    const bool turned = cinfo_.saw_Adobe_marker;
    const size_t pixels = size_t(r.width) * size_t(r.height);
    for (size_t i = 0; i < pixels; ++i) {
      const std::uint8_t* p = &r.bytes[i * 4];
      const int k = turned ? p[3] : 255 - p[3];
      std::uint8_t rgb[3];
      for (int c = 0; c < 3; ++c) rgb[c] = std::uint8_t((turned ? p[c] : 255 - p[c]) * k / 255);
      for (size_t c = 0; c < 3; ++c) r.bytes[i * 3 + c] = rgb[c];
    }
    r.samples = 3;
    r.bytes.resize(pixels * 3);
  }
  [[noreturn]] void fail() const {
    const QString text = QStringLiteral("JPEG: ") + QString::fromLatin1(errors_.text);
    if (errors_.ended || errors_.code == JERR_INPUT_EOF || errors_.code == JERR_INPUT_EMPTY)
      throw SourceError(FailureKind::TruncatedFile, text);
    if (errors_.code == JERR_BAD_PRECISION || errors_.code == JERR_SOF_UNSUPPORTED || errors_.code == JERR_CONVERSION_NOTIMPL)
      throw SourceError(FailureKind::UnsupportedEncoding, text, {{"encoding", text}});
    if (errors_.code == JERR_IMAGE_TOO_BIG)
      throw SourceError(FailureKind::TooLarge, text, {{"limit", QStringLiteral("65,500 pixels a side")}});
    throw SourceError(FailureKind::CorruptFile, text);
  }

  jpeg_decompress_struct cinfo_{};
  ErrorManager errors_{};
};

}  // namespace

Info jpegInfo(const QByteArray& bytes) { return Reader(bytes).info(); }
Raster decodeJpeg(const QByteArray& bytes) { return Reader(bytes).pixels(); }

}  // namespace cloister::images
