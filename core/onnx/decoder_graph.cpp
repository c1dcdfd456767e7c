#include "core/onnx/decoder_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/version.h"
#include "core/tensors/half.h"

namespace cloister::onnx {
namespace {

using Floats = std::vector<float>;
using Dims = std::vector<std::int64_t>;
using Attributes = std::map<std::string, Attribute>;

constexpr char kMicrosoft[] = "com.microsoft";

class DecoderLowering {
 public:
  DecoderLowering(const DecoderConfig& config, const std::map<std::string, TensorView>& weights, const QString& path,
                  const DecoderGraphOptions& options)
      : c_(config),
        weights_(weights),
        path_(path),
        o_(options),
        genai_(options.variant == DecoderVariant::GenAi),
        context_(options.context > 0 ? options.context : config.context) {}

  Result<Model> run(const BuildInfo& info) {
    if (auto possible = checkVariant(); !possible) return possible.error();
    m_.irVersion = 11;
    m_.opsets = {{"", 23}};
    if (genai_) m_.opsets.push_back({kMicrosoft, 1});
    m_.graphName = decoderModelType(c_.architecture);
    m_.producer = "Cloister";
    m_.producerVersion = programVersion().toStdString();
    declareInputs();
    genai_ ? lengths() : mask();
    rotationTables();
    std::string hidden = node("Gather", "embedding", {embedding(), "input_ids"});
    for (std::int64_t i = 0; i < c_.layers && !failure_; ++i) hidden = layer(i, hidden);
    head(hidden);
    if (failure_) return *failure_;
    metadata(info);
    return std::move(m_);
  }

 private:
  // ---- what can be expressed ----
  Result<void> checkVariant() const {
    const auto no = [this](const QString& why) { return Failure{FailureKind::UnsupportedFormat, {{"path", path_}}, why}; };
    if (o_.weights != ElementType::Float && o_.weights != ElementType::Float16)
      return Failure{FailureKind::InvalidArgument, {{"name", "weights"}}, "float or float16"};
    if (!genai_) return {};
    if (c_.hasMla()) return no("onnxruntime-genai has no DeepSeek-V2 or V3 model; use the standard graph");
    if (c_.eos.empty()) return no("config.json names no eos_token_id, without which onnxruntime-genai stops at token 0");
    if (c_.headDim % 16 != 0) return no(QString("head size %1 is not a multiple of 16, which GroupQueryAttention needs").arg(c_.headDim));
    return {};
  }

  // ---- weights ----
  const TensorView* find(const std::string& name, const Dims& shape) {
    const auto it = weights_.find(name);
    const QString shown = QString::fromStdString(name);
    if (it == weights_.end()) {
      fail({FailureKind::NotFound, {{"path", shown}}, QStringLiteral("not among the weights of ") + path_});
      return nullptr;
    }
    const TensorView& v = it->second;
    if (v.shape == shape && isFloat(v.dtype)) return &v;
    fail({FailureKind::CorruptFile, {{"path", path_}}, QStringLiteral("tensor %1 has another shape or type than the model").arg(shown)});
    return nullptr;
  }
  void fail(Failure f) {
    if (!failure_) failure_ = std::move(f);
  }

  std::string put(const std::string& name, Dims dims, const Floats& values) {
    if (o_.weights == ElementType::Float) {
      m_.initializers.push_back(Tensor::floats(name, std::move(dims), values));
      return name;
    }
    std::vector<std::uint16_t> halves(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      halves[i] = toHalf(values[i]);
      if ((halves[i] & 0x7C00) == 0x7C00)
        fail({FailureKind::TooLarge, {{"path", path_}, {"limit", "65504"}}, QString::fromStdString(name) + " does not fit float16"});
    }
    m_.initializers.push_back(Tensor::of<std::uint16_t>(name, ElementType::Float16, std::move(dims), halves));
    return name;
  }

