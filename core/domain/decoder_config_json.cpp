// config.json in and out. The reader keeps the first failure, so that the code below reads like the table it is.
#include <cmath>

#include <QJsonArray>

#include "core/domain/decoder_config.h"

namespace cloister {
namespace {

class Fields {
 public:
  Fields(const QJsonObject& o, QString path, QString prefix = {}) : object_(o), path_(std::move(path)), prefix_(std::move(prefix)) {}

  bool has(const char* key) const { return !object_[QLatin1String(key)].isNull() && !object_[QLatin1String(key)].isUndefined(); }
  QJsonValue raw(const char* key) const { return object_[QLatin1String(key)]; }
  const std::optional<Failure>& failure() const { return failure_; }

  std::int64_t integer(const char* key, std::int64_t minimum, std::int64_t maximum, std::optional<std::int64_t> fallback = {}) {
    if (!has(key)) {
      if (!fallback) corrupt(key, "is missing");
      return fallback.value_or(minimum);
    }
    const QJsonValue v = raw(key);
    const double d = v.toDouble();
    if (!v.isDouble() || d != std::floor(d) || d < double(minimum) || d > double(maximum)) {
      corrupt(key, QString("is %1; allowed is a whole number from %2 to %3").arg(shown(v)).arg(minimum).arg(maximum));
      return minimum;
    }
    return v.toInteger();
  }
  double number(const char* key, double minimum, double maximum, std::optional<double> fallback = {}) {
    if (!has(key)) {
      if (!fallback) corrupt(key, "is missing");
      return fallback.value_or(minimum);
    }
    const QJsonValue v = raw(key);
    if (!v.isDouble() || !(v.toDouble() >= minimum && v.toDouble() <= maximum)) {
      corrupt(key, QString("is %1; allowed is a number from %2 to %3").arg(shown(v)).arg(minimum).arg(maximum));
      return minimum;
    }
    return v.toDouble();
  }
  std::optional<double> maybeNumber(const char* key, double minimum, double maximum) {
    if (!has(key)) return {};
    return number(key, minimum, maximum);
  }
  bool flag(const char* key, bool fallback) {
    if (!has(key)) return fallback;
    if (!raw(key).isBool()) corrupt(key, QString("is %1; allowed is true or false").arg(shown(raw(key))));
    return raw(key).toBool(fallback);
  }
  QString word(const char* key, const QString& fallback) {
    if (!has(key)) return fallback;
    if (!raw(key).isString()) corrupt(key, QString("is %1; allowed is a word").arg(shown(raw(key))));
    return raw(key).toString(fallback);
  }
  void corrupt(const char* key, const QString& what) { set(FailureKind::CorruptFile, key, what); }
  void unsupported(const char* key, const QString& what) { set(FailureKind::UnsupportedFormat, key, what); }
  void adopt(const std::optional<Failure>& other) {
    if (!failure_) failure_ = other;
  }

 private:
  static QString shown(const QJsonValue& v) {
    if (v.isArray()) return "a list";
    if (v.isObject()) return "an object";
    return v.isString() ? '"' + v.toString().left(60) + '"' : v.toVariant().toString().left(60);
  }
  void set(FailureKind kind, const char* key, const QString& what) {
    if (failure_) return;
    failure_ = Failure{kind, {{"path", path_}, {"position", prefix_ + key}}, prefix_ + key + ' ' + what};
  }

