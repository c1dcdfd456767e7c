// What a person should know before training on a dataset: each check gives at most one finding, worded here, keyed by its kind.
#include <algorithm>
#include <bit>
#include <cmath>

#include <QHash>
#include <QJsonArray>
#include <QSet>

#include "core/curation/dataset.h"
#include "core/curation/near_duplicates.h"
#include "core/curation/picture_compare.h"
#include "core/store/project.h"

namespace cloister {
namespace {

constexpr int kKeyLimit = 1000;
constexpr int kNearDistance = 3;           // of 64 bits, for candidates
constexpr double kNearCorrelation = 0.98;  // see PictureCompare
constexpr std::size_t kCandidateLimit = 1'000'000;

using Findings = QList<Finding>;

void add(Findings& findings, const char* column, const char* kind, const char* severity, const QString& message, QJsonObject args = {},
         QStringList keys = {}) {
  if (keys.size() > kKeyLimit) keys.erase(keys.begin() + kKeyLimit, keys.end());
  findings.append({QLatin1String(column), QLatin1String(kind), QLatin1String(severity), message, args, keys});
}

/// Equal bytes in two class folders, or two rows of a label table for one sample that disagree.
Result<void> checkConflicts(const Project& project, const QList<Sample>& samples, Findings& findings) {
  auto duplicates = project.duplicates();
  if (!duplicates) return duplicates.error();
  auto tableConflicts = project.setting(QStringLiteral("labels.conflicts"));
  if (!tableConflicts) return tableConflicts.error();
  QHash<QString, const Sample*> byName;
  for (const Sample& s : samples) {
    if (s.labelOrigin == u"folder") byName.insert(s.file, &s), byName.insert(s.key, &s);
  }
  QSet<QString> keys;
  for (const auto& [file, original] : *duplicates) {
    const Sample* sample = byName.value(original);
    if (sample && file.section('/', -2, -2) != sample->label) keys.insert(sample->key);
  }
  QSet<QString> present;
  for (const Sample& s : samples) present.insert(s.key);
  for (const QJsonValue& c : tableConflicts->toArray())
    if (present.contains(c["key"].toString())) keys.insert(c["key"].toString());
  if (keys.isEmpty()) return {};
  QStringList sorted = keys.values();
  sorted.sort();
  add(findings, "semantic", "conflicting_labels", "blocking",
      QStringLiteral("%1 images have two different labels for the same bytes. Decide which one is right, or exclude them.")
          .arg(sorted.size()),
      {{"count", sorted.size()}}, sorted);
  return {};
}

void checkCompleteness(const QList<Sample>& samples, Findings& findings) {
  QStringList unlabelled, problems;
  qint64 unlabelledCount = 0, missing = 0, problemCount = 0;
  for (const Sample& s : samples) {
    if (s.label.isEmpty() && ++unlabelledCount <= kKeyLimit) unlabelled.append(s.key);
    if (!s.problem.isEmpty() && ++problemCount <= kKeyLimit) problems.append(s.key);
    missing += s.patient.isEmpty();
  }
  if (problemCount > 0)
    add(findings, "format", "accepted_with_warning", "info",
        QStringLiteral("%1 files were accepted with a repair or a warning.").arg(problemCount), {{"count", problemCount}}, problems);
  if (unlabelledCount > 0)
    add(findings, "semantic", "unlabelled", "warning",
        QStringLiteral("%1 of %2 samples have no label and will be left out.").arg(unlabelledCount).arg(samples.size()),
        {{"count", unlabelledCount}, {"total", samples.size()}}, unlabelled);
  if (missing > 0)
    add(findings, "semantic", "missing_group", "warning",
        QStringLiteral("%1 of %2 samples name no patient; each counts as a patient of its own. If one person has several images, training "
                       "and test may share them.")
            .arg(missing)
            .arg(samples.size()),
        {{"count", missing}, {"total", samples.size()}});
}

void checkBalance(const QList<Sample>& samples, Findings& findings) {
  QMap<QString, qint64> labels;
  for (const Sample& s : samples)
    if (!s.label.isEmpty()) ++labels[s.label];
  QJsonObject counts;
  for (auto it = labels.begin(); it != labels.end(); ++it) counts[it.key()] = it.value();
  if (labels.size() == 1)
    add(findings, "distribution", "single_label", "blocking",
        QStringLiteral("All samples have the label \"%1\": there is nothing to tell apart.").arg(labels.firstKey()), {{"counts", counts}});
  if (labels.size() < 2) return;
  const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
  const double ratio = double(*most) / double(*least);
  if (ratio < 3) return;
  add(findings, "distribution", "label_imbalance", ratio >= 10 ? "warning" : "info",
      QStringLiteral("\"%1\" has %2 samples, \"%3\" only %4: use class weights and read the result of each class, not the accuracy alone.")
          .arg(most.key())
          .arg(*most)
          .arg(least.key())
          .arg(*least),
      {{"most", most.key()}, {"least", least.key()}, {"ratio", ratio}, {"counts", counts}});
}

/// Does the site give the label away? Then a model may learn the hospital instead of the disease.
void checkSites(const QList<Sample>& samples, Findings& findings) {
  QMap<QString, QMap<QString, qint64>> sitesOf;  // label → site → samples
  QMap<QString, qint64> bySite;
  qint64 n = 0;
  for (const Sample& s : samples) {
    if (s.label.isEmpty() || s.site.isEmpty()) continue;
    ++sitesOf[s.label][s.site];
    ++bySite[s.site];
    ++n;
  }
  if (bySite.size() < 2 || sitesOf.size() < 2) return;
  QStringList single;
  double chiSquare = 0;
  for (auto label = sitesOf.begin(); label != sitesOf.end(); ++label) {
    qint64 ofLabel = 0;
    for (const qint64 count : std::as_const(*label)) ofLabel += count;
    if (label->size() == 1 && ofLabel >= 5) single.append(label.key());
    for (auto site = bySite.begin(); site != bySite.end(); ++site) {
      const double expected = double(ofLabel) * double(*site) / double(n);
      const double difference = double(label->value(site.key())) - expected;
      chiSquare += difference * difference / expected;
    }
  }
  const double cramersV = std::sqrt(chiSquare / double(n) / double(std::min(bySite.size(), sitesOf.size()) - 1));
  if (!single.isEmpty())
    add(findings, "distribution", "single_site_per_label", "warning",
        QStringLiteral("All samples of %1 come from one site: the model may learn the site instead of the finding.").arg(single.join(", ")),
        {{"labels", QJsonArray::fromStringList(single)}, {"cramersV", cramersV}});
  else if (cramersV >= 0.5)
    add(findings, "distribution", "site_label_confounding", "warning",
        QStringLiteral("Label and site go together (Cramér's V %1): the model may learn the site instead of the finding.")
            .arg(cramersV, 0, 'f', 2),
        {{"cramersV", cramersV}});
}

void checkGroupsApart(const QList<Sample>& samples, const QList<Split>& splits, Findings& findings) {
  QHash<QString, Split> first;
  QSet<QString> shared;
  for (qsizetype i = 0; i < samples.size(); ++i) {
    const QString& patient = samples[i].patient;
    if (patient.isEmpty()) continue;
    const auto it = first.constFind(patient);
    if (it == first.cend()) first.insert(patient, splits[i]);
    else if (*it != splits[i]) shared.insert(patient);
  }
  if (shared.isEmpty()) return;
  QStringList keys;
  for (const Sample& s : samples)
    if (shared.contains(s.patient) && keys.size() < kKeyLimit) keys.append(s.key);
  add(findings, "semantic", "group_on_both_sides", "blocking",
      QStringLiteral("%1 patients are in more than one of training, validation and test: the result would be too good.").arg(shared.size()),
      {{"count", shared.size()}}, keys);
}

void checkClassesPresent(const QList<Sample>& samples, const QList<Split>& splits, Findings& findings) {
  QMap<QString, QSet<int>> where;
  QSet<int> used;
  for (qsizetype i = 0; i < samples.size(); ++i) {
    used.insert(int(splits[i]));
    if (!samples[i].label.isEmpty()) where[samples[i].label].insert(int(splits[i]));
  }
  QJsonObject absent;
  bool fromTraining = false;
  QStringList words;
  for (auto it = where.begin(); it != where.end(); ++it)
    for (const int split : used) {
      if (it->contains(split)) continue;
      fromTraining |= split == int(Split::Train);
      absent[it.key()] = splitName(Split(split));
      words.append(QStringLiteral("%1 (%2)").arg(it.key(), splitName(Split(split))));
    }
  if (words.isEmpty()) return;
  words.sort();
  add(findings, "distribution", "class_absent_from_split", fromTraining ? "blocking" : "warning",
      QStringLiteral("These classes are missing in a split: %1.").arg(words.join(", ")), {{"absent", absent}});
}

void checkNearDuplicates(const Project& project, const QList<Sample>& samples, const QList<Split>& splits, Findings& findings) {
  std::vector<HashedItem> items;
  items.reserve(size_t(samples.size()));
  for (qsizetype i = 0; i < samples.size(); ++i) items.push_back({samples[i].perceptualHash, int(splits[i])});
  const NearPairs candidates = findNearPairs(items, kNearDistance, kCandidateLimit);
  PictureCompare compare(project);
  QStringList keys;
  QJsonArray examples;
  qint64 pairs = 0;
  for (const auto& [a, b] : candidates.pairs) {
    // Radiographs of one body part share their coarse gradients, and so their hashes; the picture decides. Without one, the hash must do.
    const auto alike = compare.correlation(samples[a], samples[b]);
    if (alike ? *alike < kNearCorrelation : std::popcount(items[size_t(a)].hash ^ items[size_t(b)].hash) > 1) continue;
    ++pairs;
    if (keys.size() < kKeyLimit) keys << samples[a].key << samples[b].key;
    if (examples.size() < 100) examples.append(QJsonArray{samples[a].key, samples[b].key});
  }
  if (pairs == 0) return;
  keys.removeDuplicates();
  add(findings, "semantic", "near_duplicate_across_splits", "warning",
      QStringLiteral("%1 pairs of images on different sides of the split look almost the same: look at them before you trust the result.")
          .arg(candidates.complete ? QString::number(pairs) : QStringLiteral("More than %1").arg(pairs)),
      {{"pairs", pairs}, {"complete", candidates.complete}, {"examples", examples}}, keys);
}

}  // namespace

QJsonObject Finding::toJson() const {
  return {{"column", column},   {"kind", kind}, {"severity", severity},
          {"message", message}, {"args", args}, {"keys", QJsonArray::fromStringList(keys)}};
}

Finding Finding::fromJson(const QJsonObject& o) {
  QStringList keys;
  for (const QJsonValue& key : o["keys"].toArray()) keys << key.toString();
  return {o["column"].toString(), o["kind"].toString(), o["severity"].toString(), o["message"].toString(), o["args"].toObject(), keys};
}

Result<QList<Finding>> checkFiles(const Project& project) {
  Findings findings;
  auto counts = project.counts();
  if (!counts) return counts.error();
  if (counts->refused > 0) {
    auto refusals = project.refusals();
    if (!refusals) return refusals.error();
    QMap<QString, qint64> kinds;
    for (const RefusedFile& r : *refusals) ++kinds[r.kind];
    QJsonObject byKind;
    for (auto it = kinds.begin(); it != kinds.end(); ++it) byKind[it.key()] = it.value();
    // A text file beside the images is no image that was lost.
    const bool lost = kinds.value(failureKindName(FailureKind::UnsupportedFormat)) < counts->refused;
    add(findings, "format", "unreadable", lost ? "warning" : "info", QStringLiteral("%1 files could not be imported.").arg(counts->refused),
        {{"count", counts->refused}, {"byKind", byKind}});
  }
  if (counts->duplicates > 0)
    add(findings, "format", "duplicate", "info",
        QStringLiteral("%1 files have the same bytes as another one and were left out.").arg(counts->duplicates),
        {{"count", counts->duplicates}});
  return findings;
}

Result<QList<Finding>> checkDataset(const Project& project, const QList<Sample>& samples, const QList<Split>& splits) {
  auto files = checkFiles(project);
  if (!files) return files.error();
  Findings findings = std::move(*files);
  if (auto ok = checkConflicts(project, samples, findings); !ok) return ok.error();
  checkCompleteness(samples, findings);
  checkBalance(samples, findings);
  checkSites(samples, findings);
  if (splits.size() == samples.size() && !splits.isEmpty()) {
    checkGroupsApart(samples, splits, findings);
    checkClassesPresent(samples, splits, findings);
    checkNearDuplicates(project, samples, splits, findings);
  }
  const auto weight = [](const Finding& f) { return f.severity == u"blocking" ? 0 : f.severity == u"warning" ? 1 : 2; };
  std::stable_sort(findings.begin(), findings.end(), [&](auto& a, auto& b) { return weight(a) < weight(b); });
  return findings;
}

}  // namespace cloister
