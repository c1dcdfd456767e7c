// The LibTorch side of a DecoderConfig: runs LLaMA, Qwen2, DeepSeek-V2 and DeepSeek-V3 for logits, generation and training. Tensors carry
// their Hugging Face names. Not thread-safe; one thread per object. Throws EngineFailure.
//
// Shapes: B sequences of T tokens; S = tokens in the cache and T. Hidden states [B, T, hidden], logits [B, T, vocabulary].
// Norms, rotations, softmax and routing are computed in float32 whatever the weights are; matrix products in the type of the weights, or
// in bfloat16 under Autocast.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/domain/decoder_config.h"
#include "core/engine/models/decoder/decoder_cache.h"
#include "core/engine/models/decoder/decoder_layers.h"
#include "core/engine/models/model.h"

namespace cloister {

struct DecoderInput {
  at::Tensor ids;              ///< int64 [B, T]
  at::Tensor positions = {};   ///< int64 [B, T]; undefined: counted on from the cache
  at::Tensor documents = {};   ///< int64 [B, T], packed samples: a token sees its own document only. Undefined: one. Without a cache
  at::Tensor embeddings = {};  ///< [B, T, hidden] instead of the rows of the table that ids name; undefined: those rows
  at::Tensor valid = {};       ///< bool [B, S], false for padding, which nobody sees. Undefined: no padding
};

/// Where a weight's gradient lands while the whole model trains: rows of a leaf that products read.
struct ComputedWeight {
  at::Tensor leaf;
  std::int64_t from = 0, rows = 0;
  at::Tensor copy() const { return leaf.detach().narrow(0, from, rows); }
  at::Tensor gradient() const { return leaf.grad().defined() ? leaf.grad().narrow(0, from, rows) : at::Tensor(); }
};

/// What a prediction layer makes of tokens: hidden goes to the head, stream to the next prediction layer. [B, T, hidden].
struct PredictedStates {
  at::Tensor hidden, stream;
};

using PackedWeights = std::map<std::string, std::shared_ptr<PackedWeight>>;  ///< by module

class DecoderModel {
 public:
  /// Takes the tensors as they are (shared, possibly a read-only mapping). Internal thrown when one of config.tensors() is missing.
  /// packed: linear layers whose weight is kept in fewer bits and not among the tensors.
  DecoderModel(DecoderConfig config, NamedTensors tensors, PackedWeights packed = {});
  /// New weights from the seed alone: normal with the configured deviation, norms one, biases zero.
  static DecoderModel initialised(const DecoderConfig&, std::uint64_t seed, at::ScalarType = at::kFloat);

  const DecoderConfig& config() const { return config_; }
  /// After the last norm. Appends to the cache when given.
  at::Tensor hidden(const DecoderInput&, DecoderCache* cache = nullptr, LatentPath = LatentPath::Automatic);
  at::Tensor embed(const at::Tensor& ids) const;  ///< [..., hidden]
  const at::Tensor& embeddingTable() const { return embedding_; }
  /// Of hidden states (any leading shape).
  at::Tensor logits(const at::Tensor& hidden) const;
  const at::Tensor& head() const { return head_; }  ///< [V, hidden]
  /// From now on every linear layer keeps its weight in four bits (QLoRA's base) and not in state(); what is left is
  /// copied to this type, so that files that were mapped can be let go. Before moveTo and adapters.
  void packLinears(at::ScalarType rest);
  /// Whether hidden() with gradients keeps the inputs of layers only and computes them again in backward.
  void recomputeLayers(bool on) { recompute_ = on; }
  /// Attention weights that fall in training, from now on; which ones is a function of the key alone. Only where gradients are recorded.
  void setDropout(double probability, std::uint64_t key) {
    dropout_ = probability;
    dropoutKey_ = key;
  }

  /// Multi-token prediction layers join the model and its state: config.mtpTensors() without embedding and head, which are the model's
  /// own. Names that are missing are new: as initialised() makes them, from the seed. Before moveTo and joinWeights.
  void addPrediction(const NamedTensors& given, std::uint64_t seed);
  std::int64_t predictionLayers() const { return std::int64_t(predictions_.size()); }
  /// Prediction layer `index` on what came before it (the model's hidden(), then the stream of the layer before), token by token beside
  /// the tokens that follow: next.ids. The routers' watch goes on.
  PredictedStates predicted(std::int64_t index, const at::Tensor& before, const DecoderInput& next);

  /// Moves every tensor, before an optimizer or adapters hold one.
  void moveTo(at::Device);

  /// All tensors by name, adapters not among them.
  const NamedTensors& state() const { return state_; }
  at::ScalarType dtype() const { return state_.at("model.embed_tokens.weight").scalar_type(); }
  /// InvalidArgument thrown for a token outside the vocabulary.
  void checkIds(const at::Tensor& ids) const;

  /// Every linear layer with the name of its module ("model.layers.0.self_attn.q_proj"), the head excepted: where adapters go.
  void forEachLinear(const std::function<void(const std::string& name, DecoderLinear&)>&);

  /// Before all weights train on the processor: queries, keys and values become one product, gates and their fellows another, and in bf16
  /// every product reads a bfloat16 copy, to be renewed whenever a weight changes (Optimizer does). The state keeps its names, as parts of
  /// the joined float32 matrices when not bf16. Returns where the gradients of those weights land; the others are leaves themselves.
  std::map<std::string, ComputedWeight> joinWeights(bool bf16);

  /// What the routers of the last hidden() did; null: not wanted. Training only.
  void watchRouting(RoutingWatch* watch) { watch_ = watch; }

 private:
  void wire();
  LayerContext contextOf(const DecoderInput&, DecoderCache*, LatentPath);
  at::Tensor layer(std::size_t index, const at::Tensor& x, const LayerContext&);
  at::Tensor layerAgain(std::size_t index, const at::Tensor& x, const LayerContext&);

  DecoderConfig config_;
  NamedTensors state_;
  PackedWeights packed_;
  at::Tensor embedding_, norm_, head_;
  std::vector<DecoderLayer> layers_;  ///< those of prediction layers behind the others
  std::vector<DecoderPrediction> predictions_;
  at::Tensor inverseFrequencies_;
  RoutingWatch* watch_ = nullptr;
  bool recompute_ = false;
  double dropout_ = 0;
  std::uint64_t dropoutKey_ = 0;
};

}  // namespace cloister
