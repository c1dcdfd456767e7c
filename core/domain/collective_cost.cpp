// Time of collectives: alpha (seconds a step) and beta (seconds a byte), by algorithm.
#include <algorithm>
#include <cmath>

#include "core/domain/scale_model.h"

namespace cloister {
namespace {

CollectiveCost flat(Collective what, double bytes, int ranks, ScaleLink link) {
  if (ranks <= 1) return {};
  if (what == Collective::AllToAll) return {ringSeconds(what, bytes, ranks, link), "direct"};
  const CollectiveCost ring{ringSeconds(what, bytes, ranks, link), "ring"};
  if (what != Collective::AllReduce) return ring;
  const CollectiveCost tree{treeAllReduceSeconds(bytes, ranks, link), "tree"};
  return tree.seconds < ring.seconds ? tree : ring;
}

/// Inside the nodes, then between them with a part for each member, each on its own port.
CollectiveCost hierarchical(Collective what, double bytes, RankGroup group, int nodes, const ScaleMachine& m) {
  const double part = bytes / group.perNode;
  double seconds = 0;
  if (what == Collective::AllReduce)
    seconds = 2 * ringSeconds(Collective::ReduceScatter, bytes, group.perNode, m.node) + flat(what, part, nodes, m.network).seconds;
  else seconds = ringSeconds(what, bytes, group.perNode, m.node) + flat(what, part, nodes, m.network).seconds;
  return {seconds, "hierarchical"};
}

/// Both kinds of link work at once: what goes to other nodes, and what stays.
CollectiveCost exchange(double bytes, RankGroup group, int nodes, const ScaleMachine& m) {
  const double away = bytes * double(group.size - group.perNode) / group.size, near = bytes * double(group.perNode - 1) / group.size;
  return {std::max(away / m.network.bandwidth + (nodes - 1) * m.network.latency,
                   near / m.node.bandwidth + (group.perNode - 1) * m.node.latency),
          "direct"};
}

}  // namespace

double ringSeconds(Collective what, double bytes, int ranks, ScaleLink link) {
  if (ranks <= 1) return 0;
  const double passes = what == Collective::AllReduce ? 2 : 1, steps = passes * (ranks - 1);
  return steps / ranks * bytes / link.bandwidth + steps * link.latency;
}

double treeAllReduceSeconds(double bytes, int ranks, ScaleLink link) {
  if (ranks <= 1) return 0;
  // Two trees, each with half of the vector: every rank but two passes all of it up and down once.
  return 2 * bytes / link.bandwidth + 2 * std::ceil(std::log2(ranks)) * link.latency;
}

CollectiveCost collectiveCost(Collective what, double bytes, RankGroup group, const ScaleMachine& m) {
  if (group.size <= 1) return {};
  group.perNode = std::clamp(group.perNode, 1, group.size);
  const int nodes = (group.size + group.perNode - 1) / group.perNode;
  if (nodes == 1) return flat(what, bytes, group.size, m.node);
  if (group.perNode == 1) return flat(what, bytes, group.size, m.network);
  if (what == Collective::AllToAll) return exchange(bytes, group, nodes, m);
  const CollectiveCost staged = hierarchical(what, bytes, group, nodes, m);
  // Rings through all members, one for each port of a node.
  const ScaleLink together{std::min(m.node.bandwidth, m.network.bandwidth * group.perNode), std::max(m.network.latency, m.node.latency)};
  const CollectiveCost ring{ringSeconds(what, bytes, group.size, together), "ring"};
  return ring.seconds < staged.seconds ? ring : staged;
}

}  // namespace cloister
