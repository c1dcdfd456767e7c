#include "core/domain/model_graph.h"

#include <numeric>

#include <QJsonArray>
#include <QJsonDocument>

namespace cloister {
namespace {

using Shape = std::vector<std::int64_t>;

std::int64_t product(const Shape& s) { return std::accumulate(s.begin(), s.end(), std::int64_t(1), std::multiplies<>()); }

// Appends ops; `last` is the index of the value that the next op reads unless told otherwise.
class Builder {
 public:
  explicit Builder(ModelGraph& graph) : g_(graph) {}

  int last() const { return int(g_.ops.size()) - 1; }
  const Shape& shapeOf(int index) const {
    static const Shape none;
    return index < 0 ? image_ : g_.ops[std::size_t(index)].shape;
  }
  void setImage(Shape s) { image_ = std::move(s); }

  GraphOp& op(OpKind kind, std::string name, std::vector<int> inputs, Shape shape) {
    GraphOp o;
    o.kind = kind;
    o.name = std::move(name);
    o.inputs = std::move(inputs);
    o.shape = std::move(shape);
    g_.ops.push_back(std::move(o));
    return g_.ops.back();
  }

  int same(OpKind kind, const std::string& name) {
    op(kind, name, {last()}, shapeOf(last()));
    return last();
  }

  int conv(const std::string& name, int from, int out, int kernel, int stride, int padding, bool bias = false) {
    const Shape in = shapeOf(from);
    const auto side = [&](std::int64_t n) { return (n + 2 * padding - kernel) / stride + 1; };
    GraphOp& o = op(OpKind::Conv2d, name, {from}, {out, side(in[1]), side(in[2])});
    o.kernel = kernel;
    o.stride = stride;
    o.padding = padding;
    o.tensors.push_back({name + ".weight", {out, in[0], kernel, kernel}});
    if (bias) o.tensors.push_back({name + ".bias", {out}});
    return last();
  }

  int batchNorm(const std::string& name) {
    const std::int64_t c = shapeOf(last())[0];
    same(OpKind::BatchNorm, name);
    g_.ops.back().tensors = {{name + ".weight", {c}},
                             {name + ".bias", {c}},
                             {name + ".running_mean", {c}, false},
                             {name + ".running_var", {c}, false},
                             {name + ".num_batches_tracked", {}, false, true}};
    return last();
  }

  int maxPool(const std::string& name, int kernel, int stride, int padding) {
    const Shape in = shapeOf(last());
    const auto side = [&](std::int64_t n) { return (n + 2 * padding - kernel) / stride + 1; };
    GraphOp& o = op(OpKind::MaxPool, name, {last()}, {in[0], side(in[1]), side(in[2])});
    o.kernel = kernel;
    o.stride = stride;
    o.padding = padding;
    return last();
  }

  int globalPool(const std::string& name) {
    op(OpKind::GlobalAveragePool, name, {last()}, {shapeOf(last())[0]});
    return last();
  }

  int linear(const std::string& name, std::int64_t out) {
    Shape shape = shapeOf(last());
    const std::int64_t in = shape.back();
    shape.back() = out;
    op(OpKind::Linear, name, {last()}, shape).tensors = {{name + ".weight", {out, in}}, {name + ".bias", {out}}};
    return last();
  }

  int layerNorm(const std::string& name, int from) {
    const std::int64_t d = shapeOf(from).back();
    GraphOp& o = op(OpKind::LayerNorm, name, {from}, shapeOf(from));
    o.epsilon = 1e-6;
    o.tensors = {{name + ".weight", {d}}, {name + ".bias", {d}}};
    return last();
  }

  int add(const std::string& name, int a, int b) {
    op(OpKind::Add, name, {a, b}, shapeOf(a));
    return last();
  }

  int dropout(const std::string& name) {
    if (g_.dropout <= 0) return last();
    same(OpKind::Dropout, name);
    g_.ops.back().probability = g_.dropout;
    return last();
  }

