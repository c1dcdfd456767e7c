// Whole groups to training, validation and test: deterministic, stratified.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <QCryptographicHash>
#include <QHash>

#include "core/curation/dataset.h"

namespace cloister {
namespace {

constexpr int kSplits = 3;
using Fractions = std::array<double, kSplits>;

struct Group {
  QString name;
  QByteArray order;                      // SHA-256 of seed and name: the same on every machine, independent of the samples' order
  QList<std::pair<int, qint64>> counts;  // label number → samples
  qint64 size = 0;
  int split = -1;
};

struct Grouped {
  std::vector<Group> groups;
  std::vector<int> groupOfSample;
  std::vector<qint64> totals;  // samples of each label
};

Failure invalid(const char* name, const QString& value, const char* allowed) {
  return {FailureKind::InvalidArgument, {{"name", QLatin1String(name)}, {"value", value}, {"allowed", QLatin1String(allowed)}}, {}};
}

Result<void> validate(const SplitRequest& r) {
  static const QStringList known{"patient", "site", "study", "series", "sample"};
  if (!known.contains(r.groupBy)) return invalid("group", r.groupBy, "patient, site, study, series, sample");
  const auto fraction = [](double f) { return std::isfinite(f) && f >= 0 && f <= 1; };
  if (!fraction(r.train) || !fraction(r.validation) || !fraction(r.test) || r.train == 0 ||
      std::abs(r.train + r.validation + r.test - 1) > 1e-6)
    return invalid("split", QStringLiteral("%1/%2/%3").arg(r.train).arg(r.validation).arg(r.test),
                   "three fractions with sum 1, training above 0");
  for (const QString& name : r.fixed)
    if (!splitFromName(name)) return invalid("fixed", name, "train, validation, test");
  if (r.groupBy == u"sample" && r.overrideReason.trimmed().isEmpty())
    return Failure{FailureKind::PolicyRefused,
                   {{"rule", "splitting by single samples can put one patient on both sides; give a reason to override"}},
                   {}};
  return {};
}

/// Labels are numbered by their order as text, groups by theirs: nothing below depends on the order of the samples.
Grouped collect(const QList<Sample>& samples, const SplitRequest& request) {
  QMap<QString, int> labelNumber;
  for (const Sample& s : samples) labelNumber[request.stratify ? s.label : QString()] = 0;
  int next = 0;
  for (int& number : labelNumber) number = next++;
  Grouped all;
  all.totals.resize(size_t(labelNumber.size()));
  QHash<QString, int> groupNumber;
  for (const Sample& s : samples) {
    const QString name = groupOf(s, request.groupBy);
    auto it = groupNumber.find(name);
    if (it == groupNumber.end()) {
      it = groupNumber.insert(name, int(all.groups.size()));
      const QByteArray seeded = QByteArray::number(request.seed) + '\n' + name.toUtf8();
      Group group;
      group.name = name;
      group.order = QCryptographicHash::hash(seeded, QCryptographicHash::Sha256);
      all.groups.push_back(std::move(group));
    }
    all.groupOfSample.push_back(*it);
    Group& group = all.groups[size_t(*it)];
    const int label = labelNumber.value(request.stratify ? s.label : QString());
    const auto count = std::find_if(group.counts.begin(), group.counts.end(), [&](auto& c) { return c.first == label; });
    if (count == group.counts.end()) group.counts.append({label, 1});
    else ++count->second;
    ++group.size;
    ++all.totals[size_t(label)];
  }
  for (Group& group : all.groups) std::sort(group.counts.begin(), group.counts.end());
  return all;
}

class Assigner {
 public:
  Assigner(Grouped& all, const Fractions& fractions) : all_(all), fractions_(fractions) {
    for (auto& have : have_) have.resize(all.totals.size());
    remaining_.resize(all.totals.size());
    for (const Group& group : all.groups)
      for (const auto& [label, n] : group.counts) ++remaining_[size_t(label)];
  }

  void put(Group& group, int split) {
    group.split = split;
    ++groups_[size_t(split)];
    ++placed_;
    for (const auto& [label, n] : group.counts) {
      have_[size_t(split)][size_t(label)] += n;
      --remaining_[size_t(label)];
    }
  }

  int choose(const Group& group) const {
    const std::array<bool, kSplits> allowed = candidates(group);
    int best = -1;
    double bestCost = std::numeric_limits<double>::infinity();
    for (int split = 0; split < kSplits; ++split) {
      if (!allowed[size_t(split)]) continue;
      const double cost = costOf(group, split);
      if (best < 0 || cost < bestCost) best = split, bestCost = cost;
    }
    return best;
  }

