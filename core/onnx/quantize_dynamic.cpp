#include <algorithm>
#include <cmath>

#include "core/onnx/graph_edit.h"
#include "core/onnx/quantize.h"

namespace cloister::onnx {
namespace {

class DynamicQuantizer {
 public:
  DynamicQuantizer(const Model& m, const std::set<std::string>& keepFloat) : in_(m), index_(m), keep_(keepFloat), out_(m) {
    out_.nodes.clear();
  }

  Model run() {
    for (const Node& n : in_.nodes) {
      const Tensor* weight = n.inputs.size() > 1 ? index_.constant(n.inputs[1]) : nullptr;
      const bool usable = weight && weight->type == ElementType::Float && !keep_.count(n.name);
      if (usable && n.op == "Conv") conv(n, *weight);
      else if (usable && weight->dims.size() == 2 && n.op == "MatMul") matmul(n, *weight);
      else if (usable && weight->dims.size() == 2 && n.op == "Gemm" && plainGemm(n)) gemm(n, *weight);
      else out_.nodes.push_back(n);
    }
    dropUnusedInitializers(out_);
    return std::move(out_);
  }

 private:
  static bool plainGemm(const Node& n) {
    const auto factor = [&](const char* name) {
      const auto it = n.attributes.find(name);
      const auto* f = it == n.attributes.end() ? nullptr : std::get_if<float>(&it->second);
      return !f || *f == 1.0F;
    };
    return factor("alpha") && factor("beta") && integerAttribute(n, "transA", 0) == 0;
  }

  void put(const char* op, std::vector<std::string> inputs, std::vector<std::string> outputs,
           std::map<std::string, Attribute> attributes = {}) {
    const std::string name = outputs.front();
    out_.nodes.push_back({op, std::move(inputs), std::move(outputs), std::move(attributes), name, {}});
  }

  // Stored small, computed in float: Cast and Mul of constants are done once, when a runtime loads the model.
  void conv(const Node& n, const Tensor& weight) {
    const std::string name = weight.name + "/int8", scale = weight.name + "/scale", whole = weight.name + "/float";
    if (done_.insert(whole).second) {
      const QuantizedWeights q = quantizeWeights(weight.as<float>(), weight.dims, 0);
      out_.initializers.push_back(Tensor::of<std::int8_t>(name, ElementType::Int8, weight.dims, q.values));
      out_.initializers.push_back(Tensor::floats(scale, {weight.dims[0], 1, 1, 1}, q.scales));
      put("Cast", {name}, {name + "/cast"}, {{"to", std::int64_t(ElementType::Float)}});
      put("Mul", {name + "/cast", scale}, {whole});
    }
    Node copy = n;
    copy.inputs[1] = whole;
    out_.nodes.push_back(std::move(copy));
  }

  // One DynamicQuantizeLinear a value, however many products read it.
  std::string quantizedInput(const std::string& value) {
    if (done_.insert(value + "/u8").second) put("DynamicQuantizeLinear", {value}, {value + "/u8", value + "/u8/scale", value + "/u8/zero"});
    return value + "/u8";
  }

  void product(const std::string& name, const std::string& x, const std::string& weightName, const std::vector<float>& weight,
               const std::vector<std::int64_t>& dims, const std::string& result) {
    const QuantizedWeights q = quantizeWeights(weight, dims, 1);
    const std::string w = weightName + "/int8";
    if (done_.insert(w).second) {
      out_.initializers.push_back(Tensor::of<std::int8_t>(w, ElementType::Int8, dims, q.values));
      out_.initializers.push_back(Tensor::floats(w + "/scale", {dims[1]}, q.scales));
      const std::vector<std::int8_t> zero(std::size_t(dims[1]), 0);
      out_.initializers.push_back(Tensor::of<std::int8_t>(w + "/zero", ElementType::Int8, {dims[1]}, zero));
    }
    const std::string u8 = quantizedInput(x);
    put("MatMulInteger", {u8, w, u8 + "/zero", w + "/zero"}, {name + "/int32"});
    put("Cast", {name + "/int32"}, {name + "/product"}, {{"to", std::int64_t(ElementType::Float)}});
    put("Mul", {u8 + "/scale", w + "/scale"}, {name + "/scale"});
    put("Mul", {name + "/product", name + "/scale"}, {result});
  }

  void matmul(const Node& n, const Tensor& weight) {
    const auto values = weight.as<float>();
    product(n.name, n.inputs[0], weight.name, {values.begin(), values.end()}, weight.dims, n.outputs[0]);
  }

  void gemm(const Node& n, const Tensor& weight) {
    const bool transposedWeight = integerAttribute(n, "transB", 0) != 0;
    const auto values = weight.as<float>();
    std::vector<float> w(values.begin(), values.end());
    std::vector<std::int64_t> dims = weight.dims;
    if (transposedWeight) {
      w = transposed(values, dims[0], dims[1]);
      std::swap(dims[0], dims[1]);
    }
    const bool bias = n.inputs.size() > 2;
    product(n.name, n.inputs[0], weight.name, w, dims, bias ? n.name + "/unbiased" : n.outputs[0]);
    if (bias) put("Add", {n.name + "/unbiased", n.inputs[2]}, {n.outputs[0]});
  }

  const Model& in_;
  GraphIndex index_;
  const std::set<std::string>& keep_;
  Model out_;
  std::set<std::string> done_;
};

}  // namespace

QuantizedWeights quantizeWeights(std::span<const float> weights, const std::vector<std::int64_t>& dims, std::size_t axis,
                                 const std::vector<float>& smallest) {
  const auto channels = std::size_t(dims[axis]);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < dims.size(); ++i) inner *= std::size_t(dims[i]);
  std::vector<float> largest(channels, 0.0F);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    float& m = largest[i / inner % channels];
    m = std::max(m, std::abs(weights[i]));
  }
  QuantizedWeights q;
  for (std::size_t c = 0; c < channels; ++c) {
    // A channel without weights (a dead unit) gets scale 1: all its integers are 0.
    float scale = largest[c] > 0 ? largest[c] / 127.0F : 1.0F;
    if (!smallest.empty()) scale = std::max(scale, smallest[c]);
    q.scales.push_back(std::max(scale, 1e-30F));
  }
  q.values.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    q.values.push_back(std::int8_t(std::clamp(std::nearbyint(weights[i] / q.scales[i / inner % channels]), -127.0F, 127.0F)));
  return q;
}

Model quantizeDynamic(const Model& m, const std::set<std::string>& keepFloat) { return DynamicQuantizer(m, keepFloat).run(); }

}  // namespace cloister::onnx
