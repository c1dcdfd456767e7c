// attack_probe --model linear|FILE.safetensors --input IN.safetensors --to OUT.safetensors --attack fgsm|pgd --norm linf|l2 --epsilon E
// [--steps N --step-size A]: attacks "image" with "label" from "start" when there is one. linear: logits = image·weight + bias of the input
// file. Only tests/interop starts it, to compare with torchattacks.
#include <cstdio>

#include <ATen/ATen.h>
#include <QCommandLineParser>
#include <QCoreApplication>

#include "core/engine/engine_failure.h"
#include "core/engine/evaluate/attacks.h"
#include "core/engine/models/model.h"

using namespace cloister;

namespace {

Classifier classifierOf(const QString& model, const NamedTensors& input) {
  if (model == u"linear") {
    const at::Tensor weight = input.at("weight"), bias = input.at("bias");
    return [weight, bias](const at::Tensor& x) { return at::linear(x.flatten(1), weight, bias); };
  }
  const auto loaded = loadModel(model);
  return [loaded](const at::Tensor& x) { return loaded->forward(x); };
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  QCommandLineParser parser;
  for (const char* name : {"model", "input", "to", "attack", "norm", "epsilon", "steps", "step-size"})
    parser.addOption({QString::fromLatin1(name), {}, QStringLiteral("value")});
  parser.process(app);
  try {
    const NamedTensors input = readTensors(parser.value("input"));
    AttackOptions options;
    options.kind = parser.value("attack") == u"fgsm" ? AttackKind::Fgsm : AttackKind::Pgd;
    options.norm = parser.value("norm") == u"l2" ? AttackNorm::L2 : AttackNorm::Linf;
    options.epsilon = parser.value("epsilon").toDouble();
    options.steps = parser.value("steps").toInt();
    options.stepSize = parser.value("step-size").toDouble();
    options.randomStart = false;
    const auto start = input.find("start");
    const AttackOutcome out = attack(classifierOf(parser.value("model"), input), input.at("image"), input.at("label"), options, {},
                                     start == input.end() ? at::Tensor() : start->second);
    saveTensors(parser.value("to"), {{"attacked", out.images}, {"loss", out.loss}});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
