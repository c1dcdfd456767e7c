#include "core/engine/distributed/group.h"

#include <chrono>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <QtGlobal>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

constexpr std::chrono::milliseconds kPatience{300'000};
constexpr std::int64_t kBucketElements = std::int64_t(25) << 18;  // 25 MiB of float32

class TorchGroup : public Group {
 public:
  TorchGroup(int rank, int worldSize, const ComputeDevice& device) {
    const QString address = qEnvironmentVariable("MASTER_ADDR", "127.0.0.1");
    c10d::TCPStoreOptions options;
    options.port = std::uint16_t(qEnvironmentVariableIntValue("MASTER_PORT"));
    // torchrun's agent already hosts the store; otherwise rank 0 does.
    options.isServer = rank == 0 && qEnvironmentVariable("TORCHELASTIC_USE_AGENT_STORE") != u"True";
    options.numWorkers = std::size_t(worldSize);
    options.timeout = kPatience;
    options.multiTenant = true;
    // torchrun's store outlives the workers that it starts again: what they left in it must not be met.
    const auto store =
        c10::make_intrusive<c10d::PrefixStore>("restart" + qEnvironmentVariable("TORCHELASTIC_RESTART_COUNT", "0").toStdString(),
                                               c10::make_intrusive<c10d::TCPStore>(address.toStdString(), options));
    const auto gloo = c10d::ProcessGroupGloo::Options::create();
    gloo->timeout = kPatience;
    gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    numbers_ = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store), rank, worldSize, gloo);
    tensors_ =
        device.isGpu() ? device.cuda->group(c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, worldSize, kPatience) : numbers_;
  }

  void sum(std::vector<double>& numbers) override {
    std::vector<at::Tensor> t{at::empty({std::int64_t(numbers.size())}, at::kDouble)};
    std::copy(numbers.begin(), numbers.end(), t[0].data_ptr<double>());
    numbers_->allreduce(t)->wait();
    std::copy_n(t[0].const_data_ptr<double>(), numbers.size(), numbers.begin());
  }

  void sum(const std::vector<at::Tensor>& tensors) override {
    at::NoGradGuard noGrad;
    for (std::size_t from = 0; from < tensors.size();) {
      std::size_t to = from;
      std::vector<at::Tensor> flat;
      for (std::int64_t n = 0; to < tensors.size() && (n == 0 || n + tensors[to].numel() <= kBucketElements); ++to) {
        n += tensors[to].numel();
        flat.push_back(tensors[to].contiguous().view({-1}));
      }
      std::vector<at::Tensor> bucket{at::cat(flat)};
      tensors_->allreduce(bucket)->wait();
      std::int64_t at = 0;
      for (std::size_t i = from; i < to; at += tensors[i++].numel())
        at::Tensor(tensors[i]).copy_(bucket[0].narrow(0, at, tensors[i].numel()).view(tensors[i].sizes()));
      from = to;
    }
  }

 private:
  c10::intrusive_ptr<c10d::Backend> numbers_, tensors_;
};

}  // namespace

std::unique_ptr<Group> formGroup(int rank, int worldSize, const ComputeDevice& device) {
  return std::make_unique<TorchGroup>(rank, worldSize, device);
}

}  // namespace cloister
