// Sound Huffman-coded JPEG of 8 bits through libjpeg-turbo, whose integer transform gives the bits of DCMTK's libijg8 in a third of the
// time.
#include <cstdio>
// jpeglib.h needs stdio before it
#include <jpeglib.h>

#include <csetjmp>

#include "plugins/sources/dicom/codecs.h"

namespace cloister::dicom {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  jmp_buf jump;
};

[[noreturn]] void onError(j_common_ptr cinfo) { std::longjmp(reinterpret_cast<ErrorManager*>(cinfo->err)->jump, 1); }

/// Any warning means that a decoder had to guess.
void onMessage(j_common_ptr cinfo, int level) {
  if (level < 0) onError(cinfo);
}

/// libjpeg reports errors by longjmp: nothing with a destructor is made here.
bool decodeRows(jpeg_decompress_struct& cinfo, ErrorManager& errors, const CodecImage& image, std::uint8_t* to) {
  if (setjmp(errors.jump)) return false;
  if (jpeg_read_header(&cinfo, TRUE) != JPEG_HEADER_OK) return false;
  // Before the start, which takes memory by these sizes.
  if (int(cinfo.image_width) != image.width || int(cinfo.image_height) != image.height || cinfo.num_components != image.samples)
    return false;
  cinfo.jpeg_color_space = JCS_UNKNOWN;  // components as they are
  cinfo.out_color_space = JCS_UNKNOWN;
  jpeg_start_decompress(&cinfo);
  if (int(cinfo.output_width) != image.width || int(cinfo.output_height) != image.height || cinfo.output_components != image.samples)
    return false;
  const std::size_t stride = std::size_t(image.width) * std::size_t(image.samples);
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = to + cinfo.output_scanline * stride;
    if (jpeg_read_scanlines(&cinfo, &row, 1) != 1) return false;
  }
  jpeg_finish_decompress(&cinfo);
  return true;
}

}  // namespace

bool decodeSoundJpeg8(const std::uint8_t* data, std::size_t size, CodecImage& image) {
  ErrorManager errors{};
  jpeg_decompress_struct cinfo{};
  cinfo.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = onError;
  errors.base.emit_message = onMessage;
  errors.base.output_message = [](j_common_ptr) {};
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&cinfo);
    return false;
  }
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, data, static_cast<unsigned long>(size));
  const bool good = decodeRows(cinfo, errors, image, image.bytes.data());
  jpeg_destroy_decompress(&cinfo);
  return good;
}

}  // namespace cloister::dicom