 private:
  /// How much further from the targets the split gets (chi-square): fills all splits at the same relative pace, label by label.
  double costOf(const Group& group, int split) const {
    double cost = 0;
    for (const auto& [label, n] : group.counts) {
      const double target = fractions_[size_t(split)] * double(all_.totals[size_t(label)]);
      const double missing = double(have_[size_t(split)][size_t(label)]) - target;
      cost += double(n) * (double(n) + 2 * missing) / target;
    }
    return cost;
  }

  /// Normally every split with a share. When as few groups are left as splits lack one (or lack a class of this group): those only.
  std::array<bool, kSplits> candidates(const Group& group) const {
    std::array<bool, kSplits> wanted{}, empty{};
    qint64 empties = 0;
    for (int s = 0; s < kSplits; ++s) {
      wanted[size_t(s)] = fractions_[size_t(s)] > 0;
      empty[size_t(s)] = wanted[size_t(s)] && groups_[size_t(s)] == 0;
      empties += empty[size_t(s)];
    }
    if (empties > 0 && qint64(all_.groups.size()) - placed_ <= empties) return empty;
    qint64 scarcest = std::numeric_limits<qint64>::max();
    std::array<bool, kSplits> chosen = wanted;
    for (const auto& [label, n] : group.counts) {
      std::array<bool, kSplits> lacking{};
      qint64 lacks = 0;
      for (int s = 0; s < kSplits; ++s) {
        lacking[size_t(s)] = wanted[size_t(s)] && have_[size_t(s)][size_t(label)] == 0;
        lacks += lacking[size_t(s)];
      }
      const qint64 left = remaining_[size_t(label)];
      if (lacks > 0 && left <= lacks && left < scarcest) chosen = lacking, scarcest = left;
    }
    return chosen;
  }

  const Grouped& all_;
  Fractions fractions_;
  std::array<std::vector<qint64>, kSplits> have_;
  std::array<qint64, kSplits> groups_{};
  std::vector<qint64> remaining_;  // groups not yet placed that hold the label
  qint64 placed_ = 0;
};

}  // namespace

QString splitName(Split split) {
  switch (split) {
    case Split::Train:
      return QStringLiteral("train");
    case Split::Validation:
      return QStringLiteral("validation");
    case Split::Test:
      break;
  }
  return QStringLiteral("test");
}

std::optional<Split> splitFromName(const QString& name) {
  for (const Split split : {Split::Train, Split::Validation, Split::Test})
    if (splitName(split) == name) return split;
  return std::nullopt;
}

QString groupOf(const Sample& s, const QString& groupBy) {
  QString group;
  if (groupBy == u"patient") group = s.patient;
  else if (groupBy == u"site") group = s.site;
  else if (groupBy == u"study") group = s.study;
  else if (groupBy == u"series") group = s.series;
  return group.isEmpty() ? "sha256:" + s.sha256 : group;
}

Result<QList<Split>> splitSamples(const QList<Sample>& samples, const SplitRequest& request) {
  if (auto ok = validate(request); !ok) return ok.error();
  Grouped all = collect(samples, request);
  const Fractions fractions{request.train, request.validation, request.test};
  const auto shares = std::count_if(fractions.begin(), fractions.end(), [](double f) { return f > 0; });
  if (qint64(all.groups.size()) < shares)
    return Failure{FailureKind::NothingToDo,
                   {{"what", QStringLiteral("set of at least %1 groups (%2) to split").arg(shares).arg(request.groupBy)},
                    {"next", "Import more patients, or split by another group."}},
                   QStringLiteral("%1 groups for %2 splits").arg(all.groups.size()).arg(shares)};
  Assigner assigner(all, fractions);
  std::vector<Group*> order;
  for (Group& group : all.groups) {
    const auto fixed = request.fixed.constFind(group.name);
    if (fixed != request.fixed.constEnd()) assigner.put(group, int(*splitFromName(*fixed)));
    else order.push_back(&group);
  }
  // Largest first, so that the small ones even out what the large ones left; by powers of two, so that the seed and not the exact size
  // decides which of two alike patients is trained on.
  const auto sizeClass = [](const Group* group) { return std::bit_width(quint64(group->size)); };
  std::sort(order.begin(), order.end(), [&](const Group* x, const Group* y) {
    return sizeClass(x) != sizeClass(y) ? sizeClass(x) > sizeClass(y) : x->order < y->order;
  });
  for (Group* group : order) assigner.put(*group, assigner.choose(*group));
  QList<Split> result;
  result.reserve(samples.size());
  for (const int group : all.groupOfSample) result.append(Split(all.groups[size_t(group)].split));
  return result;
}

}  // namespace cloister
