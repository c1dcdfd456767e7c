#include <algorithm>

#include "core/onnx/graph_edit.h"
#include "core/onnx/quantize.h"
#include "core/tensors/half.h"

namespace cloister::onnx {
namespace {

bool staysFloat(const Node& n) { return n.op == "LayerNormalization" || n.op == "Softmax" || n.op == "GlobalAveragePool"; }

std::shared_ptr<const std::vector<std::byte>> halves(std::span<const float> values) {
  auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * 2);
  auto* to = reinterpret_cast<std::uint16_t*>(bytes->data());
  for (const float v : values) *to++ = toHalf(v);
  return bytes;
}

class HalfConverter {
 public:
  explicit HalfConverter(const Model& m) : in_(m), index_(m), out_(m) {}

  Model run() {
    out_.nodes.clear();
    for (const ValueInfo& v : in_.inputs)
      if (v.type == ElementType::Float) precision_[v.name] = ElementType::Float;
    for (const Node& n : in_.nodes) convert(n);
    convertConstants();
    for (const ValueInfo& v : in_.outputs) finishOutput(v.name);
    return std::move(out_);
  }

 private:
  // The name under which a float value is there in the wanted precision; a Cast is added the first time.
  std::string wanted(const std::string& value, ElementType type) {
    const auto it = precision_.find(value);
    if (it == precision_.end() || it->second == type) return value;
    const bool half = type == ElementType::Float16;
    const std::string cast = value + (half ? "/f16" : "/f32");
    if (casts_.insert(cast).second) out_.nodes.push_back({"Cast", {value}, {cast}, {{"to", std::int64_t(type)}}, cast, {}});
    return cast;
  }

  void convert(const Node& n) {
    Node copy = n;
    const bool isFloat = staysFloat(n);
    bool floating = false;
    for (std::string& in : copy.inputs) {
      const Tensor* constant = index_.constant(in);
      if (constant && constant->type == ElementType::Float) {
        (isFloat ? floatConstants_ : halfConstants_).insert(in);
        floating = true;
        continue;
      }
      floating |= precision_.count(in) > 0;
      if (n.op != "Shape") in = wanted(in, isFloat ? ElementType::Float : ElementType::Float16);
    }
    if (floating && n.op != "Shape")
      for (const std::string& o : n.outputs) precision_[o] = isFloat ? ElementType::Float : ElementType::Float16;
    out_.nodes.push_back(std::move(copy));
  }

  // A constant read by both kinds of node is kept twice, the half one under another name.
  void convertConstants() {
    std::vector<Tensor> converted;
    for (const Tensor& t : in_.initializers) {
      const bool half = halfConstants_.count(t.name) > 0, full = floatConstants_.count(t.name) > 0;
      if (!half || full) converted.push_back(t);
      if (!half) continue;
      Tensor h{full ? t.name + "/f16" : t.name, ElementType::Float16, t.dims, halves(t.as<float>()), {}};
      if (full)
        for (Node& n : out_.nodes)
          if (!staysFloat(n)) std::replace(n.inputs.begin(), n.inputs.end(), t.name, h.name);
      converted.push_back(std::move(h));
    }
    out_.initializers = std::move(converted);
  }

  // Outputs are float32 for whoever reads them: a half one is renamed and cast back.
  void finishOutput(const std::string& name) {
    if (precision_[name] != ElementType::Float16) return;
    const std::string inner = name + "/half";
    for (Node& n : out_.nodes) {
      std::replace(n.inputs.begin(), n.inputs.end(), name, inner);
      std::replace(n.outputs.begin(), n.outputs.end(), name, inner);
    }
    out_.nodes.push_back({"Cast", {inner}, {name}, {{"to", std::int64_t(ElementType::Float)}}, name + "/cast", {}});
  }

  const Model& in_;
  GraphIndex index_;
  Model out_;
  std::map<std::string, ElementType> precision_;
  std::set<std::string> casts_, halfConstants_, floatConstants_;
};

}  // namespace

Model toHalfPrecision(const Model& m) { return HalfConverter(m).run(); }

}  // namespace cloister::onnx
