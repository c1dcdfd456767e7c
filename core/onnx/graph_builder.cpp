#include "core/onnx/graph_builder.h"

#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include <QJsonDocument>

#include "core/domain/version.h"

namespace cloister::onnx {
namespace {

using Floats = std::vector<float>;
using Dims = std::vector<std::int64_t>;

std::int64_t count(const Dims& d) { return std::accumulate(d.begin(), d.end(), std::int64_t(1), std::multiplies<>()); }

class Lowering {
 public:
  Lowering(const ModelGraph& graph, const std::map<std::string, TensorView>& weights, const QString& path)
      : g_(graph), weights_(weights), path_(path), uses_(graph.ops.size(), 0) {
    for (const GraphOp& op : g_.ops)
      for (const int i : op.inputs)
        if (i >= 0) ++uses_[std::size_t(i)];
  }

  Result<Model> run(const BuildInfo& info) {
    m_.graphName = g_.architecture.toStdString();
    m_.producer = "Cloister";
    m_.producerVersion = programVersion().toStdString();
    m_.inputs = {{"image", ElementType::Float, {{-1, "N"}, {g_.channels, {}}, {g_.size, {}}, {g_.size, {}}}}};
    for (std::size_t i = 0; i < g_.ops.size() && !failure_; ++i) names_.push_back(lower(i, g_.ops[i]));
    if (failure_) return *failure_;
    finish();
    metadata(info);
    return std::move(m_);
  }

 private:
  // ---- weights ----
  Floats read(const TensorSpec& spec) {
    const auto it = weights_.find(spec.name);
    const QString name = QString::fromStdString(spec.name);
    if (it == weights_.end()) return fail({FailureKind::NotFound, {{"path", name}}, QStringLiteral("not among the weights of ") + path_});
    const TensorView& v = it->second;
    if (v.dtype != DType::F32 || v.shape != spec.shape)
      return fail(
          {FailureKind::CorruptFile, {{"path", path_}}, QStringLiteral("tensor %1 has another shape or type than the model").arg(name)});
    Floats out(std::size_t(count(spec.shape)));
    std::memcpy(out.data(), v.data, v.bytes);
    return out;
  }
  Floats fail(Failure f) {
    if (!failure_) failure_ = std::move(f);
    return {};
  }

  // ---- graph pieces ----
  std::string constant(const std::string& name, Dims dims, const Floats& values) {
    m_.initializers.push_back(Tensor::floats(name, std::move(dims), values));
    return name;
  }
  std::string shared(const std::string& name, std::vector<std::int64_t> values) {
    if (!m_.initializer(name)) m_.initializers.push_back(Tensor::ints(name, std::move(values)));
    return name;
  }
  std::string scalar(const std::string& name, float value) {
    if (!m_.initializer(name)) m_.initializers.push_back(Tensor::floats(name, {}, Floats{value}));
    return name;
  }
  std::string node(const char* op, const std::string& name, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {}) {
    m_.nodes.push_back({op, std::move(inputs), {name + "/out"}, std::move(attributes), name, {}});
    return name + "/out";
  }
  std::string input(const GraphOp& op, std::size_t i = 0) const {
    const int from = op.inputs[i];
    return from < 0 ? std::string("image") : names_[std::size_t(from)];
  }