  std::string weight(const std::string& name, const Dims& shape) {
    const TensorView* v = find(name, shape);
    if (!v) return name;
    widen(*v, buffer_);
    return put(name, shape, buffer_);
  }
  /// [out, in] → [in, out], in tiles that stay in the cache.
  std::string transposedWeight(const std::string& name, std::int64_t out, std::int64_t in) {
    const TensorView* v = find(name, {out, in});
    if (!v) return name;
    widen(*v, buffer_);
    Floats turned(buffer_.size());
    constexpr std::int64_t kTile = 32;
    for (std::int64_t r0 = 0; r0 < out; r0 += kTile)
      for (std::int64_t c0 = 0; c0 < in; c0 += kTile)
        for (std::int64_t r = r0; r < std::min(out, r0 + kTile); ++r)
          for (std::int64_t c = c0; c < std::min(in, c0 + kTile); ++c) turned[std::size_t(c * out + r)] = buffer_[std::size_t(r * in + c)];
    return put(name == "model.embed_tokens.weight" ? "lm_head.weight" : name, {in, out}, turned);
  }
  std::string embedding() { return weight("model.embed_tokens.weight", {c_.vocabulary, c_.hidden}); }

  // ---- graph pieces ----
  std::string node(const char* op, const std::string& name, std::vector<std::string> inputs, Attributes attributes = {},
                   const char* domain = "") {
    m_.nodes.push_back({op, std::move(inputs), {name + "/out"}, std::move(attributes), name, domain});
    return name + "/out";
  }
  std::string ints(const std::string& name, Dims values) {
    if (!m_.initializer(name)) m_.initializers.push_back(Tensor::ints(name, std::move(values)));
    return name;
  }
  std::string index(const std::string& name, std::int64_t value) {  // a scalar
    if (!m_.initializer(name)) m_.initializers.push_back(Tensor::of<std::int64_t>(name, ElementType::Int64, {}, Dims{value}));
    return name;
  }
  std::string add(const std::string& name, const std::string& a, const std::string& b) { return node("Add", name, {a, b}); }

  std::string linear(const std::string& name, const std::string& x, std::int64_t out, std::int64_t in, bool bias) {
    const std::string w = transposedWeight(name + ".weight", out, in);
    if (!bias) return node("MatMul", name, {x, w});
    const std::string product = node("MatMul", name + "/matmul", {x, w});
    return add(name, product, weight(name + ".bias", {out}));
  }

  std::string norm(const std::string& name, const std::string& x, std::int64_t width, double epsilon) {
    return node("RMSNormalization", name, {x, weight(name + ".weight", {width})},
                {{"axis", std::int64_t(-1)}, {"epsilon", float(epsilon)}, {"stash_type", std::int64_t(1)}});
  }

  /// The norm before a block, of the sum of the residual and the block before. Gives the sum as well.
  std::pair<std::string, std::string> skipNorm(const std::string& name, const std::string& residual, const std::string& delta) {
    if (delta.empty()) return {norm(name, residual, c_.hidden, c_.normEpsilon), residual};
    if (!genai_) {
      const std::string sum = add(name + "/residual", residual, delta);
      return {norm(name, sum, c_.hidden, c_.normEpsilon), sum};
    }
    m_.nodes.push_back({"SkipSimplifiedLayerNormalization",
                        {residual, delta, weight(name + ".weight", {c_.hidden})},
                        {name + "/out", "", "", name + "/residual/out"},
                        {{"epsilon", float(c_.normEpsilon)}},
                        name,
                        kMicrosoft});
    return {name + "/out", name + "/residual/out"};
  }

  // ---- inputs shared by the layers ----
  void declareInputs() {
    const Dimension batch{-1, "batch"}, sequence{-1, "sequence"}, past{-1, "past"}, total{-1, "total"};
    m_.inputs.push_back({"input_ids", ElementType::Int64, {batch, sequence}});
    m_.inputs.push_back({"attention_mask", ElementType::Int64, {batch, total}});
    if (!genai_) m_.inputs.push_back({"position_ids", ElementType::Int64, {batch, sequence}});
    m_.outputs.push_back({"logits", ElementType::Float, {batch, sequence, {c_.vocabulary, {}}}});
    const std::int64_t heads = c_.hasMla() ? c_.heads : c_.kvHeads;
    for (std::int64_t i = 0; i < c_.layers; ++i) {
      const std::string n = std::to_string(i);
      for (const auto& [what, size] : {std::pair{"key", c_.queryDim()}, std::pair{"value", c_.valueDim()}}) {
        m_.inputs.push_back({"past_key_values." + n + "." + what, o_.weights, {batch, {heads, {}}, past, {size, {}}}});
        m_.outputs.push_back({"present." + n + "." + what, o_.weights, {batch, {heads, {}}, total, {size, {}}}});
      }
    }
  }

