#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"

namespace cloister::dicom {
namespace {

struct Memory {
  const std::uint8_t* data;
  std::size_t size, at = 0;
};

OPJ_SIZE_T readMemory(void* to, OPJ_SIZE_T count, void* user) {
  auto* m = static_cast<Memory*>(user);
  if (m->at >= m->size) return OPJ_SIZE_T(-1);
  const std::size_t n = std::min<std::size_t>(count, m->size - m->at);
  std::memcpy(to, m->data + m->at, n);
  m->at += n;
  return n;
}

OPJ_OFF_T skipMemory(OPJ_OFF_T count, void* user) {
  auto* m = static_cast<Memory*>(user);
  if (count < 0) return -1;
  const std::size_t n = std::min<std::size_t>(std::size_t(count), m->size - m->at);
  m->at += n;
  return OPJ_OFF_T(n);
}

OPJ_BOOL seekMemory(OPJ_OFF_T to, void* user) {
  auto* m = static_cast<Memory*>(user);
  if (to < 0 || std::size_t(to) > m->size) return OPJ_FALSE;
  m->at = std::size_t(to);
  return OPJ_TRUE;
}

void keepMessage(const char* text, void* user) { static_cast<std::string*>(user)->append(text); }

// opj_codec_t and opj_stream_t are both void*, so the deleters need names of their own.
struct FreeCodec {
  void operator()(opj_codec_t* c) const { opj_destroy_codec(c); }
};
struct FreeStream {
  void operator()(opj_stream_t* s) const { opj_stream_destroy(s); }
};
struct FreeImage {
  void operator()(opj_image_t* i) const { opj_image_destroy(i); }
};

/// Component k of the decoded image into every samples-th place; subsampled components are repeated.
template <typename T>
void copyComponent(const opj_image_t& image, int k, CodecImage& out) {
  const opj_image_comp_t& c = image.comps[k];
  T* to = reinterpret_cast<T*>(out.bytes.data()) + k;
  const opj_image_comp_t& reference = image.comps[0];
  for (int y = 0; y < out.height; ++y) {
    const std::size_t cy = std::min<std::size_t>(std::size_t(y) * reference.dy / c.dy, c.h - 1);
    for (int x = 0; x < out.width; ++x) {
      const std::size_t cx = std::min<std::size_t>(std::size_t(x) * reference.dx / c.dx, c.w - 1);
      *to = T(c.data[cy * c.w + cx]);
      to += out.samples;
    }
  }
}

}  // namespace

CodecImage decodeJpeg2000(const std::uint8_t* data, std::size_t size, int width, int height) {
  if (size < 12) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("JPEG 2000 stream of %1 bytes").arg(size));
  static const std::uint8_t jp2[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
  const bool boxed = std::equal(jp2, jp2 + 8, data);
  std::string messages;
  std::unique_ptr<opj_codec_t, FreeCodec> codec(opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  opj_set_error_handler(codec.get(), keepMessage, &messages);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_setup_decoder(codec.get(), &parameters);
  opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE);

  Memory memory{data, size};
  std::unique_ptr<opj_stream_t, FreeStream> stream(opj_stream_create(1 << 16, OPJ_TRUE));
  opj_stream_t* s = stream.get();
  opj_stream_set_user_data(s, &memory, nullptr);
  opj_stream_set_user_data_length(s, size);
  opj_stream_set_read_function(s, readMemory);
  opj_stream_set_skip_function(s, skipMemory);
  opj_stream_set_seek_function(s, seekMemory);

  const auto fail = [&](const char* what) {
    const QString text = QStringLiteral("JPEG 2000 %1: %2").arg(QLatin1String(what), QString::fromStdString(messages).simplified());
    const bool cut = memory.at >= size || text.contains(u"truncated", Qt::CaseInsensitive);
    return SourceError(cut ? FailureKind::TruncatedFile : FailureKind::CorruptFile, text);
  };
  opj_image_t* raw = nullptr;
  const bool header = opj_read_header(s, codec.get(), &raw);
  std::unique_ptr<opj_image_t, FreeImage> image(raw);
  if (!header || !image) throw fail("header");
  if (image->numcomps < 1 || image->numcomps > 4 || image->x1 <= image->x0 || image->y1 <= image->y0) throw fail("size");
  const opj_image_comp_t& first = image->comps[0];
  if (first.dx < 1 || first.dy < 1 || first.prec < 1 || first.prec > 32) throw fail("component");
  const std::int64_t w = (std::int64_t(image->x1) - image->x0 + first.dx - 1) / first.dx;
  const std::int64_t h = (std::int64_t(image->y1) - image->y0 + first.dy - 1) / first.dy;
  if (w != width || h != height)
    throw SourceError(FailureKind::CorruptFile,
                      QStringLiteral("the stream holds %1×%2, the header says %3×%4").arg(w).arg(h).arg(width).arg(height));
  checkFrameSize(w, h, image->numcomps, 4);
  if (!opj_decode(codec.get(), s, image.get()) || !opj_end_decompress(codec.get(), s)) throw fail("decode");

  const int bytes = first.prec > 16 ? 4 : first.prec > 8 ? 2 : 1;
  CodecImage out{int(image->comps[0].w),
                 int(image->comps[0].h),
                 int(image->numcomps),
                 bytes,
                 int(image->comps[0].prec),
                 image->comps[0].sgnd != 0,
                 false,
                 false,
                 {}};
  checkFrameSize(out.width, out.height, out.samples, bytes);
  out.bytes.resize(std::size_t(out.width) * std::size_t(out.height) * std::size_t(out.samples) * std::size_t(bytes));
  for (int k = 0; k < out.samples; ++k) {
    const opj_image_comp_t& c = image->comps[k];
    if (!c.data || c.w < 1 || c.h < 1 || c.dx < 1 || c.dy < 1) throw fail("component");
    if (bytes == 4) copyComponent<std::uint32_t>(*image, k, out);
    else if (bytes == 2) copyComponent<std::uint16_t>(*image, k, out);
    else copyComponent<std::uint8_t>(*image, k, out);
  }
  return out;
}

}  // namespace cloister::dicom