  std::string lower(std::size_t index, const GraphOp& op) {
    switch (op.kind) {
      case OpKind::Normalise:
        return normalise(index, op);
      case OpKind::Conv2d:
        return conv(index, op);
      case OpKind::BatchNorm:
        return batchNorm(op);
      case OpKind::Relu:
        return node("Relu", op.name, {input(op)});
      case OpKind::Gelu:
        return gelu(op);
      case OpKind::Silu:
        return node("Mul", op.name, {input(op), node("Sigmoid", op.name + "/sigmoid", {input(op)})});
      case OpKind::MaxPool:
        return maxPool(op);
      case OpKind::GlobalAveragePool: {
        const std::string pooled = node("GlobalAveragePool", op.name, {input(op)});
        return node("Flatten", op.name + "/flatten", {pooled}, {{"axis", std::int64_t(1)}});
      }
      case OpKind::Linear:
        return linear(op);
      case OpKind::Add:
        return node("Add", op.name, {input(op, 0), input(op, 1)});
      case OpKind::LayerNorm:
        return layerNorm(op);
      case OpKind::Attention:
        return attention(op);
      case OpKind::Patchify: {
        const std::string flat = node("Reshape", op.name + "/flat", {input(op), shared("shape/patches", {0, op.shape[1], op.shape[0]})});
        return node("Transpose", op.name, {flat}, {{"perm", Dims{0, 2, 1}}});
      }
      case OpKind::ClassToken:
        return classToken(op);
      case OpKind::PositionEmbedding:
        return node("Add", op.name, {input(op), constant(op.tensors[0].name, op.tensors[0].shape, read(op.tensors[0]))});
      case OpKind::SelectToken:
        if (!m_.initializer("index/zero"))
          m_.initializers.push_back(Tensor::of<std::int64_t>("index/zero", ElementType::Int64, {}, Dims{0}));
        return node("Gather", op.name, {input(op), "index/zero"}, {{"axis", std::int64_t(1)}});
      case OpKind::Dropout:
        return input(op);
    }
    return {};
  }

  // A convolution that alone reads the normalised image takes 1/std into its weights. The mean stays a subtraction: folded into the bias it
  // would be wrong where the window reaches into the padding.
  bool stdGoesIntoConv(std::size_t index) const {
    if (uses_[index] != 1 || index + 1 >= g_.ops.size()) return false;
    const GraphOp& next = g_.ops[index + 1];
    return next.kind == OpKind::Conv2d && next.groups == 1 && next.inputs[0] == int(index);
  }

  std::string normalise(std::size_t index, const GraphOp& op) {
    const auto c = std::int64_t(op.mean.size());
    Floats mean(op.mean.begin(), op.mean.end()), scale;
    for (const double s : op.std) scale.push_back(float(1.0 / s));
    const std::string centred = node("Sub", op.name + "/centre", {input(op), constant(op.name + ".mean", {1, c, 1, 1}, mean)});
    if (stdGoesIntoConv(index)) return centred;
    return node("Mul", op.name, {centred, constant(op.name + ".inverse_std", {1, c, 1, 1}, scale)});
  }

  struct Affine {
    std::vector<double> scale, shift;
  };
  // y = scale x + shift of an inference BatchNorm.
  Affine affineOf(const GraphOp& bn) {
    const Floats gamma = read(bn.tensors[0]), beta = read(bn.tensors[1]), mean = read(bn.tensors[2]), var = read(bn.tensors[3]);
    Affine a;
    if (failure_) return a;
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      a.scale.push_back(double(gamma[c]) / std::sqrt(double(var[c]) + bn.epsilon));
      a.shift.push_back(double(beta[c]) - double(mean[c]) * a.scale[c]);
    }
    return a;
  }

  // The BatchNorm that alone reads this convolution, so that both become one.
  const GraphOp* foldable(std::size_t index) const {
    if (uses_[index] != 1 || index + 1 >= g_.ops.size()) return nullptr;
    const GraphOp& next = g_.ops[index + 1];
    return next.kind == OpKind::BatchNorm && next.inputs[0] == int(index) ? &next : nullptr;
  }

  static void divideByStd(Floats& weight, const std::vector<double>& std, const Dims& shape) {
    const auto in = std::size_t(shape[1]), inner = std::size_t(shape[2] * shape[3]);
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = float(weight[i] / std[i / inner % in]);
  }

  std::string conv(std::size_t index, const GraphOp& op) {
    Floats weight = read(op.tensors[0]);
    const std::int64_t out = op.tensors[0].shape[0];
    std::optional<Floats> bias;
    if (op.tensors.size() > 1) bias = read(op.tensors[1]);
    if (failure_) return {};
    if (op.inputs[0] >= 0 && g_.ops[std::size_t(op.inputs[0])].kind == OpKind::Normalise && stdGoesIntoConv(std::size_t(op.inputs[0])))
      divideByStd(weight, g_.ops[std::size_t(op.inputs[0])].std, op.tensors[0].shape);
    if (const GraphOp* bn = foldable(index)) {
      const Affine a = affineOf(*bn);
      if (failure_) return {};
      if (!bias) bias = Floats(std::size_t(out), 0.0F);
      const std::size_t each = weight.size() / std::size_t(out);
      for (std::size_t o = 0; o < std::size_t(out); ++o) {
        for (std::size_t k = 0; k < each; ++k) weight[o * each + k] = float(weight[o * each + k] * a.scale[o]);
        (*bias)[o] = float((*bias)[o] * a.scale[o] + a.shift[o]);
      }
    }
    std::vector<std::string> inputs{input(op), constant(op.tensors[0].name, op.tensors[0].shape, weight)};
    if (bias) inputs.push_back(constant(op.name + ".bias", {out}, *bias));
    return node("Conv", op.name, inputs,
                {{"kernel_shape", Dims{op.kernel, op.kernel}},
                 {"strides", Dims{op.stride, op.stride}},
                 {"pads", Dims(4, op.padding)},
                 {"group", std::int64_t(op.groups)}});
  }