  std::string sizeOf(const std::string& name, const std::string& value, std::int64_t axis) {
    return node("Shape", name, {value}, {{"start", axis}, {"end", axis + 1}});
  }

  // [batch, 1, sequence, total], true where a token is; Attention adds the causal part.
  void mask() {
    const std::string flags = node("Cast", "mask/bool", {"attention_mask"}, {{"to", std::int64_t(ElementType::Bool)}});
    const std::string wide = node("Unsqueeze", "mask/axes", {flags, ints("axes/mask", {1, 2})});
    const std::string shape = node("Concat", "mask/shape",
                                   {sizeOf("mask/batch", "input_ids", 0), ints("one", {1}), sizeOf("mask/sequence", "input_ids", 1),
                                    sizeOf("mask/total", "attention_mask", 1)},
                                   {{"axis", std::int64_t(0)}});
    mask_ = node("Expand", "mask", {wide, shape});
  }

  // GroupQueryAttention counts: the last index of each sequence, and the length of all.
  void lengths() {
    const std::string sum = node("ReduceSum", "lengths/sum", {"attention_mask", ints("one", {1})}, {{"keepdims", std::int64_t(0)}});
    const std::string last = node("Sub", "lengths/last", {sum, ints("one", {1})});
    lastIndex_ = node("Cast", "lengths/sequence", {last}, {{"to", std::int64_t(ElementType::Int32)}});
    const std::string shape = node("Shape", "lengths/shape", {"attention_mask"});
    const std::string total = node("Gather", "lengths/total", {shape, index("index/one", 1)}, {{"axis", std::int64_t(0)}});
    totalLength_ = node("Cast", "lengths/total/int32", {total}, {{"to", std::int64_t(ElementType::Int32)}});
  }

  void rotationTables() {
    const std::vector<float> frequencies = c_.rope.inverseFrequencies(c_.rotatedDim());
    const auto half = std::int64_t(frequencies.size());
    const auto scale = float(c_.rope.rotationScale());
    Floats cosine(std::size_t(context_ * half)), sine(cosine.size());
    for (std::int64_t p = 0; p < context_; ++p)
      for (std::int64_t i = 0; i < half; ++i) {
        // The angle is rounded to float32 first, as the reference implementations do.
        const float angle = float(p) * frequencies[std::size_t(i)];
        cosine[std::size_t(p * half + i)] = float(std::cos(double(angle))) * scale;
        sine[std::size_t(p * half + i)] = float(std::sin(double(angle))) * scale;
      }
    put("rotation.cosine", {context_, half}, cosine);
    put("rotation.sine", {context_, half}, sine);
  }

  std::string rotate(const std::string& name, const std::string& x, std::int64_t heads, bool interleaved) {
    return node("RotaryEmbedding", name, {x, "rotation.cosine", "rotation.sine", "position_ids"},
                {{"num_heads", heads}, {"interleaved", std::int64_t(interleaved)}});
  }

  // ---- layers ----
  std::string layer(std::int64_t i, const std::string& hidden) {
    const std::string p = "model.layers." + std::to_string(i) + '.';
    const auto [normed, residual] = skipNorm(p + "input_layernorm", hidden, delta_);
    const std::string attended = c_.hasMla() ? latentAttention(p + "self_attn", i, normed) : attention(p + "self_attn", i, normed);
    const auto [normed2, residual2] = skipNorm(p + "post_attention_layernorm", residual, attended);
    delta_ = c_.isMoeLayer(i) ? experts(p + "mlp", normed2) : mlp(p + "mlp", normed2, c_.intermediate);
    return residual2;
  }

  std::string attend(const std::string& p, std::int64_t i, const std::string& q, const std::string& k, const std::string& v,
                     std::int64_t kvHeads) {
    const std::string n = std::to_string(i), past = "past_key_values." + n, present = "present." + n;
    std::vector<std::string> outputs{p + "/attention/out", present + ".key", present + ".value"};
    if (genai_)
      m_.nodes.push_back({"GroupQueryAttention",
                          {q, k, v, past + ".key", past + ".value", lastIndex_, totalLength_, "rotation.cosine", "rotation.sine"},
                          std::move(outputs),
                          {{"num_heads", c_.heads},
                           {"kv_num_heads", kvHeads},
                           {"scale", float(c_.attentionScale())},
                           {"do_rotary", std::int64_t(1)},
                           {"rotary_interleaved", std::int64_t(0)}},
                          p + "/attention",
                          kMicrosoft});
    else
      m_.nodes.push_back(
          {"Attention",
           {q, k, v, mask_, past + ".key", past + ".value"},
           std::move(outputs),
           {{"q_num_heads", c_.heads}, {"kv_num_heads", kvHeads}, {"is_causal", std::int64_t(1)}, {"scale", float(c_.attentionScale())}},
           p + "/attention",
           {}});
    return linear(p + ".o_proj", p + "/attention/out", c_.hidden, c_.heads * c_.valueDim(), c_.outputBias);
  }

