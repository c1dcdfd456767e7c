// The one description of a decoder language model (LLaMA, Qwen2, DeepSeek-V2, DeepSeek-V3): read from and written as a Hugging Face
// config.json. From it follow the tensor names and shapes, the parameter count, the memory of the key/value cache and the floating-point
// operations, so that engine, planner and exporters cannot drift apart. No LibTorch. Values; any thread.
//
// An untrusted config is checked here before anything is allocated: every number has a type, a range and must agree with the others.
// CorruptFile names the key; UnsupportedFormat says what is not read (another model type, activation, sliding windows …).
// Sources: the model papers (LLaMA 2302.13971, DeepSeek-V2 2405.04434, DeepSeek-V3 2412.19437, YaRN 2309.00071) and the published configs.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

enum class DecoderArchitecture { Llama, Qwen2, DeepseekV2, DeepseekV3 };
const char* decoderModelType(DecoderArchitecture);  ///< "llama", "qwen2", "deepseek_v2", "deepseek_v3"

enum class RopeKind { Default, Linear, Llama3, Yarn };

/// Rotary position embedding. factor and originalContext count for every kind but Default (Linear: factor only).
struct RopeSettings {
  RopeKind kind = RopeKind::Default;
  double theta = 10000;
  double factor = 1;
  std::int64_t originalContext = 0;            ///< tokens before the extension
  double lowFrequency = 1, highFrequency = 4;  ///< Llama3: wavelengths between original/high and original/low are blended
  double betaFast = 32, betaSlow = 1;          ///< Yarn: rotations at the ends of the ramp
  std::optional<double> mscale, mscaleAllDim;  ///< Yarn: attention temperature of DeepSeek
  std::optional<double> attentionFactor;       ///< Yarn: overrides what follows from factor and mscale
  bool truncate = true;                        ///< Yarn: ends of the ramp rounded outwards to whole dimensions

  /// Radians a position turns each pair of dimensions, for `dimensions` rotated dimensions: dimensions / 2 values, float32 arithmetic
  /// in the order of the reference implementation, so that long positions agree with what the model was trained with.
  std::vector<float> inverseFrequencies(std::int64_t dimensions) const;
  /// What sine and cosine are multiplied with.
  double rotationScale() const;
};

enum class RoutingMethod {
  Greedy,              ///< V2-Lite: softmax, the k largest
  GroupLimitedGreedy,  ///< V2: softmax, groups by their largest score
  NoAuxTc,             ///< V3: sigmoid, groups by the sum of their two largest, a correction bias that only chooses
};

enum class TensorRole { Embedding, Head, Norm, Attention, Mlp, Expert, Router, RouterBias, Bias };

/// One tensor of the checkpoint under its Hugging Face name, row-major [out, in].
struct DecoderTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  TensorRole role = TensorRole::Mlp;
  int layer = -1;   ///< -1: outside the layers
  int expert = -1;  ///< routed expert
  std::int64_t elements() const;
};

struct DecoderConfig {
  DecoderArchitecture architecture = DecoderArchitecture::Llama;
  std::int64_t vocabulary = 0, hidden = 0, intermediate = 0, layers = 0, heads = 0, kvHeads = 0;
  std::int64_t headDim = 0;  ///< LLaMA and Qwen2; MLA has the dimensions below
  std::int64_t context = 2048;
  double normEpsilon = 1e-6, initializerRange = 0.02, attentionDropout = 0;
  bool tiedEmbeddings = false;
  bool queryBias = false;   ///< q, k, v (Qwen2: always); DeepSeek: q_a and kv_a
  bool outputBias = false;  ///< o_proj
  bool mlpBias = false;
  RopeSettings rope;
  std::optional<std::int64_t> bos, pad;
  std::vector<std::int64_t> eos;
  QString dtype = "float32";  ///< of the stored weights: float32, float16, bfloat16

