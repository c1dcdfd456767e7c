#include "core/onnx/graph_edit.h"

#include <algorithm>

namespace cloister::onnx {

GraphIndex::GraphIndex(const Model& m) {
  for (const Node& n : m.nodes) {
    for (const std::string& out : n.outputs) producers_[out] = &n;
    for (const std::string& in : n.inputs) consumers_[in].push_back(&n);
  }
  for (const Tensor& t : m.initializers) constants_[t.name] = &t;
  for (const ValueInfo& v : m.outputs) outputs_.insert(v.name);
}

const Node* GraphIndex::producer(const std::string& value) const {
  const auto it = producers_.find(value);
  return it == producers_.end() ? nullptr : it->second;
}

const std::vector<const Node*>& GraphIndex::consumers(const std::string& value) const {
  static const std::vector<const Node*> none;
  const auto it = consumers_.find(value);
  return it == consumers_.end() ? none : it->second;
}

const Tensor* GraphIndex::constant(const std::string& value) const {
  const auto it = constants_.find(value);
  return it == constants_.end() ? nullptr : it->second;
}

void dropUnusedInitializers(Model& m) {
  std::set<std::string> used;
  for (const Node& n : m.nodes) used.insert(n.inputs.begin(), n.inputs.end());
  std::erase_if(m.initializers, [&](const Tensor& t) { return !used.count(t.name); });
}

std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t columns) {
  std::vector<float> t(values.size());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) t[std::size_t(c * rows + r)] = values[std::size_t(r * columns + c)];
  return t;
}

std::int64_t integerAttribute(const Node& n, const std::string& name, std::int64_t otherwise) {
  const auto it = n.attributes.find(name);
  const auto* v = it == n.attributes.end() ? nullptr : std::get_if<std::int64_t>(&it->second);
  return v ? *v : otherwise;
}

}  // namespace cloister::onnx
