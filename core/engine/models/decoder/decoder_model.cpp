#include "core/engine/models/decoder/decoder_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>

#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/nf4.h"
#include "core/engine/models/decoder/recomputed_layer.h"

namespace cloister {
namespace {

// Fetches the tensors of modules by name; what must be there was checked by whoever read the file.
class Wiring {
 public:
  Wiring(const DecoderConfig& c, const NamedTensors& t, const PackedWeights& packed) : c_(c), t_(t), packed_(packed) {}
  at::Tensor tensor(const std::string& name) const {
    const auto it = t_.find(name);
    if (it == t_.end()) throw EngineFailure({FailureKind::Internal, {}, "no tensor " + QString::fromStdString(name)});
    return it->second;
  }
  DecoderLinear linear(const std::string& name) const {
    DecoderLinear l;
    if (const auto it = packed_.find(name); it != packed_.end()) l.packed = it->second;
    else l.weight = tensor(name + ".weight");
    if (const auto it = t_.find(name + ".bias"); it != t_.end()) l.bias = it->second;
    return l;
  }
  DecoderMlp mlp(const std::string& p) const { return {linear(p + "gate_proj"), linear(p + "up_proj"), linear(p + "down_proj")}; }
  DecoderAttention attention(const std::string& p) const {
    DecoderAttention a;
    a.o = linear(p + "o_proj");
    if (!c_.hasMla()) {
      a.q = linear(p + "q_proj");
      a.k = linear(p + "k_proj");
      a.v = linear(p + "v_proj");
      return a;
    }
    if (c_.qLoraRank > 0) {
      a.qA = linear(p + "q_a_proj");
      a.qNorm = tensor(p + "q_a_layernorm.weight");
      a.qB = linear(p + "q_b_proj");
    } else {
      a.q = linear(p + "q_proj");
    }
    a.kvA = linear(p + "kv_a_proj_with_mqa");
    a.kvNorm = tensor(p + "kv_a_layernorm.weight");
    a.kvB = linear(p + "kv_b_proj");
    return a;
  }
  DecoderExperts experts(const std::string& p) const {
    DecoderExperts e;
    e.router = tensor(p + "gate.weight");
    if (c_.routing == RoutingMethod::NoAuxTc) e.correction = tensor(p + "gate.e_score_correction_bias");
    for (std::int64_t i = 0; i < c_.routedExperts; ++i) e.experts.push_back(mlp(p + "experts." + std::to_string(i) + '.'));
    if (c_.sharedExperts > 0) e.shared = mlp(p + "shared_experts.");
    return e;
  }
  DecoderLayer layer(std::int64_t i) const {
    const std::string p = "model.layers." + std::to_string(i) + '.';
    DecoderLayer l;
    l.inputNorm = tensor(p + "input_layernorm.weight");
    l.postNorm = tensor(p + "post_attention_layernorm.weight");
    l.attention = attention(p + "self_attn.");
    if (c_.isMoeLayer(i)) l.experts = experts(p + "mlp.");
    else l.mlp = mlp(p + "mlp.");
    return l;
  }
  DecoderPrediction prediction(std::int64_t i) const {
    const std::string p = "model.layers." + std::to_string(c_.layers + i) + '.';
    return {tensor(p + "enorm.weight"), tensor(p + "hnorm.weight"), tensor(p + "shared_head.norm.weight"), linear(p + "eh_proj")};
  }

