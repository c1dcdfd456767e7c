// Freezing what a project holds into a snapshot, and opening snapshots.
#include <algorithm>
#include <numeric>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QSet>
#include <QUuid>

#include "core/curation/dataset.h"
#include "core/curation/snapshot_files.h"
#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister {
namespace {

/// Everything that goes into a snapshot, decided but not written.
struct Frozen {
  QList<Sample> samples;
  QList<Split> splits;
  QList<Finding> findings;
  QStringList classes;
  std::vector<int> order;  // of samples.jsonl: by (sha256, frame)
  qint64 groups = 0;
  QMap<QString, qint64> splitCounts;
};

QStringList classesOf(const QList<Sample>& samples) {
  QSet<QString> names;
  for (const Sample& s : samples) names.insert(s.label);
  QStringList classes = names.values();
  // By code point, as every other language sorts; QString would compare UTF-16 units.
  std::sort(classes.begin(), classes.end(), [](const QString& a, const QString& b) { return a.toUcs4() < b.toUcs4(); });
  return classes;
}

Result<QList<Sample>> labelledSamples(const Project& project) {
  SampleFilter included;
  included.includeExcluded = false;
  auto samples = project.samples(included, 0, std::numeric_limits<int>::max());
  if (!samples) return samples;
  samples->removeIf([](const Sample& s) { return s.label.isEmpty(); });
  if (samples->isEmpty())
    return Failure{FailureKind::NothingToDo, {{"what", "labelled sample"}, {"next", "Import images and give them labels first."}}, {}};
  return samples;
}

Result<Frozen> decide(const Project& project, const SplitRequest& request) {
  Frozen frozen;
  auto samples = labelledSamples(project);
  if (!samples) return samples.error();
  frozen.samples = std::move(*samples);
  auto splits = splitSamples(frozen.samples, request);
  if (!splits) return splits.error();
  frozen.splits = std::move(*splits);
  auto findings = checkDataset(project, frozen.samples, frozen.splits);
  if (!findings) return findings.error();
  frozen.findings = std::move(*findings);
  if (auto allowed = refuseBlocking(frozen.findings, request.overrideReason); !allowed) return allowed.error();
  frozen.classes = classesOf(frozen.samples);
  QSet<QString> groups;
  for (qsizetype i = 0; i < frozen.samples.size(); ++i) {
    groups.insert(groupOf(frozen.samples[i], request.groupBy));
    ++frozen.splitCounts[splitName(frozen.splits[i])];
  }
  frozen.groups = groups.size();
  frozen.order.resize(size_t(frozen.samples.size()));
  std::iota(frozen.order.begin(), frozen.order.end(), 0);
  std::sort(frozen.order.begin(), frozen.order.end(), [&](int a, int b) {
    const Sample &x = frozen.samples[a], &y = frozen.samples[b];
    return x.sha256 != y.sha256 ? x.sha256 < y.sha256 : x.frame < y.frame;
  });
  return frozen;
}

/// samples.jsonl; returns the snapshot's digest.
Result<QString> writeSamples(const Frozen& frozen, const SplitRequest& request, const Preprocessing& preprocessing, const QString& path) {
  SnapshotWriter writer;
  if (auto opened = writer.open(path); !opened) return opened.error();
  for (const int i : frozen.order) {
    const Sample& s = frozen.samples[i];
    const int classIndex = int(frozen.classes.indexOf(s.label));
    auto written = writer.write(snapshotLine(s, groupOf(s, request.groupBy), classIndex, frozen.splits[i]));
    if (!written) return written.error();
  }
  if (auto closed = writer.close(); !closed) return closed.error();
  return writer.digest().finish(request.toJson(), preprocessing.toJson());
}

QJsonObject snapshotJson(const Project& project, const Frozen& frozen, const SplitRequest& request, const Preprocessing& preprocessing,
                         const QString& digest) {
  QJsonArray findings;
  for (const Finding& f : frozen.findings) {
    QJsonObject o = f.toJson();
    o["keys"] = QJsonArray::fromStringList(f.keys.mid(0, 100));
    findings.append(o);
  }
  QJsonObject counts;
  for (auto it = frozen.splitCounts.begin(); it != frozen.splitCounts.end(); ++it) counts[it.key()] = it.value();
  return {{"format", 1},
          {"digest", digest},
          {"createdAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
          {"project", project.info().id},
          {"classes", QJsonArray::fromStringList(frozen.classes)},
          {"samples", frozen.samples.size()},
          {"groups", frozen.groups},
          {"splitCounts", counts},
          {"split", request.toJson()},
          {"preprocessing", preprocessing.toJson()},
          {"overrideReason", request.overrideReason.trimmed()},
          {"findings", findings}};
}

QList<SnapshotMember> membersOf(const Frozen& frozen) {
  QList<SnapshotMember> members;
  members.reserve(frozen.samples.size());
  for (qsizetype i = 0; i < frozen.samples.size(); ++i) members.append({frozen.samples[i].id, int(frozen.splits[i])});
  return members;
}

Result<Snapshot> freezeInto(Project& project, const Frozen& frozen, const SplitRequest& request, const Preprocessing& preprocessing,
                            const QString& staged) {
  auto digest = writeSamples(frozen, request, preprocessing, staged + "/samples.jsonl");
  if (!digest) return digest.error();
  return settleSnapshot(project, staged, snapshotJson(project, frozen, request, preprocessing, *digest), membersOf(frozen));
}

Result<void> validate(const Preprocessing& p) {
  const auto bad = [](const char* name, const QString& value, const char* allowed) {
    return Failure{
        FailureKind::InvalidArgument, {{"name", QLatin1String(name)}, {"value", value}, {"allowed", QLatin1String(allowed)}}, {}};
  };
  if (p.size < 16 || p.size > 2048) return bad("size", QString::number(p.size), "16 … 2048");
  if (p.channels != 1 && p.channels != 3) return bad("channels", QString::number(p.channels), "1, 3");
  if (p.fit != u"letterbox" && p.fit != u"stretch" && p.fit != u"crop") return bad("fit", p.fit, "letterbox, stretch, crop");
  if (p.window == u"voi" || p.window == u"minmax" || p.window == u"percentile") return {};
  const QStringList numbers = p.window.split(',');
  bool center = false, width = false;
  if (numbers.size() == 2) numbers[0].toDouble(&center), width = numbers[1].toDouble(&width) > 0 && width;
  if (!center || !width) return bad("window", p.window, "voi, minmax, percentile, or center,width");
  return {};
}

}  // namespace

QJsonObject Preprocessing::toJson() const { return {{"size", size}, {"channels", channels}, {"window", window}, {"fit", fit}}; }

Preprocessing Preprocessing::fromJson(const QJsonObject& o) {
  const Preprocessing usual;
  return {o["size"].toInt(usual.size), o["channels"].toInt(usual.channels), o["window"].toString(usual.window),
          o["fit"].toString(usual.fit)};
}

QJsonObject SplitRequest::toJson() const {
  QJsonObject fixedGroups;
  for (auto it = fixed.begin(); it != fixed.end(); ++it) fixedGroups[it.key()] = it.value();
  return {{"train", train}, {"validation", validation}, {"test", test},        {"groupBy", groupBy},
          {"seed", seed},   {"stratify", stratify},     {"fixed", fixedGroups}};
}

SplitRequest SplitRequest::fromJson(const QJsonObject& o) {
  SplitRequest r;
  r.train = o["train"].toDouble(r.train);
  r.validation = o["validation"].toDouble(r.validation);
  r.test = o["test"].toDouble(r.test);
  r.groupBy = o["groupBy"].toString(r.groupBy);
  r.seed = o["seed"].toInteger(r.seed);
  r.stratify = o["stratify"].toBool(r.stratify);
  const QJsonObject fixedGroups = o["fixed"].toObject();
  for (auto it = fixedGroups.begin(); it != fixedGroups.end(); ++it) r.fixed[it.key()] = it.value().toString();
  return r;
}

Result<Snapshot> freezeSnapshot(Project& project, const SplitRequest& request, const Preprocessing& preprocessing) {
  if (auto ok = validate(preprocessing); !ok) return ok.error();
  auto frozen = decide(project, request);
  if (!frozen) return frozen.error();
  const QString staged = project.dir() + "/snapshots/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (!QDir().mkpath(staged)) return Failure{FailureKind::IoError, {{"path", staged}}, "the folder could not be made"};
  auto snapshot = freezeInto(project, *frozen, request, preprocessing, staged);
  QDir(staged).removeRecursively();
  return snapshot;
}

Result<Snapshot> openSnapshot(const Project& project, const QString& digestOrPrefix) {
  auto known = project.snapshots();
  if (!known) return known.error();
  if (digestOrPrefix.isEmpty()) {
    if (known->isEmpty())
      return Failure{FailureKind::NothingToDo, {{"what", "snapshot"}, {"next", "Freeze the data first (data snapshot)."}}, {}};
    return snapshotFromFolder(project.snapshotDir(known->first().digest));
  }
  QStringList matching;
  for (const SnapshotRecord& r : *known)
    if (r.digest.startsWith(digestOrPrefix)) matching.append(r.digest);
  if (matching.isEmpty()) return Failure{FailureKind::NotFound, {{"path", digestOrPrefix}}, "no snapshot with this digest"};
  if (matching.size() > 1)
    return Failure{FailureKind::InvalidArgument,
                   {{"name", "snapshot"}, {"value", digestOrPrefix}, {"allowed", "a longer part of the digest: " + matching.join(", ")}},
                   {}};
  return snapshotFromFolder(project.snapshotDir(matching.first()));
}

Result<QList<QPair<Sample, Split>>> snapshotSamples(const Snapshot& snapshot) {
  auto content = readSnapshotFolder(snapshot.dir);
  if (!content) return content.error();
  return content->samples;
}

}  // namespace cloister
