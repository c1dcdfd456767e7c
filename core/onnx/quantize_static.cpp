#include <algorithm>
#include <cmath>

#include "core/onnx/graph_edit.h"
#include "core/onnx/quantize.h"

namespace cloister::onnx {
namespace {

bool hasConstantWeight(const Node& n, const GraphIndex& index) {
  const Tensor* w = n.inputs.size() > 1 ? index.constant(n.inputs[1]) : nullptr;
  return w && w->type == ElementType::Float;
}

bool isLayer(const Node& n, const GraphIndex& index) {
  if (!hasConstantWeight(n, index)) return false;
  if (n.op == "Conv") return true;
  return (n.op == "Gemm" || n.op == "MatMul") && index.constant(n.inputs[1])->dims.size() == 2;
}

// Ops that int8 passes through: they are quantized when what they read is.
bool passesThrough(const Node& n) { return n.op == "Relu" || n.op == "MaxPool" || n.op == "GlobalAveragePool" || n.op == "Flatten"; }

class StaticQuantizer {
 public:
  StaticQuantizer(const Model& m, const Statistics& statistics, const StaticOptions& options)
      : in_(m), index_(m), statistics_(statistics), options_(options), out_(m) {
    out_.nodes.clear();
  }

  Model run() {
    decide();
    for (const Node& n : in_.nodes) emit(n);
    dropUnusedInitializers(out_);
    return std::move(out_);
  }

 private:
  bool known(const std::string& value) const { return statistics_.count(value) > 0; }
  bool isInt8(const Node& n) const { return int8_.count(n.name) > 0; }
  bool isInt8(const std::string& value) const {
    const Node* p = index_.producer(value);
    return p && isInt8(*p);
  }

  // Which nodes compute in int8. Forwards, because a pooling or an addition follows what it reads.
  void decide() {
    for (const Node& n : in_.nodes) {
      if (isLayer(n, index_)) {
        if (!options_.keepFloat.count(n.name) && known(n.inputs[0]) && (n.op != "Conv" || known(n.outputs[0]))) int8_.insert(n.name);
      } else if (passesThrough(n)) {
        if (isInt8(n.inputs[0]) && givesInt8(n.inputs[0]) && known(n.outputs[0])) int8_.insert(n.name);
      } else if (n.op == "Add" && n.inputs.size() == 2) {
        const auto ok = [&](const std::string& v) { return isInt8(v) && givesInt8(v); };
        if (ok(n.inputs[0]) && ok(n.inputs[1]) && known(n.outputs[0])) int8_.insert(n.name);
      }
    }
  }

  // A product of tokens or features gives float: its result goes into float operations, and the runtime fuses the scaling.
  bool givesInt8(const std::string& value) const {
    const Node* p = index_.producer(value);
    return p && isInt8(*p) && p->op != "MatMul" && p->op != "Gemm" && !index_.isOutput(value);
  }

  // The Relu that alone reads this node's result and is in int8: it becomes the lower end of the range.
  const Node* absorbedRelu(const Node& n) const {
    if (n.op != "Conv" && n.op != "Add") return nullptr;
    const auto& readers = index_.consumers(n.outputs[0]);
    if (readers.size() != 1 || readers[0]->op != "Relu" || !isInt8(*readers[0]) || index_.isOutput(n.outputs[0])) return nullptr;
    return readers[0];
  }

  std::string constant(Tensor t) {
    const std::string name = t.name;
    if (constants_.insert(name).second) out_.initializers.push_back(std::move(t));
    return name;
  }

  ActivationScale scaleOf(const std::string& value) const {
    const Node* p = index_.producer(value);
    // What only passes through keeps its input's scale, so that the runtime moves bytes and computes nothing.
    if (p && isInt8(*p) && (p->op == "MaxPool" || p->op == "Flatten")) return scaleOf(p->inputs[0]);
    return activationScale(statistics_.at(value).range);
  }

