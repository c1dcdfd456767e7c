// What a training step of a decoder language model costs on many GPUs: seconds, memory of one GPU, tokens a second and share of the peak,
// for a layout of data, tensor, pipeline, sequence and expert parallel ranks with ZeRO and activation checkpointing; and the search for
// layouts. Pure arithmetic from a DecoderConfig and a description of the machine: no weights, no GPU, no LibTorch. Called by `model plan
// --gpus`, the worker's model-plan and the desktop. Any thread; microseconds a layout. Seconds, bytes, FLOP and bytes/s throughout.
//
// Sources. FLOP of a step and 1F1B with interleaving: Narayanan et al. 2021, 2104.04473. What a layer keeps for backward, sequence
// parallelism, selective recomputation: Korthikanti et al. 2022, 2205.05198 (GPT layers; for gated layers with flash attention
// language_plan.h). States: ZeRO, 1910.02054. Collectives: alpha-beta model of Thakur et al. 2005 with NCCL's own constants
// (src/graph/tuning.cc). All that is assumed stands in scaleAssumptions and goes out with every result. docs/scale-model.md compares
// with published runs.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <QJsonArray>

#include "core/domain/decoder_config.h"
#include "core/domain/language_plan.h"

namespace cloister {

enum class ScalePrecision { Bf16, Fp16, Fp8, Fp32 };  ///< of the products; the first three train with 2 + 2 + 12 bytes a parameter
enum class Recompute { None, Selective, Full };

struct ScaleLink {
  double bandwidth = 0;  ///< bytes/s that one GPU sends, as collectives reach it
  double latency = 0;    ///< seconds of one step of a collective
};

/// A kind of node. Built in: resources/machines/machines.json with the source of each figure; a file of the same form is as good.
struct ScaleMachine {
  QString id, name;
  int perNode = 8;
  std::int64_t memory = 0;
  std::array<double, 4> peak{};  ///< FLOP/s, dense, by ScalePrecision; 0: not supported
  double productFraction = 0;    ///< of the peak, what a product of large matrices reaches
  double memoryBandwidth = 0;    ///< bytes/s, as streaming kernels reach it
  double kernelSeconds = 0;      ///< from one kernel to the next
  ScaleLink node, network;
  QJsonObject json;  ///< as read, with its sources

  /// path names the file in failures. CorruptFile names the key.
  static Result<ScaleMachine> fromJson(const QJsonObject&, const QString& path);
};
const std::vector<ScaleMachine>& scaleMachines();
/// By id. InvalidArgument lists them.
Result<ScaleMachine> scaleMachine(const QString& id);

enum class Collective { AllReduce, ReduceScatter, AllGather, AllToAll };

/// Ranks that talk to each other, perNode of them in each node.
struct RankGroup {
  int size = 1, perNode = 1;
};

/// Seconds, and which algorithm is the quickest. bytes: the whole vector (all-to-all: what one rank holds).
struct CollectiveCost {
  double seconds = 0;
  const char* algorithm = "none";  ///< "ring", "tree", "hierarchical", "direct"
};
CollectiveCost collectiveCost(Collective, double bytes, RankGroup, const ScaleMachine&);
double ringSeconds(Collective, double bytes, int ranks, ScaleLink);
double treeAllReduceSeconds(double bytes, int ranks, ScaleLink);

/// One product x·Wᵀ of a layer. Tensor parallel ranks divide its rows of W (Out), its columns (In), or all do it (Whole).
struct ScaleProduct {
  enum Split { Whole, Out, In };
  std::int64_t out = 0, in = 0;
  Split split = Whole;
  bool expert = false;  ///< of each routed expert
};

/// A layer for one token: what is multiplied, how many parameters, which bytes wait for backward.
struct ScaleLayer {
  std::vector<ScaleProduct> products;
  std::int64_t whole = 0, split = 0, experts = 0;          ///< parameters: on all tensor ranks, divided by them, of routed experts
  double keptWhole = 0, keptSplit = 0, keptExpert = 0;     ///< bytes a token; keptExpert of the experts a token goes to
  double cheapWhole = 0, cheapSplit = 0, cheapExpert = 0;  ///< of these, what Selective computes again
  double keptScores = 0;                                   ///< bytes a token and token of context (attention without flash)
};

struct ScaleShape {
  std::int64_t layers = 0, denseLayers = 0, hidden = 0, vocabulary = 0, intermediate = 0, heads = 0, kvHeads = 0;
  std::int64_t queryDim = 0, valueDim = 0, positions = 0;
  std::int64_t experts = 0, expertsPerToken = 0, expertNodes = 0;  ///< expertNodes: to at most so many nodes a token goes
  bool tied = false, flash = true;
  ScaleLayer dense, moe;

