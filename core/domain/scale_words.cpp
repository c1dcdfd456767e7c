// What the cost model says to people: why a layout falls out, and every assumption.
#include <QCoreApplication>
#include <QLocale>

#include "core/domain/scale_constants.h"
#include "core/domain/scale_model.h"

namespace cloister {
namespace {

#define TR(text) QT_TRANSLATE_NOOP("ScaleModel", text)
QString say(const char* text) { return QCoreApplication::translate("ScaleModel", text); }

struct Word {
  const char* word;
  const char* text;
};

/// %1: what was found, %2: the limit.
constexpr Word kReasons[] = {
    {"precision", TR("the machine does not compute in this precision")},
    {"gpus", TR("data × tensor × pipeline is %1, not %2 GPUs")},
    {"node", TR("%1 tensor parallel ranks do not fill the %2 GPUs of a node evenly")},
    {"heads", TR("%1 attention heads cannot be divided by %2 tensor parallel ranks")},
    {"kvHeads", TR("%1 key/value heads cannot be divided by %2 tensor parallel ranks")},
    {"width", TR("an MLP of width %1 cannot be divided by %2 tensor parallel ranks")},
    {"sequence", TR("a sequence of %1 tokens cannot be divided by %2 ranks")},
    {"layers", TR("%1 layers are fewer than %2 pipeline ranks")},
    {"experts", TR("%1 experts cannot be divided by %2 expert parallel ranks")},
    {"expertRanks", TR("%1 data parallel ranks cannot be divided by %2 expert parallel ranks")},
    {"batch", TR("a batch of %1 sequences cannot be divided by %2 sequences at once")},
    {"interleave", TR("%1 layers cannot be divided into %2 pieces of the pipeline")},
    {"interleaveBatch", TR("%1 micro-batches cannot be divided by %2 pipeline ranks, as interleaving needs")},
    {"bubble", TR("pipeline ranks wait for the first and the last micro-batch")},
    {"tensor", TR("tensor parallel ranks wait for each other")},
    {"expert", TR("tokens travel to their experts and back")},
    {"pipeline", TR("activations travel between pipeline ranks")},
    {"data", TR("gradients and weights travel longer than they can hide")},
    {"recompute", TR("activations are computed again")},
    {"optimizer", TR("the optimizer moves many parameters on each GPU")},
};

QString percent(double share) { return QLocale().toString(100 * share, 'f', 0) + QStringLiteral(" %"); }
QString gigabytes(double bytes) { return QLocale().toString(bytes / 1e9, 'f', 1) + QStringLiteral(" GB"); }
QString rate(double bytes) { return gigabytes(bytes) + QStringLiteral("/s"); }
QString micros(double seconds) { return QLocale().toString(1e6 * seconds, 'f', 1) + QStringLiteral(" µs"); }

class Assumptions {
 public:
  void add(const char* key, double value, const QString& text) {
    all_.append(QJsonObject{{"key", QLatin1String(key)}, {"value", value}, {"text", text}});
  }
  QJsonArray all() const { return all_; }

