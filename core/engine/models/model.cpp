#include "core/engine/models/model.h"

#include <algorithm>
#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/engine/data/counter_rng.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

std::int64_t fanIn(const at::Tensor& w) { return w.size(1) * (w.dim() == 4 ? w.size(2) * w.size(3) : 1); }

void defaultLinear(const at::Tensor& weight, const at::Tensor& bias, at::Generator& g) {
  const double bound = 1.0 / std::sqrt(double(fanIn(weight)));  // kaiming_uniform(a = √5), as nn.Linear
  at::Tensor(weight).uniform_(-bound, bound, g);
  if (bias.defined()) at::Tensor(bias).uniform_(-bound, bound, g);
}

void xavierUniform(at::Tensor w, at::Generator& g) {
  const double bound = std::sqrt(6.0 / double(w.size(0) + w.size(1)));
  w.uniform_(-bound, bound, g);
}

// torchvision: resnet.py (kaiming_normal_, fan_out, relu), vision_transformer.py (head zero, xavier MLP, position table normal 0.02).
void initialise(const GraphOp& op, const std::vector<at::Tensor>& t, at::Generator& g, bool transformer) {
  switch (op.kind) {
    case OpKind::Conv2d:
      if (transformer) at::Tensor(t[0]).normal_(0, std::sqrt(1.0 / double(fanIn(t[0]))), g);
      else at::Tensor(t[0]).normal_(0, std::sqrt(2.0 / double(t[0].size(0) * op.kernel * op.kernel)), g);
      if (t.size() > 1) at::Tensor(t[1]).zero_();
      break;
    case OpKind::BatchNorm:
      at::Tensor(t[0]).fill_(1);
      at::Tensor(t[3]).fill_(1);
      break;
    case OpKind::LayerNorm:
      at::Tensor(t[0]).fill_(1);
      break;
    case OpKind::Linear:
      if (!transformer) defaultLinear(t[0], t[1], g);
      else if (op.name != "heads.head") {
        xavierUniform(t[0], g);
        at::Tensor(t[1]).normal_(0, 1e-6, g);
      }
      break;
    case OpKind::Attention:
      xavierUniform(t[0], g);
      defaultLinear(t[2], {}, g);
      break;
    case OpKind::PositionEmbedding:
      at::Tensor(t[0]).normal_(0, 0.02, g);
      break;
    default:
      break;
  }
}

at::Tensor channelVector(const std::vector<double>& values) {
  at::Tensor t = at::empty({1, std::int64_t(values.size()), 1, 1}, at::kFloat);
  for (std::size_t i = 0; i < values.size(); ++i) t.data_ptr<float>()[i] = float(values[i]);
  return t;
}

at::Tensor attention(const GraphOp& op, const std::vector<at::Tensor>& t, const at::Tensor& x) {
  const auto n = x.size(0), tokens = x.size(1), d = x.size(2);
  const at::Tensor qkv = at::linear(x, t[0], t[1]).view({n, tokens, 3, op.heads, d / op.heads}).permute({2, 0, 3, 1, 4});
  const at::Tensor mixed = at::scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
  return at::linear(mixed.transpose(1, 2).reshape({n, tokens, d}), t[2], t[3]);
}

}  // namespace

ClassifierModel::ClassifierModel(ModelGraph graph, std::uint64_t seed) : graph_(std::move(graph)) {
  at::NoGradGuard noGrad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  allocate();
  const bool transformer = graph_.architecture.startsWith(u"vit");
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) initialise(graph_.ops[i], opTensors_[i], generator, transformer);
  index();
}

