// How the operations of this folder share rows among threads and reach the memory of tensors. Internal to core/engine/kernels.
#pragma once
#include <algorithm>
#include <cstdint>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

namespace cloister::kernels {

/// Calls task(part, from, to) for a split of 0…n that depends on the thread count alone.
template <typename Task>
void inParts(std::int64_t n, std::int64_t parts, const Task& task) {
  at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t p = first; p < last; ++p) task(p, n * p / parts, n * (p + 1) / parts);
  });
}

inline std::int64_t partsFor(std::int64_t elements) {
  constexpr std::int64_t kWorthAThread = 1 << 15;
  return std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), elements / kWorthAThread));
}

template <typename T>
const T* data(const at::Tensor& t) {
  return t.defined() ? static_cast<const T*>(t.const_data_ptr()) : nullptr;
}
template <typename T>
T* mutableData(const at::Tensor& t) {
  return t.defined() ? static_cast<T*>(t.mutable_data_ptr()) : nullptr;
}

}  // namespace cloister::kernels