 private:
  ModelGraph& g_;
  Shape image_;
};

// torchvision.models.resnet: BasicBlock (18, 34) and Bottleneck v1.5 (50: the stride stands in the 3×3).
void resnet(Builder& b, ModelGraph& g, std::vector<int> blocks, bool bottleneck) {
  const int expansion = bottleneck ? 4 : 1;
  b.conv("conv1", b.last(), 64, 7, 2, 3);
  b.batchNorm("bn1");
  b.same(OpKind::Relu, "relu");
  b.maxPool("maxpool", 3, 2, 1);
  int in = 64;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    const int width = 64 << stage;
    for (int i = 0; i < blocks[stage]; ++i) {
      const std::string p = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      const int from = b.last();
      int shortcut = from;
      if (bottleneck) {
        b.conv(p + ".conv1", from, width, 1, 1, 0);
        b.batchNorm(p + ".bn1");
        b.same(OpKind::Relu, p + ".relu1");
        b.conv(p + ".conv2", b.last(), width, 3, stride, 1);
        b.batchNorm(p + ".bn2");
        b.same(OpKind::Relu, p + ".relu2");
        b.conv(p + ".conv3", b.last(), width * 4, 1, 1, 0);
      } else {
        b.conv(p + ".conv1", from, width, 3, stride, 1);
        b.batchNorm(p + ".bn1");
        b.same(OpKind::Relu, p + ".relu1");
        b.conv(p + ".conv2", b.last(), width, 3, 1, 1);
      }
      const int body = b.batchNorm(p + (bottleneck ? ".bn3" : ".bn2"));
      if (stride != 1 || in != width * expansion) {
        b.conv(p + ".downsample.0", from, width * expansion, 1, stride, 0);
        shortcut = b.batchNorm(p + ".downsample.1");
      }
      b.add(p + ".add", body, shortcut);
      b.same(OpKind::Relu, p + ".relu");
      in = width * expansion;
    }
  }
  b.globalPool("avgpool");
  b.dropout("dropout");
  b.linear("fc", g.classes);
}

// torchvision.models.VisionTransformer(size, 16, layers 12, heads 6, hidden 384, mlp 1536): ViT-S/16.
void visionTransformer(Builder& b, ModelGraph& g) {
  constexpr int kPatch = 16, kHidden = 384, kLayers = 12, kHeads = 6, kMlp = 1536;
  b.conv("conv_proj", b.last(), kHidden, kPatch, kPatch, 0, true);
  const std::int64_t tokens = std::int64_t(g.size / kPatch) * (g.size / kPatch);
  b.op(OpKind::Patchify, "patchify", {b.last()}, {tokens, kHidden});
  b.op(OpKind::ClassToken, "class_token", {b.last()}, {tokens + 1, kHidden}).tensors = {{"class_token", {1, 1, kHidden}}};
  b.op(OpKind::PositionEmbedding, "encoder.pos_embedding", {b.last()}, {tokens + 1, kHidden}).tensors = {
      {"encoder.pos_embedding", {1, tokens + 1, kHidden}}};
  b.dropout("encoder.dropout");
  for (int i = 0; i < kLayers; ++i) {
    const std::string p = "encoder.layers.encoder_layer_" + std::to_string(i);
    const int x = b.last();
    b.layerNorm(p + ".ln_1", x);
    GraphOp& attention = b.op(OpKind::Attention, p + ".self_attention", {b.last()}, b.shapeOf(b.last()));
    attention.heads = kHeads;
    attention.tensors = {{p + ".self_attention.in_proj_weight", {3 * kHidden, kHidden}},
                         {p + ".self_attention.in_proj_bias", {3 * kHidden}},
                         {p + ".self_attention.out_proj.weight", {kHidden, kHidden}},
                         {p + ".self_attention.out_proj.bias", {kHidden}}};
    b.dropout(p + ".dropout");
    const int y = b.add(p + ".add_1", b.last(), x);
    b.layerNorm(p + ".ln_2", y);
    b.linear(p + ".mlp.0", kMlp);
    b.same(OpKind::Gelu, p + ".mlp.1");
    b.dropout(p + ".mlp.2");
    b.linear(p + ".mlp.3", kHidden);
    b.dropout(p + ".mlp.4");
    b.add(p + ".add_2", y, b.last());
  }
  b.layerNorm("encoder.ln", b.last());
  b.op(OpKind::SelectToken, "select", {b.last()}, {kHidden});
  b.linear("heads.head", g.classes);
}

// A residual network for two processor cores: the stem brings any size to about 56 pixels before the wide work starts, so a step costs
// about the same at 64 and at 224 pixels.
void smallCnn(Builder& b, ModelGraph& g) {
  const int stemStride = g.size > 96 ? 2 : 1;
  b.conv("stem.conv", b.last(), 32, 5, stemStride, 2);
  b.batchNorm("stem.bn");
  b.same(OpKind::Relu, "stem.relu");
  b.maxPool("stem.pool", 3, 2, 1);
  const int widths[] = {32, 64, 128, 256};
  for (int stage = 0; stage < 4; ++stage) {
    const std::string p = "stage" + std::to_string(stage + 1);
    const int from = b.last(), stride = stage == 0 ? 1 : 2;
    b.conv(p + ".conv1", from, widths[stage], 3, stride, 1);
    b.batchNorm(p + ".bn1");
    b.same(OpKind::Relu, p + ".relu1");
    b.conv(p + ".conv2", b.last(), widths[stage], 3, 1, 1);
    const int body = b.batchNorm(p + ".bn2");
    int shortcut = from;
    if (stage > 0) {
      b.conv(p + ".shortcut.conv", from, widths[stage], 1, stride, 0);
      shortcut = b.batchNorm(p + ".shortcut.bn");
    }
    b.add(p + ".add", body, shortcut);
    b.same(OpKind::Relu, p + ".relu");
  }
  b.globalPool("pool");
  b.dropout("dropout");
  b.linear("head", g.classes);
}

Failure refused(const char* name, const QVariant& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value.toString()}, {"allowed", allowed}}, {}};
}

