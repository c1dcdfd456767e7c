// PNG, JPEG, TIFF and BMP from memory: header, then the first pages.
#include "plugins/sources/images/raster.h"

#include <algorithm>
#include <exception>

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (1 << 20)) return -1;
  const QByteArray bytes = QByteArray::fromRawData(reinterpret_cast<const char*>(data), qsizetype(size));
  try {
    const images::Info info = images::infoOf(bytes);
    if (std::int64_t(info.width) * info.height > (1 << 20)) return 0;
    for (int page = 0; page < std::min(info.pages, 2); ++page) (void)images::decode(bytes, page);
  } catch (const std::exception&) {
    // A refusal is the wanted end.
  }
  return 0;
}
