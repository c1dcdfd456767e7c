
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"
#include "plugins/sources/dicom/openjpeg_handles.h"

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

/// What a decode at a lower resolution leaves out must not be able to fail a decode of the whole: one component, one tile, one coding
/// style, no region of interest, no bit planes beyond what OpenJPEG takes. Reads the markers of PS ISO/IEC 15444-1 annex A. 0: decode the
/// whole.
class Reduction {
 public:
  Reduction(const std::uint8_t* data, std::size_t size) : p_(data), size_(size) {}

  int forSide(int width, int height, int side, int sampleKind) {
    kind_ = sampleKind;
    if (size_ < 4 || word(0) != 0xFF4F || std::int64_t(width) * height > (16 << 20)) return 0;
    if (!mainHeader() || !tileParts() || levels_ < 1) return 0;
    // One halving hardly moves a difference hash; several do (a window is not linear), unless enough pixels are left.
    int reduction = 0;
    const auto left = [&](int halvings) { return (std::max(width, height) + (1 << halvings) - 1) >> halvings; };
    while (reduction < levels_ && left(reduction + 1) >= (reduction == 0 ? side : 2 * side)) ++reduction;
    return reduction;
  }

 private:
  unsigned word(std::size_t at) const { return unsigned(p_[at]) << 8 | p_[at + 1]; }
  std::uint32_t longWord(std::size_t at) const { return std::uint32_t(word(at)) << 16 | word(at + 2); }

  bool mainHeader() {
    bool sizes = false, coding = false, quantization = false;
    for (at_ = 2; at_ + 4 <= size_; at_ += 2 + word(at_ + 2)) {
      const unsigned marker = word(at_);
      const std::size_t length = word(at_ + 2);
      if (marker == 0xFF90) return sizes && coding && quantization;
      if (length < 2 || length > size_ - at_ - 2) return false;
      const std::size_t body = at_ + 4;
      if (marker == 0xFF51) {
        // Csiz 1, no subsampling, the first tile at the origin and as large as the image.
        sizes = length >= 41 && word(body + 34) == 1 && p_[body + 36] == kind_ && p_[body + 37] == 1 && p_[body + 38] == 1 &&
                longWord(body + 10) == 0 && longWord(body + 14) == 0 && longWord(body + 26) == 0 && longWord(body + 30) == 0 &&
                longWord(body + 18) >= longWord(body + 2) && longWord(body + 22) >= longWord(body + 6);
        if (!sizes) return false;
      } else if (marker == 0xFF52 && length >= 12) {
        levels_ = p_[body + 5];
        if (levels_ > 32 || std::exchange(coding, true)) return false;
      } else if (marker == 0xFF5C && length >= 4) {
        if (std::exchange(quantization, true) || !fewBitPlanes(body, length - 2)) return false;
      } else if (marker != 0xFF64 && marker != 0xFF55 && marker != 0xFF57) {
        return false;
      }
    }
    return false;
  }

  bool fewBitPlanes(std::size_t body, std::size_t length) const {
    const int style = p_[body] & 31, guard = p_[body] >> 5;
    const std::size_t each = style == 0 ? 1 : 2;
    for (std::size_t at = 1; at + each <= length; at += each) {
      const int exponent = p_[body + at] >> 3;  // the first five bits in either form
      if (exponent + guard - 1 > 30) return false;
    }
    return style <= 2;
  }

  /// Of every part of the tile: nothing in its header that changes how it is coded.
  bool tileParts() {
    while (at_ + 12 <= size_ && word(at_) == 0xFF90) {
      const std::uint32_t length = longWord(at_ + 6);
      if (word(at_ + 4) != 0) return false;
      std::size_t at = at_ + 12;
      while (at + 4 <= size_ && (word(at) == 0xFF64 || word(at) == 0xFF58)) at += 2 + word(at + 2);
      if (at + 2 > size_ || word(at) != 0xFF93) return false;
      if (length == 0) return true;  // up to the end
      if (length < 14 || length > size_ - at_) return false;
      at_ += length;
    }
    return at_ + 2 <= size_ && word(at_) == 0xFFD9;
  }

  const std::uint8_t* p_;
  std::size_t size_, at_ = 0;
  int levels_ = 0, kind_ = 0;
};

CodecImage decode(const std::uint8_t* data, std::size_t size, int width, int height, int reduction) {
  if (size < 12) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("JPEG 2000 stream of %1 bytes").arg(size));
  static const std::uint8_t jp2[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
  const bool boxed = std::equal(jp2, jp2 + 8, data);
  std::string messages;
  std::unique_ptr<opj_codec_t, FreeCodec> codec(opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  opj_set_error_handler(codec.get(), keepMessage, &messages);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  parameters.cp_reduce = OPJ_UINT32(reduction);
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

}  // namespace

CodecImage decodeJpeg2000(const std::uint8_t* data, std::size_t size, int width, int height) {
  return decode(data, size, width, height, 0);
}

CodecImage previewJpeg2000(const std::uint8_t* data, std::size_t size, int width, int height, int side, int bits, bool isSigned) {
  if (const int reduction = Reduction(data, size).forSide(width, height, side, (bits - 1) | (isSigned ? 0x80 : 0)); reduction > 0) {
    try {
      return decode(data, size, width, height, reduction);
    } catch (const SourceError&) {
      // The whole decode says what is wrong, if anything is.
    }
  }
  return decode(data, size, width, height, 0);
}

}  // namespace cloister::dicom
