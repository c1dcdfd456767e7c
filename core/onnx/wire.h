// The protobuf wire format, as much of it as ONNX files need: varints, 32-bit and length-delimited fields. Used by the model writer and
// reader only; no protobuf library is linked. Any thread; no I/O.
// Source: https://protobuf.dev/programming-guides/encoding/.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cloister::onnx {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// Appends fields to a byte string. Equal calls give equal bytes: no field is reordered, no default is dropped behind the caller's back.
class WireWriter {
 public:
  void varint(std::uint32_t field, std::uint64_t value);
  void int64(std::uint32_t field, std::int64_t value) { varint(field, static_cast<std::uint64_t>(value)); }
  void float32(std::uint32_t field, float value);
  void bytes(std::uint32_t field, std::string_view value);
  void message(std::uint32_t field, const WireWriter& inner) { bytes(field, inner.data_); }
  const std::string& data() const { return data_; }
  std::string take() && { return std::move(data_); }

 private:
  void key(std::uint32_t field, WireType type);
  void raw(std::uint64_t value);
  std::string data_;
};

/// One field as read: number is the varint or the fixed bits, bytes the content of a length-delimited field (a view into the input).
struct WireField {
  std::uint32_t field = 0;
  WireType type = WireType::Varint;
  std::uint64_t number = 0;
  std::string_view bytes;
};

/// Walks the fields of one message. Never reads past its input; malformed input ends the walk and sets failed().
class WireReader {
 public:
  explicit WireReader(std::string_view data) : data_(data) {}
  std::optional<WireField> next();
  bool failed() const { return failed_; }
  std::size_t position() const { return at_; }

 private:
  bool rawVarint(std::uint64_t& value);
  std::string_view data_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace cloister::onnx
