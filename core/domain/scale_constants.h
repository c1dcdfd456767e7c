// The assumptions of the cost model that are the same for every machine and model. scale_words.cpp says each to people; change both.
#pragma once

namespace cloister::scale {

constexpr double kFlashFraction = 0.7;  // flash attention, of what products reach (FlashAttention-2, 2307.08691, figure 5)
constexpr double kFlashBackward = 2.5;  // five products for two, the scores once more
constexpr double kOtherKernels = 12;    // kernels of a layer that are no products, each way
constexpr double kHidden = 0.8;         // of a computation, communication hides behind at most so much
constexpr double kOptimizerBytes = 28;  // read and written for a parameter: gradient 2, master, m and v 24, weight 2
constexpr double kLogitPasses = 4;      // over float32 logits, each way
constexpr double kLossChunk = 1024;     // tokens whose logits are there at once
constexpr double kLogitCopies = 3;
constexpr double kDriver = 1e9, kCollectives = 1e9;  // bytes
constexpr double kFragmentation = 0.08;              // of activations and logits
constexpr double kUsable = 0.95;                     // of a GPU's memory

}  // namespace cloister::scale