  // x → QuantizeLinear → DequantizeLinear; the name of the dequantized value.
  std::string pair(const std::string& value, const std::string& from) {
    const std::string dq = value + "/dq";
    if (!pairs_.insert(value).second) return dq;
    const ActivationScale s = scaleOf(value);
    const std::string scale = constant(Tensor::floats(value + "/scale", {}, std::vector<float>{s.scale}));
    const std::string zero =
        constant(Tensor::of<std::uint8_t>(value + "/zero", ElementType::UInt8, {}, std::vector<std::uint8_t>{s.zeroPoint}));
    out_.nodes.push_back({"QuantizeLinear", {from, scale, zero}, {value + "/q"}, {}, value + "/q", {}});
    out_.nodes.push_back({"DequantizeLinear", {value + "/q", scale, zero}, {dq}, {}, dq, {}});
    return dq;
  }

  void emit(const Node& n) {
    if (!isInt8(n)) {
      Node copy = n;
      // A float reader of an int8 value takes the dequantized one.
      for (std::string& in : copy.inputs)
        if (givesInt8(in)) in += "/dq";
      out_.nodes.push_back(std::move(copy));
      return;
    }
    if (isLayer(n, index_)) layer(n);
    else if (n.op == "Relu" && absorbed_.count(n.name)) return;
    else through(n);
  }

  void through(const Node& n) {
    Node copy = n;
    for (std::string& in : copy.inputs) in += "/dq";
    finish(n, std::move(copy));
  }

  // Puts the node and, when its result is kept in int8, the pair behind it. An absorbed Relu gives the pair its range and name.
  void finish(const Node& original, Node node) {
    if (!givesInt8(original.outputs[0])) {
      out_.nodes.push_back(std::move(node));
      return;
    }
    std::string value = original.outputs[0];
    if (const Node* relu = absorbedRelu(original)) {
      absorbed_.insert(relu->name);
      value = relu->outputs[0];
    }
    const std::string raw = node.outputs[0];
    out_.nodes.push_back(std::move(node));
    pair(value, raw);
  }

  void layer(const Node& n) {
    const std::string& x = n.inputs[0];
    const std::string input = givesInt8(x) ? x + "/dq" : pair(x, x);
    const float inputScale = scaleOf(x).scale;
    const Tensor& weight = *index_.constant(n.inputs[1]);
    // Output channels: axis 0 of Conv and of Gemm with transB, axis 1 of MatMul.
    const std::size_t axis = n.op == "Conv" || integerAttribute(n, "transB", 0) ? 0 : 1;
    const Tensor* bias = n.inputs.size() > 2 ? index_.constant(n.inputs[2]) : nullptr;
    const auto channels = std::size_t(weight.dims[axis]);

    std::vector<float> smallest;
    if (bias)
      for (const float b : bias->as<float>()) smallest.push_back(std::abs(b) / inputScale / float(1 << 30));
    const QuantizedWeights q = quantizeWeights(weight.as<float>(), weight.dims, axis, smallest);

    Node copy = n;
    copy.inputs = {input, weightPair(n, weight, q, axis)};
    if (bias) {
      const auto values = bias->as<float>();
      std::vector<double> b(values.begin(), values.end());
      if (options_.biasCorrection) correct(b, n, weight, q, axis);
      copy.inputs.push_back(biasPair(n, b, q, inputScale, channels));
    }
    finish(n, std::move(copy));
  }

  std::string weightPair(const Node& n, const Tensor& weight, const QuantizedWeights& q, std::size_t axis) {
    const std::string base = n.name + "/" + weight.name;
    const std::string w = constant(Tensor::of<std::int8_t>(base + "/int8", ElementType::Int8, weight.dims, q.values));
    const std::string scale = constant(Tensor::floats(base + "/scale", {std::int64_t(q.scales.size())}, q.scales));
    const std::string zero = constant(Tensor::of<std::int8_t>(base + "/zero", ElementType::Int8, {std::int64_t(q.scales.size())},
                                                              std::vector<std::int8_t>(q.scales.size(), 0)));
    out_.nodes.push_back({"DequantizeLinear", {w, scale, zero}, {base + "/dq"}, {{"axis", std::int64_t(axis)}}, base + "/dq", {}});
    return base + "/dq";
  }

