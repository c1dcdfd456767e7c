// Seconds and bytes of a training step under one layout.
#include "core/domain/scale_model.h"

#include <algorithm>
#include <cmath>

#include "core/domain/scale_constants.h"

namespace cloister {
namespace {

using namespace scale;

bool isFloat32(const ScaleWorkload& w) { return w.precision == ScalePrecision::Fp32; }
double elementBytes(const ScaleWorkload& w) { return isFloat32(w) ? 4 : 2; }
double tokens(const ScaleLayout& l, const ScaleWorkload& w) { return double(l.microBatch) * double(w.sequence); }
/// What sequence parallelism divides what tensor parallelism does not by.
double sequenceParts(const ScaleLayout& l) { return l.sequenceParallel ? l.tensor : 1; }

/// Seconds of one micro-batch.
struct LayerSeconds {
  double forward = 0, backward = 0, again = 0;  ///< computation; again: what backward computes a second time
  double tensor = 0, expert = 0;                ///< communication of one pass
};

struct Cost {
  const ScaleShape& shape;
  const ScaleLayout& layout;
  const ScaleWorkload& work;
  const ScaleMachine& machine;

  double peak(bool inFp8) const {
    const bool isFp8 = work.precision == ScalePrecision::Fp8;
    return machine.peak[std::size_t(isFp8 && !inFp8 ? ScalePrecision::Bf16 : work.precision)] * machine.productFraction;
  }
  double traffic(double bytes) const { return bytes / machine.memoryBandwidth; }

  /// Roofline, both parts added: arithmetic at the reachable peak and operands through memory.
  double product(double rows, double out, double in, bool inFp8 = true) const {
    return 2 * rows * out * in / peak(inFp8) + traffic(elementBytes(work) * (rows * in + out * in + rows * out)) + machine.kernelSeconds;
  }

  double products(const ScaleLayer& layer) const {
    const double all = tokens(layout, work), t = layout.tensor;
    double sum = 0;
    for (const ScaleProduct& p : layer.products) {
      const double out = double(p.out) / (p.split == ScaleProduct::Out ? t : 1), in = double(p.in) / (p.split == ScaleProduct::In ? t : 1);
      if (!p.expert) {
        sum += product(p.split == ScaleProduct::Whole ? all / sequenceParts(layout) : all, out, in);
        continue;
      }
      const double mine = double(shape.experts) / layout.expert;
      const double rows = all * layout.expert * double(shape.expertsPerToken) / double(shape.experts);
      sum += mine * (product(rows, out, in) - machine.kernelSeconds) + machine.kernelSeconds;
    }
    return sum;
  }

  double attention() const {
    const double each =
        2 * tokens(layout, work) * double(work.sequence) * double(shape.heads) / layout.tensor * double(shape.queryDim + shape.valueDim);
    return shape.flash ? each / 2 / (peak(false) * kFlashFraction) : each / peak(false) + 2 * machine.kernelSeconds;
  }

  double tensorPass() const {
    if (layout.tensor == 1) return 0;
    const RankGroup group{layout.tensor, std::min(layout.tensor, machine.perNode)};
    const double bytes = tokens(layout, work) * double(shape.hidden) * elementBytes(work);
    if (!layout.sequenceParallel) return 2 * collectiveCost(Collective::AllReduce, bytes, group, machine).seconds;
    return 2 * (collectiveCost(Collective::ReduceScatter, bytes, group, machine).seconds +
                collectiveCost(Collective::AllGather, bytes, group, machine).seconds);
  }

  double expertPass() const {
    if (layout.expert == 1 || work.hideExperts) return 0;
    const RankGroup group{layout.expert, std::clamp(machine.perNode / layout.tensor, 1, layout.expert)};
    const double copies = double(shape.expertsPerToken);
    const double bytes = tokens(layout, work) * copies * double(shape.hidden) * elementBytes(work) / layout.tensor;
    const double apart = bytes * std::min(copies, double(shape.expertNodes)) / copies;
    return 2 * std::max(collectiveCost(Collective::AllToAll, group.size > group.perNode ? apart : bytes, group, machine).seconds,
                        ringSeconds(Collective::AllToAll, bytes, group.perNode, machine.node));
  }

