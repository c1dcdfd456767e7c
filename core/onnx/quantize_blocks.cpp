#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "core/onnx/graph_edit.h"
#include "core/onnx/quantize.h"
#include "core/tensors/half.h"

namespace cloister::onnx {
namespace {

/// One block: q = round(w / scale) + zero, w ≈ (q - zero) · scale.
struct Fit {
  float scale = 1;
  int zero = 0;
  double error = std::numeric_limits<double>::infinity();
};

class BlockFitter {
 public:
  BlockFitter(int bits, bool symmetric, bool halfScales) : levels_((1 << bits) - 1), symmetric_(symmetric), half_(halfScales) {}

  Fit fit(std::span<const float> w) const {
    float low = 0, high = 0, largest = 0;
    for (const float v : w) {
      low = std::min(low, v);
      high = std::max(high, v);
      if (std::abs(v) > std::abs(largest)) largest = v;
    }
    Fit best{1, symmetric_ ? (levels_ + 1) / 2 : 0, std::numeric_limits<double>::infinity()};
    if (low == high) {  // all zero
      best.error = 0;
      return best;
    }
    for (const float width : {1.0F, 0.96F, 0.92F, 0.88F, 0.84F, 0.8F, 0.75F, 0.7F}) {
      if (symmetric_) {
        // The value farthest from zero takes the end of the longer side, whatever its sign.
        consider(w, width * largest / float(-(levels_ + 1) / 2), (levels_ + 1) / 2, best);
      } else {
        const float scale = width * (high - low) / float(levels_);
        consider(w, scale, std::clamp(int(std::lround(-width * low / scale)), 0, levels_), best);
      }
    }
    return best;
  }

  int level(float w, const Fit& f) const { return std::clamp(int(std::lround(w / f.scale)) + f.zero, 0, levels_); }

 private:
  float stored(float scale) const { return half_ ? fromHalf(toHalf(scale)) : scale; }

  void consider(std::span<const float> w, float scale, int zero, Fit& best) const {
    Fit f{stored(scale), zero, 0};
    if (f.scale == 0 || !std::isfinite(f.scale)) return;
    measure(w, f);
    if (f.error < best.error) best = f;
    // With the integers fixed, the scale that fits them best; they may move once more with it.
    double product = 0, square = 0;
    for (const float v : w) {
      const int q = level(v, f) - f.zero;
      product += double(v) * q;
      square += double(q) * q;
    }
    if (square == 0) return;
    Fit refined{stored(float(product / square)), zero, 0};
    if (refined.scale == 0 || !std::isfinite(refined.scale)) return;
    measure(w, refined);
    if (refined.error < best.error) best = refined;
  }
  void measure(std::span<const float> w, Fit& f) const {
    for (const float v : w) {
      const float d = float(level(v, f) - f.zero) * f.scale - v;
      f.error += double(d) * d;
    }
  }