  std::string batchNorm(const GraphOp& op) {
    const int from = op.inputs[0];
    if (from >= 0 && g_.ops[std::size_t(from)].kind == OpKind::Conv2d && foldable(std::size_t(from)) == &op) return input(op);
    std::vector<std::string> inputs{input(op)};
    for (std::size_t i = 0; i < 4; ++i) inputs.push_back(constant(op.tensors[i].name, op.tensors[i].shape, read(op.tensors[i])));
    return node("BatchNormalization", op.name, inputs, {{"epsilon", float(op.epsilon)}});
  }

  std::string gelu(const GraphOp& op) {
    const std::string x = input(op);
    const std::string scaled = node("Div", op.name + "/div", {x, scalar("constant/sqrt2", std::sqrt(2.0F))});
    const std::string erf = node("Erf", op.name + "/erf", {scaled});
    const std::string plus = node("Add", op.name + "/add", {erf, scalar("constant/one", 1.0F)});
    const std::string mul = node("Mul", op.name + "/mul", {x, plus});
    return node("Mul", op.name, {mul, scalar("constant/half", 0.5F)});
  }

  std::string maxPool(const GraphOp& op) {
    return node("MaxPool", op.name, {input(op)},
                {{"kernel_shape", Dims{op.kernel, op.kernel}}, {"strides", Dims{op.stride, op.stride}}, {"pads", Dims(4, op.padding)}});
  }

  static Floats transposed(const Floats& w, std::int64_t rows, std::int64_t columns) {
    Floats t(w.size());
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c) t[std::size_t(c * rows + r)] = w[std::size_t(r * columns + c)];
    return t;
  }

  // Tokens: MatMul with [in, out] and Add, the pair that runtimes fuse and quantize; a vector a sample: Gemm.
  std::string matmul(const std::string& name, const std::string& x, const std::string& weightName, const Floats& weight, const Floats& bias,
                     std::int64_t out, std::int64_t in) {
    if (failure_) return {};
    const std::string product = node("MatMul", name + "/matmul", {x, constant(weightName, {in, out}, transposed(weight, out, in))});
    return node("Add", name, {constant(name + ".bias", {out}, bias), product});
  }

  std::string linear(const GraphOp& op) {
    const Floats weight = read(op.tensors[0]), bias = read(op.tensors[1]);
    const std::int64_t out = op.tensors[0].shape[0], in = op.tensors[0].shape[1];
    if (op.shape.size() > 1) return matmul(op.name, input(op), op.tensors[0].name, weight, bias, out, in);
    return node("Gemm", op.name, {input(op), constant(op.tensors[0].name, {out, in}, weight), constant(op.tensors[1].name, {out}, bias)},
                {{"transB", std::int64_t(1)}});
  }

  std::string layerNorm(const GraphOp& op) {
    const auto& w = op.tensors[0];
    const auto& b = op.tensors[1];
    return node("LayerNormalization", op.name, {input(op), constant(w.name, w.shape, read(w)), constant(b.name, b.shape, read(b))},
                {{"axis", std::int64_t(-1)}, {"epsilon", float(op.epsilon)}});
  }

