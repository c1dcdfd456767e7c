// GGUF files, version 3: what llama.cpp and its relatives read. Written whole or absent, one tensor in memory at a time. Called by the
// worker's export. Any thread. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <QByteArray>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

using GgufValue = std::variant<std::uint32_t, std::int32_t, float, bool, std::string, std::vector<std::string>, std::vector<float>,
                               std::vector<std::int32_t>>;
using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

enum class GgufType : std::uint32_t { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8 };

struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> shape;  ///< row-major as everywhere here; the file has it the other way round
  GgufType type = GgufType::F32;
  /// The values in float32, asked for once, when the tensor is written.
  std::function<Result<std::vector<float>>()> values;
};

/// Bytes of so many values; rows of Q8_0 and Q4_0 must be multiples of 32.
std::int64_t ggufBytes(GgufType, std::int64_t elements);
/// As the reference does it (gguf-py quants.py): F16 rounds to nearest even, Q8_0 has the scale max|x| / 127 for 32 values, rounded to F16
/// after the division, and rounds half away from zero; Q4_0 puts the value farthest from zero at -8.
QByteArray ggufEncode(GgufType, std::span<const float> values);

/// progress: tensors done. TooLarge for values that float16 cannot hold; what values() says; failures of the disk.
Result<void> writeGguf(const QString& path, const GgufMetadata&, const std::vector<GgufTensor>&,
                       const std::function<void(std::size_t done, std::size_t total)>& progress = {});

}  // namespace cloister
