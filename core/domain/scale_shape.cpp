// What the cost model needs of a decoder: read off the tensors of a DecoderConfig, or a GPT of the Megatron papers.
#include <algorithm>
#include <cmath>

#include "core/domain/scale_model.h"

namespace cloister {
namespace {

constexpr double kBytes = 2;  // of an element kept for backward

ScaleProduct::Split splitOf(const DecoderTensor& t) {
  const auto is = [&](const char* part) { return t.name.find(part) != std::string::npos; };
  if (t.role == TensorRole::Router || is("q_a_proj") || is("kv_a_proj")) return ScaleProduct::Whole;
  return is("o_proj") || is("down_proj") ? ScaleProduct::In : ScaleProduct::Out;
}

void addKept(ScaleLayer& layer, const DecoderConfig& c, bool isMoe) {
  const double width = isMoe ? double(c.sharedExperts * c.expertIntermediate) : double(c.intermediate);
  const double routed = isMoe ? double(c.expertsPerToken) : 0;
  layer.keptWhole =
      kBytes * (4.0 * c.hidden + (c.hasMla() ? c.qLoraRank + c.kvLoraRank + c.qkRopeDim : 0) + (isMoe ? 2 * c.routedExperts : 0));
  layer.keptSplit =
      kBytes *
      ((c.hasMla() ? 2.0 * c.heads * (c.queryDim() + c.valueDim()) : 2.0 * c.heads * c.headDim + 2.0 * c.kvHeads * c.headDim) + 4 * width);
  // A token's copies on their way to experts are kept beside the experts' own tensors.
  layer.keptExpert = kBytes * routed * (4.0 * c.expertIntermediate + c.hidden);
  layer.cheapWhole = kBytes * 2 * c.hidden;
  layer.cheapSplit = kBytes * 2 * width;
  layer.cheapExpert = kBytes * routed * 2 * c.expertIntermediate;
}

ScaleLayer layerOf(const DecoderConfig& c, int index) {
  ScaleLayer layer;
  c.forEachTensor([&](const DecoderTensor& t) {
    if (t.layer != index || t.role == TensorRole::RouterBias) return;
    const bool isRouted = t.expert >= 0, isProduct = t.shape.size() == 2;
    const ScaleProduct::Split split = isProduct ? splitOf(t) : ScaleProduct::Whole;
    (isRouted ? layer.experts : split == ScaleProduct::Whole ? layer.whole : layer.split) += t.elements();
    if (isProduct && t.expert <= 0) layer.products.push_back({t.shape[0], t.shape[1], split, isRouted});
  });
  addKept(layer, c, c.isMoeLayer(index));
  return layer;
}

}  // namespace

ScaleShape ScaleShape::of(const DecoderConfig& c) {
  ScaleShape s;
  s.layers = c.layers;
  s.denseLayers = c.routedExperts > 0 ? std::min(c.firstDense, c.layers) : c.layers;
  s.hidden = c.hidden;
  s.vocabulary = c.vocabulary;
  s.intermediate = c.routedExperts > 0 ? c.expertIntermediate : c.intermediate;
  s.heads = c.heads;
  s.kvHeads = c.hasMla() ? c.heads : c.kvHeads;
  s.queryDim = c.queryDim();
  s.valueDim = c.valueDim();
  s.experts = c.routedExperts;
  s.expertsPerToken = c.expertsPerToken;
  s.expertNodes = c.expertGroups > 1 ? std::min(c.groupsPerToken, c.expertsPerToken) : c.expertsPerToken;
  s.tied = c.tiedEmbeddings;
  if (s.denseLayers > 0) s.dense = layerOf(c, 0);
  if (s.denseLayers < s.layers) s.moe = layerOf(c, int(s.denseLayers));
  return s;
}

ScaleShape ScaleShape::gpt(std::int64_t layers, std::int64_t hidden, std::int64_t heads, std::int64_t vocabulary, std::int64_t context) {
  ScaleShape s;
  s.layers = s.denseLayers = layers;
  s.hidden = hidden;
  s.vocabulary = vocabulary;
  s.intermediate = 4 * hidden;
  s.heads = s.kvHeads = heads;
  s.queryDim = s.valueDim = hidden / heads;
  s.positions = context;
  s.tied = true;
  s.flash = false;
  s.dense.products = {{3 * hidden, hidden, ScaleProduct::Out},
                      {hidden, hidden, ScaleProduct::In},
                      {4 * hidden, hidden, ScaleProduct::Out},
                      {hidden, 4 * hidden, ScaleProduct::In}};
  s.dense.whole = 6 * hidden;  // two norms, the biases after a sum over ranks
  s.dense.split = 12 * hidden * hidden + 7 * hidden;
  s.dense.keptWhole = 10.0 * double(hidden);  // 2205.05198, equation 2
  s.dense.keptSplit = 24.0 * double(hidden);
  s.dense.keptScores = 5.0 * double(heads);
  return s;
}

std::int64_t ScaleShape::parameters() const {
  const auto of = [](const ScaleLayer& l) { return l.whole + l.split + l.experts; };
  return vocabulary * hidden * (tied ? 1 : 2) + positions * hidden + hidden * (flash ? 1 : 2) + denseLayers * of(dense) +
         (layers - denseLayers) * of(moe);
}

double ScaleShape::forwardAttentionFlops(std::int64_t sequence) const {
  return 2.0 * double(layers) * double(heads) * double(queryDim + valueDim) * double(sequence) * double(sequence);
}

double ScaleShape::forwardFlops(std::int64_t sequence) const {
  const auto of = [this](const ScaleLayer& l) {
    double sum = 0;
    for (const ScaleProduct& p : l.products) sum += 2.0 * double(p.out) * double(p.in) * (p.expert ? double(expertsPerToken) : 1);
    return sum;
  };
  const double each = double(denseLayers) * of(dense) + double(layers - denseLayers) * of(moe) + 2.0 * double(vocabulary) * double(hidden);
  return each * double(sequence) + forwardAttentionFlops(sequence);
}

}  // namespace cloister