  // Multi-head latent attention (DeepSeek). qLoraRank 0: the query is not compressed.
  std::int64_t qLoraRank = 0, kvLoraRank = 0, qkNopeDim = 0, qkRopeDim = 0, vDim = 0;
  bool ropeInterleave = false;                        ///< pairs (0,1), (2,3) … instead of the two halves
  static constexpr double kLatentNormEpsilon = 1e-6;  ///< of q_a_layernorm and kv_a_layernorm, whatever rms_norm_eps says

  // Mixture of experts (DeepSeek). routedExperts 0: every layer is dense.
  std::int64_t routedExperts = 0, sharedExperts = 0, expertsPerToken = 0, expertIntermediate = 0, firstDense = 0;
  std::int64_t expertGroups = 1, groupsPerToken = 1;
  RoutingMethod routing = RoutingMethod::Greedy;
  double routedScaling = 1;
  bool normalisedWeights = false;
  double balanceLoss = 0;      ///< aux_loss_alpha, training only
  std::int64_t mtpLayers = 0;  ///< multi-token prediction layers that may follow the last layer in the file

  std::int64_t fp8BlockRows = 0, fp8BlockColumns = 0;  ///< 0: no FP8 weights with weight_scale_inv

  /// path only names the file in failures.
  static Result<DecoderConfig> fromJson(const QJsonObject&, const QString& path);
  /// Hugging Face spelling that transformers 4 and 5 both read (rope_theta and rope_scaling).
  QJsonObject toJson() const;
  /// What fromJson checks once the fields are read: ranges and agreement.
  Result<void> validate(const QString& path) const;

  bool hasMla() const { return architecture == DecoderArchitecture::DeepseekV2 || architecture == DecoderArchitecture::DeepseekV3; }
  bool isMoeLayer(std::int64_t layer) const { return routedExperts > 0 && layer >= firstDense; }
  std::int64_t queryDim() const { return hasMla() ? qkNopeDim + qkRopeDim : headDim; }  ///< per head
  std::int64_t valueDim() const { return hasMla() ? vDim : headDim; }                   ///< per head
  std::int64_t rotatedDim() const { return hasMla() ? qkRopeDim : headDim; }            ///< per head
  double attentionScale() const;                                                        ///< before the softmax

  /// In the order of the layers, without the multi-token prediction layers. A tied head is not listed.
  std::vector<DecoderTensor> tensors() const;
  /// The same without a list: V3 has 45,000 tensors.
  void forEachTensor(const std::function<void(const DecoderTensor&)>&) const;
  /// Tensors of the prediction layer `index` (0-based), as DeepSeek-V3 stores it after the last layer.
  std::vector<DecoderTensor> mtpTensors(std::int64_t index) const;

  std::int64_t parameterCount() const;            ///< all, without MTP and the router's correction bias
  std::int64_t predictionParameterCount() const;  ///< of the MTP layers, without embedding and head, which are the model's own
  std::int64_t activeParameterCount() const;      ///< used for one token
  /// Elements kept per token of context: kvHeads·headDim·2 per layer; MLA: kvLoraRank + qkRopeDim when compressed, else all heads.
  std::int64_t cacheElementsPerToken(bool compressed = true) const;
  /// Forward pass at the given context: 2 per active parameter (the embedding is a lookup) and attention over all `context` tokens.
  /// Training costs three times this; recomputed activations once more.
  double forwardFlopsPerToken(std::int64_t context) const;
};

/// Named architectures. The first are for training from scratch; then the published DeepSeek models.
struct DecoderPreset {
  QString name;  ///< "llama-10m", "deepseek-llm-7b"
  bool fromScratch = false;
  DecoderConfig config;
};
const std::vector<DecoderPreset>& decoderPresets();
/// InvalidArgument for an unknown name. vocabulary > 0 replaces the preset's.
Result<DecoderConfig> decoderPreset(const QString& name, std::int64_t vocabulary = 0);

}  // namespace cloister