  std::string attention(const std::string& p, std::int64_t i, const std::string& x) {
    const std::int64_t width = c_.heads * c_.headDim, kvWidth = c_.kvHeads * c_.headDim;
    std::string q = linear(p + ".q_proj", x, width, c_.hidden, c_.queryBias);
    std::string k = linear(p + ".k_proj", x, kvWidth, c_.hidden, c_.queryBias);
    const std::string v = linear(p + ".v_proj", x, kvWidth, c_.hidden, c_.queryBias);
    if (!genai_) {
      q = rotate(p + "/q_rotated", q, c_.heads, false);
      k = rotate(p + "/k_rotated", k, c_.kvHeads, false);
    }
    return attend(p, i, q, k, v, c_.kvHeads);
  }

  std::pair<std::string, std::string> split(const std::string& name, const std::string& x, std::int64_t first, std::int64_t second) {
    const std::string sizes = ints("split/" + std::to_string(first) + "/" + std::to_string(second), {first, second});
    m_.nodes.push_back({"Split", {x, sizes}, {name + "/0", name + "/1"}, {{"axis", std::int64_t(-1)}}, name, {}});
    return {name + "/0", name + "/1"};
  }
  std::string reshape(const std::string& name, const std::string& x, Dims shape) {
    std::string constant = "shape";
    for (const std::int64_t d : shape) constant += "/" + std::to_string(d);
    return node("Reshape", name, {x, ints(constant, std::move(shape))});
  }

  // Keys and values are expanded for every head. The rotation's own layout of pairs may differ between q and k and the files, since both
  // are turned alike and only meet in a dot product.
  std::string latentAttention(const std::string& p, std::int64_t i, const std::string& x) {
    const std::int64_t h = c_.heads, nope = c_.qkNopeDim, rope = c_.qkRopeDim, v = c_.vDim, width = h * (nope + rope);
    std::string q;
    if (c_.qLoraRank > 0) {
      const std::string down = linear(p + ".q_a_proj", x, c_.qLoraRank, c_.hidden, c_.queryBias);
      const std::string normed = norm(p + ".q_a_layernorm", down, c_.qLoraRank, DecoderConfig::kLatentNormEpsilon);
      q = linear(p + ".q_b_proj", normed, width, c_.qLoraRank, false);
    } else {
      q = linear(p + ".q_proj", x, width, c_.hidden, false);
    }
    const std::string compressed = linear(p + ".kv_a_proj_with_mqa", x, c_.kvLoraRank + rope, c_.hidden, c_.queryBias);
    const auto [latent, sharedKey] = split(p + "/kv_split", compressed, c_.kvLoraRank, rope);
    const std::string latentNormed = norm(p + ".kv_a_layernorm", latent, c_.kvLoraRank, DecoderConfig::kLatentNormEpsilon);
    const std::string kv = linear(p + ".kv_b_proj", latentNormed, h * (nope + v), c_.kvLoraRank, false);
    const auto [keyPart, value] = split(p + "/kv_heads_split", reshape(p + "/kv_heads", kv, {0, 0, h, nope + v}), nope, v);
    const auto [queryPart, queryRope] = split(p + "/q_heads_split", reshape(p + "/q_heads", q, {0, 0, h, nope + rope}), nope, rope);
    const std::string queryTurned = rotate(p + "/q_rotated", reshape(p + "/q_rope", queryRope, {0, 0, h * rope}), h, c_.ropeInterleave);
    const std::string keyTurned = rotate(p + "/k_rotated", sharedKey, 1, c_.ropeInterleave);
    const std::string keyForAll =
        node("Expand", p + "/k_expanded",
             {reshape(p + "/k_rope", keyTurned, {0, 0, 1, rope}), ints("shape/expand/" + std::to_string(h), {1, 1, h, 1})});
    const auto join = [&](const std::string& name, const std::string& a, const std::string& b) {
      return reshape(p + name + "_flat", node("Concat", p + name, {a, b}, {{"axis", std::int64_t(-1)}}), {0, 0, width});
    };
    const std::string query = join("/q_joined", queryPart, reshape(p + "/q_rope_heads", queryTurned, {0, 0, h, rope}));
    const std::string key = join("/k_joined", keyPart, keyForAll);
    return attend(p, i, query, key, reshape(p + "/v_flat", value, {0, 0, h * v}), h);
  }

