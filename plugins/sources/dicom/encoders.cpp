#include "plugins/sources/dicom/encoders.h"

#include <charls/charls.h>

#include <cstring>
#include <memory>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/openjpeg_handles.h"

namespace cloister::dicom {
namespace {

struct Sink {
  std::vector<std::uint8_t> bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T writeSink(void* from, OPJ_SIZE_T count, void* user) {
  auto* s = static_cast<Sink*>(user);
  if (s->bytes.size() < s->at + count) s->bytes.resize(s->at + count);
  std::memcpy(s->bytes.data() + s->at, from, count);
  s->at += count;
  return count;
}
OPJ_OFF_T skipSink(OPJ_OFF_T count, void* user) {
  static_cast<Sink*>(user)->at += std::size_t(count);
  return count;
}
OPJ_BOOL seekSink(OPJ_OFF_T to, void* user) {
  static_cast<Sink*>(user)->at = std::size_t(to);
  return OPJ_TRUE;
}

}  // namespace

std::vector<std::uint8_t> encodeJpegLs(const std::vector<std::uint8_t>& bytes, int width, int height, int bits) try {
  charls::jpegls_encoder encoder;
  encoder.frame_info({std::uint32_t(width), std::uint32_t(height), bits, 1});
  std::vector<std::uint8_t> out(encoder.estimated_destination_size());
  encoder.destination(out);
  out.resize(encoder.encode(bytes));
  return out;
} catch (const charls::jpegls_error& e) {
  throw SourceError(FailureKind::Internal, QString::fromLatin1(e.what()));
}

std::vector<std::uint8_t> encodeJpeg2000(const std::vector<std::uint16_t>& values, int width, int height, int bits) {
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);  // reversible 5/3, one layer without a rate limit: lossless
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  opj_image_cmptparm_t component{};
  component.dx = component.dy = 1;
  component.w = OPJ_UINT32(width);
  component.h = OPJ_UINT32(height);
  component.prec = OPJ_UINT32(bits);
  std::unique_ptr<opj_image_t, FreeImage> image(opj_image_create(1, &component, OPJ_CLRSPC_GRAY));
  image->x1 = component.w;
  image->y1 = component.h;
  for (std::size_t i = 0; i < values.size(); ++i) image->comps[0].data[i] = values[i];
  std::unique_ptr<opj_codec_t, FreeCodec> codec(opj_create_compress(OPJ_CODEC_J2K));
  Sink sink;
  std::unique_ptr<opj_stream_t, FreeStream> stream(opj_stream_create(1 << 16, OPJ_FALSE));
  opj_stream_set_user_data(stream.get(), &sink, nullptr);
  opj_stream_set_write_function(stream.get(), writeSink);
  opj_stream_set_skip_function(stream.get(), skipSink);
  opj_stream_set_seek_function(stream.get(), seekSink);
  const bool done = opj_setup_encoder(codec.get(), &parameters, image.get()) &&
                    opj_start_compress(codec.get(), image.get(), stream.get()) && opj_encode(codec.get(), stream.get()) &&
                    opj_end_compress(codec.get(), stream.get());
  if (!done) throw SourceError(FailureKind::Internal, QStringLiteral("JPEG 2000 encoding"));
  return sink.bytes;
}

}  // namespace cloister::dicom
