#include "core/trust/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <vector>

#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QUuid>

#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/trust/audit_log.h"
#include "core/trust/bundle_documents.h"
#include "core/trust/bundle_sources.h"
#include "core/trust/model_signature.h"
#include "core/trust/private_files.h"

namespace cloister {
namespace {

/// A folder beside the target that goes away unless its content was moved out.
class Staging {
 public:
  explicit Staging(const QString& target)
      : outer_(QFileInfo(target).absolutePath() + "/.bundle-" + QUuid::createUuid().toString(QUuid::Id128).left(12)),
        inner_(outer_ + "/" + QFileInfo(target).fileName()) {}
  ~Staging() { QDir(outer_).removeRecursively(); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  /// The inner folder carries the final name: the signature's subject is named after it.
  const QString& dir() const { return inner_; }
  Result<void> make() {
    errno = 0;
    if (QDir().mkpath(inner_ + "/evaluation")) return {};
    return failureFromErrno(errno ? errno : EACCES, inner_);
  }

 private:
  const QString outer_, inner_;
};

Result<BundledFile> describeFile(const QString& dir, const QString& path) {
  QFile file(dir + "/" + path);
  if (!file.open(QIODevice::ReadOnly)) return Failure{FailureKind::IoError, {{"path", file.fileName()}}, file.errorString()};
  QCryptographicHash two(QCryptographicHash::Sha256), one(QCryptographicHash::Sha1);
  BundledFile out{path, 0, {}, {}};
  std::vector<char> buffer(1 << 20);
  for (qint64 n; (n = file.read(buffer.data(), qint64(buffer.size()))) > 0; out.bytes += n) {
    two.addData(QByteArrayView(buffer.data(), n));
    one.addData(QByteArrayView(buffer.data(), n));
  }
  if (file.error() != QFileDevice::NoError) return Failure{FailureKind::IoError, {{"path", file.fileName()}}, file.errorString()};
  out.sha256 = QString::fromLatin1(two.result().toHex());
  out.sha1 = QString::fromLatin1(one.result().toHex());
  return out;
}

Result<void> copyFile(const QString& from, const QString& to) {
  const int in = ::open(QFile::encodeName(from).constData(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return failureFromErrno(errno, from);
  const int out = ::open(QFile::encodeName(to).constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  int error = out < 0 ? errno : 0;
  std::vector<char> buffer(1 << 20);
  for (ssize_t n = 1; !error && n != 0;) {
    n = ::read(in, buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) error = errno;
    for (ssize_t done = 0; !error && done < n;) {
      const ssize_t w = ::write(out, buffer.data() + done, std::size_t(n - done));
      if (w < 0 && errno != EINTR) error = errno;
      done += std::max<ssize_t>(w, 0);
    }
  }
  if (!error && ::fsync(out) != 0) error = errno;
  ::close(in);
  if (out >= 0 && ::close(out) != 0 && !error) error = errno;
  if (error) return failureFromErrno(error, to);
  return {};
}

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

/// Builds one bundle in its staging folder.
class Builder {
 public:
  Builder(const BundleRequest& request, const KeyStore& keys, BundleSources sources, QString dir)
      : request_(request), keys_(keys), s_(std::move(sources)), dir_(std::move(dir)) {}

  Result<BundleResult> build() {
    if (auto done = copyModel(); !done) return done.error();
    if (auto done = writeContent(); !done) return done.error();
    if (auto done = writePapers(); !done) return done.error();
    if (auto done = syncFolder(dir_ + "/evaluation"); !done) return done.error();
    if (auto done = sign(); !done) return done.error();
    return reverify();
  }

 private:
  Result<void> copyModel() {
    const QString source = s_.exportDir + "/" + s_.candidate["file"].toString();
    if (auto copied = copyFile(source, dir_ + "/model.onnx"); !copied) return copied;
    auto file = describeFile(dir_, QStringLiteral("model.onnx"));
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
    files_.append(*file);
    return {};
  }

  Result<void> write(const QString& path, const QByteArray& bytes) {
    if (auto written = writeFileAtomically(dir_ + "/" + path, bytes); !written) return written;
    auto file = describeFile(dir_, path);
    if (!file) return file.error();
    files_.append(*file);
    return {};
  }
  Result<void> write(const QString& path, const QJsonObject& o) { return write(path, QJsonDocument(o).toJson(QJsonDocument::Indented)); }

  Result<void> writeContent() {
    if (auto done = copyFile(s_.exportDir + "/test_vectors.safetensors", dir_ + "/test_vectors.safetensors"); !done) return done;
    auto vectors = describeFile(dir_, QStringLiteral("test_vectors.safetensors"));
    if (!vectors) return vectors.error();
    files_.append(*vectors);
    if (auto done = write(QStringLiteral("labels.json"), labels(s_)); !done) return done;
    if (auto done = write(QStringLiteral("preprocessing.json"), s_.preprocessing); !done) return done;
    return write(QStringLiteral("lineage.jsonl"), s_.lineage);
  }

  Result<void> writePapers() {
    const QJsonObject card = modelCard(s_, facts_);
    if (auto done = write(QStringLiteral("model_card.json"), card); !done) return done;
    if (auto done = write(QStringLiteral("model_card.md"), modelCardMarkdown(card)); !done) return done;
    if (auto done = write(QStringLiteral("evaluation/report.json"), s_.report); !done) return done;
    if (auto done = write(QStringLiteral("evaluation/report.html"), reportPage(s_.report, facts_.name)); !done) return done;
    if (auto done = write(QStringLiteral("sbom.spdx.json"), spdxDocument(s_, facts_, files_)); !done) return done;
    manifest_ = manifest();
    return writeJsonAtomically(dir_ + "/bundle.json", manifest_);
  }

  QJsonObject manifest() const {
    QJsonArray files;
    for (const BundledFile& f : files_) files.append(QJsonObject{{"path", f.path}, {"bytes", f.bytes}, {"sha256", f.sha256}});
    return {{"format", 1},
            {"name", facts_.name},
            {"version", facts_.version},
            {"createdAt", facts_.createdAt},
            {"task", "image-classification"},
            {"notAMedicalDevice", true},
            {"run", s_.spec.run},
            {"family", s_.spec.family},
            {"snapshot", s_.spec.snapshot},
            {"preparedDigest", s_.spec.preparedDigest},
            {"splitDigest", facts_.splitDigest},
            {"classes", s_.exported["classes"]},
            {"model", facts_.model},
            {"input", s_.exported["input"]},
            {"outputs", s_.exported["outputs"]},
            {"madeBy", QStringLiteral("Cloister %1 (%2)").arg(programVersion(), codeCommit())},
            {"files", files}};
  }

  Result<void> sign() const {
    return signFolder(dir_, keys_, request_.key, request_.passphrase,
                      {{"auditCheckpoint", request_.auditCheckpoint},
                       {"signedAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODate)},
                       {"run", s_.spec.run},
                       {"snapshot", s_.spec.snapshot}});
  }

  /// As a stranger would: from disk, with the public key alone.
  Result<BundleResult> reverify() const {
    auto info = keys_.info(request_.key);
    if (!info) return info.error();
    VerifyPolicy policy;
    policy.trustedPublicPems = {info->publicPem};
    auto report = verifyFolder(dir_, policy);
    if (!report) return report.error();
    if (!report->valid) return Failure{FailureKind::SignatureInvalid, {{"reason", report->summary}}, dir_};
    return BundleResult{QDir(request_.toDir).absolutePath(), report->rootDigest, manifest_};
  }

  const BundleRequest& request_;
  const KeyStore& keys_;
  const BundleSources s_;
  const QString dir_;
  BundleFacts facts_;
  QList<BundledFile> files_;
  QJsonObject manifest_;
};

}  // namespace

Result<BundleResult> createBundle(const BundleRequest& request, const KeyStore& keys) {
  const QString target = QDir::cleanPath(QDir(request.toDir).absolutePath());
  if (request.toDir.isEmpty())
    return Failure{FailureKind::InvalidArgument, {{"name", "toDir"}, {"value", ""}, {"allowed", "a folder"}}, {}};
  if (QFileInfo::exists(target)) return Failure{FailureKind::AlreadyExists, {{"path", request.toDir}}, {}};
  // The key before the long work: a wrong name or passphrase shows at once.
  if (auto probe = keys.sign(request.key, request.passphrase, "probe"); !probe) return probe.error();
  auto sources = readBundleSources(request);
  if (!sources) return sources.error();
  Staging staging(target);
  if (auto made = staging.make(); !made) return made.error();
  auto result = Builder(request, keys, std::move(*sources), staging.dir()).build();
  if (!result) return result;
  if (request.beforePublish)
    if (auto allowed = request.beforePublish(*result); !allowed) return allowed.error();
  if (auto moved = renameNew(staging.dir(), target); !moved) return moved.error();
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
