#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>

#include "core/engine/data/counter_rng.h"
#include "core/engine/kernels/decode_ops.h"
#include "core/engine/kernels/decoder_ops.h"
#include "core/engine/kernels/fused.h"
#include "core/engine/models/decoder/decoder_layers.h"

namespace cloister {
namespace {

at::ScalarType productType(const at::Tensor& x) {
  return at::autocast::is_autocast_enabled(x.device().type()) ? at::autocast::get_autocast_dtype(x.device().type()) : x.scalar_type();
}

at::Tensor heads(const at::Tensor& x, std::int64_t count) { return x.unflatten(-1, {count, x.size(-1) / count}).transpose(1, 2); }

// Pairs are (i, i + d/2), or (2i, 2i + 1) when interleaved; the result holds the first members, then the second. Queries and keys are
// permuted alike, which leaves their products as they are.
at::Tensor rotated(const at::Tensor& x, const LayerContext& c, bool interleaved) {
  const std::int64_t half = x.size(-1) / 2;
  const at::Tensor pairs = interleaved ? x.unflatten(-1, {half, 2}) : at::Tensor();
  const at::Tensor a = interleaved ? pairs.select(-1, 0) : x.narrow(-1, 0, half);
  const at::Tensor b = interleaved ? pairs.select(-1, 1) : x.narrow(-1, half, half);
  return at::cat({a * c.cosine - b * c.sine, b * c.cosine + a * c.sine}, -1).to(x.scalar_type());
}

// Generation: the products of all of them at once, side by side; nothing where that way is not open.
std::optional<at::Tensor> fewRowsOf(const at::Tensor& x, std::initializer_list<const DecoderLinear*> linears) {
  std::vector<kernels::RowProduct> products;
  for (const DecoderLinear* l : linears) {
    if (l->packed || l->adapterA.defined() || !kernels::canMultiplyFewRows(x, l->weight)) return std::nullopt;
    products.push_back({l->weight, l->bias});
  }
  return kernels::multiplyFewRows(x, products);
}

at::Tensor turnedHeads(const at::Tensor& x, std::int64_t count, const LayerContext& c) {
  if (kernels::canFuse(x)) return kernels::rotateHeads(x, c.cosine, c.sine, count);
  return rotated(heads(x, count), c, false);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> queriesKeysValues(const DecoderConfig& config, const DecoderAttention& a,
                                                                 const at::Tensor& x, const LayerContext& c) {
  if (a.joined.defined()) {
    const at::Tensor bias = a.q.bias.defined() ? at::cat({a.q.bias, a.k.bias, a.v.bias}) : at::Tensor();
    return kernels::splitAndRotate(at::linear(x, a.joined, bias), c.cosine, c.sine, config.heads, config.kvHeads);
  }
  if (const auto qkv = fewRowsOf(x, {&a.q, &a.k, &a.v}); qkv && kernels::canFuse(*qkv))
    return kernels::splitAndRotate(*qkv, c.cosine, c.sine, config.heads, config.kvHeads);
  return {turnedHeads(a.q(x), config.heads, c), turnedHeads(a.k(x), config.kvHeads, c), heads(a.v(x), config.kvHeads)};
}

at::Tensor padded(const at::Tensor& x, std::int64_t width) {
  return x.size(-1) < width ? at::constant_pad_nd(x, {0, width - x.size(-1)}) : x;
}

at::Tensor dropped(const at::Tensor& weights, double probability, std::uint64_t key) {
  if (weights.device().is_cpu()) return kernels::dropout(weights, probability, key);
  at::Generator generator =
      at::globalContext().getAcceleratorHooksInterface(weights.device().type()).getNewGenerator(weights.device().index());
  generator.set_current_seed(key);
  return weights * at::empty_like(weights.detach()).bernoulli_(1 - probability, generator).div_(1 - probability);
}

// The way that shows its weights, as some of them fall: transformers' "eager" attention.
at::Tensor attendWithDropout(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::size_t layer, const LayerContext& c,
                             double scale) {
  const std::int64_t group = q.size(1) / k.size(1), t = q.size(2), s = k.size(2);
  const auto each = [group](const at::Tensor& x) { return group > 1 ? x.repeat_interleave(group, 1) : x; };
  at::Tensor scores = at::matmul(q, each(k).transpose(2, 3)).to(at::kFloat) * scale;
  at::Tensor seen = c.mask;
  if (!seen.defined() && c.causal) seen = at::ones({t, s}, q.options().dtype(at::kBool)).tril();
  if (seen.defined()) scores = scores.masked_fill(seen.logical_not(), -std::numeric_limits<float>::infinity());
  const at::Tensor weights = at::softmax(scores, -1).to(q.scalar_type());
  return at::matmul(dropped(weights, c.dropout, keyOf(c.dropoutKey, layer)), each(v));
}

// The library's fast kernels want one head dimension for queries, keys and values; zeros change nothing.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::size_t layer, const LayerContext& c, double scale) {
  if (c.dropout > 0) return attendWithDropout(q, k, v, layer, c, scale);
  if (kernels::canAttendOneToken(q, k, v, c.mask)) return kernels::attendOneToken(q, k, v, c.mask, scale);
  const std::int64_t width = std::max(q.size(-1), v.size(-1)), given = v.size(-1);
  const std::optional<at::Tensor> mask = c.mask.defined() ? std::optional(c.mask) : std::nullopt;
  const at::Tensor out = at::scaled_dot_product_attention(padded(q, width), padded(k, width), padded(v, width), mask, 0.0,
                                                          c.causal && !c.mask.defined(), scale, q.size(1) != k.size(1));
  return given < width ? out.narrow(-1, 0, given) : out;
}

at::Tensor joined(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

at::Tensor latentQuery(const DecoderConfig& config, const DecoderAttention& a, const at::Tensor& x) {
  if (!a.qA.defined()) return heads(a.q(x), config.heads);
  return heads(a.qB(rmsNorm(a.qA(x), a.qNorm, DecoderConfig::kLatentNormEpsilon)), config.heads);
}

// Scores of all heads against the one latent: [B, H·T, R + rope] × [B, R + rope, S].
at::Tensor absorbed(const DecoderConfig& config, const DecoderAttention& a, const at::Tensor& qNope, const at::Tensor& qRope,
                    const at::Tensor& latent, const LayerContext& c) {
  const std::int64_t b = qNope.size(0), h = config.heads, t = qNope.size(2), r = config.kvLoraRank;
  const at::Tensor expansion = a.kvB.merged().view({h, config.qkNopeDim + config.vDim, r});
  const at::Tensor query = at::cat({at::matmul(qNope, expansion.narrow(1, 0, config.qkNopeDim)), qRope}, -1);
  at::Tensor scores =
      at::matmul(query.reshape({b, h * t, r + config.qkRopeDim}), latent.transpose(1, 2)).view({b, h, t, -1}).to(at::kFloat);
  scores = scores * config.attentionScale();
  if (c.mask.defined()) scores = scores.masked_fill(c.mask.logical_not(), -std::numeric_limits<float>::infinity());
  const at::Tensor weights = at::softmax(scores, -1).to(latent.scalar_type()).view({b, h * t, -1});
  const at::Tensor mixed = at::matmul(weights, latent.narrow(-1, 0, r)).view({b, h, t, r});
  return at::matmul(mixed, expansion.narrow(1, config.qkNopeDim, config.vDim).transpose(1, 2));
}

at::Tensor expanded(const DecoderConfig& config, const DecoderAttention& a, const at::Tensor& qNope, const at::Tensor& qRope,
                    const at::Tensor& latent, std::size_t layer, const LayerContext& c) {
  const at::Tensor kv = heads(a.kvB(latent.narrow(-1, 0, config.kvLoraRank)), config.heads);
  const at::Tensor shared = latent.narrow(-1, config.kvLoraRank, config.qkRopeDim).unsqueeze(1).expand({-1, config.heads, -1, -1});
  const at::Tensor k = at::cat({kv.narrow(-1, 0, config.qkNopeDim), shared}, -1);
  return attend(at::cat({qNope, qRope}, -1), k, kv.narrow(-1, config.qkNopeDim, config.vDim), layer, c, config.attentionScale());
}

}  // namespace

at::Tensor linearOf(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (kernels::canMultiplyFewRows(x, weight)) return kernels::multiplyFewRows(x, {{weight, bias}});
  return at::linear(x, weight, bias);
}

at::Tensor DecoderLinear::operator()(const at::Tensor& x) const {
  const at::Tensor y = packed ? packedLinear(x, packed, bias) : linearOf(x, weight, bias);
  if (!adapterA.defined()) return y;
  // Autocast converts by itself: one bfloat16 tensor is kept for all layers that read it.
  const at::Tensor given = at::autocast::is_autocast_enabled(x.device().type()) ? x : x.to(adapterA.scalar_type());
  return y + (at::linear(at::linear(given, adapterA), adapterB) * adapterScale).to(y.scalar_type());
}

at::Tensor DecoderLinear::merged() const {
  const at::Tensor base = packed ? packed->restored(at::kFloat) : weight;
  if (!adapterA.defined()) return base;
  return (base + at::matmul(adapterB, adapterA) * adapterScale).to(base.scalar_type());
}

at::Tensor DecoderMlp::operator()(const at::Tensor& x) const {
  if (joined.defined()) return down(kernels::gatedHalves(at::linear(x, joined)));
  if (const auto both = fewRowsOf(x, {&gate, &up})) return down(kernels::gatedHalves(*both));
  const at::Tensor g = gate(x), u = up(x);
  return down(kernels::canFuse(g) && g.scalar_type() == u.scalar_type() ? kernels::gated(g, u) : at::silu(g) * u);
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, bool exact) {
  if (const at::ScalarType out = exact ? x.scalar_type() : productType(x); kernels::canFuseNorm(x, out))
    return kernels::rmsNorm(x, weight, epsilon, out);
  const at::Tensor f = x.to(at::kFloat);
  return weight * (f * at::rsqrt(f.square().mean(-1, true) + epsilon)).to(x.scalar_type());
}

std::pair<at::Tensor, at::Tensor> addNorm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double epsilon,
                                          bool exact) {
  if (const at::ScalarType out = exact ? x.scalar_type() : productType(x);
      kernels::canFuseNorm(x, out) && delta.scalar_type() == out && delta.sizes() == x.sizes()) {
    const auto [sum, y] = kernels::addNorm(x, delta, weight, epsilon);
    return {sum, y};
  }
  const at::Tensor sum = x + delta;
  return {sum, rmsNorm(sum, weight, epsilon, exact)};
}

at::Tensor groupedAttention(const DecoderConfig& config, const DecoderAttention& a, const at::Tensor& x, std::size_t layer,
                            const LayerContext& c) {
  auto [q, k, v] = queriesKeysValues(config, a, x, c);
  if (c.cache) std::tie(k, v) = c.cache->append(layer, k, v);
  return a.o(joined(attend(q, k, v, layer, c, config.attentionScale())));
}

at::Tensor latentAttention(const DecoderConfig& config, const DecoderAttention& a, const at::Tensor& x, std::size_t layer,
                           const LayerContext& c) {
  const at::Tensor q = latentQuery(config, a, x), kv = a.kvA(x);
  const at::Tensor qNope = q.narrow(-1, 0, config.qkNopeDim);
  const at::Tensor qRope = rotated(q.narrow(-1, config.qkNopeDim, config.qkRopeDim), c, config.ropeInterleave);
  const at::Tensor compressed = rmsNorm(kv.narrow(-1, 0, config.kvLoraRank), a.kvNorm, DecoderConfig::kLatentNormEpsilon);
  const at::Tensor shared = rotated(kv.narrow(-1, config.kvLoraRank, config.qkRopeDim).unsqueeze(1), c, config.ropeInterleave).squeeze(1);
  at::Tensor latent = at::cat({compressed, shared}, -1);
  if (c.cache) latent = c.cache->appendLatent(layer, latent);
  constexpr std::int64_t kFewTokens = 8;
  const bool few = c.cache && latent.size(1) > x.size(1) && x.size(1) <= kFewTokens;
  const bool absorb = c.path == LatentPath::Absorbed || (c.path == LatentPath::Automatic && few);
  const at::Tensor mixed = absorb ? absorbed(config, a, qNope, qRope, latent, c) : expanded(config, a, qNope, qRope, latent, layer, c);
  return a.o(joined(mixed));
}

}  // namespace cloister
