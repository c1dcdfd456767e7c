// What libcloister_cuda.so gives the engine: NVIDIA cards by number, and NCCL. The engine never links CUDA; it opens the module where a
// driver is (cuda_loader). Implemented by plugins/devices/cuda and, for tests, by tests/support/fake_cuda. Training thread. Methods throw
// std::exception.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace cloister {

struct GpuInfo {
  std::string name;
  std::int64_t memoryTotal = 0;  ///< bytes
  int major = 0, minor = 0;      ///< compute capability
};

class CudaModule {
 public:
  virtual ~CudaModule() = default;
  /// The cards by number; takes no memory on them. Empty where there are none.
  virtual std::vector<GpuInfo> devices() = 0;
  /// Makes the card current for the calling thread; tensors go there.
  virtual c10::Device use(int index) = 0;
  /// Bytes free on the card now. Opens a context on it (some hundred MB).
  virtual std::int64_t freeMemory(int index) = 0;
  /// The most bytes that tensors of this process held on the card at once.
  virtual std::int64_t peakMemory(int index) = 0;
  /// Waits until the card has done all it was given.
  virtual void synchronise(int index) = 0;
  /// NCCL among the ranks that share the store; a dead rank ends the wait after this patience.
  virtual c10::intrusive_ptr<c10d::Backend> group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int worldSize,
                                                  std::chrono::milliseconds patience) = 0;
};

/// Grows with every change of the class above; a module of another number is refused.
constexpr int kCudaModuleVersion = 1;
/// The one symbol of the module: extern "C" CudaModule* cloister_cuda_module(int version); null when the version is another.
using CudaModuleEntry = CudaModule* (*)(int version);
constexpr char kCudaModuleEntry[] = "cloister_cuda_module";

}  // namespace cloister