  const QJsonObject& object_;
  QString path_, prefix_;
  std::optional<Failure> failure_;
};

constexpr std::int64_t kMaxWidth = 1 << 20, kMaxContext = 1LL << 31;

std::optional<DecoderArchitecture> architectureOf(const QString& modelType) {
  for (auto a : {DecoderArchitecture::Llama, DecoderArchitecture::Qwen2, DecoderArchitecture::DeepseekV2, DecoderArchitecture::DeepseekV3})
    if (modelType == QLatin1String(decoderModelType(a))) return a;
  return {};
}

const char* className(DecoderArchitecture a) {
  switch (a) {
    case DecoderArchitecture::Llama:
      return "LlamaForCausalLM";
    case DecoderArchitecture::Qwen2:
      return "Qwen2ForCausalLM";
    case DecoderArchitecture::DeepseekV2:
      return "DeepseekV2ForCausalLM";
    case DecoderArchitecture::DeepseekV3:
      return "DeepseekV3ForCausalLM";
  }
  return "";
}

// transformers 5 keeps everything in rope_parameters; before, rope_theta stood beside rope_scaling, whose word was "type" at first.
RopeSettings readRope(Fields& top, const QString& path, std::int64_t context) {
  RopeSettings rope;
  const char* key = top.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (top.has(key) && !top.raw(key).isObject()) top.corrupt(key, "is not an object");
  const QJsonObject o = top.raw(key).toObject();
  Fields f(o, path, QString(key) + '.');
  rope.theta = f.has("rope_theta") ? f.number("rope_theta", 1.0001, 1e15) : top.number("rope_theta", 1.0001, 1e15, 10000.0);
  const QString kind = f.has("rope_type") ? f.word("rope_type", "") : f.word("type", "default");
  if (f.number("partial_rotary_factor", 0, 1, 1.0) != 1.0) f.unsupported("partial_rotary_factor", "other than 1 is not read");
  if (kind == u"linear") {
    rope.kind = RopeKind::Linear;
    rope.factor = f.number("factor", 1e-3, 1e6);
  } else if (kind == u"llama3") {
    rope.kind = RopeKind::Llama3;
    rope.factor = f.number("factor", 1e-3, 1e6);
    rope.lowFrequency = f.number("low_freq_factor", 1e-3, 1e6);
    rope.highFrequency = f.number("high_freq_factor", 1e-3, 1e6);
    rope.originalContext = f.integer("original_max_position_embeddings", 1, kMaxContext, context);
    if (rope.highFrequency <= rope.lowFrequency) f.corrupt("high_freq_factor", "must be larger than low_freq_factor");
  } else if (kind == u"yarn") {
    rope.kind = RopeKind::Yarn;
    rope.originalContext = f.integer("original_max_position_embeddings", 1, kMaxContext, context);
    rope.factor = f.number("factor", 1e-3, 1e6, double(context) / double(rope.originalContext));
    rope.betaFast = f.number("beta_fast", 1e-3, 1e6, 32.0);
    rope.betaSlow = f.number("beta_slow", 1e-3, 1e6, 1.0);
    rope.mscale = f.maybeNumber("mscale", 0, 1e3);
    rope.mscaleAllDim = f.maybeNumber("mscale_all_dim", 0, 1e3);
    rope.attentionFactor = f.maybeNumber("attention_factor", 1e-6, 1e6);
    rope.truncate = f.flag("truncate", true);
  } else if (kind != u"default") {
    f.unsupported("rope_type", '"' + kind.left(60) + "\" is not read; known are default, linear, llama3 and yarn");
  }
  top.adopt(f.failure());
  return rope;
}

void readTokens(Fields& f, DecoderConfig& c) {
  const auto one = [&](const char* key) -> std::optional<std::int64_t> {
    if (!f.has(key)) return {};
    const std::int64_t id = f.integer(key, -1, kMaxWidth * 4);
    return id < 0 ? std::nullopt : std::optional(id);
  };
  c.bos = one("bos_token_id");
  c.pad = one("pad_token_id");
  if (!f.raw("eos_token_id").isArray()) {
    if (const auto id = one("eos_token_id")) c.eos = {*id};
    return;
  }
  for (const QJsonValue& v : f.raw("eos_token_id").toArray()) {
    if (!v.isDouble() || v.toDouble() != std::floor(v.toDouble()) || v.toDouble() < 0 || c.eos.size() >= 64)
      return f.corrupt("eos_token_id", "is not a short list of token numbers");
    c.eos.push_back(v.toInteger());
  }
}

void readMla(Fields& f, DecoderConfig& c) {
  c.qLoraRank = f.integer("q_lora_rank", 0, kMaxWidth, 0);
  c.kvLoraRank = f.integer("kv_lora_rank", 1, kMaxWidth);
  c.qkNopeDim = f.integer("qk_nope_head_dim", 1, 8192);
  c.qkRopeDim = f.integer("qk_rope_head_dim", 2, 8192);
  c.vDim = f.integer("v_head_dim", 1, 8192);
  c.headDim = c.qkRopeDim;
  c.ropeInterleave = f.flag("rope_interleave", true);
  if (c.architecture == DecoderArchitecture::DeepseekV2 && !c.ropeInterleave)
    f.unsupported("rope_interleave", "false is not a setting of DeepSeek-V2");
}

void readMoe(Fields& f, DecoderConfig& c) {
  c.routedExperts = f.integer("n_routed_experts", 0, 65536, 0);
  if (c.routedExperts == 0) return;
  const bool v3 = c.architecture == DecoderArchitecture::DeepseekV3;
  c.sharedExperts = f.integer("n_shared_experts", 0, 1024, 0);
  c.expertsPerToken = f.integer("num_experts_per_tok", 1, 65536);
  c.expertIntermediate = f.integer("moe_intermediate_size", 1, kMaxWidth);
  c.firstDense = f.integer("first_k_dense_replace", 0, 100000, 0);
  c.expertGroups = f.integer("n_group", 1, 65536, 1);
  c.groupsPerToken = f.integer("topk_group", 1, 65536, 1);
  c.routedScaling = f.number("routed_scaling_factor", 1e-6, 1e6, 1.0);
  c.normalisedWeights = f.flag("norm_topk_prob", v3);
  c.balanceLoss = f.number("aux_loss_alpha", 0, 100, 0.0);
  c.mtpLayers = f.integer("num_nextn_predict_layers", 0, 64, 0);
  if (f.integer("moe_layer_freq", 1, 1000, 1) != 1) f.unsupported("moe_layer_freq", "other than 1 is not read");
  const QString method = f.word("topk_method", v3 ? "noaux_tc" : "greedy");
  const QString scoring = f.word("scoring_func", v3 ? "sigmoid" : "softmax");
  if (v3 && method == u"noaux_tc") c.routing = RoutingMethod::NoAuxTc;
  else if (!v3 && method == u"greedy") c.routing = RoutingMethod::Greedy;
  else if (!v3 && method == u"group_limited_greedy") c.routing = RoutingMethod::GroupLimitedGreedy;
  else f.unsupported("topk_method", '"' + method.left(60) + "\" is not a routing method of this model type");
  if (scoring != (v3 ? u"sigmoid" : u"softmax"))
    f.unsupported("scoring_func", '"' + scoring.left(60) + "\" does not belong to this model type");
  // The published implementations disagree about normalised weights in V2, and no published model has them.
  if (!v3 && c.normalisedWeights) f.unsupported("norm_topk_prob", "true is not defined for DeepSeek-V2");
}

void readQuantization(Fields& top, const QString& path, DecoderConfig& c) {
  if (!top.has("quantization_config")) return;
  const QJsonObject o = top.raw("quantization_config").toObject();
  Fields f(o, path, "quantization_config.");
  const QJsonArray block = o["weight_block_size"].toArray();
  if (f.word("quant_method", "") != u"fp8" || f.word("fmt", "e4m3") != u"e4m3")
    f.unsupported("quant_method", "other than fp8 in e4m3 is not read; import the unquantized model");
  else if (block.size() != 2 || block[0].toInteger() < 1 || block[1].toInteger() < 1 || block[0].toInteger() > 65536 ||
           block[1].toInteger() > 65536)
    f.corrupt("weight_block_size", "is not two numbers from 1 to 65536");
  c.fp8BlockRows = block.at(0).toInteger();
  c.fp8BlockColumns = block.at(1).toInteger();
  top.adopt(f.failure());
}

QJsonObject ropeScaling(const RopeSettings& r) {
  QJsonObject o{{"factor", r.factor}};
  if (r.kind == RopeKind::Linear) o["rope_type"] = "linear";
  if (r.kind == RopeKind::Llama3) {
    o["rope_type"] = "llama3";
    o["low_freq_factor"] = r.lowFrequency;
    o["high_freq_factor"] = r.highFrequency;
    o["original_max_position_embeddings"] = qint64(r.originalContext);
  }
  if (r.kind == RopeKind::Yarn) {
    o["rope_type"] = "yarn";
    o["original_max_position_embeddings"] = qint64(r.originalContext);
    o["beta_fast"] = r.betaFast;
    o["beta_slow"] = r.betaSlow;
    if (r.mscale) o["mscale"] = *r.mscale;
    if (r.mscaleAllDim) o["mscale_all_dim"] = *r.mscaleAllDim;
    if (r.attentionFactor) o["attention_factor"] = *r.attentionFactor;
    if (!r.truncate) o["truncate"] = false;
  }
  o["type"] = o["rope_type"];  // the word older readers look for
  return o;
}

void writeDeepseek(QJsonObject& o, const DecoderConfig& c) {
  o["q_lora_rank"] = c.qLoraRank > 0 ? QJsonValue(qint64(c.qLoraRank)) : QJsonValue(QJsonValue::Null);
  o["kv_lora_rank"] = qint64(c.kvLoraRank);
  o["qk_nope_head_dim"] = qint64(c.qkNopeDim);
  o["qk_rope_head_dim"] = qint64(c.qkRopeDim);
  o["v_head_dim"] = qint64(c.vDim);
  if (c.architecture == DecoderArchitecture::DeepseekV3) o["rope_interleave"] = c.ropeInterleave;
  o["n_routed_experts"] = c.routedExperts > 0 ? QJsonValue(qint64(c.routedExperts)) : QJsonValue(QJsonValue::Null);
  o["first_k_dense_replace"] = qint64(c.routedExperts > 0 ? c.firstDense : c.layers);
  if (c.routedExperts == 0) return;
  const bool v3 = c.architecture == DecoderArchitecture::DeepseekV3;
  o["n_shared_experts"] = qint64(c.sharedExperts);
  o["num_experts_per_tok"] = qint64(c.expertsPerToken);
  o["moe_intermediate_size"] = qint64(c.expertIntermediate);
  o["moe_layer_freq"] = 1;
  o["n_group"] = qint64(c.expertGroups);
  o["topk_group"] = qint64(c.groupsPerToken);
  o["routed_scaling_factor"] = c.routedScaling;
  o["norm_topk_prob"] = c.normalisedWeights;
  o["topk_method"] = v3 ? "noaux_tc" : c.routing == RoutingMethod::Greedy ? "greedy" : "group_limited_greedy";
  o["scoring_func"] = v3 ? "sigmoid" : "softmax";
  o["aux_loss_alpha"] = c.balanceLoss;
  if (v3) o["num_nextn_predict_layers"] = qint64(c.mtpLayers);
}

}  // namespace

Result<DecoderConfig> DecoderConfig::fromJson(const QJsonObject& o, const QString& path) {
  Fields f(o, path);
  DecoderConfig c;
  const QString type = f.word("model_type", "");
  const auto architecture = architectureOf(type);
  if (!architecture) {
    if (type.isEmpty()) f.corrupt("model_type", "is missing");
    else f.unsupported("model_type", '"' + type.left(60) + "\" is not read; known are llama, qwen2, deepseek_v2 and deepseek_v3");
    return *f.failure();
  }
  c.architecture = *architecture;
  c.vocabulary = f.integer("vocab_size", 1, kMaxWidth * 4);
  c.hidden = f.integer("hidden_size", 1, kMaxWidth);
  c.intermediate = f.integer("intermediate_size", 1, kMaxWidth);
  c.layers = f.integer("num_hidden_layers", 1, 10000);
  c.heads = f.integer("num_attention_heads", 1, 65536);
  c.kvHeads = f.integer("num_key_value_heads", 1, 65536, c.heads);
  c.context = f.integer("max_position_embeddings", 1, kMaxContext, 2048);
  c.normEpsilon = f.number("rms_norm_eps", 1e-12, 1, 1e-6);
  c.initializerRange = f.number("initializer_range", 0, 1, 0.02);
  c.attentionDropout = f.number("attention_dropout", 0, 0.9, 0.0);
  c.tiedEmbeddings = f.flag("tie_word_embeddings", false);
  const bool bias = f.flag("attention_bias", false), qwen = c.architecture == DecoderArchitecture::Qwen2;
  c.queryBias = bias || qwen;
  c.outputBias = bias && !qwen;
  c.mlpBias = f.flag("mlp_bias", false);
  if (c.mlpBias && c.architecture != DecoderArchitecture::Llama) f.unsupported("mlp_bias", "true is only read for LLaMA");
  const QString activation = f.word("hidden_act", "silu");
  if (activation != u"silu" && activation != u"swish")
    f.unsupported("hidden_act", '"' + activation.left(60) + "\" is not read; known is silu");
  if (f.flag("use_sliding_window", false)) f.unsupported("use_sliding_window", "true is not read");
  c.dtype = f.has("dtype") ? f.word("dtype", "") : f.word("torch_dtype", "float32");
  if (c.dtype != u"float32" && c.dtype != u"float16" && c.dtype != u"bfloat16")
    f.unsupported("torch_dtype", '"' + c.dtype.left(60) + "\" is not read; known are float32, float16 and bfloat16");
  readTokens(f, c);
  c.rope = readRope(f, path, c.context);
  if (c.hasMla()) {
    readMla(f, c);
    readMoe(f, c);
  } else {
    if (!f.has("head_dim") && c.hidden % c.heads != 0) f.corrupt("hidden_size", "is not a multiple of num_attention_heads");
    c.headDim = f.integer("head_dim", 1, 8192, std::max<std::int64_t>(1, std::min<std::int64_t>(8192, c.hidden / c.heads)));
  }
  readQuantization(f, path, c);
  if (f.failure()) return *f.failure();
  if (auto valid = c.validate(path); !valid) return valid.error();
  return c;
}

QJsonObject DecoderConfig::toJson() const {
  QJsonObject o{{"architectures", QJsonArray{className(architecture)}},
                {"model_type", decoderModelType(architecture)},
                {"vocab_size", qint64(vocabulary)},
                {"hidden_size", qint64(hidden)},
                {"intermediate_size", qint64(intermediate)},
                {"num_hidden_layers", qint64(layers)},
                {"num_attention_heads", qint64(heads)},
                {"num_key_value_heads", qint64(kvHeads)},
                {"max_position_embeddings", qint64(context)},
                {"rms_norm_eps", normEpsilon},
                {"initializer_range", initializerRange},
                {"attention_dropout", attentionDropout},
                {"tie_word_embeddings", tiedEmbeddings},
                {"hidden_act", "silu"},
                {"rope_theta", rope.theta},
                {"rope_scaling", rope.kind == RopeKind::Default ? QJsonValue(QJsonValue::Null) : QJsonValue(ropeScaling(rope))},
                {"torch_dtype", dtype},
                {"use_cache", true}};
  if (architecture == DecoderArchitecture::Qwen2) o["use_sliding_window"] = false;
  else o["attention_bias"] = outputBias;
  if (architecture == DecoderArchitecture::Llama) o["mlp_bias"] = mlpBias;
  if (hasMla()) writeDeepseek(o, *this);
  else o["head_dim"] = qint64(headDim);
  if (bos) o["bos_token_id"] = qint64(*bos);
  if (pad) o["pad_token_id"] = qint64(*pad);
  if (eos.size() == 1) o["eos_token_id"] = qint64(eos[0]);
  if (eos.size() > 1) {
    QJsonArray all;
    for (auto id : eos) all.append(qint64(id));
    o["eos_token_id"] = all;
  }
  return o;
}

Result<void> DecoderConfig::validate(const QString& path) const {
  const auto bad = [&](const char* key, const QString& what) {
    return Failure{FailureKind::CorruptFile, {{"path", path}, {"position", key}}, QString(key) + ' ' + what};
  };
  if (vocabulary < 1 || hidden < 1 || intermediate < 1 || layers < 1 || heads < 1 || kvHeads < 1)
    return bad("hidden_size", "or another size is not positive");
  if (heads % kvHeads != 0) return bad("num_key_value_heads", "does not divide num_attention_heads");
  if (rotatedDim() % 2 != 0) return bad(hasMla() ? "qk_rope_head_dim" : "head_dim", "must be even: positions turn pairs of dimensions");
  if (hasMla() && kvHeads != heads) return bad("num_key_value_heads", "must equal num_attention_heads in DeepSeek models");
  if (routedExperts > 0) {
    if (expertsPerToken > routedExperts) return bad("num_experts_per_tok", "is larger than n_routed_experts");
    if (routing != RoutingMethod::Greedy) {
      if (routedExperts % expertGroups != 0) return bad("n_group", "does not divide n_routed_experts");
      if (groupsPerToken > expertGroups) return bad("topk_group", "is larger than n_group");
      const std::int64_t perGroup = routedExperts / expertGroups;
      if (expertsPerToken > groupsPerToken * perGroup) return bad("num_experts_per_tok", "is larger than the experts of topk_group groups");
      if (routing == RoutingMethod::NoAuxTc && perGroup < 2) return bad("n_group", "leaves groups of one expert; two are needed");
    }
    if (firstDense > layers) return bad("first_k_dense_replace", "is larger than num_hidden_layers");
    if (double(routedExperts) * double(layers) > 5e6) return bad("n_routed_experts", "times num_hidden_layers is beyond 5,000,000");
  }
  // An upper bound in floating point before any exact (and then safe) integer count.
  const double attention = double(hidden) * heads * (queryDim() + valueDim()) + 2.0 * hidden * kvHeads * queryDim();
  const double mlp = 3.0 * hidden * (intermediate + double(expertIntermediate) * (routedExperts + sharedExperts));
  if (2.0 * vocabulary * hidden + double(layers) * (attention + mlp) > 1e14)
    return Failure{FailureKind::TooLarge, {{"path", path}, {"limit", "100,000,000,000,000 parameters"}}, "the sizes in the configuration"};
  for (auto id : eos)
    if (id >= vocabulary * 2) return bad("eos_token_id", "is beyond the vocabulary");
  return {};
}

}  // namespace cloister