  std::string mlp(const std::string& p, const std::string& x, std::int64_t width) {
    const std::string gate = linear(p + ".gate_proj", x, width, c_.hidden, c_.mlpBias);
    const std::string up = linear(p + ".up_proj", x, width, c_.hidden, c_.mlpBias);
    const std::string silu = node("Mul", p + "/silu", {gate, node("Sigmoid", p + "/sigmoid", {gate})});
    return linear(p + ".down_proj", node("Mul", p + "/gated", {silu, up}), c_.hidden, width, c_.mlpBias);
  }

  // ---- mixture of experts ----
  std::string floatScalar(const std::string& name, float value) {
    if (!m_.initializer(name)) m_.initializers.push_back(Tensor::floats(name, {}, Floats{value}));
    return name;
  }

  struct Top {
    std::string values, indices;
  };
  Top top(const std::string& name, const std::string& x, std::int64_t k) {
    m_.nodes.push_back(
        {"TopK", {x, ints("k/" + std::to_string(k), {k})}, {name + "/values", name + "/indices"}, {{"axis", std::int64_t(-1)}}, name, {}});
    return {name + "/values", name + "/indices"};
  }

  /// Zero everywhere but at the indices of the last axis, where the values are.
  std::string scattered(const std::string& name, const std::string& like, const std::string& indices, const std::string& values) {
    const std::string zeros = node("Mul", name + "/zeros", {like, floatScalar("constant/zero", 0)});
    return node("ScatterElements", name, {zeros, indices, values}, {{"axis", std::int64_t(-1)}});
  }

  /// Of scores (those that choose): what stands in groups that are not taken is out of reach: below everything in V3, whose corrected
  /// scores may be negative, and zero in V2.
  std::string limitedToGroups(const std::string& p, const std::string& choice) {
    const std::int64_t each = c_.routedExperts / c_.expertGroups;
    const std::string grouped = reshape(p + "/groups", choice, {0, 0, c_.expertGroups, each});
    const std::string best = top(p + "/group_top", grouped, c_.routing == RoutingMethod::NoAuxTc ? 2 : 1).values;
    const std::string groupScore = node("ReduceSum", p + "/group_score", {best, ints("axis/last", {-1})}, {{"keepdims", std::int64_t(0)}});
    const Top taken = top(p + "/group_choice", groupScore, c_.groupsPerToken);
    const std::string ones =
        node("Add", p + "/group_ones",
             {node("Mul", p + "/group_zero", {taken.values, floatScalar("constant/zero", 0)}), floatScalar("constant/one", 1)});
    const std::string flags = scattered(p + "/group_flags", groupScore, taken.indices, ones);
    const std::string wide = node("Unsqueeze", p + "/group_mask", {flags, ints("axis/last", {-1})});
    std::string masked;
    if (c_.routing == RoutingMethod::NoAuxTc) {
      const std::string taken01 = node("Cast", p + "/group_bool", {wide}, {{"to", std::int64_t(ElementType::Bool)}});
      const std::string lowest = floatScalar("constant/lowest", -std::numeric_limits<float>::infinity());
      masked = node("Where", p + "/masked", {taken01, grouped, lowest});
    } else {
      masked = node("Mul", p + "/masked", {grouped, wide});
    }
    return reshape(p + "/limited", masked, {0, 0, c_.routedExperts});
  }