QJsonArray toArray(const std::vector<double>& v) {
  QJsonArray a;
  for (double d : v) a.append(d);
  return a;
}

std::vector<double> toVector(const QJsonArray& a) {
  std::vector<double> v;
  for (const QJsonValue& x : a) v.push_back(x.toDouble());
  return v;
}

}  // namespace

const char* opKindName(OpKind kind) {
  constexpr const char* names[] = {
      "normalise",           "conv2d",       "batch_norm", "relu",       "gelu",      "silu",     "max_pool",
      "global_average_pool", "linear",       "add",        "layer_norm", "attention", "patchify", "class_token",
      "position_embedding",  "select_token", "dropout"};
  return names[std::size_t(kind)];
}

QStringList knownArchitectures() { return {"small_cnn", "resnet18", "resnet34", "resnet50", "vit_s_16"}; }

Result<ModelGraph> buildGraph(const QString& architecture, const QJsonObject& parameters, int channels, int size, int classes,
                              std::vector<double> mean, std::vector<double> std, QStringList classNames) {
  if (!knownArchitectures().contains(architecture)) return refused("architecture", architecture, knownArchitectures().join(", "));
  if (channels != 1 && channels != 3) return refused("channels", channels, "1, 3");
  if (classes < 2 || classes > 100000) return refused("classes", classes, "2 – 100000");
  const bool vit = architecture == u"vit_s_16";
  if (size < 32 || size > 2048 || (vit && size % 16 != 0)) return refused("size", size, vit ? "32 – 2048, a multiple of 16" : "32 – 2048");
  ModelGraph g;
  g.architecture = architecture;
  g.channels = channels;
  g.size = size;
  g.classes = classes;
  g.dropout = parameters["dropout"].toDouble(0.1);
  if (!(g.dropout >= 0 && g.dropout < 1)) return refused("dropout", g.dropout, "0 – 0.99");
  g.mean = mean.empty() ? std::vector<double>(std::size_t(channels), 0.0) : std::move(mean);
  g.std = std.empty() ? std::vector<double>(std::size_t(channels), 1.0) : std::move(std);
  if (int(g.mean.size()) != channels || int(g.std.size()) != channels) return refused("mean", int(g.mean.size()), "one value a channel");
  for (double& s : g.std)
    if (!(s > 1e-6)) s = 1.0;  // a constant channel
  g.classNames = std::move(classNames);

  Builder b(g);
  b.setImage({channels, size, size});
  GraphOp& normalise = b.op(OpKind::Normalise, "normalise", {-1}, {channels, size, size});
  normalise.mean = g.mean;
  normalise.std = g.std;
  if (architecture == u"resnet18") resnet(b, g, {2, 2, 2, 2}, false);
  else if (architecture == u"resnet34") resnet(b, g, {3, 4, 6, 3}, false);
  else if (architecture == u"resnet50") resnet(b, g, {3, 4, 6, 3}, true);
  else if (vit) visionTransformer(b, g);
  else smallCnn(b, g);
  return g;
}

