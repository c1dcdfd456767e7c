// A CudaModule whose cards are the processor and whose NCCL is Gloo. $FAKE_CUDA_CARDS cards (1) with $FAKE_CUDA_FREE bytes free (8 GiB);
// $FAKE_CUDA_BROKEN: the list of cards throws. Each use of a card is noted in the file $FAKE_CUDA_LOG.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "core/engine/device/cuda_module.h"

namespace {

std::int64_t number(const char* name, std::int64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : fallback;
}

void note(const char* what, int index) {
  const char* path = std::getenv("FAKE_CUDA_LOG");
  if (!path) return;
  if (std::FILE* file = std::fopen(path, "a")) {
    std::fprintf(file, "%s %d\n", what, index);
    std::fclose(file);
  }
}

class FakeCuda : public cloister::CudaModule {
 public:
  std::vector<cloister::GpuInfo> devices() override {
    if (std::getenv("FAKE_CUDA_BROKEN")) throw std::runtime_error("CUDA error: the card has fallen off the bus");
    return std::vector<cloister::GpuInfo>(std::size_t(number("FAKE_CUDA_CARDS", 1)), {"Fake card", std::int64_t(8) << 30, 7, 5});
  }
  c10::Device use(int index) override {
    note("use", index);
    return c10::Device(c10::kCPU);
  }
  std::int64_t freeMemory(int) override { return number("FAKE_CUDA_FREE", std::int64_t(8) << 30); }
  std::int64_t peakMemory(int) override { return 123456; }
  void synchronise(int index) override { note("synchronise", index); }
  c10::intrusive_ptr<c10d::Backend> group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int worldSize,
                                          std::chrono::milliseconds patience) override {
    note("group", rank);
    const auto options = c10d::ProcessGroupGloo::Options::create();
    options->timeout = patience;
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, worldSize, options);
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) cloister::CudaModule* cloister_cuda_module(int version) {
  static FakeCuda cuda;
  return version == cloister::kCudaModuleVersion && !std::getenv("FAKE_CUDA_OTHER_VERSION") ? &cuda : nullptr;
}