  /// float32 [batch, sequence, experts]: the weight of each expert, zero for those not chosen.
  std::string routing(const std::string& p, const std::string& x) {
    const std::string wide =
        o_.weights == ElementType::Float ? x : node("Cast", p + "/router_input", {x}, {{"to", std::int64_t(ElementType::Float)}});
    const ElementType kept = std::exchange(o_.weights, ElementType::Float);  // the router counts in float32 whatever the weights are
    const std::string w = transposedWeight(p + ".gate.weight", c_.routedExperts, c_.hidden);
    const std::string correction =
        c_.routing == RoutingMethod::NoAuxTc ? weight(p + ".gate.e_score_correction_bias", {c_.routedExperts}) : std::string();
    o_.weights = kept;
    const std::string logits = node("MatMul", p + "/router", {wide, w});
    const bool v3 = c_.routing == RoutingMethod::NoAuxTc;
    const std::string scores =
        v3 ? node("Sigmoid", p + "/scores", {logits}) : node("Softmax", p + "/scores", {logits}, {{"axis", std::int64_t(-1)}});
    std::string choice = v3 ? add(p + "/choice", scores, correction) : scores;
    if (c_.routing != RoutingMethod::Greedy) choice = limitedToGroups(p, choice);
    const Top chosen = top(p + "/experts", choice, c_.expertsPerToken);
    std::string values = node("GatherElements", p + "/weights", {scores, chosen.indices}, {{"axis", std::int64_t(-1)}});
    if (c_.normalisedWeights) {
      const std::string sum = node("ReduceSum", p + "/weights_sum", {values, ints("axis/last", {-1})}, {{"keepdims", std::int64_t(1)}});
      values = node("Div", p + "/weights_normal", {values, add(p + "/weights_safe", sum, floatScalar("constant/tiny", 1e-20F))});
    }
    values = node("Mul", p + "/weights_scaled", {values, floatScalar("constant/routed_scaling", float(c_.routedScaling))});
    return scattered(p + "/expert_weights", scores, chosen.indices, values);
  }

  /// float32 [tokens, hidden], whatever the weights are: many experts are summed in it.
  std::string flatRows(const std::string& name, const std::string& x) {
    const std::string rows = node("Reshape", name, {x, ints("shape/rows", {-1, c_.hidden})});
    return o_.weights == ElementType::Float ? rows : node("Cast", name + "_wide", {rows}, {{"to", std::int64_t(ElementType::Float)}});
  }

  /// What one expert adds to `sum`: only the tokens that chose it are gathered, computed and scattered back. No token: nothing is computed,
  /// every operator takes zero rows.
  std::string expert(const std::string& q, std::int64_t e, const std::string& tokens, const std::string& byExpert, const std::string& sum) {
    const std::string number = std::to_string(e);
    const std::string share = node("Gather", q + "/share", {byExpert, index("expert/" + number, e)}, {{"axis", std::int64_t(1)}});
    const std::string rows = node("NonZero", q + "/rows", {share});  // [1, chosen]: one "batch" of tokens for what follows
    const std::string place = node("Unsqueeze", q + "/place", {rows, ints("axis/last", {-1})});
    const std::string weight =
        node("Unsqueeze", q + "/weight", {node("Gather", q + "/chosen_share", {share, rows}), ints("axis/last", {-1})});
    std::string part = mlp(q, node("Gather", q + "/tokens", {tokens, rows}), c_.expertIntermediate);
    if (o_.weights != ElementType::Float) part = node("Cast", q + "/part_wide", {part}, {{"to", std::int64_t(ElementType::Float)}});
    return node("ScatterND", q + "/sum", {sum, place, node("Mul", q + "/weighted", {part, weight})}, {{"reduction", std::string("add")}});
  }

  std::string experts(const std::string& p, const std::string& x) {
    const std::string tokens = node("Reshape", p + "/tokens", {x, ints("shape/rows", {-1, c_.hidden})});
    const std::string byExpert =
        node("Reshape", p + "/expert_weights_flat", {routing(p, x), ints("shape/experts", {-1, c_.routedExperts})});
    std::string sum;
    if (c_.sharedExperts > 0) sum = flatRows(p + "/shared_rows", mlp(p + ".shared_experts", x, c_.expertIntermediate * c_.sharedExperts));
    else sum = node("Mul", p + "/no_share", {flatRows(p + "/no_share_rows", x), floatScalar("constant/zero", 0)});
    for (std::int64_t e = 0; e < c_.routedExperts && !failure_; ++e)
      sum = expert(p + ".experts." + std::to_string(e), e, tokens, byExpert, sum);
    if (o_.weights != ElementType::Float) sum = node("Cast", p + "/sum_cast", {sum}, {{"to", std::int64_t(o_.weights)}});
    return node("Reshape", p + "/sum_shape", {sum, node("Shape", p + "/shape", {x})});
  }