  std::string attention(const GraphOp& op) {
    const std::int64_t d = op.shape[1], heads = op.heads, each = d / heads;
    Floats weight = read(op.tensors[0]), bias = read(op.tensors[1]);
    const Floats outWeight = read(op.tensors[2]), outBias = read(op.tensors[3]);
    if (failure_) return {};
    // softmax(q kᵀ / √each): the factor goes into q once, at export.
    const double scale = 1.0 / std::sqrt(double(each));
    for (std::int64_t i = 0; i < d * d; ++i) weight[std::size_t(i)] = float(weight[std::size_t(i)] * scale);
    for (std::int64_t i = 0; i < d; ++i) bias[std::size_t(i)] = float(bias[std::size_t(i)] * scale);
    const std::string qkv = matmul(op.name + "/qkv", input(op), op.tensors[0].name, weight, bias, 3 * d, d);
    m_.nodes.push_back({"Split",
                        {qkv, shared("split/qkv", {d, d, d})},
                        {op.name + "/q", op.name + "/k", op.name + "/v"},
                        {{"axis", std::int64_t(-1)}},
                        op.name + "/split",
                        {}});
    const std::string shape = shared("shape/heads", {0, 0, heads, each});
    const auto byHead = [&](const std::string& which, Dims perm) {
      const std::string split = node("Reshape", op.name + "/" + which + "/heads", {op.name + "/" + which, shape});
      return node("Transpose", op.name + "/" + which + "/transpose", {split}, {{"perm", std::move(perm)}});
    };
    const std::string q = byHead("q", {0, 2, 1, 3}), k = byHead("k", {0, 2, 3, 1}), v = byHead("v", {0, 2, 1, 3});
    const std::string scores = node("MatMul", op.name + "/scores", {q, k});
    const std::string weights = node("Softmax", op.name + "/softmax", {scores}, {{"axis", std::int64_t(-1)}});
    const std::string mixed = node("MatMul", op.name + "/mix", {weights, v});
    const std::string joined = node("Transpose", op.name + "/join", {mixed}, {{"perm", Dims{0, 2, 1, 3}}});
    const std::string flat = node("Reshape", op.name + "/flat", {joined, shared("shape/hidden", {0, 0, d})});
    return matmul(op.name, flat, op.tensors[2].name, outWeight, outBias, d, d);
  }

  std::string classToken(const GraphOp& op) {
    const TensorSpec& token = op.tensors[0];
    const std::string name = constant(token.name, token.shape, read(token));
    // [N] from the input, so that the token is repeated for any batch.
    const std::string shape = node("Shape", op.name + "/batch", {"image"}, {{"start", std::int64_t(0)}, {"end", std::int64_t(1)}});
    const std::string full =
        node("Concat", op.name + "/shape", {shape, shared("shape/token", {1, op.shape[1]})}, {{"axis", std::int64_t(0)}});
    const std::string repeated = node("Expand", op.name + "/expand", {name, full});
    return node("Concat", op.name, {repeated, input(op)}, {{"axis", std::int64_t(1)}});
  }

  void finish() {
    m_.nodes.push_back({"Softmax", {"logits"}, {"probabilities"}, {{"axis", std::int64_t(1)}}, "probabilities", {}});
    const std::string& last = names_.back();
    for (Node& n : m_.nodes)
      for (std::string& out : n.outputs)
        if (out == last) out = "logits";
    for (const char* name : {"logits", "probabilities"}) m_.outputs.push_back({name, ElementType::Float, {{-1, "N"}, {g_.classes, {}}}});
  }

  void metadata(const BuildInfo& info) {
    const auto put = [&](const char* key, const QString& value) {
      if (!value.isEmpty()) m_.metadata[key] = value.toStdString();
    };
    put("cloister.run", info.run);
    put("cloister.snapshot", info.snapshot);
    put("cloister.weights_sha256", info.weightsSha256);
    put("cloister.model", QString::fromUtf8(QJsonDocument(g_.recipe()).toJson(QJsonDocument::Compact)));
    put("cloister.input", QStringLiteral("image: float32 NCHW, pixel / 255; normalisation is inside the graph"));
  }

  const ModelGraph& g_;
  const std::map<std::string, TensorView>& weights_;
  const QString& path_;
  Model m_;
  std::vector<std::string> names_;  ///< of the value that each op of the description gives
  std::vector<int> uses_;
  std::optional<Failure> failure_;
};

}  // namespace

Result<Model> buildModel(const ModelGraph& graph, const std::map<std::string, TensorView>& weights, const QString& weightsPath,
                         const BuildInfo& info) {
  return Lowering(graph, weights, weightsPath).run(info);
}

}  // namespace cloister::onnx
