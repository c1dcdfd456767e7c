// libcloister_cuda.so: the cards and NCCL for cloister-worker, which opens this file only where an NVIDIA driver is. Links
// libtorch_cuda.so, libc10_cuda.so, the CUDA run time and NCCL; nothing links it. Interface: core/engine/device/cuda_module.h.
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "core/engine/device/cuda_module.h"

namespace cloister {
namespace {

class Cuda : public CudaModule {
 public:
  std::vector<GpuInfo> devices() override {
    std::vector<GpuInfo> found;
    for (int i = 0, n = c10::cuda::device_count_ensure_non_zero(); i < n; ++i) {
      cudaDeviceProp properties{};
      C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, i));
      found.push_back({properties.name, std::int64_t(properties.totalGlobalMem), properties.major, properties.minor});
    }
    return found;
  }

  c10::Device use(int index) override {
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
    c10::cuda::set_device(c10::DeviceIndex(index));
    return {c10::DeviceType::CUDA, c10::DeviceIndex(index)};
  }

  std::int64_t freeMemory(int index) override {
    c10::cuda::set_device(c10::DeviceIndex(index));
    std::size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    return std::int64_t(free);
  }

  std::int64_t peakMemory(int index) override {
    constexpr auto kAll = std::size_t(c10::CachingAllocator::StatType::AGGREGATE);
    return c10::cuda::CUDACachingAllocator::getDeviceStats(c10::DeviceIndex(index)).allocated_bytes[kAll].peak;
  }

  void synchronise(int index) override {
    c10::cuda::set_device(c10::DeviceIndex(index));
    c10::cuda::device_synchronize();
  }

  c10::intrusive_ptr<c10d::Backend> group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int worldSize,
                                          std::chrono::milliseconds patience) override {
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = patience;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, worldSize, options);
  }
};

}  // namespace
}  // namespace cloister

extern "C" __attribute__((visibility("default"))) cloister::CudaModule* cloister_cuda_module(int version) {
  static cloister::Cuda cuda;
  return version == cloister::kCudaModuleVersion ? &cuda : nullptr;
}