  // ---- end ----
  void head(const std::string& hidden) {
    const std::string normed = skipNorm("model.norm", hidden, delta_).first;
    std::string logits;
    if (c_.tiedEmbeddings && !o_.separateHead) {
      const std::string table = node("Transpose", "lm_head/transpose", {"model.embed_tokens.weight"}, {{"perm", Dims{1, 0}}});
      logits = node("MatMul", "lm_head", {normed, table});
    } else {
      const char* source = c_.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
      logits = node("MatMul", "lm_head", {normed, transposedWeight(source, c_.vocabulary, c_.hidden)});
    }
    if (o_.weights != ElementType::Float) logits = node("Cast", "logits/float", {logits}, {{"to", std::int64_t(ElementType::Float)}});
    m_.nodes.back().outputs[0] = "logits";
  }

  void metadata(const BuildInfo& info) {
    const auto note = [&](const char* key, const QString& value) {
      if (!value.isEmpty()) m_.metadata[key] = value.toStdString();
    };
    note("cloister.run", info.run);
    note("cloister.weights_sha256", info.weightsSha256);
    note("cloister.decoder", QString::fromUtf8(QJsonDocument(c_.toJson()).toJson(QJsonDocument::Compact)));
    note("cloister.variant", genai_ ? QStringLiteral("genai") : QStringLiteral("standard"));
    note("cloister.context", QString::number(context_));
  }

  const DecoderConfig& c_;
  const std::map<std::string, TensorView>& weights_;
  const QString& path_;
  DecoderGraphOptions o_;
  const bool genai_;
  const std::int64_t context_;
  Model m_;
  Floats buffer_;
  std::string mask_, lastIndex_, totalLength_;
  std::string delta_;  ///< what the block before the next norm adds to the residual; empty before the first layer
  std::optional<Failure> failure_;
};

}  // namespace

Result<Model> buildDecoder(const DecoderConfig& config, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                           const DecoderGraphOptions& options, const BuildInfo& info) {
  return DecoderLowering(config, weights, weightsPath, options).run(info);
}

QJsonObject genaiConfig(const DecoderConfig& c, const QString& file, std::int64_t context) {
  QJsonArray eos;
  for (const std::int64_t id : c.eos) eos.append(qint64(id));
  const QJsonObject decoder{
      {"session_options", QJsonObject{{"log_id", "onnxruntime-genai"}, {"provider_options", QJsonArray{}}}},
      {"filename", file},
      {"head_size", qint64(c.headDim)},
      {"hidden_size", qint64(c.hidden)},
      {"inputs", QJsonObject{{"input_ids", "input_ids"},
                             {"attention_mask", "attention_mask"},
                             {"past_key_names", "past_key_values.%d.key"},
                             {"past_value_names", "past_key_values.%d.value"}}},
      {"outputs", QJsonObject{{"logits", "logits"}, {"present_key_names", "present.%d.key"}, {"present_value_names", "present.%d.value"}}},
      {"num_attention_heads", qint64(c.heads)},
      {"num_hidden_layers", qint64(c.layers)},
      {"num_key_value_heads", qint64(c.kvHeads)}};
  const std::int64_t end = c.eos.front();
  const QJsonObject model{{"bos_token_id", qint64(c.bos.value_or(end))},
                          {"context_length", qint64(context)},
                          {"decoder", decoder},
                          {"eos_token_id", c.eos.size() == 1 ? QJsonValue(eos.first()) : QJsonValue(eos)},
                          {"pad_token_id", qint64(c.pad.value_or(end))},
                          {"type", decoderModelType(c.architecture)},
                          {"vocab_size", qint64(c.vocabulary)}};
  const QJsonObject search{{"diversity_penalty", 0.0},
                           {"do_sample", false},
                           {"early_stopping", true},
                           {"length_penalty", 1.0},
                           {"max_length", qint64(context)},
                           {"min_length", 0},
                           {"no_repeat_ngram_size", 0},
                           {"num_beams", 1},
                           {"num_return_sequences", 1},
                           {"past_present_share_buffer", false},
                           {"repetition_penalty", 1.0},
                           {"temperature", 1.0},
                           {"top_k", 50},
                           {"top_p", 1.0}};
  return {{"model", model}, {"search", search}};
}

}  // namespace cloister::onnx
