// The safetensors parser; what it accepts must lie within the bytes.
#include <cstdlib>

#include "core/tensors/safetensors.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::map<std::string, TensorView> tensors;
  QJsonObject metadata;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  if (!SafetensorsFile::parse(bytes, size, QStringLiteral("fuzz"), tensors, metadata)) return 0;
  for (const auto& [name, t] : tensors) {
    std::size_t count = dtypeSize(t.dtype);
    for (const std::int64_t d : t.shape) count *= std::size_t(d);
    if (count != t.bytes || (t.bytes && (t.data < bytes || t.data + t.bytes > bytes + size))) std::abort();
  }
  return 0;
}
