// What an optimizer sees of a model: its trainable tensors by name, and what the model computes with. One thread per object.
#pragma once
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace cloister {

class Trainable {
 public:
  virtual ~Trainable() = default;
  /// float32, in an order that does not change.
  virtual const std::vector<at::Tensor>& parameters() const = 0;
  virtual const std::vector<std::string>& parameterNames() const = 0;
  /// What gradients land on, in the same order: the parameter itself or its bfloat16 copy.
  virtual const std::vector<at::Tensor>& computed() const = 0;
};

}  // namespace cloister