 private:
  const DecoderConfig& c_;
  const NamedTensors& t_;
  const PackedWeights& packed_;
};

// Who may see whom, as far as it is more than "causal from the first token": bool [B or 1, 1, T, S], or undefined.
at::Tensor maskOf(const DecoderInput& in, std::int64_t past, LatentPath path) {
  const std::int64_t t = in.ids.size(1), s = past + t;
  const bool plain = !in.valid.defined() && !in.documents.defined();
  if (plain && (t == 1 || (past == 0 && path != LatentPath::Absorbed))) return {};
  const auto options = in.ids.options();
  const at::Tensor queries = at::arange(past, s, options).unsqueeze(1), keys = at::arange(s, options).unsqueeze(0);
  at::Tensor mask = (keys <= queries).unsqueeze(0).unsqueeze(0);
  if (in.documents.defined()) mask = mask.logical_and((in.documents.unsqueeze(2) == in.documents.unsqueeze(1)).unsqueeze(1));
  // Padding sees itself, so that no row of the softmax is empty; nobody reads what comes out of it.
  if (in.valid.defined()) mask = mask.logical_and(in.valid.to(at::kBool).unsqueeze(1).unsqueeze(1)).logical_or(keys == queries);
  return mask;
}

// A new tensor of the description; routers choose in float32, as the models were trained.
at::Tensor newTensor(const DecoderConfig& config, const DecoderTensor& t, at::ScalarType type, at::Generator& generator) {
  const bool exact = t.role == TensorRole::RouterBias || t.role == TensorRole::Router;
  const auto options = at::TensorOptions(exact ? at::kFloat : type);
  if (t.role == TensorRole::Norm) return at::ones(t.shape, options);
  if (t.role == TensorRole::Bias || t.role == TensorRole::RouterBias) return at::zeros(t.shape, options);
  return at::empty(t.shape, options).normal_(0, config.initializerRange, generator);
}

}  // namespace

DecoderModel::DecoderModel(DecoderConfig config, NamedTensors tensors, PackedWeights packed)
    : config_(std::move(config)), state_(std::move(tensors)), packed_(std::move(packed)) {
  wire();
}

void DecoderModel::addPrediction(const NamedTensors& given, std::uint64_t seed) {
  at::NoGradGuard noGrad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  for (std::int64_t i = 0; i < config_.mtpLayers; ++i)
    for (const DecoderTensor& t : config_.mtpTensors(i)) {
      if (t.role == TensorRole::Embedding || t.role == TensorRole::Head) continue;
      const auto it = given.find(t.name);
      state_[t.name] = it != given.end() ? it->second : newTensor(config_, t, dtype(), generator);
    }
  predictions_.resize(std::size_t(config_.mtpLayers));
  wire();
}

void DecoderModel::moveTo(at::Device device) {
  for (auto& [name, t] : state_) t = t.to(device);
  for (auto& [name, w] : packed_) w->moveTo(device);
  wire();
}

void DecoderModel::packLinears(at::ScalarType rest) {
  forEachLinear([&](const std::string& name, DecoderLinear& l) {
    packed_[name] = std::make_shared<Nf4Weight>(Nf4Weight::quantised(l.packed ? l.packed->restored(at::kFloat) : l.weight));
    l.packed.reset();
    l.weight.reset();
    state_.erase(name + ".weight");
  });
  // Copies, so that nothing holds the mapping of the whole file.
  for (auto& [name, t] : state_) {
    const bool routes = name.ends_with(".mlp.gate.weight") || name.ends_with(".e_score_correction_bias");
    t = t.to(routes ? t.scalar_type() : rest, false, true);
  }
  wire();
}

void DecoderModel::wire() {
  layers_.clear();
  const Wiring wiring(config_, state_, packed_);
  embedding_ = wiring.tensor("model.embed_tokens.weight");
  norm_ = wiring.tensor("model.norm.weight");
  head_ = config_.tiedEmbeddings ? embedding_ : wiring.tensor("lm_head.weight");
  for (std::int64_t i = 0; i < config_.layers + predictionLayers(); ++i) layers_.push_back(wiring.layer(i));
  for (std::size_t i = 0; i < predictions_.size(); ++i) predictions_[i] = wiring.prediction(std::int64_t(i));
  std::vector<float> f = config_.rope.inverseFrequencies(config_.rotatedDim());
  inverseFrequencies_ = at::from_blob(f.data(), {std::int64_t(f.size())}, at::kFloat).clone().to(embedding_.device());
}

DecoderModel DecoderModel::initialised(const DecoderConfig& config, std::uint64_t seed, at::ScalarType type) {
  at::NoGradGuard noGrad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  NamedTensors tensors;
  config.forEachTensor([&](const DecoderTensor& t) { tensors[t.name] = newTensor(config, t, type, generator); });
  return DecoderModel(config, std::move(tensors));
}

at::Tensor DecoderModel::embed(const at::Tensor& ids) const { return at::embedding(embedding_, ids); }

LayerContext DecoderModel::contextOf(const DecoderInput& in, DecoderCache* cache, LatentPath path) {
  const std::int64_t past = cache ? cache->length() : 0, t = in.ids.size(1);
  LayerContext c;
  c.cache = cache;
  c.path = path;
  c.watch = watch_;
  c.dropout = at::GradMode::is_enabled() ? dropout_ : 0;
  c.dropoutKey = dropoutKey_;
  at::Tensor positions = in.positions;
  if (!positions.defined()) positions = at::arange(past, past + t, in.ids.options()).unsqueeze(0);
  const at::Tensor angles = (positions.to(at::kFloat).unsqueeze(-1) * inverseFrequencies_).unsqueeze(1);
  const double scale = config_.rope.rotationScale();
  c.cosine = angles.cos() * scale;
  c.sine = angles.sin() * scale;
  c.mask = maskOf(in, past, path);
  c.causal = !c.mask.defined() && t > 1;
  return c;
}

at::Tensor DecoderModel::hidden(const DecoderInput& in, DecoderCache* cache, LatentPath path) {
  if (watch_) *watch_ = {};
  const LayerContext c = contextOf(in, cache, path);
  at::Tensor x = in.embeddings.defined() ? in.embeddings : embed(in.ids);
  const bool again = recompute_ && !cache && at::GradMode::is_enabled();
  // A layer that is computed again hands its gradients on through its input, also where nothing before it is trained.
  if (again && !x.requires_grad()) x = x.detach().set_requires_grad(true);
  for (std::size_t i = 0; i < std::size_t(config_.layers); ++i) x = again ? layerAgain(i, x, c) : layer(i, x, c);
  if (cache) cache->advance(in.ids.size(1));
  return rmsNorm(x, norm_, config_.normEpsilon);
}

PredictedStates DecoderModel::predicted(std::int64_t index, const at::Tensor& before, const DecoderInput& next) {
  const DecoderPrediction& p = predictions_.at(std::size_t(index));
  const std::size_t layer = std::size_t(config_.layers + index);
  const LayerContext c = contextOf(next, nullptr, LatentPath::Automatic);
  const at::Tensor follows = embed(next.ids), given = rmsNorm(follows, p.embeddingNorm, config_.normEpsilon);
  const at::Tensor known = rmsNorm(before, p.hiddenNorm, config_.normEpsilon).to(given.scalar_type());
  const at::Tensor x = p.project(at::cat({given, known}, -1)).to(follows.scalar_type());  // the residual stream's own type
  const at::Tensor stream = recompute_ && at::GradMode::is_enabled() ? layerAgain(layer, x, c) : this->layer(layer, x, c);
  return {rmsNorm(stream, p.norm, config_.normEpsilon), stream};
}

at::Tensor DecoderModel::layer(std::size_t i, const at::Tensor& x, const LayerContext& c) {
  const DecoderLayer& l = layers_[i];
  const bool routed = config_.isMoeLayer(std::int64_t(i));
  const at::Tensor normed = rmsNorm(x, l.inputNorm, config_.normEpsilon);
  const at::Tensor attended =
      config_.hasMla() ? latentAttention(config_, l.attention, normed, i, c) : groupedAttention(config_, l.attention, normed, i, c);
  const auto [y, again] = addNorm(x, attended, l.postNorm, config_.normEpsilon, routed);  // routers choose by exact values
  return y + (routed ? mixtureOfExperts(config_, l.experts, again, c) : l.mlp(again));
}

at::Tensor DecoderModel::layerAgain(std::size_t i, const at::Tensor& x, const LayerContext& c) {
  const LayerFunction function = [this, i, c](const at::Tensor& given, RoutingWatch* watch) {
    LayerContext own = c;
    own.watch = watch;
    return layer(i, given, own);
  };
  return recomputed(function, x, c.watch);
}

at::Tensor DecoderModel::logits(const at::Tensor& hidden) const { return linearOf(hidden, head_, {}); }

void DecoderModel::checkIds(const at::Tensor& ids) const {
  if (ids.numel() == 0) return;
  const std::int64_t low = ids.min().item<std::int64_t>(), high = ids.max().item<std::int64_t>();
  if (low >= 0 && high < config_.vocabulary) return;
  throw EngineFailure(
      {FailureKind::InvalidArgument,
       {{"name", "ids"}, {"value", QString::number(low < 0 ? low : high)}, {"allowed", QString("0 – %1").arg(config_.vocabulary - 1)}},
       "a token outside the vocabulary: is this the model's own tokenizer?"});
}

void DecoderModel::forEachLinear(const std::function<void(const std::string&, DecoderLinear&)>& visit) {
  const auto give = [&](const std::string& name, DecoderLinear& l) {
    if (l.defined()) visit(name, l);
  };
  const auto mlp = [&](const std::string& p, DecoderMlp& m) {
    give(p + "gate_proj", m.gate);
    give(p + "up_proj", m.up);
    give(p + "down_proj", m.down);
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string p = "model.layers." + std::to_string(i) + '.';
    DecoderAttention& a = layers_[i].attention;
    for (auto [name, l] : {std::pair{"q_proj", &a.q},
                           {"k_proj", &a.k},
                           {"v_proj", &a.v},
                           {"q_a_proj", &a.qA},
                           {"q_b_proj", &a.qB},
                           {"kv_a_proj_with_mqa", &a.kvA},
                           {"kv_b_proj", &a.kvB},
                           {"o_proj", &a.o}})
      give(p + "self_attn." + name, *l);
    mlp(p + "mlp.", layers_[i].mlp);
    for (std::size_t e = 0; e < layers_[i].experts.experts.size(); ++e)
      mlp(p + "mlp.experts." + std::to_string(e) + '.', layers_[i].experts.experts[e]);
    mlp(p + "mlp.shared_experts.", layers_[i].experts.shared);
    if (i >= std::size_t(config_.layers)) give(p + "eh_proj", predictions_[i - std::size_t(config_.layers)].project);
  }
}

}  // namespace cloister
