// The parts of a decoder layer: linear maps with an optional adapter, attention (grouped and latent), gated MLP, mixture of experts.
// Called by DecoderModel. Sources: LLaMA 2302.13971, GQA 2305.13245, DeepSeek-V2 2405.04434 (MLA, groups, balance loss), DeepSeek-V3
// 2412.19437 (sigmoid routing with a correction bias), LoRA 2106.09685. One thread per object.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "core/domain/decoder_config.h"
#include "core/engine/models/decoder/decoder_cache.h"
#include "core/engine/models/decoder/packed_weight.h"

namespace cloister {

/// at::linear, for a few rows without gradients by our own product. bias may be undefined.
at::Tensor linearOf(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// y = x Wᵀ + bias, and scale · (x Aᵀ) Bᵀ where an adapter is set. A [rank, in], B [out, rank]. W is a tensor or, frozen, in four or eight
/// bits.
struct DecoderLinear {
  at::Tensor weight, bias;
  std::shared_ptr<const PackedWeight> packed;  ///< instead of weight
  at::Tensor adapterA, adapterB;
  double adapterScale = 0;
  bool defined() const { return weight.defined() || packed; }
  at::IntArrayRef shape() const { return packed ? packed->sizes() : weight.sizes(); }  ///< [out, in]
  at::Device device() const { return packed ? packed->device() : weight.device(); }
  at::Tensor operator()(const at::Tensor& x) const;
  /// The weight with the adapter added; the weight itself without one.
  at::Tensor merged() const;
};

/// joined (attention and products alike): the rows of several weights as one matrix, so that one product serves all; undefined: each of its
/// own. Only while every weight trains (DecoderModel::joinWeights).
struct DecoderAttention {
  DecoderLinear q, k, v, o;        ///< MLA: q only when the query is not compressed
  DecoderLinear qA, qB, kvA, kvB;  ///< MLA
  at::Tensor qNorm, kvNorm;
  at::Tensor joined;  ///< q, k, v
};

struct DecoderMlp {
  DecoderLinear gate, up, down;
  at::Tensor joined = {};  ///< gate, up
  at::Tensor operator()(const at::Tensor& x) const;
};

struct DecoderExperts {
  at::Tensor router, correction;  ///< [E, hidden], [E] (V3)
  std::vector<DecoderMlp> experts;
  DecoderMlp shared;
};

struct DecoderLayer {
  at::Tensor inputNorm, postNorm;
  DecoderAttention attention;
  DecoderMlp mlp;          ///< dense layers
  DecoderExperts experts;  ///< others
};

/// What a multi-token prediction layer has beside its decoder layer (DeepSeek-V3, section 2.2).
struct DecoderPrediction {
  at::Tensor embeddingNorm, hiddenNorm, norm;
  DecoderLinear project;  ///< [hidden, 2 hidden]
};

/// Which way latent attention goes. Plain expands keys and values for every head; Absorbed multiplies the expansion into query and output
/// and reads the compressed cache once for all heads. Automatic: absorbed for a few tokens after a cache.
enum class LatentPath { Automatic, Plain, Absorbed };

/// What the routers did in one forward pass, for the balance loss and the update of the correction bias.
struct RoutingWatch {
  std::vector<at::Tensor> loads;  ///< int64 [E] a layer: tokens given to each expert
  at::Tensor balanceLoss;         ///< Σ over layers, per sequence, without its factor; with gradients
};

/// What the layers of one forward pass share.
struct LayerContext {
  at::Tensor cosine, sine;  ///< float [B, 1, T, rotated / 2]
  at::Tensor mask;          ///< bool [B or 1, 1, T, S], true: may be seen; undefined: causal, or everything for one token
  bool causal = false;      ///< with an undefined mask
  DecoderCache* cache = nullptr;
  LatentPath path = LatentPath::Automatic;
  RoutingWatch* watch = nullptr;
  double dropout = 0;            ///< share of attention weights that fall, in training
  std::uint64_t dropoutKey = 0;  ///< which ones: a function of this, the layer and their place alone
};

/// In the type of the products that read it (bfloat16 under Autocast), or exact: in x's own.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, bool exact = false);
/// (x + delta, the norm of that).
std::pair<at::Tensor, at::Tensor> addNorm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double epsilon,
                                          bool exact);
at::Tensor groupedAttention(const DecoderConfig&, const DecoderAttention&, const at::Tensor& x, std::size_t layer, const LayerContext&);
at::Tensor latentAttention(const DecoderConfig&, const DecoderAttention&, const at::Tensor& x, std::size_t layer, const LayerContext&);
at::Tensor mixtureOfExperts(const DecoderConfig&, const DecoderExperts&, const at::Tensor& x, const LayerContext&);

/// Experts and weights of each token, for scores of the router. Exposed for tests.
struct Routing {
  at::Tensor experts;  ///< int64 [N, k]
  at::Tensor weights;  ///< float [N, k]
  at::Tensor scores;   ///< float [N, E], softmax or sigmoid
};
Routing routeTokens(const DecoderConfig&, const at::Tensor& routerLogits, const at::Tensor& correction);

}  // namespace cloister