ClassifierModel::ClassifierModel(const ClassifierModel& other) : Trainable(other), graph_(other.graph_), training_(other.training_) {
  at::NoGradGuard noGrad;
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    std::vector<at::Tensor> tensors;
    for (std::size_t k = 0; k < other.opTensors_[i].size(); ++k) {
      const at::Tensor& t = other.opTensors_[i][k];
      tensors.push_back(graph_.ops[i].tensors[k].trainable ? t.detach().set_requires_grad(t.requires_grad()) : t.clone());
    }
    std::vector<at::Tensor> run = tensors;
    for (std::size_t k = 0; k < run.size(); ++k)
      if (const at::Tensor& t = other.runTensors_[i][k]; !t.is_same(other.opTensors_[i][k]))
        run[k] = t.detach().set_requires_grad(t.requires_grad());
    opTensors_.push_back(std::move(tensors));
    runTensors_.push_back(std::move(run));
  }
  index();
}

std::unique_ptr<ClassifierModel> ClassifierModel::sharingWeights() const {
  return std::unique_ptr<ClassifierModel>(new ClassifierModel(*this));
}

void ClassifierModel::allocate() {
  for (const GraphOp& op : graph_.ops) {
    std::vector<at::Tensor> tensors;
    for (const TensorSpec& spec : op.tensors) {
      at::Tensor t = at::zeros(spec.shape, spec.integer ? at::kLong : at::kFloat);
      // Gradients of convolutions come out channels-last; weights laid out alike spare a copy each step.
      tensors.push_back(t.dim() == 4 ? t.contiguous(at::MemoryFormat::ChannelsLast) : t);
    }
    opTensors_.push_back(std::move(tensors));
  }
  runTensors_ = opTensors_;
}

void ClassifierModel::moveTo(at::Device device) {
  if (device.is_cpu()) return;
  for (auto& tensors : opTensors_)
    for (at::Tensor& t : tensors) t = t.to(device);
  runTensors_ = opTensors_;
  generator_ = at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
  for (auto* list : {&parameters_, &computed_, &statistics_}) list->clear();
  parameterNames_.clear();
  state_.clear();
  mayOverwrite_.clear();
  index();
}

void ClassifierModel::index() {
  const std::size_t n = graph_.ops.size();
  std::vector<int> readers(n, 0), readBy(n, -1);
  lastUse_.assign(n, int(n));
  for (std::size_t i = 0; i < n; ++i) {
    const GraphOp& op = graph_.ops[i];
    for (std::size_t k = 0; k < op.tensors.size(); ++k) {
      const at::Tensor& t = opTensors_[i][k];
      state_.emplace(op.tensors[k].name, t);
      if (op.tensors[k].trainable) {
        parameters_.push_back(t);
        computed_.push_back(runTensors_[i][k]);
        parameterNames_.push_back(op.tensors[k].name);
      } else if (!op.tensors[k].integer) {
        statistics_.push_back(t);
      }
    }
    for (int input : op.inputs)
      if (input >= 0) {
        lastUse_[std::size_t(input)] = int(i);
        ++readers[std::size_t(input)];
        readBy[std::size_t(input)] = int(i);
      }
  }
  for (const GraphOp& op : graph_.ops) mayOverwrite_.push_back(op.inputs[0] >= 0 && readers[std::size_t(op.inputs[0])] == 1);
  planFusion(readers, readBy);
  std::vector<double> scale, shift;
  for (std::size_t c = 0; c < graph_.mean.size(); ++c) {
    scale.push_back(1.0 / graph_.std[c]);
    shift.push_back(-graph_.mean[c] / graph_.std[c]);
  }
  const at::Device place = state_.empty() ? at::Device(at::kCPU) : state_.begin()->second.device();
  normalise_ = {channelVector(scale).to(place), channelVector(shift).to(place)};
}

