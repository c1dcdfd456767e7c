#include "core/trust/bundle.h"

#include <QDateTime>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/trust/audit_log.h"
#include "core/trust/bundle_documents.h"
#include "core/trust/bundle_folder.h"
#include "core/trust/bundle_sources.h"
#include "core/trust/language_bundle.h"

namespace cloister {
namespace {

QJsonObject labels(const BundleSources& s) {
  QJsonArray classes;
  for (qsizetype i = 0; i < s.classes.size(); ++i) classes.append(QJsonObject{{"index", i}, {"name", s.classes[i]}});
  return {{"format", 1},
          {"classes", classes},
          {"threshold", s.report["threshold"]},
          {"postprocessing",
           QJsonObject{{"outputs", s.exported["outputs"]},
                       {"probabilities", "softmax of the logits, computed inside the graph"},
                       {"decision", s.classes.size() == 2 ? "the second class when its probability reaches the threshold, else the first"
                                                          : "the class with the highest probability"}}}};
}

/// Fills a bundle's folder from a run's export.
class Builder {
 public:
  Builder(const BundleRequest& request, BundleSources sources, BundleFolder& folder)
      : request_(request), s_(std::move(sources)), folder_(folder) {}

  Result<BundleResult> build() {
    if (auto done = copyModel(); !done) return done.error();
    if (auto done = writeContent(); !done) return done.error();
    if (auto done = writePapers(); !done) return done.error();
    return folder_.seal(manifest(), {{"auditCheckpoint", request_.auditCheckpoint}, {"run", s_.spec.run}, {"snapshot", s_.spec.snapshot}});
  }

 private:
  Result<void> copyModel() {
    const QString source = s_.exportDir + "/" + s_.candidate["file"].toString();
    auto file = folder_.copy(source, QStringLiteral("model.onnx"));
    if (!file) return file.error();
    if (file->sha256 != s_.candidate["sha256"].toString())
      return Failure{FailureKind::CorruptFile, {{"path", source}}, QStringLiteral("not the file that was checked at export")};
    facts_.name = request_.name.isEmpty() ? QFileInfo(request_.toDir).fileName() : request_.name;
    facts_.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
    facts_.version = facts_.createdAt.left(10) + "-" + s_.spec.run;
    facts_.intendedUse = request_.intendedUse;
    facts_.limits = request_.limits;
    facts_.splitDigest = sha256Hex(s_.lineage);
    facts_.model = {{"file", "model.onnx"},
                    {"candidate", s_.candidate["name"]},
                    {"bytes", file->bytes},
                    {"sha256", file->sha256},
                    {"opset", s_.exported["opset"]}};
    return {};
  }

  Result<void> writeContent() {
    const QString vectors = QStringLiteral("test_vectors.safetensors");
    if (auto done = folder_.copy(s_.exportDir + "/" + vectors, vectors); !done) return done.error();
    if (auto done = folder_.write(QStringLiteral("labels.json"), labels(s_)); !done) return done;
    if (auto done = folder_.write(QStringLiteral("preprocessing.json"), s_.preprocessing); !done) return done;
    return folder_.write(QStringLiteral("lineage.jsonl"), s_.lineage);
  }

  Result<void> writePapers() {
    const QJsonObject card = modelCard(s_, facts_);
    if (auto done = folder_.write(QStringLiteral("model_card.json"), card); !done) return done;
    if (auto done = folder_.write(QStringLiteral("model_card.md"), modelCardMarkdown(card)); !done) return done;
    if (auto done = folder_.write(QStringLiteral("evaluation/report.json"), s_.report); !done) return done;
    if (auto done = folder_.write(QStringLiteral("evaluation/report.html"), reportPage(s_.report, facts_.name)); !done) return done;
    return folder_.write(QStringLiteral("sbom.spdx.json"), spdxDocument(s_.spec.snapshot, facts_, folder_.files()));
  }

  QJsonObject manifest() const {
    return {{"format", 1},
            {"name", facts_.name},
            {"version", facts_.version},
            {"createdAt", facts_.createdAt},
            {"task", Task::of(Task::Kind::ImageClassification).id},
            {"notAMedicalDevice", true},
            {"run", s_.spec.run},
            {"family", s_.spec.family},
            {"snapshot", s_.spec.snapshot},
            {"preparedDigest", s_.spec.preparedDigest},
            {"splitDigest", facts_.splitDigest},
            {"classes", s_.exported["classes"]},
            {"model", facts_.model},
            {"input", s_.exported["input"]},
            {"outputs", s_.exported["outputs"]}};
  }

  const BundleRequest& request_;
  const BundleSources s_;
  BundleFolder& folder_;
  BundleFacts facts_;
};

}  // namespace

Result<BundleResult> createBundle(const BundleRequest& request, const KeyStore& keys) {
  if (isLanguageExport(request.runDir)) return createLanguageRunBundle(request, keys);
  auto folder = BundleFolder::begin(request.toDir, keys, request.key, request.passphrase);
  if (!folder) return folder.error();
  auto sources = readBundleSources(request);
  if (!sources) return sources.error();
  auto result = Builder(request, std::move(*sources), **folder).build();
  if (!result) return result;
  if (request.beforePublish)
    if (auto allowed = request.beforePublish(*result); !allowed) return allowed.error();
  if (auto moved = (*folder)->publish(); !moved) return moved.error();
  return result;
}

Result<BundleResult> createAuditedBundle(BundleRequest request, const KeyStore& keys, AuditLog& log) {
  auto checkpoint = log.checkpoint();
  if (!checkpoint) return checkpoint.error();
  request.auditCheckpoint = *checkpoint;
  auto info = keys.info(request.key);
  if (!info) return info.error();
  const auto former = request.beforePublish;
  request.beforePublish = [&](const BundleResult& made) -> Result<void> {
    auto entry = log.append(QStringLiteral("sign"), {{"bundle", made.rootDigest},
                                                     {"run", made.manifest["run"]},
                                                     {"snapshot", made.manifest["snapshot"]},
                                                     {"model", made.manifest["model"].toObject()["sha256"]},
                                                     {"key", info->fingerprint}});
    if (!entry) return entry.error();
    return former ? former(made) : Result<void>{};
  };
  return createBundle(request, keys);
}

}  // namespace cloister