  static ScaleShape of(const DecoderConfig&);
  /// GPT of the Megatron papers: biases, LayerNorm, GELU, 4 h, learnt positions, attention scores kept in memory, tied table.
  static ScaleShape gpt(std::int64_t layers, std::int64_t hidden, std::int64_t heads, std::int64_t vocabulary, std::int64_t context);
  std::int64_t parameters() const;
  /// Products only (as torch.utils.flop_counter counts), attention over the whole square.
  double forwardFlops(std::int64_t sequence) const;
  double forwardAttentionFlops(std::int64_t sequence) const;  ///< of these, scores and their product with the values
};

struct ScaleWorkload {
  std::int64_t sequence = 4096;
  std::int64_t globalBatch = 1024;  ///< sequences of one optimizer step
  ScalePrecision precision = ScalePrecision::Bf16;
  bool overlap = true;       ///< gradients and weights travel behind the computation
  bool hideExperts = false;  ///< all-to-all too (DualPipe, 2412.19437)
};

struct ScaleLayout {
  int data = 1, tensor = 1, pipeline = 1, expert = 1;  ///< expert parallel ranks are data parallel ranks of everything else
  int zero = 0;
  bool sequenceParallel = true;  ///< counts with tensor > 1
  Recompute recompute = Recompute::None;
  int microBatch = 1;  ///< sequences
  int interleave = 1;  ///< pieces of the model on each pipeline rank

  int gpus() const { return data * tensor * pipeline; }
  /// "dp=8,tp=4,pp=2,ep=1,zero=1,micro=1,interleave=1,recompute=none|selective|full,sp=on|off"; without dp the rest of `gpus`.
  static Result<ScaleLayout> fromText(const QString&, int gpus);
  QString toText() const;
  QJsonObject toJson() const;
};

/// Seconds of one step, and where they go. Together: total.
struct ScaleSeconds {
  double compute = 0, recompute = 0;
  double tensor = 0, expert = 0, pipeline = 0, data = 0;  ///< communication that nothing hides
  double bubble = 0, optimizer = 0;
  double total() const { return compute + recompute + tensor + expert + pipeline + data + bubble + optimizer; }
};

struct ScalePrediction {
  ScaleSeconds seconds;
  LanguageMemory memory;  ///< of the fullest GPU
  std::int64_t microBatches = 0;
  double modelFlops = 0, tokensPerSecond = 0, mfu = 0, hfu = 0;  ///< shares of the peak; hfu counts what is computed again
  double dataSeconds = 0;                                        ///< of data parallel communication, hidden or not
  QString dataAlgorithm;
  QJsonObject toJson() const;
};

/// Why a layout cannot be: a word ("heads", "batch", "memory" …) and its numbers. describeScaleReason words it.
struct ScaleReason {
  QString word;
  std::int64_t found = 0, limit = 0;
};
std::optional<ScaleReason> layoutReason(const ScaleShape&, const ScaleLayout&, const ScaleWorkload&, const ScaleMachine&, int gpus);
QString describeScaleReason(const ScaleReason&);

/// For a layout without a reason against it (memory aside).
ScalePrediction predictStep(const ScaleShape&, const ScaleLayout&, const ScaleWorkload&, const ScaleMachine&);
LanguageMemory scaleMemory(const ScaleShape&, const ScaleLayout&, const ScaleWorkload&, const ScaleMachine&);
/// Bytes that a layer keeps for backward for one micro-batch on one GPU.
double keptByLayer(const ScaleShape&, const ScaleLayer&, const ScaleLayout&, const ScaleWorkload&);
std::int64_t usableMemory(const ScaleMachine&);  ///< with a margin

struct ScaleProposal {
  ScaleLayout layout;
  ScalePrediction prediction;
};
/// A division into tensor and pipeline ranks that is not among the best, and why: the reason of its variant that came nearest, or how
/// many times slower it is.
struct ScaleOther {
  ScaleLayout layout;
  ScaleReason reason;
  double slower = 0;  ///< > 0: fits, and is so many times slower; reason.word names what it pays most
};
struct ScaleSearch {
  std::vector<ScaleProposal> best;
  std::vector<ScaleOther> others;
  int tried = 0, fitting = 0;
};
ScaleSearch searchLayouts(const ScaleShape&, const ScaleWorkload&, const ScaleMachine&, int gpus, int keep = 5);

/// The fewest GPUs (1, 2, 4 … of one node, then whole nodes) whose memory holds a training step at all. Nothing up to 4,096: none.
std::optional<ScaleProposal> smallestScale(const ScaleShape&, const ScaleWorkload&, const ScaleMachine&);

/// [{"key","value","text"}]: all that the numbers rest on.
QJsonArray scaleAssumptions(const ScaleMachine&, const ScaleWorkload&, bool flash);

struct ScaleRequest {
  ScaleMachine machine;
  ScaleWorkload workload;
  int gpus = 8;
  QString layout;  ///< empty: search
  /// {"gpus","machine": id or description,"sequence","globalBatch","compute":"bf16|fp16|fp8|fp32","layout"}.
  static Result<ScaleRequest> fromJson(const QJsonObject&, const DecoderConfig&);
};

/// What `model plan --gpus` prints: docs/command-line.md.
Result<QJsonObject> scaleReport(const DecoderConfig&, const QJsonObject& request);

}  // namespace cloister