  std::string biasPair(const Node& n, const std::vector<double>& bias, const QuantizedWeights& q, float inputScale, std::size_t channels) {
    std::vector<std::int32_t> values;
    std::vector<float> scales;
    for (std::size_t c = 0; c < channels; ++c) {
      scales.push_back(inputScale * q.scales[c]);
      values.push_back(std::int32_t(std::clamp(std::nearbyint(bias[c] / double(scales[c])), -2147483647.0, 2147483647.0)));
    }
    const std::string base = n.name + "/bias";
    const auto size = std::int64_t(channels);
    const std::string b = constant(Tensor::of<std::int32_t>(base + "/int32", ElementType::Int32, {size}, values));
    const std::string scale = constant(Tensor::floats(base + "/scale", {size}, scales));
    const std::string zero =
        constant(Tensor::of<std::int32_t>(base + "/zero", ElementType::Int32, {size}, std::vector<std::int32_t>(channels, 0)));
    out_.nodes.push_back({"DequantizeLinear", {b, scale, zero}, {base + "/dq"}, {{"axis", std::int64_t(0)}}, base + "/dq", {}});
    return base + "/dq";
  }

  // Rounding moves the mean of each output channel by (w - ŵ)·E[x]; that much goes back into the bias (Nagel et al., 2019, section 4.2,
  // with the means measured on calibration samples).
  void correct(std::vector<double>& bias, const Node& n, const Tensor& weight, const QuantizedWeights& q, std::size_t axis) const {
    const auto& means = statistics_.at(n.inputs[0]).channelMean;
    const auto values = weight.as<float>();
    const auto out = std::size_t(weight.dims[axis]);
    const auto in = std::size_t(weight.dims[1 - axis]);
    if (means.size() != in || integerAttribute(n, "group", 1) != 1) return;
    const std::size_t inner = values.size() / (out * in);
    const std::size_t outStride = axis == 0 ? in * inner : inner, inStride = axis == 0 ? inner : out * inner;
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t k = 0; k < inner; ++k) {
          const std::size_t at = o * outStride + i * inStride + k;
          bias[o] += (double(values[at]) - double(q.values[at]) * double(q.scales[o])) * means[i];
        }
  }

  const Model& in_;
  GraphIndex index_;
  const Statistics& statistics_;
  const StaticOptions& options_;
  Model out_;
  std::set<std::string> int8_, absorbed_, pairs_, constants_;
};

}  // namespace

ActivationScale activationScale(Range r) {
  const float low = std::min(r.minimum, 0.0F), high = std::max(r.maximum, 0.0F);
  ActivationScale s;
  // A value that is always 0 gets scale 1: any scale is right for it.
  s.scale = high > low ? std::max((high - low) / 255.0F, 1e-20F) : 1.0F;
  s.zeroPoint = std::uint8_t(std::clamp(std::nearbyint(-low / s.scale), 0.0F, 255.0F));
  return s;
}

std::vector<std::string> quantizableLayers(const Model& m) {
  const GraphIndex index(m);
  std::vector<std::string> names;
  for (const Node& n : m.nodes)
    if (isLayer(n, index)) names.push_back(n.name);
  return names;
}

std::vector<std::string> valuesToCalibrate(const Model& m) {
  const GraphIndex index(m);
  std::vector<std::string> values;
  const auto want = [&](const std::string& v) {
    if (std::find(values.begin(), values.end(), v) == values.end()) values.push_back(v);
  };
  for (const Node& n : m.nodes) {
    if (isLayer(n, index)) want(n.inputs[0]);
    // A residual addition joins two computed values; the one that adds a constant is a bias or a table.
    const bool residual = n.op == "Add" && !index.constant(n.inputs[0]) && !index.constant(n.inputs[1]);
    if (n.op == "Conv" || passesThrough(n) || residual) want(n.outputs[0]);
  }
  return values;
}

Model quantizeStatic(const Model& m, const Statistics& statistics, const StaticOptions& options) {
  return StaticQuantizer(m, statistics, options).run();
}

}  // namespace cloister::onnx