  int levels_;
  bool symmetric_, half_;
};

/// Weights [rows][in] of a layer, packed as MatMulNBits reads them.
struct Packed {
  std::vector<std::uint8_t> weights, zeros;
  std::vector<float> scales;
};

Packed pack(const std::vector<float>& w, std::int64_t rows, std::int64_t in, const BlockOptions& o, bool halfScales) {
  const std::int64_t blocks = (in + o.block - 1) / o.block, bytes = o.block * o.bits / 8, zeroBytes = (blocks * o.bits + 7) / 8;
  Packed p;
  p.weights.resize(std::size_t(rows * blocks * bytes));
  p.scales.resize(std::size_t(rows * blocks));
  if (!o.symmetric) p.zeros.resize(std::size_t(rows * zeroBytes));
  const BlockFitter fitter(o.bits, o.symmetric, halfScales);
  const auto place = [&o](std::uint8_t* to, std::int64_t i, int level) {  // the even one in the low half
    if (o.bits == 8) to[i] = std::uint8_t(level);
    else to[i / 2] = std::uint8_t(to[i / 2] | level << (i % 2 * 4));
  };
  const auto row = [&](std::int64_t r) {
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::int64_t from = b * o.block, n = std::min(o.block, in - from);
      const std::span<const float> values(w.data() + r * in + from, std::size_t(n));
      const Fit f = fitter.fit(values);
      std::uint8_t* to = p.weights.data() + (r * blocks + b) * bytes;
      for (std::int64_t i = 0; i < o.block; ++i) place(to, i, i < n ? fitter.level(values[std::size_t(i)], f) : f.zero);
      p.scales[std::size_t(r * blocks + b)] = f.scale;
      if (!o.symmetric) place(p.zeros.data() + r * zeroBytes, b, f.zero);
    }
  };
  std::atomic<std::int64_t> next{0};
  const auto work = [&] {
    for (std::int64_t r; (r = next.fetch_add(16)) < rows;)
      for (std::int64_t i = r; i < std::min(rows, r + 16); ++i) row(i);
  };
  std::vector<std::jthread> others;
  for (unsigned t = 1; t < std::thread::hardware_concurrency(); ++t) others.emplace_back(work);
  work();
  others.clear();  // joins
  return p;
}

Tensor scalesTensor(const std::string& name, std::vector<std::int64_t> dims, const std::vector<float>& scales, ElementType type) {
  if (type == ElementType::Float) return Tensor::floats(name, std::move(dims), scales);
  std::vector<std::uint16_t> halves;
  for (const float s : scales) halves.push_back(toHalf(s));
  return Tensor::of<std::uint16_t>(name, type, std::move(dims), halves);
}

std::vector<float> floatsOf(const Tensor& t) {
  if (t.type == ElementType::Float) return {t.as<float>().begin(), t.as<float>().end()};
  std::vector<float> out;
  for (const std::uint16_t h : t.as<std::uint16_t>()) out.push_back(fromHalf(h));
  return out;
}

/// The blocks of [rows][in] as three initializers that begin with `base`; weights in the shape asked for.
void putBlocks(Model& out, const std::string& base, const std::vector<float>& w, std::int64_t rows, std::int64_t in, const BlockOptions& o,
               ElementType type, std::vector<std::int64_t> shape) {
  const std::int64_t blocks = (in + o.block - 1) / o.block;
  const Packed p = pack(w, rows, in, o, type == ElementType::Float16);
  out.initializers.push_back(Tensor::of<std::uint8_t>(base, ElementType::UInt8, std::move(shape), std::span(p.weights)));
  out.initializers.push_back(scalesTensor(base + "/scales", {rows, blocks}, p.scales, type));
  if (!o.symmetric)
    out.initializers.push_back(
        Tensor::of<std::uint8_t>(base + "/zeros", ElementType::UInt8, {rows, std::int64_t(p.zeros.size()) / rows}, std::span(p.zeros)));
}

std::string blocksName(const Tensor& weight, const BlockOptions& o) { return weight.name + "/q" + std::to_string(o.bits); }

void quantizeProduct(Model& out, Node& n, const Tensor& weight, const BlockOptions& o) {
  const std::int64_t in = weight.dims[0], rows = weight.dims[1], blocks = (in + o.block - 1) / o.block;
  const std::string base = blocksName(weight, o);
  if (!out.initializer(base))
    putBlocks(out, base, transposed(floatsOf(weight), in, rows), rows, in, o, weight.type, {rows, blocks, o.block * o.bits / 8});
  n.op = "MatMulNBits";
  n.domain = "com.microsoft";
  n.inputs = {n.inputs[0], base, base + "/scales"};
  if (!o.symmetric) n.inputs.push_back(base + "/zeros");
  n.attributes = {
      {"K", in}, {"N", rows}, {"bits", std::int64_t(o.bits)}, {"block_size", o.block}, {"accuracy_level", std::int64_t(o.accuracyLevel)}};
}

bool isMatrix(const Tensor* t) { return t && t->dims.size() == 2 && (t->type == ElementType::Float || t->type == ElementType::Float16); }

void useMicrosoft(Model& out) {
  if (std::none_of(out.opsets.begin(), out.opsets.end(), [](const auto& set) { return set.first == "com.microsoft"; }))
    out.opsets.emplace_back("com.microsoft", 1);
}

Result<void> checkOptions(const BlockOptions& o) {
  const auto bad = [](const char* name, const QString& value, const char* allowed) {
    return Failure{FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
  };
  if (o.bits != 4 && o.bits != 8) return bad("bits", QString::number(o.bits), "4, 8");
  if (o.block != 16 && o.block != 32 && o.block != 64 && o.block != 128 && o.block != 256)
    return bad("block", QString::number(o.block), "16, 32, 64, 128, 256");
  return {};
}

}  // namespace

Result<Model> quantizeBlocks(const Model& model, const BlockOptions& o) {
  if (auto fine = checkOptions(o); !fine) return fine.error();
  const GraphIndex index(model);
  Model out = model;
  for (Node& n : out.nodes) {
    if (n.op != "MatMul" || !n.domain.empty() || n.inputs.size() != 2 || o.keepFloat.count(n.name)) continue;
    if (const Tensor* weight = index.constant(n.inputs[1]); isMatrix(weight)) quantizeProduct(out, n, *weight, o);
  }
  dropUnusedInitializers(out);
  useMicrosoft(out);
  return out;
}

Result<Model> quantizeRows(const Model& model, const std::string& gather, const BlockOptions& o, const std::string& product) {
  if (auto fine = checkOptions(o); !fine) return fine.error();
  const auto named = [](Model& m, const std::string& name, const char* op) {
    return std::find_if(m.nodes.begin(), m.nodes.end(), [&](const Node& n) { return n.name == name && n.op == op; });
  };
  Model out = model;
  const auto found = named(out, gather, "Gather");
  const Tensor* table = found == out.nodes.end() ? nullptr : out.initializer(found->inputs[0]);
  if (!isMatrix(table)) return Failure{FailureKind::NotFound, {{"path", QString::fromStdString(gather)}}, "no table of rows"};
  const std::int64_t rows = table->dims[0], width = table->dims[1];
  if (width % o.block != 0) return model;  // whole blocks only: GatherBlockQuantized has no filling at the end of a row
  Node lookup{"GatherBlockQuantized", {}, found->outputs, {}, gather, "com.microsoft"};
  const std::string ids = found->inputs[1];
  std::vector<Node> before;
  const auto head = product.empty() ? out.nodes.end() : named(out, product, "MatMulNBits");
  if (head != out.nodes.end()) {
    // The same blocks, seen as whole rows. What they are cut in is what the product says.
    const std::int64_t bits = integerAttribute(*head, "bits", 4);
    const std::string shape = gather + "/rows/shape", whole = gather + "/rows/out";
    lookup.inputs = {whole, ids};
    lookup.inputs.insert(lookup.inputs.end(), head->inputs.begin() + 2, head->inputs.end());
    lookup.attributes = {{"bits", bits}, {"block_size", integerAttribute(*head, "block_size", 32)}};
    before.push_back({"Reshape", {head->inputs[1], shape}, {whole}, {}, gather + "/rows", {}});
    out.initializers.push_back(Tensor::ints(shape, {rows, width * bits / 8}));
  } else {
    const std::string base = blocksName(*table, o);
    lookup.inputs = {base, ids, base + "/scales"};
    if (!o.symmetric) lookup.inputs.push_back(base + "/zeros");
    lookup.attributes = {{"bits", std::int64_t(o.bits)}, {"block_size", o.block}};
    const std::vector<float> values = floatsOf(*table);
    const ElementType type = table->type;  // the table itself may move when initializers are added
    putBlocks(out, base, values, rows, width, o, type, {rows, width * o.bits / 8});
  }
  lookup.attributes["gather_axis"] = std::int64_t(0);
  lookup.attributes["quantize_axis"] = std::int64_t(1);
  *found = std::move(lookup);
  out.nodes.insert(found, before.begin(), before.end());
  dropUnusedInitializers(out);
  useMicrosoft(out);
  return out;
}

}  // namespace cloister::onnx
