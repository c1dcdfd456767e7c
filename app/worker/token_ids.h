// Token numbers from a JSON file: a list of numbers, a list of such lists, or {"input_ids": one of these}. Worker only.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <QString>

namespace cloister {

/// At least one sequence, none empty. CorruptFile thrown for anything else, TooLarge for more than 64 MB.
std::vector<std::vector<std::int64_t>> readTokenIds(const QString& path);
/// int64 [B, T] of sequences that must be equally long; CorruptFile thrown otherwise.
at::Tensor equalRows(const std::vector<std::vector<std::int64_t>>&, const QString& path);

}  // namespace cloister
