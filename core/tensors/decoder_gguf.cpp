#include "core/tensors/decoder_gguf.h"

#include <cmath>

#include "core/tensors/half.h"

namespace cloister {
namespace {

class Mapping {
 public:
  Mapping(const DecoderConfig& config, const std::map<std::string, TensorView>& weights, const QString& path, GgufType type)
      : c_(config), weights_(weights), path_(path), type_(type), llama_(config.architecture == DecoderArchitecture::Llama) {}

  Result<GgufModel> run(const QString& name) {
    if (c_.hasMla()) return Failure{FailureKind::UnsupportedFormat, {{"path", path_}}, "DeepSeek-V2 and V3 are not written as GGUF"};
    describe(name);
    if (c_.rope.kind == RopeKind::Llama3) ropeFactors();
    tensor("token_embd", "model.embed_tokens");
    for (std::int64_t i = 0; i < c_.layers; ++i) layer("blk." + std::to_string(i) + '.', "model.layers." + std::to_string(i) + '.');
    tensor("output_norm", "model.norm");
    if (!c_.tiedEmbeddings) tensor("output", "lm_head");
    if (failure_) return *failure_;
    return std::move(out_);
  }

 private:
  void describe(const QString& name) {
    const std::string arch = llama_ ? "llama" : "qwen2";
    const auto put = [&](const std::string& key, GgufValue value) { out_.metadata.emplace_back(key, std::move(value)); };
    const auto count = [&](const char* key, std::int64_t value) { put(arch + '.' + key, std::uint32_t(value)); };
    put("general.architecture", arch);
    put("general.type", std::string("model"));
    put("general.name", name.toStdString());
    put("general.file_type", std::uint32_t(type_ == GgufType::Q8_0 ? 7 : type_ == GgufType::Q4_0 ? 2 : 1));
    put("general.quantization_version", std::uint32_t(2));
    count("block_count", c_.layers);
    count("context_length", c_.context);
    count("embedding_length", c_.hidden);
    count("feed_forward_length", c_.intermediate);
    count("attention.head_count", c_.heads);
    count("attention.head_count_kv", c_.kvHeads);
    count("attention.key_length", c_.headDim);
    count("attention.value_length", c_.headDim);
    count("rope.dimension_count", c_.headDim);
    count("vocab_size", c_.vocabulary);
    put(arch + ".attention.layer_norm_rms_epsilon", float(c_.normEpsilon));
    put(arch + ".rope.freq_base", float(c_.rope.theta));
    if (c_.rope.kind == RopeKind::Linear || c_.rope.kind == RopeKind::Yarn) {
      put(arch + ".rope.scaling.type", std::string(c_.rope.kind == RopeKind::Linear ? "linear" : "yarn"));
      put(arch + ".rope.scaling.factor", float(c_.rope.factor));
    }
    if (c_.rope.kind == RopeKind::Yarn) count("rope.scaling.original_context_length", c_.rope.originalContext);
  }

  // What each frequency is divided by; llama.cpp has no other way to say it.
  void ropeFactors() {
    RopeSettings plain;
    plain.theta = c_.rope.theta;
    std::vector<float> factors = plain.inverseFrequencies(c_.headDim);
    const std::vector<float> scaled = c_.rope.inverseFrequencies(c_.headDim);
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] /= scaled[i];
    out_.tensors.push_back({"rope_freqs.weight", {std::int64_t(factors.size())}, GgufType::F32, [factors]() -> Result<std::vector<float>> {
                              return factors;
                            }});
  }

  void layer(const std::string& to, const std::string& from) {
    tensor(to + "attn_norm", from + "input_layernorm");
    // llama.cpp turns neighbouring pairs in this architecture, the files turn the halves: the rows of each head are interleaved.
    const std::int64_t q = llama_ ? c_.heads : 0, k = llama_ ? c_.kvHeads : 0;
    tensor(to + "attn_q", from + "self_attn.q_proj", q);
    tensor(to + "attn_k", from + "self_attn.k_proj", k);
    tensor(to + "attn_v", from + "self_attn.v_proj");
    tensor(to + "attn_output", from + "self_attn.o_proj");
    tensor(to + "ffn_norm", from + "post_attention_layernorm");
    tensor(to + "ffn_gate", from + "mlp.gate_proj");
    tensor(to + "ffn_up", from + "mlp.up_proj");
    tensor(to + "ffn_down", from + "mlp.down_proj");
  }

  void tensor(const std::string& to, const std::string& from, std::int64_t interleavedHeads = 0) {
    add(to + ".weight", from + ".weight", interleavedHeads);
    if (weights_.count(from + ".bias")) add(to + ".bias", from + ".bias", interleavedHeads);
  }

  void add(const std::string& to, const std::string& from, std::int64_t heads) {
    const auto it = weights_.find(from);
    const QString shown = QString::fromStdString(from);
    if (it == weights_.end()) return fail({FailureKind::NotFound, {{"path", shown}}, "not among the weights of " + path_});
    const TensorView view = it->second;
    if (!isFloat(view.dtype)) return fail({FailureKind::CorruptFile, {{"path", path_}}, shown + " has a type that is not read"});
    const bool matrix = view.shape.size() == 2;
    const GgufType type = !matrix ? GgufType::F32 : view.shape[1] % 32 == 0 ? blockType(to) : GgufType::F16;
    out_.tensors.push_back({to, view.shape, type, [view, heads]() -> Result<std::vector<float>> {
                              std::vector<float> values;
                              widen(view, values);
                              return heads > 0 ? interleaved(values, view.shape, heads) : values;
                            }});
  }

  /// The matrix that decides between tokens keeps eight bits where the others have four.
  GgufType blockType(const std::string& to) const {
    const bool head = to == "output.weight" || (to == "token_embd.weight" && c_.tiedEmbeddings);
    return head && type_ == GgufType::Q4_0 ? GgufType::Q8_0 : type_;
  }

  /// Rows (0 … n/2, n/2 … n) of each head become (0, n/2, 1, n/2 + 1, …).
  static std::vector<float> interleaved(const std::vector<float>& values, const std::vector<std::int64_t>& shape, std::int64_t heads) {
    const std::size_t each = std::size_t(shape[0] / heads), width = shape.size() == 2 ? std::size_t(shape[1]) : 1;
    std::vector<float> out(values.size());
    for (std::size_t r = 0; r < std::size_t(shape[0]); ++r) {
      const std::size_t head = r / each, i = r % each, from = head * each + (i % 2) * (each / 2) + i / 2;
      std::copy_n(values.begin() + std::ptrdiff_t(from * width), width, out.begin() + std::ptrdiff_t(r * width));
    }
    return out;
  }

  void fail(Failure f) {
    if (!failure_) failure_ = std::move(f);
  }

  const DecoderConfig& c_;
  const std::map<std::string, TensorView>& weights_;
  const QString& path_;
  const GgufType type_;
  const bool llama_;
  GgufModel out_;
  std::optional<Failure> failure_;
};

}  // namespace

Result<GgufModel> decoderGguf(const DecoderConfig& config, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                              const QString& name, GgufType type) {
  return Mapping(config, weights, weightsPath, type).run(name);
}

}  // namespace cloister
