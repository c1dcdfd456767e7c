// Which layouts are possible, and the search through all of them.
#include <algorithm>
#include <map>
#include <utility>

#include "core/domain/scale_model.h"

namespace cloister {
namespace {

constexpr int kMicroBatches[] = {1, 2, 4, 8, 16};
constexpr int kMostInterleaved = 8, kMostGpus = 4096;

std::vector<int> divisors(std::int64_t n) {
  std::vector<int> all;
  for (int d = 1; d <= n && d <= kMostGpus; ++d)
    if (n % d == 0) all.push_back(d);
  return all;
}

/// The larger, the more settings a variant passed before it fell out.
int nearness(const ScaleReason& r) { return r.word == u"memory" ? 2 : r.word == u"batch" ? 1 : 0; }

/// What became of the variants of one division into tensor and pipeline ranks.
struct Family {
  std::optional<ScaleProposal> fastest;
  std::optional<ScaleOther> nearest;

  void refuse(const ScaleLayout& layout, const ScaleReason& reason) {
    const bool isNearer = !nearest || nearness(reason) > nearness(nearest->reason) ||
                          (reason.word == u"memory" && nearest->reason.word == u"memory" && reason.found < nearest->reason.found);
    if (isNearer) nearest = ScaleOther{layout, reason, 0};
  }
};

using FamilyKey = std::pair<int, int>;  // tensor, pipeline

/// Calls with every layout of so many GPUs whose tensor, pipeline and expert ranks divide the model; the batch may still refuse it.
template <typename F>
void forEachLayout(const ScaleShape& s, const ScaleMachine& machine, int gpus, const F& call) {
  for (const int tensor : divisors(std::min(gpus, machine.perNode))) {
    if (gpus % tensor != 0) continue;
    for (const int pipeline : divisors(gpus / tensor)) {
      if (pipeline > 2 * s.layers) break;  // one that is too long is enough to say so
      ScaleLayout l;
      l.tensor = tensor;
      l.pipeline = pipeline;
      l.data = gpus / tensor / pipeline;
      for (const int expert : divisors(std::max<std::int64_t>(1, s.experts))) {
        if (l.data % expert != 0) continue;
        l.expert = expert;
        for (l.zero = 0; l.zero <= (l.data > 1 ? 3 : 0); ++l.zero) call(l);
      }
    }
  }
}

const char* costliest(const ScaleSeconds& s) {
  const std::pair<double, const char*> parts[] = {{s.bubble, "bubble"},      {s.tensor, "tensor"}, {s.expert, "expert"},
                                                  {s.pipeline, "pipeline"},  {s.data, "data"},     {s.recompute, "recompute"},
                                                  {s.optimizer, "optimizer"}};
  return std::max_element(std::begin(parts), std::end(parts), [](const auto& a, const auto& b) { return a.first < b.first; })->second;
}

bool isSameKind(const ScaleLayout& a, const ScaleLayout& b) {
  return a.tensor == b.tensor && a.pipeline == b.pipeline && a.expert == b.expert && a.zero == b.zero;
}

struct Search {
  const ScaleShape& shape;
  const ScaleWorkload& work;
  const ScaleMachine& machine;
  int gpus;
  ScaleSearch result;
  std::map<FamilyKey, Family> families;
  std::vector<ScaleProposal> kinds;  ///< the fastest of each kind

  void tryOne(const ScaleLayout& l) {
    ++result.tried;
    Family& family = families[{l.tensor, l.pipeline}];
    if (const auto reason = layoutReason(shape, l, work, machine, gpus)) return family.refuse(l, *reason);
    if (const std::int64_t needed = scaleMemory(shape, l, work, machine).total(); needed > usableMemory(machine))
      return family.refuse(l, {QStringLiteral("memory"), needed, usableMemory(machine)});
    ++result.fitting;
    const ScaleProposal found{l, predictStep(shape, l, work, machine)};
    const double seconds = found.prediction.seconds.total();
    if (!family.fastest || seconds < family.fastest->prediction.seconds.total()) family.fastest = found;
    const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const ScaleProposal& k) { return isSameKind(k.layout, l); });
    if (same == kinds.end()) kinds.push_back(found);
    else if (seconds < same->prediction.seconds.total()) *same = found;
  }

  void run(int keep) {
    forEachLayout(shape, machine, gpus, [this](ScaleLayout l) {
      for (l.interleave = 1; l.interleave <= (l.pipeline > 1 ? kMostInterleaved : 1); ++l.interleave)
        for (const int micro : kMicroBatches)
          for (const Recompute recompute : {Recompute::None, Recompute::Selective, Recompute::Full}) {
            l.microBatch = micro;
            l.recompute = recompute;
            tryOne(l);
          }
    });
    std::stable_sort(kinds.begin(), kinds.end(),
                     [](const auto& a, const auto& b) { return a.prediction.seconds.total() < b.prediction.seconds.total(); });
    if (int(kinds.size()) > keep) kinds.resize(std::size_t(keep));
    result.best = kinds;
    for (const auto& [key, family] : families) addOther(family);
  }

