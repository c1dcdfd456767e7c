#include "core/tensors/gguf.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <QSaveFile>

#include "core/tensors/half.h"

namespace cloister {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::int64_t kAlignment = 32, kBlock = 32;

class Bytes {
 public:
  template <typename T>
  void number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const std::string& s) {
    number(std::uint64_t(s.size()));
    bytes_.append(s.data(), qsizetype(s.size()));
  }
  void pad() { bytes_.append((kAlignment - bytes_.size() % kAlignment) % kAlignment, '\0'); }
  const QByteArray& get() const { return bytes_; }

  // The numbers of the types are the format's.
  void value(const GgufValue& v) {
    std::visit([this](const auto& x) { put(x); }, v);
  }

 private:
  void put(std::uint32_t x) { typed(4, x); }
  void put(std::int32_t x) { typed(5, x); }
  void put(float x) { typed(6, x); }
  void put(bool x) { typed(7, std::uint8_t(x)); }
  void put(const std::string& x) {
    number(std::uint32_t(8));
    text(x);
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    number(std::uint32_t(9));
    number(std::uint32_t(std::is_same_v<T, std::string> ? 8 : std::is_same_v<T, float> ? 6 : 5));
    number(std::uint64_t(list.size()));
    for (const T& x : list) {
      if constexpr (std::is_same_v<T, std::string>) text(x);
      else number(x);
    }
  }
  template <typename T>
  void typed(std::uint32_t type, T x) {
    number(type);
    number(x);
  }

  QByteArray bytes_;
};

QByteArray header(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
  Bytes b;
  b.number(std::uint32_t(0x46554747));  // "GGUF"
  b.number(kVersion);
  b.number(std::uint64_t(tensors.size()));
  b.number(std::uint64_t(metadata.size()));
  for (const auto& [key, value] : metadata) {
    b.text(key);
    b.value(value);
  }
  std::uint64_t offset = 0;
  for (const GgufTensor& t : tensors) {
    b.text(t.name);
    b.number(std::uint32_t(t.shape.size()));
    std::int64_t elements = 1;
    for (auto it = t.shape.rbegin(); it != t.shape.rend(); ++it) {
      b.number(std::uint64_t(*it));
      elements *= *it;
    }
    b.number(std::uint32_t(t.type));
    b.number(offset);
    offset += std::uint64_t((ggufBytes(t.type, elements) + kAlignment - 1) / kAlignment * kAlignment);
  }
  b.pad();
  return b.get();
}

Result<void> writeTensor(QSaveFile& file, const GgufTensor& t) {
  auto values = t.values();
  if (!values) return values.error();
  if (t.type != GgufType::F32)
    for (const float v : *values)
      if (!(std::abs(v) < 65520.0F))
        return Failure{FailureKind::TooLarge,
                       {{"path", file.fileName()}, {"limit", "65504"}},
                       QString::fromStdString(t.name) + " does not fit float16"};
  QByteArray bytes = ggufEncode(t.type, *values);
  bytes.append((kAlignment - bytes.size() % kAlignment) % kAlignment, '\0');
  if (file.write(bytes) != bytes.size()) return Failure{FailureKind::IoError, {{"path", file.fileName()}}, file.errorString()};
  return {};
}

void encodeEight(std::span<const float> block, char* to) {
  float largest = 0;
  for (const float v : block) largest = std::max(largest, std::abs(v));
  const float scale = largest / 127.0F, inverse = scale == 0 ? 0 : 1.0F / scale;
  const std::uint16_t half = toHalf(scale);
  std::memcpy(to, &half, 2);
  for (std::size_t i = 0; i < block.size(); ++i) to[2 + i] = char(std::int8_t(std::round(block[i] * inverse)));
}

/// Two values a byte: the first half of the block low, the second high.
void encodeFour(std::span<const float> block, char* to) {
  float farthest = 0;
  for (const float v : block)
    if (std::abs(v) > std::abs(farthest)) farthest = v;
  const float scale = farthest / -8.0F, inverse = scale == 0 ? 0 : 1.0F / scale;
  const std::uint16_t half = toHalf(scale);
  std::memcpy(to, &half, 2);
  const auto level = [&](std::size_t i) {
    const float product = block[i] * inverse;  // rounded before the sum, as the reference does
    return std::clamp(int(product + 8.5F), 0, 15);
  };
  const std::size_t n = block.size() / 2;
  for (std::size_t i = 0; i < n; ++i) to[2 + i] = char(level(i) | level(i + n) << 4);
}

}  // namespace

std::int64_t ggufBytes(GgufType type, std::int64_t elements) {
  switch (type) {
    case GgufType::F32:
      return elements * 4;
    case GgufType::F16:
      return elements * 2;
    case GgufType::Q4_0:
      return elements / kBlock * (2 + kBlock / 2);
    case GgufType::Q8_0:
      return elements / kBlock * (2 + kBlock);
  }
  return 0;
}

QByteArray ggufEncode(GgufType type, std::span<const float> values) {
  QByteArray out(ggufBytes(type, std::int64_t(values.size())), Qt::Uninitialized);
  if (type == GgufType::F32) {
    std::memcpy(out.data(), values.data(), values.size_bytes());
  } else if (type == GgufType::F16) {
    auto* to = reinterpret_cast<std::uint16_t*>(out.data());
    for (const float v : values) *to++ = toHalf(v);
  } else {
    char* to = out.data();
    const std::int64_t each = ggufBytes(type, kBlock);
    for (std::size_t from = 0; from + kBlock <= values.size(); from += kBlock, to += each)
      type == GgufType::Q4_0 ? encodeFour(values.subspan(from, kBlock), to) : encodeEight(values.subspan(from, kBlock), to);
  }
  return out;
}

Result<void> writeGguf(const QString& path, const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors,
                       const std::function<void(std::size_t, std::size_t)>& progress) {
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  const QByteArray start = header(metadata, tensors);
  if (file.write(start) != start.size()) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (auto written = writeTensor(file, tensors[i]); !written) return written;
    if (progress) progress(i + 1, tensors.size());
  }
  if (!file.commit()) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  return {};
}

}  // namespace cloister
