// The ranks of a run as one group over Gloo, and NCCL for tensors on graphics cards, formed from the torchrun environment (RANK WORLD_SIZE
// MASTER_ADDR MASTER_PORT). Training thread only. A dead rank makes the others throw (connection lost, or five minutes without an answer),
// never hang.
#pragma once
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/engine/device/compute_device.h"

namespace cloister {

class Group {
 public:
  virtual ~Group() = default;
  /// Adds up numbers over all ranks, in place; every rank gets the same bits.
  virtual void sum(std::vector<double>& numbers) = 0;
  /// Adds up float tensors over all ranks, in place, packed into buckets of 25 MiB.
  virtual void sum(const std::vector<at::Tensor>& tensors) = 0;
};

/// Blocks until all ranks have come together. Throws when they do not.
std::unique_ptr<Group> formGroup(int rank, int worldSize, const ComputeDevice& = {});

}  // namespace cloister
