// Weights files: our own, and foreign ones for transfer learning.
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <QFileInfo>

#include "core/engine/engine_failure.h"
#include "core/engine/models/model.h"
#include "core/engine/models/tensor_types.h"
#include "core/tensors/safetensors.h"

namespace cloister {
namespace {

Failure wrongFile(const QString& path, const QString& why) { return {FailureKind::UnsupportedFormat, {{"path", path}}, why}; }

QString shapeText(at::IntArrayRef shape) {
  QStringList parts;
  for (auto s : shape) parts << QString::number(s);
  return '[' + parts.join(", ") + ']';
}

bool isHead(const std::string& name) { return name.rfind("fc.", 0) == 0 || name.rfind("head", 0) == 0; }

// Position tables of another image size: the class token's row stays, the grid is resized bicubically (as timm and torchvision do).
at::Tensor resizedPositions(const at::Tensor& given, const at::Tensor& wanted) {
  const auto side = [](std::int64_t tokens) { return std::int64_t(std::llround(std::sqrt(double(tokens - 1)))); };
  const std::int64_t from = side(given.size(1)), to = side(wanted.size(1)), d = given.size(2);
  const at::Tensor grid = given.narrow(1, 1, from * from).reshape({1, from, from, d}).permute({0, 3, 1, 2}).contiguous();
  at::Tensor out = wanted.clone();
  out.narrow(1, 0, 1).copy_(given.narrow(1, 0, 1));
  out.narrow(1, 1, to * to)
      .copy_(at::upsample_bicubic2d(grid, {to, to}, false, std::nullopt, std::nullopt).permute({0, 2, 3, 1}).reshape({1, to * to, d}));
  return out;
}

// Fits one foreign tensor to the wanted shape, or returns an undefined tensor.
at::Tensor adapted(const std::string& name, const at::Tensor& given, const at::Tensor& wanted, QStringList& warnings) {
  if (given.sizes() == wanted.sizes()) return given;
  const QString shown = QString::fromStdString(name);
  if (given.dim() == 4 && wanted.dim() == 4 && given.size(0) == wanted.size(0) && given.sizes().slice(2) == wanted.sizes().slice(2)) {
    if (given.size(1) == 3 && wanted.size(1) == 1) {
      warnings << shown + ": three colour channels summed to one grey channel";
      return given.sum(1, true);
    }
    if (given.size(1) == 1 && wanted.size(1) == 3) {
      warnings << shown + ": one grey channel spread over three";
      return given.expand(wanted.sizes()).div(3.0);
    }
  }
  if (name == "encoder.pos_embedding" && given.dim() == 3 && given.size(2) == wanted.size(2)) {
    warnings << shown + ": position table resized from " + shapeText(given.sizes()) + " to " + shapeText(wanted.sizes());
    return resizedPositions(given, wanted);
  }
  return {};
}

}  // namespace

void saveTensors(const QString& path, const NamedTensors& tensors, const QJsonObject& metadata) {
  std::map<std::string, TensorView> views;
  std::vector<at::Tensor> kept;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    const at::Tensor& t = kept.back();
    views[name] = {dtypeOf(t.scalar_type()), t.sizes().vec(), static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()};
  }
  orThrow(writeSafetensors(path, views, metadata));
}

NamedTensors readTensors(const QString& path) {
  const auto file = orThrow(SafetensorsFile::open(path));
  NamedTensors tensors;
  for (const auto& [name, view] : file->tensors()) {
    const at::ScalarType type = scalarType(view.dtype);
    if (type == at::ScalarType::Undefined)
      throw EngineFailure(wrongFile(path, QString::fromStdString(name) + " has dtype " + dtypeName(view.dtype)));
    // Cloned: the mapping is read-only, and a truncated file must not fault in the middle of a training step.
    tensors[name] = at::from_blob(const_cast<std::byte*>(view.data), view.shape, at::TensorOptions(type)).clone();
  }
  return tensors;
}

std::shared_ptr<ClassifierModel> loadModel(const QString& path) {
  const auto file = orThrow(SafetensorsFile::open(path));
  auto model = std::make_shared<ClassifierModel>(orThrow(ModelGraph::fromMetadata(file->metadata(), path)));
  model->loadState(readTensors(path), path);
  return model;
}

std::shared_ptr<ClassifierModel> loadBest(const QString& runDir) {
  const QString path = runDir + "/best/model.safetensors";
  if (!QFileInfo::exists(runDir + "/best/state.json"))
    throw EngineFailure({FailureKind::NotFound, {{"path", path}}, "no best weights yet"});
  return loadModel(path);
}

TransferReport loadBaseWeights(ClassifierModel& model, const QString& path) {
  at::NoGradGuard noGrad;
  const NamedTensors given = readTensors(path);
  TransferReport report;
  int missing = 0, body = 0;
  QString firstProblem;
  for (const auto& [name, tensor] : model.state()) {
    if (!isHead(name)) ++body;
    const auto it = given.find(name);
    at::Tensor value;
    if (it != given.end()) {
      value = adapted(name, it->second.to(tensor.scalar_type()), tensor, report.warnings);
      if (value.defined() && !at::isfinite(value).all().item<bool>())
        throw EngineFailure(
            {FailureKind::CorruptFile, {{"path", path}}, QString::fromStdString(name) + " holds values that are not finite"});
    }
    if (value.defined()) {
      at::Tensor(tensor).copy_(value);
      ++report.loaded;
      continue;
    }
    if (!isHead(name) && !QString::fromStdString(name).endsWith(u".num_batches_tracked")) {
      ++missing;
      if (firstProblem.isEmpty())
        firstProblem = QString::fromStdString(name) +
                       (it == given.end() ? QString(" is not in the file")
                                          : " has shape " + shapeText(it->second.sizes()) + ", needed " + shapeText(tensor.sizes()));
    }
    report.reinitialised << QString::fromStdString(name);
  }
  if (missing > 0)
    throw EngineFailure(wrongFile(path, QString("these are not weights of %1: %2 (and %3 of %4 others)")
                                            .arg(model.graph().architecture, firstProblem)
                                            .arg(missing - 1)
                                            .arg(body)));
  QStringList head;
  for (const QString& name : std::as_const(report.reinitialised))
    if (isHead(name.toStdString())) head << name;
  if (!head.isEmpty()) report.warnings << "the output layer starts anew because the classes differ: " + head.join(", ");
  return report;
}

}  // namespace cloister
