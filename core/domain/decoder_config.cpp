#include "core/domain/decoder_config.h"

#include <algorithm>
#include <cmath>

namespace cloister {
namespace {

double yarnScale(double factor, double mscale = 1) { return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0; }

// Between the dimensions that turn betaFast and betaSlow times over the original context, the frequency goes from kept to divided.
void applyYarn(const RopeSettings& r, std::int64_t dimensions, std::vector<float>& frequencies) {
  const auto dimensionOf = [&](double rotations) {
    return double(dimensions) * std::log(double(r.originalContext) / (rotations * 2 * M_PI)) / (2 * std::log(r.theta));
  };
  double low = dimensionOf(r.betaFast), high = dimensionOf(r.betaSlow);
  if (r.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, double(dimensions - 1));
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float ramp = std::clamp((float(i) - float(low)) / float(high - low), 0.0f, 1.0f), keep = 1.0f - ramp;
    const float divided = 1.0f / (float(r.factor) * std::pow(float(r.theta), float(2 * i) / float(dimensions)));
    frequencies[i] = divided * (1.0f - keep) + frequencies[i] * keep;
  }
}

void applyLlama3(const RopeSettings& r, std::vector<float>& frequencies) {
  const float original = float(r.originalContext), low = float(r.lowFrequency), high = float(r.highFrequency), factor = float(r.factor);
  for (float& f : frequencies) {
    const float wavelength = 2 * float(M_PI) / f;
    if (wavelength > original / low) {
      f /= factor;
    } else if (wavelength >= original / high) {
      const float smooth = (original / wavelength - low) / (high - low);
      f = (1 - smooth) * f / factor + smooth * f;
    }
  }
}

class TensorLister {
 public:
  TensorLister(const DecoderConfig& c, const std::function<void(const DecoderTensor&)>& visit) : c_(c), visit_(visit) {}

  void all() {
    emit("model.embed_tokens.weight", {c_.vocabulary, c_.hidden}, TensorRole::Embedding);
    for (std::int64_t i = 0; i < c_.layers; ++i) layer(int(i));
    layer_ = -1;
    emit("model.norm.weight", {c_.hidden}, TensorRole::Norm);
    if (!c_.tiedEmbeddings) emit("lm_head.weight", {c_.vocabulary, c_.hidden}, TensorRole::Head);
  }
  void prediction(int index) {
    layer(int(c_.layers) + index);
    const std::string p = prefix();
    emit(p + "embed_tokens.weight", {c_.vocabulary, c_.hidden}, TensorRole::Embedding);
    emit(p + "enorm.weight", {c_.hidden}, TensorRole::Norm);
    emit(p + "hnorm.weight", {c_.hidden}, TensorRole::Norm);
    emit(p + "eh_proj.weight", {c_.hidden, 2 * c_.hidden}, TensorRole::Mlp);
    emit(p + "shared_head.norm.weight", {c_.hidden}, TensorRole::Norm);
    emit(p + "shared_head.head.weight", {c_.vocabulary, c_.hidden}, TensorRole::Head);
  }

 private:
  std::string prefix() const { return "model.layers." + std::to_string(layer_) + '.'; }
  void emit(std::string name, std::vector<std::int64_t> shape, TensorRole role, int expert = -1) {
    visit_({std::move(name), std::move(shape), role, layer_, expert});
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in, TensorRole role, bool bias, int expert = -1) {
    emit(name + ".weight", {out, in}, role, expert);
    if (bias) emit(name + ".bias", {out}, TensorRole::Bias, expert);
  }
  void mlp(const std::string& p, std::int64_t width, TensorRole role, int expert = -1) {
    linear(p + "gate_proj", width, c_.hidden, role, c_.mlpBias, expert);
    linear(p + "up_proj", width, c_.hidden, role, c_.mlpBias, expert);
    linear(p + "down_proj", c_.hidden, width, role, c_.mlpBias, expert);
  }
  void attention(const std::string& p) {
    const auto role = TensorRole::Attention;
    if (!c_.hasMla()) {
      linear(p + "q_proj", c_.heads * c_.headDim, c_.hidden, role, c_.queryBias);
      linear(p + "k_proj", c_.kvHeads * c_.headDim, c_.hidden, role, c_.queryBias);
      linear(p + "v_proj", c_.kvHeads * c_.headDim, c_.hidden, role, c_.queryBias);
    } else {
      if (c_.qLoraRank > 0) {
        linear(p + "q_a_proj", c_.qLoraRank, c_.hidden, role, c_.queryBias);
        emit(p + "q_a_layernorm.weight", {c_.qLoraRank}, TensorRole::Norm);
        linear(p + "q_b_proj", c_.heads * c_.queryDim(), c_.qLoraRank, role, false);
      } else {
        linear(p + "q_proj", c_.heads * c_.queryDim(), c_.hidden, role, false);
      }
      linear(p + "kv_a_proj_with_mqa", c_.kvLoraRank + c_.qkRopeDim, c_.hidden, role, c_.queryBias);
      emit(p + "kv_a_layernorm.weight", {c_.kvLoraRank}, TensorRole::Norm);
      linear(p + "kv_b_proj", c_.heads * (c_.qkNopeDim + c_.vDim), c_.kvLoraRank, role, false);
    }
    linear(p + "o_proj", c_.hidden, c_.heads * c_.valueDim(), role, c_.outputBias);
  }
  void experts(const std::string& p) {
    emit(p + "gate.weight", {c_.routedExperts, c_.hidden}, TensorRole::Router);
    if (c_.routing == RoutingMethod::NoAuxTc) emit(p + "gate.e_score_correction_bias", {c_.routedExperts}, TensorRole::RouterBias);
    for (int e = 0; e < int(c_.routedExperts); ++e)
      mlp(p + "experts." + std::to_string(e) + '.', c_.expertIntermediate, TensorRole::Expert, e);
    if (c_.sharedExperts > 0) mlp(p + "shared_experts.", c_.expertIntermediate * c_.sharedExperts, TensorRole::Mlp);
  }
  void layer(int i) {
    layer_ = i;
    const std::string p = prefix();
    emit(p + "input_layernorm.weight", {c_.hidden}, TensorRole::Norm);
    attention(p + "self_attn.");
    emit(p + "post_attention_layernorm.weight", {c_.hidden}, TensorRole::Norm);
    if (c_.isMoeLayer(i)) experts(p + "mlp.");
    else mlp(p + "mlp.", c_.intermediate, TensorRole::Mlp);
  }