std::vector<TensorSpec> ModelGraph::tensors() const {
  std::vector<TensorSpec> all;
  for (const GraphOp& o : ops) all.insert(all.end(), o.tensors.begin(), o.tensors.end());
  return all;
}

std::int64_t ModelGraph::parameterCount() const {
  std::int64_t n = 0;
  for (const GraphOp& o : ops)
    for (const TensorSpec& t : o.tensors)
      if (t.trainable) n += product(t.shape);
  return n;
}

std::int64_t ModelGraph::activationElements() const {
  std::int64_t n = std::int64_t(channels) * size * size;
  for (const GraphOp& o : ops) {
    n += product(o.shape);
    if (o.kind == OpKind::Attention) n += 4 * product(o.shape);  // q, k, v and the mixed values before out_proj
  }
  return n;
}

std::int64_t ModelGraph::multiplyAdds() const {
  std::int64_t n = 0;
  for (const GraphOp& o : ops) {
    if (o.kind == OpKind::Conv2d) n += product(o.tensors[0].shape) * o.shape[1] * o.shape[2];
    if (o.kind == OpKind::Linear) n += product(o.tensors[0].shape) * (o.shape.size() > 1 ? o.shape[0] : 1);
    if (o.kind == OpKind::Attention) {
      const std::int64_t t = o.shape[0], d = o.shape[1];
      n += 4 * t * d * d + 2 * t * t * d;
    }
  }
  return n;
}

QJsonObject ModelGraph::recipe() const {
  return {{"format", 1},           {"architecture", architecture}, {"channels", channels},
          {"size", size},          {"classes", classes},           {"dropout", dropout},
          {"mean", toArray(mean)}, {"std", toArray(std)},          {"classNames", QJsonArray::fromStringList(classNames)}};
}

Result<ModelGraph> ModelGraph::fromRecipe(const QJsonObject& o) {
  if (o["format"].toInt() > 1)
    return Failure{FailureKind::NewerVersion, {{"path", "model recipe"}, {"found", o["format"].toInt()}, {"supported", 1}}, {}};
  QStringList names;
  const QJsonArray array = o["classNames"].toArray();
  for (const QJsonValue& v : array) names << v.toString();
  return buildGraph(o["architecture"].toString(), {{"dropout", o["dropout"].toDouble(0.1)}}, o["channels"].toInt(), o["size"].toInt(),
                    o["classes"].toInt(), toVector(o["mean"].toArray()), toVector(o["std"].toArray()), names);
}

Result<ModelGraph> ModelGraph::fromMetadata(const QJsonObject& metadata, const QString& path) {
  const QJsonDocument doc = QJsonDocument::fromJson(metadata["cloister.model"].toString().toUtf8());
  if (!doc.isObject()) return Failure{FailureKind::CorruptFile, {{"path", path}}, "no cloister.model in the metadata"};
  return fromRecipe(doc.object());
}

QJsonObject ModelGraph::metadata() const {
  return {{"cloister.model", QString::fromUtf8(QJsonDocument(recipe()).toJson(QJsonDocument::Compact))}};
}

}  // namespace cloister
