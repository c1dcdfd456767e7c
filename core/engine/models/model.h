// The LibTorch side of a ModelGraph: holds its tensors and runs its operations, for training, evaluation and attacks. There is no second
// description of an architecture: forward() walks the graph's list. Not thread-safe; one thread per object.
// Includes ATen only, because <torch/torch.h> costs half a minute per file; including it beside this header is fine.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <QString>
#include <QStringList>

#include "core/domain/model_graph.h"
#include "core/engine/kernels/fused.h"
#include "core/engine/models/trainable.h"

namespace cloister {

using NamedTensors = std::map<std::string, at::Tensor>;

class ClassifierModel : public Trainable {
 public:
  /// Tensors as the architecture's authors initialise them, from the seed alone.
  explicit ClassifierModel(ModelGraph graph, std::uint64_t seed = 0);

  /// A second model on the same weights with gradients and running statistics of its own: for a thread beside this one.
  std::unique_ptr<ClassifierModel> sharingWeights() const;

  const ModelGraph& graph() const { return graph_; }
  /// image: float32 [N, C, size, size], pixel/255 (normalisation is inside the graph), differentiable. Returns logits float32 [N, classes].
  at::Tensor forward(const at::Tensor& image);
  /// Batch statistics and dropout on or off. Starts off.
  void setTraining(bool on) { training_ = on; }
  bool training() const { return training_; }
  /// Moves the tensors, before an optimizer or another model holds them; what dropout draws differs between kinds of device.
  void moveTo(at::Device device);
  /// What dropout draws next is a function of this key alone.
  void setDropoutKey(std::uint64_t key) { dropoutKey_ = key; }
  /// Whether the weights collect gradients. Starts off, so that attacks differentiate only the image.
  void setGradients(bool on);

  /// From now on products and convolutions read bfloat16 copies of their weights, so that none is converted twice in a step: the gradients
  /// land on the copies, and whoever changes a weight changes its copy (Optimizer does; loadState does).
  void computeInBf16();

  /// Trainable tensors in the graph's order, float32.
  const std::vector<at::Tensor>& parameters() const override { return parameters_; }
  /// What the model computes with and gradients land on, in the same order: the parameter itself or its bfloat16 copy.
  const std::vector<at::Tensor>& computed() const override { return computed_; }
  /// Gradients in the same order; undefined where none was computed.
  std::vector<at::Tensor> gradients() const;
  const std::vector<std::string>& parameterNames() const override { return parameterNames_; }
  /// Running statistics (float) in the graph's order.
  const std::vector<at::Tensor>& statistics() const { return statistics_; }
  /// All tensors by name, shared with the model.
  const NamedTensors& state() const { return state_; }
  /// Copies values in; every name of the graph must be there with its shape. CorruptFile thrown otherwise.
  void loadState(const NamedTensors&, const QString& path);

 private:
  explicit ClassifierModel(const ClassifierModel& other);
  void allocate();
  void index();
  void planFusion(const std::vector<int>& readers, const std::vector<int>& readBy);
  void refreshCopies();
  at::Tensor run(std::size_t index, const std::vector<at::Tensor>& values, const at::Tensor& image);
  at::Tensor convolve(const GraphOp& op, const std::vector<at::Tensor>& t, const at::Tensor& x) const;
  at::Tensor dropout(std::size_t index, const at::Tensor& x);
  at::Tensor normed(std::size_t norm, const at::Tensor& x, const kernels::AfterNorm& after);

  /// How training runs several operations as one: where the chain ends, its norm and the summand; what is passed through on the way.
  struct Fusion {
    int norm = -1, summand = -1;
    bool passed = false;  ///< the operation hands on its input; the end of the chain does its work
  };

  ModelGraph graph_;
  bool training_ = false;
  std::vector<std::vector<at::Tensor>> opTensors_;   ///< per op, as GraphOp::tensors: float32
  std::vector<std::vector<at::Tensor>> runTensors_;  ///< the same, or bfloat16 copies of weights
  std::vector<Fusion> fusion_;                       ///< per op
  std::vector<int> lastUse_;                         ///< per op: index of the last op that reads it
  std::vector<char> mayOverwrite_;                   ///< per op: its input is read by nobody else
  std::vector<at::Tensor> parameters_, computed_, statistics_;
  std::vector<std::string> parameterNames_;
  NamedTensors state_;
  std::uint64_t dropoutKey_ = 0;
  at::Generator generator_;            ///< for dropout on a card; undefined on the processor
  std::vector<at::Tensor> normalise_;  ///< 1/std and -mean/std, [1,C,1,1]
};

/// Weights of a finished or running run: best/model.safetensors, ready for inference. NotFound or CorruptFile thrown.
std::shared_ptr<ClassifierModel> loadBest(const QString& runDir);
/// Any weights file written by us.
std::shared_ptr<ClassifierModel> loadModel(const QString& weightsFile);

/// Tensors ↔ safetensors. Written whole or absent, contiguous, F32 (or I64).
void saveTensors(const QString& path, const NamedTensors&, const QJsonObject& metadata = {});
NamedTensors readTensors(const QString& path);

/// What happened when foreign weights were put into a model: sentences for warning events.
struct TransferReport {
  int loaded = 0;
  QStringList reinitialised;  ///< tensor names that kept their random values (the head)
  QStringList warnings;
};
/// Transfer learning: takes every tensor whose name and shape fit, sums a 3-channel stem to 1 channel (or spreads 1 over 3), interpolates
/// position tables to another size, leaves the head alone when the classes differ. UnsupportedFormat thrown (with the reason) when the file
/// belongs to another architecture, CorruptFile for values that are not finite.
TransferReport loadBaseWeights(ClassifierModel&, const QString& path);

}  // namespace cloister