// norm → relu, norm → add → relu, norm → relu → pool, and the norm alone.
void ClassifierModel::planFusion(const std::vector<int>& readers, const std::vector<int>& readBy) {
  fusion_.assign(graph_.ops.size(), {});
  const auto follower = [&](int i, OpKind kind) {
    const std::size_t at = std::size_t(i);
    const int next = readers[at] == 1 ? readBy[at] : -1;
    return next >= 0 && graph_.ops[std::size_t(next)].kind == kind && graph_.ops[std::size_t(next)].inputs[0] == i ? next : -1;
  };
  for (int i = 0; i < int(graph_.ops.size()); ++i) {
    if (graph_.ops[std::size_t(i)].kind != OpKind::BatchNorm) continue;
    std::vector<int> chain{i};
    int summand = -1;
    if (const int add = follower(i, OpKind::Add); add >= 0 && follower(add, OpKind::Relu) >= 0) {
      summand = graph_.ops[std::size_t(add)].inputs[1];
      chain.insert(chain.end(), {add, follower(add, OpKind::Relu)});
      if (summand >= 0) lastUse_[std::size_t(summand)] = std::max(lastUse_[std::size_t(summand)], chain.back());
    } else if (const int relu = follower(i, OpKind::Relu); relu >= 0) {
      chain.push_back(relu);
      if (const int pool = follower(relu, OpKind::MaxPool); pool >= 0) chain.push_back(pool);
    }
    for (int op : chain) fusion_[std::size_t(op)].passed = op != chain.back();
    fusion_[std::size_t(chain.back())].norm = i;
    fusion_[std::size_t(chain.back())].summand = summand;
  }
}

void ClassifierModel::computeInBf16() {
  for (std::size_t i = 0; i < graph_.ops.size(); ++i) {
    const OpKind kind = graph_.ops[i].kind;
    if (kind != OpKind::Conv2d && kind != OpKind::Linear && kind != OpKind::Attention) continue;
    for (std::size_t k = 0; k < opTensors_[i].size(); ++k)
      if (const at::Tensor& t = opTensors_[i][k]; t.dim() >= 2)
        runTensors_[i][k] = t.detach().to(at::kBFloat16, false, false, at::MemoryFormat::Preserve).set_requires_grad(t.requires_grad());
  }
  computed_.clear();
  for (std::size_t i = 0; i < graph_.ops.size(); ++i)
    for (std::size_t k = 0; k < graph_.ops[i].tensors.size(); ++k)
      if (graph_.ops[i].tensors[k].trainable) computed_.push_back(runTensors_[i][k]);
}

void ClassifierModel::refreshCopies() {
  at::NoGradGuard noGrad;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!computed_[i].is_same(parameters_[i])) at::Tensor(computed_[i]).copy_(parameters_[i]);
}

std::vector<at::Tensor> ClassifierModel::gradients() const {
  std::vector<at::Tensor> all;
  for (const at::Tensor& t : computed_) all.push_back(t.grad());
  return all;
}

void ClassifierModel::setGradients(bool on) {
  for (at::Tensor& p : parameters_) p.set_requires_grad(on);
  for (at::Tensor& p : computed_) p.set_requires_grad(on);
}

at::Tensor ClassifierModel::convolve(const GraphOp& op, const std::vector<at::Tensor>& t, const at::Tensor& x) const {
  if (training_ && t.size() == 1 && op.groups == 1 && t[0].scalar_type() == at::kBFloat16 && x.device().is_cpu())
    return kernels::convolution(x, t[0], op.stride, op.padding);
  return at::conv2d(x, t[0], t.size() > 1 ? t[1] : at::Tensor(), op.stride, op.padding, 1, op.groups);
}

at::Tensor ClassifierModel::normed(std::size_t norm, const at::Tensor& x, const kernels::AfterNorm& after) {
  const std::vector<at::Tensor>& t = runTensors_[norm];
  at::Tensor(t[4]).add_(1);
  return kernels::batchNorm(x, t[0], t[1], t[2], t[3], 0.1, graph_.ops[norm].epsilon, after);
}

at::Tensor ClassifierModel::dropout(std::size_t index, const at::Tensor& x) {
  const double probability = graph_.ops[index].probability;
  const std::uint64_t key = keyOf(dropoutKey_, index);
  if (!generator_.defined()) return kernels::dropout(x, probability, key);
  generator_.set_current_seed(key);
  return at::mul(x, at::empty_like(x.detach()).bernoulli_(1 - probability, generator_).div_(1 - probability));
}