 private:
  QJsonArray all_;
};

void addMachine(Assumptions& a, const ScaleMachine& m, const ScaleWorkload& w) {
  const double peak = m.peak[std::size_t(w.precision)];
  a.add("peak", peak, say(TR("Peak of one GPU: %1 TFLOP/s, dense.")).arg(QLocale().toString(peak / 1e12, 'f', 0)));
  a.add("productFraction", m.productFraction,
        say(TR("Products of large matrices reach %1 of the peak; to this comes the time of their operands through memory, so that small "
               "ones reach less."))
            .arg(percent(m.productFraction)));
  a.add("memoryBandwidth", m.memoryBandwidth,
        say(TR("What is no product runs at memory speed, %1: what a layer keeps is written and read once forward, twice that backward."))
            .arg(rate(m.memoryBandwidth)));
  a.add("kernelSeconds", m.kernelSeconds,
        say(TR("Each kernel costs %1 beside its work; a layer has %2 that are no products, each way."))
            .arg(micros(m.kernelSeconds))
            .arg(scale::kOtherKernels));
  a.add("node", m.node.bandwidth,
        say(TR("Within a node of %1 GPUs each sends %2 in collectives; a step of one costs %3."))
            .arg(QString::number(m.perNode), rate(m.node.bandwidth), micros(m.node.latency)));
  a.add("network", m.network.bandwidth,
        say(TR("Between nodes each GPU sends %1; a step of a collective costs %2. No congestion, no slow node, no failure."))
            .arg(rate(m.network.bandwidth), micros(m.network.latency)));
}

void addSchedule(Assumptions& a, const ScaleWorkload& w) {
  a.add("collectives", 0,
        say(TR("Collectives take the quickest of ring, tree (all-reduce) and hierarchical (within nodes, then between); all-to-all uses "
               "both kinds of link at once.")));
  if (w.overlap)
    a.add("hidden", scale::kHidden,
          say(TR("Gradients and gathered weights hide behind at most %1 of the computation of their pass; one layer's part never hides. "
                 "With ZeRO stage 3 weights are "
                 "gathered in forward and again in backward of every micro-batch, with stages 2 and 3 gradients are scattered in every "
                 "micro-batch."))
              .arg(percent(scale::kHidden)));
  else a.add("hidden", 0, say(TR("Data parallel communication hides behind nothing.")));
  a.add("tensorExposed", 1,
        say(TR("Communication of tensor parallel ranks, of experts and between pipeline ranks hides behind nothing; it does not slow the "
               "computation down either.")));
  if (w.hideExperts) a.add("expertsHidden", 1, say(TR("Except experts: their exchange hides behind another micro-batch (DualPipe).")));
  a.add("pipeline", 0,
        say(TR("Pipeline: 1F1B; all ranks keep the pace of the slowest, and (ranks − 1) / pieces micro-batches of it are waited for. "
               "Layers that do not divide are spared "
               "the last rank. Ranks of a tensor group are neighbours, then those of data, then those of the pipeline.")));
  a.add("experts", 0, say(TR("Experts have equal numbers of tokens, and no token is dropped.")));
}

void addMemory(Assumptions& a, const ScaleMachine& m, const ScaleWorkload& w) {
  const bool isFloat32 = w.precision == ScalePrecision::Fp32;
  a.add("states", 16,
        isFloat32 ? say(TR("AdamW in float32: 4 + 4 + 8 bytes a parameter for weights, gradients and optimizer."))
                  : say(TR("AdamW, mixed: 2 + 2 + 12 bytes a parameter for weights, gradients and optimizer (float32 master weights); also "
                           "with fp8.")));
  a.add("optimizerBytes", scale::kOptimizerBytes,
        say(TR("The optimizer moves %1 bytes a parameter, at memory speed.")).arg(scale::kOptimizerBytes));
  a.add("logits", scale::kLossChunk, say(TR("Logits are there for %1 tokens at a time, three times in float32.")).arg(scale::kLossChunk));
  a.add("overhead", scale::kDriver + scale::kCollectives,
        say(TR("Driver and collectives hold %1, fragmentation %2 of activations and logits; with ZeRO stage 3 two layers are gathered at "
               "once."))
            .arg(gigabytes(scale::kDriver + scale::kCollectives), percent(scale::kFragmentation)));
  a.add("usable", scale::kUsable,
        say(TR("A layout fits when it needs at most %1 of the memory: %2."))
            .arg(percent(scale::kUsable), gigabytes(double(usableMemory(m)))));
}

}  // namespace

QString describeScaleReason(const ScaleReason& reason) {
  const QLocale locale;
  if (reason.word == u"memory")
    return say(TR("it needs %1, and %2 may be used")).arg(gigabytes(double(reason.found)), gigabytes(double(reason.limit)));
  for (const Word& w : kReasons) {
    if (reason.word != QLatin1String(w.word)) continue;
    QString text = say(w.text);
    if (text.contains(QLatin1String("%1"))) text = text.arg(reason.found);
    if (text.contains(QLatin1String("%2"))) text = text.arg(reason.limit);
    return text;
  }
  return reason.word;
}

QJsonArray scaleAssumptions(const ScaleMachine& machine, const ScaleWorkload& work, bool flash) {
  Assumptions a;
  addMachine(a, machine, work);
  if (flash)
    a.add("flash", scale::kFlashFraction,
          say(TR("Flash attention: half of the square, at %1 of what products reach; backward %2 times forward. Selective recomputation "
                 "computes norms and activations "
                 "again."))
              .arg(percent(scale::kFlashFraction), QLocale().toString(scale::kFlashBackward)));
  else a.add("flash", 0, say(TR("Attention keeps its scores in memory; selective recomputation computes them again.")));
  if (work.precision == ScalePrecision::Fp8)
    a.add(
        "fp8", 1,
        say(TR(
            "fp8: the layers' products only; attention and the head in bfloat16, activations kept in bfloat16, conversions for nothing.")));
  addSchedule(a, work);
  addMemory(a, machine, work);
  a.add("mfu", 3,
        say(TR("MFU: three times the products of forward, attention over the whole square, of the peak; HFU counts what is computed again. "
               "Reading data, checkpoints and "
               "evaluation cost nothing.")));
  a.add("errors", 0,
        say(TR("Compared with published runs: predicted speed is within 17 % on A100, up to 36 % too high on H100, with fp8 up to 39 %; "
               "whole trainings took about one and a half times as long (docs/scale-model.md).")));
  return a.all();
}

}  // namespace cloister
