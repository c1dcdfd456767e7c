// An ONNX model in memory, and its file: what the graph builder makes, the quantizers rewrite, and the session runs. Weights are shared
// between copies, so rewriting a copy costs nothing. A value type; one thread per object.
//
// File: one .onnx below 2 GiB, otherwise one more file <name>.onnx.data beside it (TensorProto external data). Equal models give equal
// bytes. Field numbers: onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <QString>

#include "core/domain/result.h"

namespace cloister::onnx {

enum class ElementType : std::int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  BFloat16 = 16
};
/// Bytes of one element; 0 for String and what is not known here.
std::size_t elementSize(ElementType);

struct Tensor {
  std::string name;
  ElementType type = ElementType::Float;
  std::vector<std::int64_t> dims;                             ///< empty: a scalar
  std::shared_ptr<const std::vector<std::byte>> data;         ///< row-major, little-endian
  std::vector<std::pair<std::string, std::string>> external;  ///< as read: location, offset, length; empty for what is inside the file

  template <typename T>
  static Tensor of(std::string name, ElementType type, std::vector<std::int64_t> dims, std::span<const T> values) {
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    return {std::move(name), type, std::move(dims), std::make_shared<const std::vector<std::byte>>(first, first + values.size_bytes()), {}};
  }
  static Tensor floats(std::string name, std::vector<std::int64_t> dims, std::span<const float> values) {
    return of<float>(std::move(name), ElementType::Float, std::move(dims), values);
  }
  static Tensor ints(std::string name, std::vector<std::int64_t> values) {
    const auto n = std::int64_t(values.size());
    return of<std::int64_t>(std::move(name), ElementType::Int64, {n}, values);
  }
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data->data()), data->size() / sizeof(T)};
  }
  std::int64_t elements() const;
};

/// Raw: an attribute kind that this program never writes (subgraph, tensor lists …), kept as its AttributeProto bytes.
struct RawAttribute {
  std::string bytes;
  bool operator==(const RawAttribute&) const = default;
};
using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::shared_ptr<const Tensor>, RawAttribute>;

struct Node {
  std::string op;
  std::vector<std::string> inputs;  ///< an empty name is an input left out
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
  std::string name;
  std::string domain;  ///< empty: the standard operators
};

struct Dimension {
  std::int64_t value = -1;  ///< -1: named or unknown
  std::string name;
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::Float;
  std::vector<Dimension> shape;
  bool ranked = true;  ///< false: the shape is not stated at all
};

struct Model {
  std::int64_t irVersion = 8;
  std::vector<std::pair<std::string, std::int64_t>> opsets{{"", 17}};
  std::string producer, producerVersion, graphName;
  std::vector<Node> nodes;  ///< topologically sorted
  std::vector<Tensor> initializers;
  std::vector<ValueInfo> inputs, outputs;
  std::map<std::string, std::string> metadata;
  bool hasForeignParts = false;  ///< as read: the file holds local functions, sparse weights or training graphs, which are not kept

  const Tensor* initializer(const std::string& name) const;
};

struct WriteOptions {
  /// Larger models put their weights beside the file: protobuf ends at 2 GiB - 1. Tests lower it.
  std::int64_t externalAbove = (std::int64_t(1) << 31) - (1 << 20);
};

/// The bytes of the .onnx file, all weights inside.
std::string serialize(const Model&);

/// Whole or absent. With external data the data file stands before the model file.
Result<void> writeModel(const Model&, const QString& path, const WriteOptions& = {});

/// Structure and weights. External weights are not loaded (Tensor::external says where they are): check.h decides whether they may be.
/// CorruptFile and TruncatedFile name the file.
Result<Model> readModel(const QString& path);
Result<Model> parseModel(std::string_view bytes, const QString& path);

}  // namespace cloister::onnx
