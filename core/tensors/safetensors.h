// safetensors files: read by mmap without a copy, written whole or absent. No LibTorch: prepared samples, weights, optimizer state and
// test vectors all pass through here. Every bound of an untrusted file is checked before memory is taken. Any thread.
// Format: u64 LE header length, JSON header, row-major little-endian data. Limits as the reference (header ≤ 100 MB, no holes, no overlap,
// no duplicate names).
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

enum class DType { Bool, U8, I8, F8E4M3, F8E5M2, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64 };
std::size_t dtypeSize(DType);
const char* dtypeName(DType);  ///< the format's word: "F32"

struct TensorView {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;  ///< valid as long as the file (or the owner's buffer) lives
  std::size_t bytes = 0;
};

class SafetensorsFile {
 public:
  static Result<std::shared_ptr<SafetensorsFile>> open(const QString& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const TensorView* find(const std::string& name) const;
  const QJsonObject& metadata() const { return metadata_; }

  /// The parser alone, on bytes (fuzz target); views point into the given memory. path only names the file in failures.
  static Result<void> parse(const std::byte* bytes, std::size_t size, const QString& path, std::map<std::string, TensorView>& tensors,
                            QJsonObject& metadata);

 private:
  SafetensorsFile() = default;
  void* map_ = nullptr;
  std::size_t size_ = 0;
  std::map<std::string, TensorView> tensors_;
  QJsonObject metadata_;
};

/// Staged, synced, renamed. Names are written in map order, data aligned to 8 bytes (the header is padded with spaces).
Result<void> writeSafetensors(const QString& path, const std::map<std::string, TensorView>& tensors, const QJsonObject& metadata = {});

}  // namespace cloister
