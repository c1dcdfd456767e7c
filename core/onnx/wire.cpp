#include "core/onnx/wire.h"

#include <bit>
#include <cstring>

namespace cloister::onnx {

void WireWriter::raw(std::uint64_t value) {
  while (value >= 0x80) {
    data_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  data_.push_back(static_cast<char>(value));
}

void WireWriter::key(std::uint32_t field, WireType type) { raw(std::uint64_t(field) << 3 | std::uint64_t(type)); }

void WireWriter::varint(std::uint32_t field, std::uint64_t value) {
  key(field, WireType::Varint);
  raw(value);
}

void WireWriter::float32(std::uint32_t field, float value) {
  key(field, WireType::Fixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) data_.push_back(static_cast<char>(bits >> shift));
}

void WireWriter::bytes(std::uint32_t field, std::string_view value) {
  key(field, WireType::Bytes);
  raw(value.size());
  data_.append(value);
}

bool WireReader::rawVarint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at_ >= data_.size()) return false;
    const auto byte = static_cast<std::uint8_t>(data_[at_++]);
    // The tenth byte holds only the topmost bit; anything more does not fit 64 bits.
    if (shift == 63 && byte > 1) return false;
    value |= std::uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::optional<WireField> WireReader::next() {
  if (failed_ || at_ >= data_.size()) return std::nullopt;
  WireField f;
  std::uint64_t key = 0;
  failed_ = true;  // cleared when the whole field was read
  if (!rawVarint(key) || key >> 3 == 0 || key >> 3 > 0x1fffffff) return std::nullopt;
  f.field = static_cast<std::uint32_t>(key >> 3);
  f.type = static_cast<WireType>(key & 7);
  const auto fixed = [&](std::size_t size) {
    if (data_.size() - at_ < size) return false;
    for (std::size_t i = 0; i < size; ++i) f.number |= std::uint64_t(static_cast<std::uint8_t>(data_[at_ + i])) << (8 * i);
    at_ += size;
    return true;
  };
  switch (f.type) {
    case WireType::Varint:
      if (!rawVarint(f.number)) return std::nullopt;
      break;
    case WireType::Fixed64:
      if (!fixed(8)) return std::nullopt;
      break;
    case WireType::Fixed32:
      if (!fixed(4)) return std::nullopt;
      break;
    case WireType::Bytes: {
      std::uint64_t length = 0;
      if (!rawVarint(length) || length > data_.size() - at_) return std::nullopt;
      f.bytes = data_.substr(at_, length);
      at_ += length;
      break;
    }
    default:
      return std::nullopt;  // groups and reserved wire types do not occur in ONNX
  }
  failed_ = false;
  return f;
}

}  // namespace cloister::onnx
