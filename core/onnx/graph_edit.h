// Small tools for rewriting a graph: who makes and who reads a value, adding constants and nodes in order. Used by the quantizers only.
#pragma once
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/onnx/model.h"

namespace cloister::onnx {

/// Who makes and who reads each value. Valid until the model's nodes change.
class GraphIndex {
 public:
  explicit GraphIndex(const Model&);
  const Node* producer(const std::string& value) const;
  const std::vector<const Node*>& consumers(const std::string& value) const;
  bool isOutput(const std::string& value) const { return outputs_.count(value) > 0; }
  const Tensor* constant(const std::string& value) const;

 private:
  std::unordered_map<std::string, const Node*> producers_;
  std::unordered_map<std::string, std::vector<const Node*>> consumers_;
  std::unordered_map<std::string, const Tensor*> constants_;
  std::set<std::string> outputs_;
};

/// Removes initializers that no node reads.
void dropUnusedInitializers(Model&);

/// [rows, columns] → [columns, rows].
std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t columns);

/// The value of an integer attribute, or otherwise.
std::int64_t integerAttribute(const Node&, const std::string& name, std::int64_t otherwise);

}  // namespace cloister::onnx