  const DecoderConfig& c_;
  const std::function<void(const DecoderTensor&)>& visit_;
  int layer_ = -1;
};

}  // namespace

const char* decoderModelType(DecoderArchitecture a) {
  switch (a) {
    case DecoderArchitecture::Llama:
      return "llama";
    case DecoderArchitecture::Qwen2:
      return "qwen2";
    case DecoderArchitecture::DeepseekV2:
      return "deepseek_v2";
    case DecoderArchitecture::DeepseekV3:
      return "deepseek_v3";
  }
  return "";
}

std::vector<float> RopeSettings::inverseFrequencies(std::int64_t dimensions) const {
  std::vector<float> f(std::size_t(dimensions / 2));
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = 1.0f / std::pow(float(theta), float(2 * i) / float(dimensions));
  if (kind == RopeKind::Linear)
    for (float& x : f) x /= float(factor);
  if (kind == RopeKind::Llama3) applyLlama3(*this, f);
  if (kind == RopeKind::Yarn) applyYarn(*this, dimensions, f);
  return f;
}

double RopeSettings::rotationScale() const {
  if (kind != RopeKind::Yarn) return 1;
  if (attentionFactor) return *attentionFactor;
  if (mscale.value_or(0) != 0 && mscaleAllDim.value_or(0) != 0) return yarnScale(factor, *mscale) / yarnScale(factor, *mscaleAllDim);
  return yarnScale(factor);
}

std::int64_t DecoderTensor::elements() const {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  return n;
}

double DecoderConfig::attentionScale() const {
  double scale = 1 / std::sqrt(double(queryDim()));
  if (hasMla() && rope.kind == RopeKind::Yarn && rope.mscaleAllDim.value_or(0) != 0) {
    const double m = yarnScale(rope.factor, *rope.mscaleAllDim);
    scale *= m * m;
  }
  return scale;
}

void DecoderConfig::forEachTensor(const std::function<void(const DecoderTensor&)>& visit) const { TensorLister(*this, visit).all(); }

std::vector<DecoderTensor> DecoderConfig::tensors() const {
  std::vector<DecoderTensor> list;
  forEachTensor([&](const DecoderTensor& t) { list.push_back(t); });
  return list;
}

std::vector<DecoderTensor> DecoderConfig::mtpTensors(std::int64_t index) const {
  std::vector<DecoderTensor> list;
  const std::function<void(const DecoderTensor&)> visit = [&](const DecoderTensor& t) { list.push_back(t); };
  TensorLister(*this, visit).prediction(int(index));
  return list;
}

std::int64_t DecoderConfig::parameterCount() const {
  std::int64_t n = 0;
  forEachTensor([&](const DecoderTensor& t) { n += t.role == TensorRole::RouterBias ? 0 : t.elements(); });
  return n;
}

std::int64_t DecoderConfig::predictionParameterCount() const {
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < mtpLayers; ++i)
    for (const DecoderTensor& t : mtpTensors(i))
      if (t.role != TensorRole::RouterBias && t.role != TensorRole::Embedding && t.role != TensorRole::Head) n += t.elements();
  return n;
}

std::int64_t DecoderConfig::activeParameterCount() const {
  std::int64_t n = 0;
  forEachTensor([&](const DecoderTensor& t) {
    if (t.role != TensorRole::RouterBias && t.expert < expertsPerToken) n += t.elements();
  });
  return n;
}

std::int64_t DecoderConfig::cacheElementsPerToken(bool compressed) const {
  if (!hasMla()) return layers * kvHeads * headDim * 2;
  return layers * (compressed ? kvLoraRank + qkRopeDim : heads * (queryDim() + valueDim()));
}

double DecoderConfig::forwardFlopsPerToken(std::int64_t tokens) const {
  // The embedding is a lookup; a tied head multiplies with the same table.
  const std::int64_t multiplied = activeParameterCount() - (tiedEmbeddings ? 0 : vocabulary * hidden);
  return 2.0 * double(multiplied) + 2.0 * double(layers) * double(heads) * double(queryDim() + valueDim()) * double(tokens);
}

}  // namespace cloister
