#include <charls/charls.h>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"

namespace cloister::dicom {
namespace {

template <typename T>
std::vector<std::uint8_t> interleaved(const std::vector<std::uint8_t>& planes, std::size_t pixels, std::size_t samples) {
  std::vector<std::uint8_t> out(planes.size());
  const T* from = reinterpret_cast<const T*>(planes.data());
  T* to = reinterpret_cast<T*>(out.data());
  for (std::size_t s = 0; s < samples; ++s)
    for (std::size_t i = 0; i < pixels; ++i) to[i * samples + s] = from[s * pixels + i];
  return out;
}

}  // namespace

CodecImage decodeJpegLs(const std::uint8_t* data, std::size_t size) try {
  charls::jpegls_decoder decoder;
  decoder.source(data, size);
  decoder.read_header();
  const charls::frame_info info = decoder.frame_info();
  const int bytes = info.bits_per_sample > 8 ? 2 : 1;
  checkFrameSize(info.width, info.height, info.component_count, bytes);
  CodecImage image{int(info.width), int(info.height), info.component_count, bytes, info.bits_per_sample, false, false, false, {}};
  image.bytes.resize(decoder.destination_size());
  decoder.decode(image.bytes.data(), image.bytes.size());
  if (info.component_count > 1 && decoder.interleave_mode() == charls::interleave_mode::none) {
    const std::size_t pixels = std::size_t(info.width) * info.height;
    image.bytes = bytes == 2 ? interleaved<std::uint16_t>(image.bytes, pixels, std::size_t(info.component_count))
                             : interleaved<std::uint8_t>(image.bytes, pixels, std::size_t(info.component_count));
  }
  return image;
} catch (const charls::jpegls_error& e) {
  const auto code = static_cast<charls::jpegls_errc>(e.code().value());
  const QString text = QStringLiteral("JPEG-LS: ") + QString::fromLatin1(e.what());
  if (code == charls::jpegls_errc::source_buffer_too_small) throw SourceError(FailureKind::TruncatedFile, text);
  throw SourceError(FailureKind::CorruptFile, text);
}

}  // namespace cloister::dicom
