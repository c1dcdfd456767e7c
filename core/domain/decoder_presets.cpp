// Named decoder architectures: sizes for training from scratch, and the published DeepSeek models.
#include "core/domain/decoder_config.h"

namespace cloister {
namespace {

DecoderConfig llama(std::int64_t layers, std::int64_t hidden, std::int64_t intermediate, std::int64_t heads, std::int64_t kvHeads,
                    std::int64_t vocabulary, std::int64_t context, double theta, double epsilon = 1e-6) {
  DecoderConfig c;
  c.layers = layers;
  c.hidden = hidden;
  c.intermediate = intermediate;
  c.heads = heads;
  c.kvHeads = kvHeads;
  c.headDim = hidden / heads;
  c.vocabulary = vocabulary;
  c.context = context;
  c.rope.theta = theta;
  c.normEpsilon = epsilon;
  return c;
}

DecoderConfig tokens(DecoderConfig c, std::int64_t bos, std::int64_t eos) {
  c.bos = bos;
  c.eos = {eos};
  c.dtype = "bfloat16";
  return c;
}

DecoderConfig coder(DecoderConfig c) {
  c.rope.kind = RopeKind::Linear;
  c.rope.factor = 4;
  return tokens(c, 32013, 32014);
}

DecoderConfig qwen(DecoderConfig c) {
  c.architecture = DecoderArchitecture::Qwen2;
  c.queryBias = true;
  return tokens(c, 151643, 151643);
}

DecoderConfig llama3(DecoderConfig c) {
  c.rope.kind = RopeKind::Llama3;
  c.rope.factor = 8;
  c.rope.originalContext = 8192;
  return tokens(c, 128000, 128001);
}

DecoderConfig latent(DecoderConfig c, DecoderArchitecture a, std::int64_t qLora, std::int64_t kvLora, std::int64_t nope, std::int64_t rope,
                     std::int64_t v) {
  c.architecture = a;
  c.qLoraRank = qLora;
  c.kvLoraRank = kvLora;
  c.qkNopeDim = nope;
  c.qkRopeDim = rope;
  c.headDim = rope;
  c.vDim = v;
  c.ropeInterleave = true;
  return c;
}

DecoderConfig experts(DecoderConfig c, std::int64_t width, std::int64_t routed, std::int64_t shared, std::int64_t perToken,
                      std::int64_t firstDense) {
  c.expertIntermediate = width;
  c.routedExperts = routed;
  c.sharedExperts = shared;
  c.expertsPerToken = perToken;
  c.firstDense = firstDense;
  return c;
}

DecoderConfig routing(DecoderConfig c, RoutingMethod method, std::int64_t groups, std::int64_t groupsPerToken, double scaling,
                      double balance) {
  c.routing = method;
  c.expertGroups = groups;
  c.groupsPerToken = groupsPerToken;
  c.routedScaling = scaling;
  c.normalisedWeights = method == RoutingMethod::NoAuxTc;
  c.balanceLoss = balance;
  return c;
}

DecoderConfig yarn(DecoderConfig c, double mscale) {
  c.rope.kind = RopeKind::Yarn;
  c.rope.factor = 40;
  c.rope.originalContext = 4096;
  c.rope.mscale = mscale;
  c.rope.mscaleAllDim = mscale;
  return c;
}

DecoderConfig small(std::int64_t layers, std::int64_t hidden, std::int64_t intermediate, std::int64_t heads, std::int64_t kvHeads,
                    std::int64_t vocabulary, std::int64_t context) {
  DecoderConfig c = llama(layers, hidden, intermediate, heads, kvHeads, vocabulary, context, 10000, 1e-5);
  c.tiedEmbeddings = hidden < 1024;
  c.bos = 1;
  c.eos = {2};
  return c;
}

DecoderConfig v2Lite() {
  DecoderConfig c = llama(27, 2048, 10944, 16, 16, 102400, 163840, 10000);
  c = latent(c, DecoderArchitecture::DeepseekV2, 0, 512, 128, 64, 128);
  c = routing(experts(c, 1408, 64, 2, 6, 1), RoutingMethod::Greedy, 1, 1, 1, 0.001);
  return tokens(yarn(c, 0.707), 100000, 100001);
}

DecoderConfig v2() {
  DecoderConfig c = llama(60, 5120, 12288, 128, 128, 102400, 163840, 10000);
  c = latent(c, DecoderArchitecture::DeepseekV2, 1536, 512, 128, 64, 128);
  c = routing(experts(c, 1536, 160, 2, 6, 1), RoutingMethod::GroupLimitedGreedy, 8, 3, 16, 0.001);
  return tokens(yarn(c, 1.0), 100000, 100001);
}

DecoderConfig v3() {
  DecoderConfig c = llama(61, 7168, 18432, 128, 128, 129280, 163840, 10000);
  c = latent(c, DecoderArchitecture::DeepseekV3, 1536, 512, 128, 64, 128);
  c = routing(experts(c, 2048, 256, 1, 8, 3), RoutingMethod::NoAuxTc, 8, 4, 2.5, 0.0001);
  c.mtpLayers = 1;
  c.fp8BlockRows = c.fp8BlockColumns = 128;
  return tokens(yarn(c, 1.0), 0, 1);
}

// A mixture of experts with latent attention that trains on a workstation: about 30 M parameters, 14 M of them used per token.
DecoderConfig v3Small() {
  DecoderConfig c = small(8, 320, 896, 8, 8, 4096, 1024);
  c = latent(c, DecoderArchitecture::DeepseekV3, 160, 96, 32, 16, 32);
  return routing(experts(c, 224, 16, 1, 4, 1), RoutingMethod::NoAuxTc, 4, 2, 2.5, 0.0001);
}

std::vector<DecoderPreset> table() {
  return {
      {"llama-1m", true, small(4, 128, 352, 4, 4, 1024, 256)},
      {"llama-3m", true, small(6, 192, 512, 6, 6, 2048, 512)},
      {"llama-10m", true, small(6, 320, 896, 5, 5, 4096, 512)},
      {"llama-30m", true, small(8, 512, 1376, 8, 8, 8192, 1024)},
      {"llama-100m", true, small(12, 768, 2048, 12, 12, 16384, 1024)},
      {"llama-300m", true, small(24, 960, 2560, 15, 5, 32000, 2048)},
      {"llama-1b", true, small(22, 2048, 5632, 32, 4, 32000, 2048)},
      {"deepseek-v3-30m", true, v3Small()},
      {"deepseek-llm-7b", false, tokens(llama(30, 4096, 11008, 32, 32, 102400, 4096, 1e4), 100000, 100001)},
      {"deepseek-llm-67b", false, tokens(llama(95, 8192, 22016, 64, 8, 102400, 4096, 1e4), 100000, 100001)},
      {"deepseek-coder-1.3b", false, coder(llama(24, 2048, 5504, 16, 16, 32256, 16384, 1e5))},
      {"deepseek-coder-6.7b", false, coder(llama(32, 4096, 11008, 32, 32, 32256, 16384, 1e5))},
      {"deepseek-coder-33b", false, coder(llama(62, 7168, 19200, 56, 8, 32256, 16384, 1e5))},
      {"deepseek-coder-7b-v1.5", false, tokens(llama(30, 4096, 11008, 32, 32, 102400, 4096, 1e4), 100000, 100015)},
      {"deepseek-r1-distill-qwen-1.5b", false, qwen(llama(28, 1536, 8960, 12, 2, 151936, 131072, 1e4))},
      {"deepseek-r1-distill-qwen-7b", false, qwen(llama(28, 3584, 18944, 28, 4, 152064, 131072, 1e4))},
      {"deepseek-r1-distill-qwen-14b", false, qwen(llama(48, 5120, 13824, 40, 8, 152064, 131072, 1e6, 1e-5))},
      {"deepseek-r1-distill-qwen-32b", false, qwen(llama(64, 5120, 27648, 40, 8, 152064, 131072, 1e6, 1e-5))},
      {"deepseek-r1-distill-llama-8b", false, llama3(llama(32, 4096, 14336, 32, 8, 128256, 131072, 5e5, 1e-5))},
      {"deepseek-r1-distill-llama-70b", false, llama3(llama(80, 8192, 28672, 64, 8, 128256, 131072, 5e5, 1e-5))},
      {"deepseek-v2-lite", false, v2Lite()},
      {"deepseek-v2", false, v2()},
      {"deepseek-v3", false, v3()},
  };
}

}  // namespace

const std::vector<DecoderPreset>& decoderPresets() {
  static const std::vector<DecoderPreset> presets = table();
  return presets;
}

Result<DecoderConfig> decoderPreset(const QString& name, std::int64_t vocabulary) {
  for (const DecoderPreset& p : decoderPresets()) {
    if (p.name != name) continue;
    DecoderConfig c = p.config;
    if (vocabulary > 0) c.vocabulary = vocabulary;
    if (auto valid = c.validate(name); !valid) return valid.error();
    return c;
  }
  QStringList known;
  for (const DecoderPreset& p : decoderPresets()) known << p.name;
  return Failure{FailureKind::InvalidArgument, {{"name", "preset"}, {"value", name}, {"allowed", known.join(", ")}}, {}};
}

}  // namespace cloister
