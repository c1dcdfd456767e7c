#include <zlib.h>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/codecs.h"

namespace cloister::dicom {

std::vector<std::uint8_t> inflateFrame(const std::uint8_t* data, std::size_t size, std::size_t bytes) {
  std::vector<std::uint8_t> out(bytes);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  stream.next_in = const_cast<Bytef*>(data);
  stream.avail_in = uInt(size);
  stream.next_out = out.data();
  stream.avail_out = uInt(out.size());
  const int end = inflate(&stream, Z_FINISH);
  const std::size_t left = stream.avail_out;
  inflateEnd(&stream);
  // More than a frame in it is harmless (an even number of bytes, say); less is not.
  if (left > 0)
    throw SourceError(end == Z_BUF_ERROR ? FailureKind::TruncatedFile : FailureKind::CorruptFile,
                      QStringLiteral("the deflated frame ends too early"));
  if (end != Z_STREAM_END && end != Z_BUF_ERROR && end != Z_OK)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("the deflated frame is damaged"));
  return out;
}

}  // namespace cloister::dicom
