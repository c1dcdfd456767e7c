#include "core/trust/bundle_manifest.h"

#include <QCoreApplication>
#include <QDir>
#include <QJsonArray>
#include <QSet>

#include "core/domain/files.h"
#include "core/trust/folder_walk.h"
#include "core/trust/strict_json.h"

namespace cloister {
namespace {

constexpr int kFormat = 1;
constexpr qint64 kMaxManifest = 16 << 20;
const QString kManifestFile = QStringLiteral("bundle.json");

Failure corrupt(const QString& path, const QString& why) { return {FailureKind::CorruptFile, {{"path", path}}, why}; }

bool isDigest(const QString& text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](QChar c) { return (c >= u'0' && c <= u'9') || (c >= u'a' && c <= u'f'); });
}

bool isPlainPath(const QString& path) {
  if (path.isEmpty() || path.contains(QChar(0))) return false;
  for (const QString& part : path.split('/'))
    if (part.isEmpty() || part == u"." || part == u"..") return false;
  return true;
}

/// Empty when the manifest and the signature speak of the same files.
QString mismatch(const BundleManifest& manifest, const VerifyReport& report) {
  QSet<QString> listed{kManifestFile};
  for (const auto& f : manifest.files) {
    if (report.digests.value(f.path) != f.sha256) return f.path;
    listed.insert(f.path);
  }
  for (const QString& path : report.files)
    if (!listed.contains(path)) return path;
  return report.digests.value(manifest.modelFile) == manifest.modelSha256 ? QString() : manifest.modelFile;
}

void addCheck(VerifyReport& report, bool passed, const QString& message) {
  report.checks.append({QStringLiteral("bundle"), passed, message, false});
  if (passed) return;
  report.valid = false;
  report.summary = QCoreApplication::translate("Signature", "Not valid: %1").arg(message);
}

}  // namespace

Result<BundleManifest> BundleManifest::parse(const QByteArray& bytes, const QString& path) {
  QString why;
  const auto o = parseStrictJson(bytes, why);
  if (!o) return corrupt(path, why);
  const int format = (*o)["format"].toInt();
  if (format > kFormat) return Failure{FailureKind::NewerVersion, {{"path", path}, {"found", format}, {"supported", kFormat}}, {}};
  BundleManifest m;
  m.json = *o;
  m.name = (*o)["name"].toString();
  m.version = (*o)["version"].toString();
  m.createdAt = (*o)["createdAt"].toString();
  m.task = (*o)["task"].toString();
  m.run = (*o)["run"].toString();
  m.family = (*o)["family"].toString();
  m.snapshot = (*o)["snapshot"].toString();
  const QJsonObject model = (*o)["model"].toObject();
  m.modelFile = model["file"].toString();
  m.modelSha256 = model["sha256"].toString();
  for (const QJsonValue& c : (*o)["classes"].toArray()) {
    if (!c.isString()) return corrupt(path, QStringLiteral("classes"));
    m.classes.append(c.toString());
  }
  QSet<QString> paths;
  for (const QJsonValue& v : (*o)["files"].toArray()) {
    const QJsonObject f = v.toObject();
    const File file{f["path"].toString(), f["sha256"].toString(), f["bytes"].toInteger(-1)};
    if (!isPlainPath(file.path) || !isDigest(file.sha256) || file.bytes < 0 || paths.contains(file.path))
      return corrupt(path, QStringLiteral("files"));
    paths.insert(file.path);
    m.files.append(file);
  }
  if (format < 1 || m.name.isEmpty() || !isDigest(m.modelSha256) || !isPlainPath(m.modelFile))
    return corrupt(path, QStringLiteral("format, name or model missing"));
  // A language model has no classes, and may come from a folder that no snapshot of ours trained.
  if (m.task != u"text-generation" && (m.classes.isEmpty() || !isDigest(m.snapshot)))
    return corrupt(path, QStringLiteral("classes or snapshot missing"));
  return m;
}

Result<BundleVerification> verifyBundle(const QString& dir, const VerifyPolicy& policy, const QString& signatureFile,
                                        const QString& copyTo) {
  auto report = copyTo.isEmpty() ? verifyFolder(dir, policy, signatureFile) : verifyAndCopy(dir, policy, copyTo, signatureFile);
  if (!report) return report.error();
  BundleVerification out;
  out.report = std::move(*report);
  if (out.report.valid && out.report.digests.contains(kManifestFile)) {
    // From the copy when there is one; else read again and compared with what was signed.
    auto folder = Folder::open(copyTo.isEmpty() ? dir : copyTo);
    if (!folder) return folder.error();
    auto bytes = folder->read(kManifestFile.toUtf8(), kMaxManifest);
    if (!bytes) return bytes.error();
    auto manifest = BundleManifest::parse(*bytes, kManifestFile);
    const QString wrong = sha256Hex(*bytes) != out.report.digests.value(kManifestFile) ? kManifestFile
                          : manifest                                                   ? mismatch(*manifest, out.report)
                                                                                       : QString();
    if (!manifest) addCheck(out.report, false, describe(manifest.error()));
    else if (!wrong.isEmpty())
      addCheck(out.report, false, QCoreApplication::translate("Signature", "bundle.json does not fit %1").arg(wrong));
    else addCheck(out.report, true, QCoreApplication::translate("Signature", "bundle.json speaks of the signed files."));
    if (out.report.valid) out.manifest = manifest->json;
    else if (!copyTo.isEmpty()) QDir(copyTo).removeRecursively();
  }
  if (out.report.valid) out.copiedTo = copyTo;
  return out;
}

QJsonObject BundleVerification::toJson() const {
  QJsonObject o = report.toJson();
  o["bundle"] = manifest;
  if (!copiedTo.isEmpty()) o["copiedTo"] = copiedTo;
  return o;
}

}  // namespace cloister