  void addOther(const Family& family) {
    if (!family.fastest) {
      if (family.nearest) result.others.push_back(*family.nearest);
      return;
    }
    const ScaleLayout& l = family.fastest->layout;
    for (const ScaleProposal& p : result.best)
      if (p.layout.tensor == l.tensor && p.layout.pipeline == l.pipeline) return;
    const ScaleSeconds& s = family.fastest->prediction.seconds;
    result.others.push_back({l, {QLatin1String(costliest(s)), 0, 0}, s.total() / result.best.front().prediction.seconds.total()});
  }
};

/// The layout of so many GPUs that needs the least memory, whatever its speed; micro-batches fill the pipeline.
std::optional<ScaleLayout> leanest(const ScaleShape& s, ScaleWorkload w, const ScaleMachine& machine, int gpus) {
  std::optional<ScaleLayout> best;
  std::int64_t least = usableMemory(machine);
  forEachLayout(s, machine, gpus, [&](ScaleLayout l) {
    if (l.zero < 3 && l.data > 1) return;
    l.recompute = Recompute::Full;
    w.globalBatch = std::int64_t(l.data) * l.pipeline;
    if (layoutReason(s, l, w, machine, gpus)) return;
    const std::int64_t needed = scaleMemory(s, l, w, machine).total();
    if (needed > least) return;
    least = needed;
    best = l;
  });
  return best;
}

std::vector<int> sizesToTry(const ScaleMachine& machine) {
  std::vector<int> sizes;
  for (const int n : divisors(machine.perNode)) sizes.push_back(n);
  for (int nodes = 2; nodes * machine.perNode <= kMostGpus; ++nodes) sizes.push_back(nodes * machine.perNode);
  return sizes;
}

}  // namespace

std::optional<ScaleReason> layoutReason(const ScaleShape& s, const ScaleLayout& l, const ScaleWorkload& w, const ScaleMachine& machine,
                                        int gpus) {
  const auto reason = [](const char* word, std::int64_t found, std::int64_t limit) {
    return ScaleReason{QLatin1String(word), found, limit};
  };
  if (machine.peak[std::size_t(w.precision)] <= 0) return reason("precision", 0, 0);
  if (l.gpus() != gpus) return reason("gpus", l.gpus(), gpus);
  if (l.tensor > machine.perNode || machine.perNode % l.tensor != 0) return reason("node", l.tensor, machine.perNode);
  if (s.heads % l.tensor != 0) return reason("heads", s.heads, l.tensor);
  if (s.kvHeads % l.tensor != 0) return reason("kvHeads", s.kvHeads, l.tensor);
  if (s.intermediate % l.tensor != 0) return reason("width", s.intermediate, l.tensor);
  if (l.sequenceParallel && w.sequence % l.tensor != 0) return reason("sequence", w.sequence, l.tensor);
  if (l.pipeline > s.layers) return reason("layers", s.layers, l.pipeline);
  if (l.expert > 1 && (s.experts == 0 || s.experts % l.expert != 0)) return reason("experts", s.experts, l.expert);
  if (l.data % l.expert != 0) return reason("expertRanks", l.data, l.expert);
  const std::int64_t atOnce = std::int64_t(l.data) * l.microBatch;
  if (w.globalBatch % atOnce != 0) return reason("batch", w.globalBatch, atOnce);
  if (l.interleave > 1 && (l.pipeline == 1 || s.layers % (std::int64_t(l.pipeline) * l.interleave) != 0))
    return reason("interleave", s.layers, std::int64_t(l.pipeline) * l.interleave);
  if (l.interleave > 1 && w.globalBatch / atOnce % l.pipeline != 0) return reason("interleaveBatch", w.globalBatch / atOnce, l.pipeline);
  return {};
}

ScaleSearch searchLayouts(const ScaleShape& shape, const ScaleWorkload& work, const ScaleMachine& machine, int gpus, int keep) {
  Search search{shape, work, machine, gpus, {}, {}, {}};
  search.run(keep);
  return std::move(search.result);
}

std::optional<ScaleProposal> smallestScale(const ScaleShape& shape, const ScaleWorkload& work, const ScaleMachine& machine) {
  if (machine.peak[std::size_t(work.precision)] <= 0) return {};
  for (const int gpus : sizesToTry(machine)) {
    const auto lean = leanest(shape, work, machine, gpus);
    if (!lean) continue;
    // The quickest with the batch as it is, or with one that this layout divides.
    if (const ScaleSearch found = searchLayouts(shape, work, machine, gpus, 1); !found.best.empty()) return found.best.front();
    ScaleWorkload divided = work;
    const std::int64_t atOnce = std::int64_t(lean->data) * lean->pipeline;
    divided.globalBatch = std::max<std::int64_t>(1, work.globalBatch / atOnce) * atOnce;
    return ScaleProposal{*lean, predictStep(shape, *lean, divided, machine)};
  }
  return {};
}

}  // namespace cloister