at::Tensor ClassifierModel::run(std::size_t index, const std::vector<at::Tensor>& values, const at::Tensor& image) {
  const GraphOp& op = graph_.ops[index];
  const std::vector<at::Tensor>& t = runTensors_[index];
  const auto input = [&](std::size_t k) -> const at::Tensor& { return op.inputs[k] < 0 ? image : values[std::size_t(op.inputs[k])]; };
  at::Tensor x = input(0);
  const Fusion& fusion = fusion_[index];
  if (training_ && (fusion.passed || fusion.norm >= 0) && kernels::canFuseNorm(x)) {
    if (fusion.passed) return x;
    kernels::AfterNorm after{.residual = fusion.summand >= 0 ? values[std::size_t(fusion.summand)] : at::Tensor(),
                             .relu = op.kind != OpKind::BatchNorm,
                             .pool = {}};
    if (op.kind == OpKind::MaxPool) after.pool = kernels::Pool{op.kernel, op.stride, op.padding};
    return normed(std::size_t(fusion.norm), x, after);
  }
  switch (op.kind) {
    case OpKind::Normalise:
      return at::addcmul(normalise_[1], x, normalise_[0]).contiguous(at::MemoryFormat::ChannelsLast);
    case OpKind::Conv2d:
      return convolve(op, t, x);
    case OpKind::BatchNorm:
      if (training_) at::Tensor(t[4]).add_(1);
      return at::batch_norm(x, t[0], t[1], t[2], t[3], training_, 0.1, op.epsilon, false);
    case OpKind::Relu:
      return mayOverwrite_[index] ? x.relu_() : at::relu(x);
    case OpKind::Gelu:
      return at::gelu(x);
    case OpKind::Silu:
      return at::silu(x);
    case OpKind::MaxPool:
      return at::max_pool2d(x, op.kernel, op.stride, op.padding);
    case OpKind::GlobalAveragePool:
      return at::mean(x, {2, 3});
    case OpKind::Linear:
      return at::linear(x, t[0], t[1]);
    case OpKind::Add:
      return at::add(x, input(1));
    case OpKind::LayerNorm:
      return at::layer_norm(x, {x.size(-1)}, t[0], t[1], op.epsilon);
    case OpKind::Attention:
      return attention(op, t, x);
    case OpKind::Patchify:
      return x.flatten(2).transpose(1, 2);
    case OpKind::ClassToken:
      return at::cat({t[0].expand({x.size(0), -1, -1}).to(x.scalar_type()), x}, 1);
    case OpKind::PositionEmbedding:
      return at::add(x, t[0]);
    case OpKind::SelectToken:
      return x.select(1, 0);
    case OpKind::Dropout:
      return training_ && op.probability > 0 ? dropout(index, x) : x;
  }
  throw EngineFailure({FailureKind::Internal, {}, "operation without an implementation: " + QString::fromStdString(op.name)});
}

at::Tensor ClassifierModel::forward(const at::Tensor& image) {
  std::vector<at::Tensor> values(graph_.ops.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = run(i, values, image);
    for (int input : graph_.ops[i].inputs)
      if (input >= 0 && lastUse_[std::size_t(input)] == int(i)) values[std::size_t(input)].reset();
  }
  return values.back().to(at::kFloat);
}

void ClassifierModel::loadState(const NamedTensors& given, const QString& path) {
  at::NoGradGuard noGrad;
  for (auto& [name, tensor] : state_) {
    const auto it = given.find(name);
    if (it == given.end() || it->second.sizes() != tensor.sizes())
      throw EngineFailure({FailureKind::CorruptFile,
                           {{"path", path}},
                           QString::fromStdString(name) + (it == given.end() ? " is missing" : " has another shape")});
    at::Tensor(tensor).copy_(it->second);
  }
  refreshCopies();
}

}  // namespace cloister