  LayerSeconds layer(const ScaleLayer& l) const {
    ScaleLayout whole = layout;
    whole.recompute = Recompute::None;
    const double kept = keptByLayer(shape, l, whole, work);
    const double others = traffic(2 * kept) + kOtherKernels * machine.kernelSeconds;
    const double multiplied = products(l), attended = attention();
    LayerSeconds s;
    s.forward = multiplied + attended + others;
    s.backward = 2 * multiplied + (shape.flash ? kFlashBackward : 2) * attended + 2 * others;
    s.tensor = tensorPass();
    s.expert = l.experts > 0 ? expertPass() : 0;
    if (layout.recompute == Recompute::Full) s.again = s.forward;
    if (layout.recompute == Recompute::Selective) {
      ScaleLayout some = layout;
      s.again = traffic(2 * (kept - keptByLayer(shape, l, some, work))) + (shape.flash ? 0 : attended);
    }
    return s;
  }

  LayerSeconds head() const {
    LayerSeconds s;
    const double rows = tokens(layout, work), width = double(shape.vocabulary) / layout.tensor;
    const double loss = traffic(rows * width * 4 * kLogitPasses);
    s.forward = product(rows, width, double(shape.hidden), false) + loss;
    s.backward = 2 * product(rows, width, double(shape.hidden), false) + loss;
    s.tensor = tensorPass() / 2;
    return s;
  }
};

/// Layers of a pipeline rank, and what it has beside them.
struct Stage {
  std::int64_t dense = 0, moe = 0;
  bool embedding = false, head = false;
  std::int64_t layers() const { return dense + moe; }
};

/// The stages that can be the slowest or the fullest: the first, one between, the last. Uneven layers are spared the last.
std::vector<Stage> stagesOf(const ScaleShape& s, const ScaleLayout& l) {
  const std::int64_t moeLayers = s.layers - s.denseLayers;
  if (l.pipeline == 1) return {{s.denseLayers, moeLayers, true, true}};
  const std::int64_t most = (s.layers + l.pipeline - 1) / l.pipeline, least = s.layers / l.pipeline;
  const auto counted = [&](std::int64_t layers, bool isFirst, bool isLast) {
    const std::int64_t dense = isFirst ? std::min(layers, s.denseLayers) : layers - std::min(layers, moeLayers);
    return Stage{dense, layers - dense, isFirst, isLast};
  };
  std::vector<Stage> all{counted(most, true, false), counted(least, false, true)};
  if (l.pipeline > 2) all.push_back(counted(most, false, false));
  return all;
}

/// Parameters on one GPU: of all but routed experts, and of these.
struct Held {
  double shared = 0, experts = 0, largest = 0;  ///< largest: of one layer, gathered
};

Held heldBy(const ScaleShape& s, const ScaleLayout& l, const Stage& stage) {
  const double t = l.tensor;
  const auto of = [&](const ScaleLayer& layer) { return double(layer.whole) + double(layer.split) / t; };
  const auto routed = [&](const ScaleLayer& layer) { return double(layer.experts) / t / l.expert; };
  const double table = double(s.vocabulary) * double(s.hidden) / t;
  Held h;
  h.shared = double(stage.dense) * of(s.dense) + double(stage.moe) * of(s.moe);
  if (stage.embedding) h.shared += table + double(s.positions) * double(s.hidden);
  if (stage.head) h.shared += (s.tied && stage.embedding ? 0 : table) + double(s.hidden) * (s.flash ? 1 : 2);
  h.experts = double(stage.moe) * routed(s.moe);
  h.largest = std::max(
      {stage.dense > 0 ? of(s.dense) : 0, stage.moe > 0 ? of(s.moe) + routed(s.moe) : 0, stage.embedding || stage.head ? table : 0});
  return h;
}

/// Micro-batches whose activations the stage holds at once; fractions with interleaving (2205.05198, section 4.2.3).
double inFlight(const ScaleLayout& l, const Stage& stage, std::int64_t microBatches) {
  if (l.pipeline == 1) return 1;
  const double warm = stage.embedding ? l.pipeline : stage.head ? 1 : l.pipeline - 1;
  const double more = l.interleave > 1 ? double(l.pipeline - 1) / l.interleave : 0;
  return std::min(double(microBatches), warm + more);
}

LanguageMemory memoryOf(const ScaleShape& s, const ScaleLayout& l, const ScaleWorkload& w, const Stage& stage) {
  const Held held = heldBy(s, l, stage);
  const double expertData = double(l.data) / l.expert, element = elementBytes(w);
  const auto states = [&](double bytes, int from) {
    const bool isShared = l.zero >= from;
    return std::int64_t(std::ceil(bytes * (held.shared / (isShared ? l.data : 1) + held.experts / (isShared ? expertData : 1))));
  };
  LanguageMemory m;
  m.weights = states(element, 3);
  m.gradients = states(element, 2);
  m.optimizer = states(isFloat32(w) ? 8 : 12, 1);
  const std::int64_t micro = std::max<std::int64_t>(1, w.globalBatch / (std::int64_t(l.data) * l.microBatch));
  const double kept = double(stage.dense) * keptByLayer(s, s.dense, l, w) + double(stage.moe) * keptByLayer(s, s.moe, l, w);
  m.activations = std::int64_t(inFlight(l, stage, micro) * kept);
  if (l.recompute == Recompute::Full) {
    ScaleLayout whole = l;
    whole.recompute = Recompute::None;
    m.activations += std::int64_t(
        std::max(stage.dense > 0 ? keptByLayer(s, s.dense, whole, w) : 0, stage.moe > 0 ? keptByLayer(s, s.moe, whole, w) : 0));
  }
  if (stage.head) m.logits = std::int64_t(std::min(tokens(l, w), kLossChunk) * double(s.vocabulary) / l.tensor * 4 * kLogitCopies);
  m.overhead = std::int64_t(kDriver + (l.gpus() > 1 ? kCollectives : 0) + kFragmentation * double(m.activations + m.logits));
  if (l.zero >= 3 && l.data > 1) m.overhead += std::int64_t(2 * element * held.largest);
  return m;
}

/// Data parallel communication of one stage: whole vectors in seconds.
struct DataSeconds {
  double gather = 0, scatter = 0, all = 0;
  const char* algorithm = "none";
};

DataSeconds dataSeconds(const ScaleLayout& l, const ScaleWorkload& w, const ScaleMachine& machine, const Held& held) {
  const int inNode = std::clamp(machine.perNode / l.tensor, 1, l.data);
  const RankGroup shared{l.data, inNode}, routed{l.data / l.expert, std::max(1, inNode / l.expert)};
  DataSeconds d;
  const auto both = [&](Collective what) {
    const CollectiveCost a = collectiveCost(what, elementBytes(w) * held.shared, shared, machine);
    if (l.data > 1) d.algorithm = a.algorithm;
    return a.seconds + (held.experts > 0 ? collectiveCost(what, elementBytes(w) * held.experts, routed, machine).seconds : 0);
  };
  d.gather = both(Collective::AllGather);
  d.scatter = both(Collective::ReduceScatter);
  d.all = both(Collective::AllReduce);
  return d;
}

/// What is left of communication behind a computation. The first or last layer's part has nothing to hide behind.
double exposed(double seconds, double computation, const ScaleWorkload& w, std::int64_t layers) {
  if (!w.overlap) return seconds;
  return std::max(seconds / double(std::max<std::int64_t>(1, layers)), seconds - kHidden * computation);
}

/// A stage's seconds: of one micro-batch, and of what comes once a step.
struct StageSeconds {
  double forward = 0, backward = 0, again = 0, tensor = 0, expert = 0, pipeline = 0;
  double dataEach = 0, dataOnce = 0, dataAll = 0, optimizer = 0;
  const char* algorithm = "none";
  double micro() const { return forward + backward + again + tensor + expert + pipeline + dataEach; }
};

void addData(const Cost& c, const Held& held, const Stage& stage, std::int64_t microBatches, StageSeconds& s) {
  const ScaleLayout& l = c.layout;
  const DataSeconds d = dataSeconds(l, c.work, c.machine, held);
  const double back = s.backward + s.again, m = double(microBatches);
  s.algorithm = d.algorithm;
  if (l.zero == 3) {
    s.dataEach = exposed(d.gather, s.forward, c.work, stage.layers()) + exposed(d.gather + d.scatter, back, c.work, stage.layers());
    s.dataAll = m * (2 * d.gather + d.scatter);
  } else if (l.zero == 2) {
    s.dataEach = exposed(d.scatter, back, c.work, stage.layers());
    s.dataOnce = exposed(d.gather, s.forward, c.work, stage.layers());
    s.dataAll = m * d.scatter + d.gather;
  } else if (l.zero == 1) {
    s.dataOnce = exposed(d.scatter, back, c.work, stage.layers()) + exposed(d.gather, s.forward, c.work, stage.layers());
    s.dataAll = d.scatter + d.gather;
  } else {
    s.dataOnce = exposed(d.all, back, c.work, stage.layers());
    s.dataAll = d.all;
  }
}

StageSeconds stageSeconds(const Cost& c, const Stage& stage, std::int64_t microBatches) {
  const ScaleLayout& l = c.layout;
  StageSeconds s;
  const auto add = [&](const LayerSeconds& one, double times, bool isLayer) {
    const double passes = isLayer && l.recompute == Recompute::Full ? 3 : 2;
    s.forward += times * one.forward;
    s.backward += times * one.backward;
    s.again += times * one.again;
    s.tensor += times * passes * one.tensor;
    s.expert += times * passes * one.expert;
  };
  if (stage.dense > 0) add(c.layer(c.shape.dense), double(stage.dense), true);
  if (stage.moe > 0) add(c.layer(c.shape.moe), double(stage.moe), true);
  if (stage.head) add(c.head(), 1, false);
  if (l.pipeline > 1) {
    const ScaleLink link = l.tensor * l.data >= c.machine.perNode ? c.machine.network : c.machine.node;
    const double bytes = tokens(l, c.work) * double(c.shape.hidden) * elementBytes(c.work) / l.tensor;
    s.pipeline = 2 * l.interleave * (bytes / link.bandwidth + link.latency);
  }
  const Held held = heldBy(c.shape, l, stage);
  addData(c, held, stage, microBatches, s);
  const double expertData = double(l.data) / l.expert;
  const double mine = l.zero >= 1 ? held.shared / l.data + held.experts / expertData : held.shared + held.experts;
  s.optimizer = c.traffic(kOptimizerBytes * mine);
  return s;
}

double recomputedFlops(const ScaleShape& s, const ScaleLayout& l, std::int64_t sequence) {
  if (l.recompute == Recompute::Full) return s.forwardFlops(sequence) - 2.0 * double(s.vocabulary) * double(s.hidden) * double(sequence);
  return l.recompute == Recompute::Selective && !s.flash ? s.forwardAttentionFlops(sequence) : 0;
}

}  // namespace

double keptByLayer(const ScaleShape& s, const ScaleLayer& layer, const ScaleLayout& l, const ScaleWorkload& w) {
  const double all = tokens(l, w), parts = sequenceParts(l), scale = elementBytes(w) / 2;
  if (l.recompute == Recompute::Full) return scale * 2 * all * double(s.hidden) / parts;
  double whole = layer.keptWhole, split = layer.keptSplit, routed = layer.keptExpert, scores = layer.keptScores * double(w.sequence);
  if (l.recompute == Recompute::Selective) {
    whole -= layer.cheapWhole, split -= layer.cheapSplit, routed -= layer.cheapExpert;
    scores = 0;
  }
  return scale * all * (whole / parts + (split + scores + routed) / l.tensor);
}

std::int64_t usableMemory(const ScaleMachine& machine) { return std::int64_t(kUsable * double(machine.memory)); }

LanguageMemory scaleMemory(const ScaleShape& s, const ScaleLayout& l, const ScaleWorkload& w, const ScaleMachine&) {
  LanguageMemory fullest;
  for (const Stage& stage : stagesOf(s, l))
    if (const LanguageMemory m = memoryOf(s, l, w, stage); m.total() > fullest.total()) fullest = m;
  return fullest;
}

ScalePrediction predictStep(const ScaleShape& shape, const ScaleLayout& l, const ScaleWorkload& w, const ScaleMachine& machine) {
  ScalePrediction p;
  p.microBatches = w.globalBatch / (std::int64_t(l.data) * l.microBatch);
  const Cost cost{shape, l, w, machine};
  StageSeconds slow;
  for (const Stage& stage : stagesOf(shape, l)) {
    const StageSeconds s = stageSeconds(cost, stage, p.microBatches);
    if (s.micro() > slow.micro()) slow = s;
  }
  const double m = double(p.microBatches);
  p.seconds.compute = m * (slow.forward + slow.backward);
  p.seconds.recompute = m * slow.again;
  p.seconds.tensor = m * slow.tensor;
  p.seconds.expert = m * slow.expert;
  p.seconds.pipeline = m * slow.pipeline;
  p.seconds.data = m * slow.dataEach + slow.dataOnce;
  p.seconds.bubble = double(l.pipeline - 1) / l.interleave * slow.micro();
  p.seconds.optimizer = slow.optimizer;
  p.dataSeconds = slow.dataAll;
  p.dataAlgorithm = QLatin1String(slow.algorithm);
  p.memory = scaleMemory(shape, l, w, machine);
  const double batch = double(w.globalBatch), total = p.seconds.total();
  p.modelFlops = 3 * batch * shape.forwardFlops(w.sequence);
  p.tokensPerSecond = batch * double(w.sequence) / total;
  const double available = total * l.gpus() * machine.peak[std::size_t(w.precision)];
  p.mfu = p.modelFlops / available;
  p.hfu = (p.modelFlops + batch * recomputedFlops(shape, l, w.sequence)) / available;
  return p;
}

}  // namespace cloister
