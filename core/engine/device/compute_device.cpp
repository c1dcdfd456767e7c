#include "core/engine/device/compute_device.h"

#include <algorithm>

#include <ATen/Context.h>
#include <QtGlobal>

#include "core/engine/device/cuda_loader.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

int environmentNumber(const char* name, int fallback) {
  bool ok = false;
  const int n = qEnvironmentVariableIntValue(name, &ok);
  return ok ? n : fallback;
}

// Kernels that add in a fixed order; where LibTorch has none it warns and goes on. TF32 is off: who wants speed has bf16.
void makeDeterministic() {
  if (!qEnvironmentVariableIsSet("CUBLAS_WORKSPACE_CONFIG")) qputenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, true);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setSDPUseMemEfficient(false);  // its backward adds atomically
  context.setSDPUseCuDNN(false);
}

}  // namespace

QString ComputeDevice::name() const { return isGpu() ? QStringLiteral("cuda:%1").arg(index) : QStringLiteral("cpu"); }

ComputeDevice chooseDevice(const QString& wanted) {
  ComputeDevice device;
  if (wanted == u"cpu") return device;
  const CudaState& cuda = cudaState();
  const int rank = environmentNumber("LOCAL_RANK", 0), ranks = environmentNumber("LOCAL_WORLD_SIZE", std::max(1, rank + 1));
  if (!cuda.module) {
    if (wanted == u"cuda") throw EngineFailure(cuda.trouble);
    return device;
  }
  const std::vector<GpuInfo> cards = cuda.module->devices();
  // NCCL refuses two ranks on one card.
  if (ranks > int(cards.size())) {
    if (wanted == u"cuda")
      throw EngineFailure({FailureKind::DeviceUnavailable,
                           {{"device", "cuda"}, {"reason", "too_few"}, {"found", int(cards.size())}, {"wanted", ranks}},
                           {}});
    return device;
  }
  makeDeterministic();
  device.index = rank;
  device.card = cards[std::size_t(rank)];
  device.tensors = cuda.module->use(rank);
  device.cuda = cuda.module;
  return device;
}

}  // namespace cloister
