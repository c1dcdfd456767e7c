#include <algorithm>

#include <QCryptographicHash>

#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/trust/bundle_documents.h"

namespace cloister {
namespace {

QJsonArray checksums(const BundledFile& f) {
  return {QJsonObject{{"algorithm", "SHA1"}, {"checksumValue", f.sha1}}, QJsonObject{{"algorithm", "SHA256"}, {"checksumValue", f.sha256}}};
}

/// SPDX 2.3, 7.9: SHA-1 over the sorted SHA-1 values of the files.
QString verificationCode(const QList<BundledFile>& files) {
  QStringList all;
  for (const BundledFile& f : files) all.append(f.sha1);
  std::sort(all.begin(), all.end());
  return QString::fromLatin1(QCryptographicHash::hash(all.join(QString()).toLatin1(), QCryptographicHash::Sha1).toHex());
}

QJsonObject tool(const QString& id, const QString& name, const QString& version, const QString& licence) {
  return {{"SPDXID", id},
          {"name", name},
          {"versionInfo", version},
          {"downloadLocation", "NOASSERTION"},
          {"filesAnalyzed", false},
          {"licenseConcluded", licence},
          {"licenseDeclared", licence},
          {"copyrightText", "NOASSERTION"}};
}

QJsonObject relation(const QString& from, const char* type, const QString& to) {
  return {{"spdxElementId", from}, {"relationshipType", QLatin1String(type)}, {"relatedSpdxElement", to}};
}

QString fileType(const QString& path) {
  return path.endsWith(u".onnx") || path.endsWith(u".data") || path.endsWith(u".gguf") || path.endsWith(u".safetensors")
             ? QStringLiteral("BINARY")
             : QStringLiteral("TEXT");
}

}  // namespace

QJsonObject spdxDocument(const QString& snapshot, const BundleFacts& f, const QList<BundledFile>& files) {
  const QString model = QStringLiteral("SPDXRef-Package-Model"), data = QStringLiteral("SPDXRef-Package-Data"),
                cloister = QStringLiteral("SPDXRef-Package-Cloister"), torch = QStringLiteral("SPDXRef-Package-LibTorch"),
                runtime = QStringLiteral("SPDXRef-Package-ONNXRuntime"), document = QStringLiteral("SPDXRef-DOCUMENT");
  QJsonObject package{{"SPDXID", model},
                      {"name", f.name},
                      {"versionInfo", f.version},
                      {"downloadLocation", "NOASSERTION"},
                      {"filesAnalyzed", true},
                      {"packageVerificationCode", QJsonObject{{"packageVerificationCodeValue", verificationCode(files)},
                                                              {"packageVerificationCodeExcludedFiles",
                                                               QJsonArray{"./sbom.spdx.json", "./bundle.json", "./model.sig"}}}},
                      {"primaryPackagePurpose", "OTHER"},
                      {"licenseConcluded", "NOASSERTION"},
                      {"licenseDeclared", "NOASSERTION"},
                      {"licenseInfoFromFiles", QJsonArray{"NOASSERTION"}},
                      {"copyrightText", "NOASSERTION"},
                      {"comment", "A trained model with its papers. Not a medical device."}};
  QJsonArray list, relations{relation(document, "DESCRIBES", model), relation(cloister, "BUILD_TOOL_OF", model),
                             relation(torch, "BUILD_TOOL_OF", model), relation(runtime, "TEST_TOOL_OF", model)};
  for (qsizetype i = 0; i < files.size(); ++i) {
    const QString id = QStringLiteral("SPDXRef-File-%1").arg(i + 1);
    list.append(QJsonObject{{"SPDXID", id},
                            {"fileName", "./" + files[i].path},
                            {"checksums", checksums(files[i])},
                            {"fileTypes", QJsonArray{fileType(files[i].path)}},
                            {"licenseConcluded", "NOASSERTION"},
                            {"licenseInfoInFiles", QJsonArray{"NOASSERTION"}},
                            {"copyrightText", "NOASSERTION"}});
    relations.append(relation(model, "CONTAINS", id));
  }
  QJsonArray packages{package, tool(cloister, QStringLiteral("Cloister"), programVersion(), QStringLiteral("GPL-3.0-or-later")),
                      tool(torch, QStringLiteral("LibTorch"), QStringLiteral("2.11.0"), QStringLiteral("BSD-3-Clause")),
                      tool(runtime, QStringLiteral("ONNX Runtime"), QStringLiteral("1.28.0"), QStringLiteral("MIT"))};
  if (!snapshot.isEmpty()) {
    QJsonObject dataset = tool(data, QStringLiteral("data snapshot"), snapshot.left(12), QStringLiteral("NOASSERTION"));
    dataset["checksums"] = QJsonArray{QJsonObject{{"algorithm", "SHA256"}, {"checksumValue", snapshot}}};
    dataset["comment"] = "Training data; not contained. Its samples are named by digest in lineage.jsonl.";
    packages.append(dataset);
    relations.append(relation(model, "GENERATED_FROM", data));
  }
  return {{"spdxVersion", "SPDX-2.3"},
          {"dataLicense", "CC0-1.0"},
          {"SPDXID", document},
          {"name", f.name},
          {"documentNamespace", "urn:sha256:" + f.model["sha256"].toString() + "#" + f.version},
          {"creationInfo", QJsonObject{{"created", f.createdAt}, {"creators", QJsonArray{"Tool: Cloister-" + programVersion()}}}},
          {"packages", packages},
          {"files", list},
          {"relationships", relations}};
}

}  // namespace cloister
