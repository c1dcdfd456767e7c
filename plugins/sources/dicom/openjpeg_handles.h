// OpenJPEG's objects freed with their owner. opj_codec_t and opj_stream_t are both void*, so the deleters need names of their own.
#pragma once
#include <openjpeg.h>

namespace cloister::dicom {

struct FreeCodec {
  void operator()(opj_codec_t* c) const { opj_destroy_codec(c); }
};
struct FreeStream {
  void operator()(opj_stream_t* s) const { opj_stream_destroy(s); }
};
struct FreeImage {
  void operator()(opj_image_t* i) const { opj_image_destroy(i); }
};

}  // namespace cloister::dicom
