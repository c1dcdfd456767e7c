#include "core/trust/bundle_sources.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/files.h"
#include "core/tensors/safetensors.h"

namespace cloister {
namespace {

constexpr qint64 kMaxJson = 256 << 20;

Failure missing(const QString& what, const QString& next, const QString& path) {
  return {FailureKind::NothingToDo, {{"what", what}, {"next", next}}, path};
}

Failure changed(const QString& what, const QString& expected, const QString& found) {
  return {FailureKind::IdentityChanged, {{"what", what}, {"expected", expected}, {"found", found}}, {}};
}

Failure corrupt(const QString& path, const QString& why) { return {FailureKind::CorruptFile, {{"path", path}}, why}; }

/// One line of samples.jsonl → one line of lineage.jsonl: which original bytes stood in which split, and nothing about whom they show.
Result<QByteArray> lineageLine(const QByteArray& line, const QString& path) {
  const QJsonObject o = QJsonDocument::fromJson(line).object();
  const QString digest = o["sha256"].toString();
  if (digest.size() != 64) return corrupt(path, QStringLiteral("a line without a digest"));
  return canonicalJson({{"sha256", digest},
                        {"frame", o["frame"].toInteger()},
                        {"split", o["split"].toString()},
                        {"classIndex", o["classIndex"].toInteger(-1)}}) +
         '\n';
}

Result<void> readSnapshot(const QString& dir, BundleSources& out) {
  auto json = readJson(dir + "/snapshot.json", kMaxJson);
  if (!json) return json.error();
  out.snapshot = *json;
  const QString path = dir + "/samples.jsonl";
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return Failure{FailureKind::NotFound, {{"path", path}}, file.errorString()};
  QCryptographicHash hash(QCryptographicHash::Sha256);
  while (!file.atEnd()) {
    const QByteArray line = file.readLine();
    hash.addData(line);
    auto one = lineageLine(line, path);
    if (!one) return one.error();
    out.lineage += *one;
  }
  // docs/formats.md, "Snapshot"
  hash.addData(QByteArrayView("\n"));
  hash.addData(canonicalJson({{"split", out.snapshot["split"].toObject()}, {"preprocessing", out.snapshot["preprocessing"].toObject()}}));
  if (QString::fromLatin1(hash.result().toHex()) != out.snapshot["digest"].toString())
    return corrupt(path, QStringLiteral("the digest in snapshot.json is another one"));
  return {};
}

Result<void> readReport(const BundleRequest& request, BundleSources& out) {
  const QString path = request.runDir + "/evaluation/report.json";
  if (!QFileInfo::exists(path))
    return missing(QStringLiteral("evaluation of run %1").arg(out.spec.run),
                   QStringLiteral("Evaluate the run first (page Evaluate, or cloister-cli evaluate)."), path);
  auto json = readJson(path, kMaxJson);
  if (!json) return json.error();
  out.report = publicReport(*json);
  if (const QString run = out.report["run"].toString(); run != out.spec.run)
    return changed(QStringLiteral("evaluation"), out.spec.run, run);
  if (const QString s = out.report["snapshot"].toString(); !s.isEmpty() && s != out.spec.snapshot)
    return changed(QStringLiteral("evaluation's data"), out.spec.snapshot, s);
  return {};
}

Result<void> chooseCandidate(const BundleRequest& request, BundleSources& out) {
  const QString name = request.candidate.isEmpty() ? out.exported["recommended"].toString() : request.candidate;
  QStringList known;
  for (const QJsonValue& v : out.exported["candidates"].toArray()) {
    const QJsonObject c = v.toObject();
    known.append(c["name"].toString());
    if (c["name"].toString() == name) out.candidate = c;
  }
  if (out.candidate.isEmpty())
    return Failure{
        FailureKind::InvalidArgument, {{"name", "candidate"}, {"value", name}, {"allowed", known.join(QStringLiteral(", "))}}, {}};
  const QString file = out.candidate["file"].toString();
  if (file.isEmpty() || file.contains('/') || file.startsWith('.'))
    return corrupt(out.exportDir + "/export.json", QStringLiteral("file name"));
  const QJsonObject parity = out.candidate["parity"].toObject();
  if (parity.contains("passed") && !parity["passed"].toBool())
    return Failure{FailureKind::PolicyRefused,
                   {{"rule", QStringLiteral("%1 does not compute what the trained model computes (parity check failed)").arg(name)}},
                   {}};
  return {};
}

Result<void> readExportJson(const BundleRequest& request, BundleSources& out) {
  out.exportDir = request.runDir + "/export";
  const QString path = out.exportDir + "/export.json";
  if (!QFileInfo::exists(path))
    return missing(QStringLiteral("export of run %1").arg(out.spec.run),
                   QStringLiteral("Export the model first (page Export, or cloister-cli export)."), path);
  auto json = readJson(path, kMaxJson);
  if (!json) return json.error();
  out.exported = *json;
  if (const QString run = out.exported["run"].toString(); run != out.spec.run) return changed(QStringLiteral("export"), out.spec.run, run);
  return {};
}

Result<void> readExport(const BundleRequest& request, BundleSources& out) {
  if (auto read = readExportJson(request, out); !read) return read;
  for (const QJsonValue& c : out.exported["classes"].toArray()) out.classes.append(c.toString());
  if (out.exported["classes"].toArray() != out.snapshot["classes"].toArray())
    return changed(QStringLiteral("list of classes"), canonicalJson({{"", out.snapshot["classes"]}}),
                   canonicalJson({{"", out.exported["classes"]}}));
  auto preprocessing = readJson(out.exportDir + "/preprocessing.json", kMaxJson);
  if (!preprocessing) return preprocessing.error();
  out.preprocessing = *preprocessing;
  auto vectors = SafetensorsFile::open(out.exportDir + "/test_vectors.safetensors");
  if (!vectors) return vectors.error();
  if (!(*vectors)->find("input") || !(*vectors)->find("logits"))
    return corrupt(out.exportDir + "/test_vectors.safetensors", QStringLiteral("input or logits are missing"));
  return chooseCandidate(request, out);
}

/// The newest attempt's first event says on what the model was trained. Nothing depends on it: without one the card stays silent.
QJsonObject startedEvent(const QString& runDir) {
  const QStringList attempts = QDir(runDir).entryList({"attempt-*"}, QDir::Dirs, QDir::Name | QDir::Reversed);
  for (const QString& attempt : attempts) {
    QFile file(runDir + "/" + attempt + "/rank-0.events.jsonl");
    if (!file.open(QIODevice::ReadOnly)) continue;
    for (int i = 0; i < 100 && !file.atEnd(); ++i) {
      const QJsonObject event = QJsonDocument::fromJson(file.readLine(1 << 20)).object();
      if (event["type"].toString() == u"started") return event;
    }
  }
  return {};
}

QJsonObject only(const QJsonObject& o, std::initializer_list<const char*> names) {
  QJsonObject out;
  for (const char* name : names)
    if (const QJsonValue v = o[QLatin1String(name)]; !v.isUndefined()) out[QLatin1String(name)] = v;
  return out;
}

}  // namespace

QJsonObject publicReport(const QJsonObject& report) {
  QJsonObject out = only(
      report, {"format",   "run",      "snapshot", "split",     "samples", "groups", "classes",     "threshold", "createdAt", "commit",
               "hardware", "headline", "perClass", "confusion", "roc",     "pr",     "calibration", "latency",   "bootstrap", "warnings"});
  out["groupsBy"] = only(report["groupsBy"].toObject(), {"site", "modality", "source", "bits"});
  QJsonArray attacks;
  for (const QJsonValue& a : report["attacks"].toArray())
    attacks.append(only(a.toObject(), {"name", "norm", "steps", "stepSize", "restarts", "samples", "epsilons", "warnings"}));
  if (!attacks.isEmpty()) out["attacks"] = attacks;
  out["leftOut"] = QJsonArray{"worst", "best", "attacks.examples", "groups by patient"};
  return out;
}

namespace {

Result<void> readSpecReportSnapshot(const BundleRequest& request, BundleSources& out) {
  auto spec = readJson(request.runDir + "/spec.json", kMaxJson);
  if (!spec) return spec.error();
  auto parsed = RunSpec::fromJson(*spec);
  if (!parsed) return parsed.error();
  out.spec = *parsed;
  if (auto good = readReport(request, out); !good) return good;
  if (auto good = readSnapshot(request.snapshotDir, out); !good) return good;
  if (const QString digest = out.snapshot["digest"].toString(); digest != out.spec.snapshot)
    return changed(QStringLiteral("data snapshot"), out.spec.snapshot, digest);
  return {};
}

}  // namespace

Result<BundleSources> readBundleSources(const BundleRequest& request) {
  BundleSources out;
  if (auto good = readSpecReportSnapshot(request, out); !good) return good.error();
  if (auto good = readExport(request, out); !good) return good.error();
  out.started = startedEvent(request.runDir);
  return out;
}

Result<BundleSources> readLanguageSources(const BundleRequest& request) {
  BundleSources out;
  if (auto good = readSpecReportSnapshot(request, out); !good) return good.error();
  if (auto good = readExportJson(request, out); !good) return good.error();
  BundleRequest named = request;
  // Where nothing of ours can judge (GGUF), one that is the only one is meant.
  const QJsonArray all = out.exported["candidates"].toArray();
  if (named.candidate.isEmpty() && out.exported["recommended"].isNull() && all.size() == 1)
    named.candidate = all[0].toObject()["name"].toString();
  const QString name = named.candidate.isEmpty() ? out.exported["recommended"].toString() : named.candidate;
  QStringList known;
  for (const QJsonValue& v : all) {
    known.append(v["name"].toString());
    if (known.last() == name) out.candidate = v.toObject();
  }
  if (out.candidate.isEmpty() || name.contains('/') || name.startsWith('.'))
    return Failure{
        FailureKind::InvalidArgument, {{"name", "candidate"}, {"value", name}, {"allowed", known.join(QStringLiteral(", "))}}, {}};
  return out;
}

}  // namespace cloister
