// Where a training process computes: the processor, or one NVIDIA card. Chosen once by the training thread, before its first tensor.
#pragma once
#include <QString>

#include <c10/core/Device.h>

#include "core/engine/device/cuda_module.h"

namespace cloister {

struct ComputeDevice {
  c10::Device tensors{c10::kCPU};
  CudaModule* cuda = nullptr;  ///< null: the processor
  int index = 0;               ///< of the card
  GpuInfo card;

  bool isGpu() const { return cuda != nullptr; }
  /// "cpu", "cuda:0"
  QString name() const;
  /// bfloat16 units: compute capability 8.0 and later.
  bool hasBf16() const { return isGpu() && card.major >= 8; }
};

/// wanted: auto (a card where one can be used), cpu, cuda. One card a process: the LOCAL_RANK-th. DeviceUnavailable thrown when cuda is
/// wanted and cannot be had, with the reason. On a card, sets LibTorch to deterministic kernels where it has them, and to no TF32.
ComputeDevice chooseDevice(const QString& wanted);

}  // namespace cloister
