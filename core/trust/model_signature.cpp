#include "core/trust/model_signature.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QJsonArray>
#include <QUuid>

#include "core/domain/files.h"
#include "core/trust/certificate_chain.h"
#include "core/trust/crypto.h"
#include "core/trust/folder_walk.h"
#include "core/trust/oms.h"
#include "core/trust/private_files.h"

namespace cloister {
namespace {

QString say(const char* text) { return QCoreApplication::translate("Signature", text); }

/// One verification, step by step; each step adds its checks to the report.
class Verification {
 public:
  Verification(const Folder& folder, const VerifyPolicy& policy, QString signatureFile, QString copyTo)
      : folder_(folder), policy_(policy), signatureFile_(std::move(signatureFile)), copyTo_(std::move(copyTo)) {}

  Result<VerifyReport> run() {
    const bool understood = readStructure();
    const bool genuine = understood && (envelope_.hasKey ? checkKey() : checkCertificates());
    if (genuine) {
      addCheck("digest", true, say("The list of files is the one that was signed."));
      if (auto read = checkFiles(); !read) return read.error();
    }
    bool all = genuine;
    for (const VerifyCheck& c : report_.checks) all = all && c.passed;
    report_.valid = all;
    report_.summary = summary();
    return std::move(report_);
  }

 private:
  void addCheck(const char* name, bool passed, const QString& message, bool warning = false) {
    report_.checks.append({QString::fromLatin1(name), passed, message, passed && warning});
  }

  QString summary() const {
    if (report_.valid)
      return say("Valid: %1 files, signed by %2.")
          .arg(report_.files.size())
          .arg(report_.certificateSubject.isEmpty() ? report_.fingerprint.left(16) : report_.certificateSubject);
    for (const VerifyCheck& c : report_.checks)
      if (!c.passed) return say("Not valid: %1").arg(c.message);
    return say("Not valid.");
  }

  /// The signature file may lie in the folder (then it is no content) or elsewhere.
  Result<QByteArray> readSignature() {
    const QFileInfo file(signatureFile_.isEmpty() ? folder_.path() + "/model.sig" : signatureFile_);
    const QString parent = QDir(file.absolutePath()).canonicalPath();
    const QString relative = QDir(QDir(folder_.path()).canonicalPath()).relativeFilePath(parent + "/" + file.fileName());
    if (!relative.startsWith(u"../") && !QDir::isAbsolutePath(relative)) {
      signatureName_ = relative.toUtf8();
      return folder_.read(signatureName_, oms::kMaxSignatureBytes);
    }
    auto elsewhere = Folder::open(parent);
    if (!elsewhere) return elsewhere.error();
    return elsewhere->read(file.fileName().toUtf8(), oms::kMaxSignatureBytes);
  }

  bool readStructure() {
    auto bytes = readSignature();
    if (!bytes) {
      addCheck("structure", false,
               bytes.error().kind == FailureKind::NotFound ? say("There is no signature file.") : describe(bytes.error()));
      return false;
    }
    signatureBytes_ = *bytes;
    QString why;
    auto envelope = oms::readEnvelope(signatureBytes_, why);
    if (envelope) {
      envelope_ = std::move(*envelope);
      auto statement = oms::readStatement(envelope_.payload, why);
      if (statement) statement_ = std::move(*statement);
      else envelope.reset();
    }
    if (!envelope) {
      addCheck("structure", false, say("The signature file is not in order: %1.").arg(why));
      return false;
    }
    addCheck("structure", true, say("The signature file is in order."));
    report_.subject = statement_.subject;
    report_.rootDigest = QString::fromLatin1(statement_.root.toHex());
    report_.extra = statement_.extra;
    report_.signedAt = statement_.extra["signedAt"].toString();
    return true;
  }

  bool holdsFor(EVP_PKEY* key) const { return crypto::verify(key, oms::preAuthentication(envelope_.payload), envelope_.signature); }

  bool checkKey() {
    report_.fingerprint = envelope_.hint;
    crypto::Key signer;
    for (const QByteArray& pem : policy_.trustedPublicPems) {
      crypto::Key key = crypto::publicKeyFromPem(pem);
      if (!key) continue;
      const QString print = crypto::fingerprint(crypto::publicPem(key.get()));
      if (envelope_.hint.isEmpty() ? !holdsFor(key.get()) : print != envelope_.hint) continue;
      report_.fingerprint = print;
      signer = std::move(key);
      break;
    }
    if (!signer) {
      addCheck("signer", false,
               envelope_.hint.isEmpty()
                   ? say("None of the trusted keys made this signature.")
                   : say("It was signed with key %1, which is not among the trusted keys.").arg(envelope_.hint.left(16)));
      return false;
    }
    report_.algorithm = crypto::algorithmOf(crypto::curveOf(signer.get()));
    if (!holdsFor(signer.get())) {
      addCheck("signature", false, say("The signature does not fit the list of files."));
      return false;
    }
    addCheck("signature", true, say("The signature holds."));
    report_.signerTrusted = true;
    addCheck(
        "signer", true,
        envelope_.hint.isEmpty() ? say("A trusted key fits; the signature does not name its key.") : say("The signer's key is trusted."),
        envelope_.hint.isEmpty());
    return true;
  }

  bool checkCertificates() {
    std::vector<crypto::Certificate> chain;
    for (const QByteArray& der : envelope_.certificates) {
      chain.push_back(crypto::certificateFromDer(der));
      if (!chain.back()) {
        addCheck("certificate", false, say("A certificate cannot be read."));
        return false;
      }
    }
    EVP_PKEY* key = X509_get0_pubkey(chain.front().get());
    const QString curve = crypto::curveOf(key);
    report_.algorithm = crypto::algorithmOf(curve);
    if (curve.isEmpty() || !holdsFor(key)) {
      addCheck("signature", false,
               curve.isEmpty() ? say("The certificate's key is not on a supported curve.")
                               : say("The signature does not fit the list of files."));
      return false;
    }
    addCheck("signature", true, say("The signature holds."));
    report_.fingerprint = crypto::fingerprint(crypto::publicPem(key));
    return checkSigner(chain);
  }

  bool pinned() const {
    for (const QByteArray& pem : policy_.trustedPublicPems)
      if (const crypto::Key key = crypto::publicKeyFromPem(pem))
        if (crypto::fingerprint(crypto::publicPem(key.get())) == report_.fingerprint) return true;
    return false;
  }

  bool checkSigner(const std::vector<crypto::Certificate>& chain) {
    const auto roots = crypto::certificatesFromPem(policy_.trustedRootsPem);
    const ChainVerdict v = judgeChain(chain, roots, policy_.now.isValid() ? policy_.now : QDateTime::currentDateTimeUtc());
    report_.certificateSubject = v.subject;
    if (!v.mayCodeSign) {
      addCheck("certificate", false, say("The certificate is not meant for signing."));
      return false;
    }
    addCheck("certificate", true,
             v.usageByExtensionOnly ? say("The certificate may sign code, though its key usage does not say so.")
                                    : say("The certificate is meant for signing."),
             v.usageByExtensionOnly);
    addCheck("expiry", v.inDate || policy_.allowExpired,
             v.inDate ? say("The certificates are valid today (until %1).").arg(v.notAfter)
                      : say("A certificate is out of date: the signer's is valid from %1 to %2.").arg(v.notBefore, v.notAfter),
             !v.inDate);
    report_.signerTrusted = v.trusted || pinned();
    if (report_.signerTrusted) {
      addCheck("signer", true, say("The signer is trusted: %1.").arg(v.subject));
      return true;
    }
    const QString why = roots.empty() ? say("no trusted root was given") : v.why;
    addCheck("signer", policy_.allowUnknownSigner, say("Unknown signer %1: %2.").arg(v.subject, why), true);
    return policy_.allowUnknownSigner;
  }

  Result<void> checkFiles() {
    auto listing = folder_.list();
    if (!listing) {
      addCheck("files", false, describe(listing.error()));
      return {};
    }
    QHash<QByteArray, QByteArray> expected;
    for (const oms::Resource& r : statement_.resources) expected.insert(r.name, r.digest);
    QStringList problems;
    for (const QString& name : listing->refused) problems.append(say("%1 is a link or a special file").arg(name));
    if (expected.contains(signatureName_) || (!copyTo_.isEmpty() && expected.contains("model.sig")))
      problems.append(say("the signature file is listed as content"));
    for (const QByteArray& name : listing->files) {
      if (name == signatureName_) continue;
      const auto want = expected.constFind(name);
      if (want == expected.constEnd()) {
        (oms::below(name, statement_.ignorePaths) ? report_.ignored : report_.unsignedFiles).append(QString::fromUtf8(name));
        continue;
      }
      auto digest = hashed(name);
      if (!digest && !copyTo_.isEmpty()) return digest.error();  // perhaps the copy's disk, not the bundle
      if (!digest) problems.append(describe(digest.error()));
      else if (*digest != *want) problems.append(say("%1 was changed").arg(QString::fromUtf8(name)));
      report_.files.append(QString::fromUtf8(name));
      report_.digests.insert(QString::fromUtf8(name), QString::fromLatin1(want->toHex()));
      expected.erase(want);
    }
    for (auto it = expected.begin(); it != expected.end(); ++it) problems.append(say("%1 is missing").arg(QString::fromUtf8(it.key())));
    reportFiles(problems);
    return {};
  }

  void reportFiles(QStringList problems) {
    if (!policy_.allowUnsignedFiles)
      for (const QString& name : std::as_const(report_.unsignedFiles)) problems.append(say("%1 is not among the signed files").arg(name));
    const bool extra = problems.isEmpty() && !report_.unsignedFiles.isEmpty();
    if (problems.size() > 20) problems = problems.mid(0, 20) << QStringLiteral("…");
    addCheck("files", problems.isEmpty(),
             !problems.isEmpty() ? problems.join(QStringLiteral("; "))
             : extra             ? say("Every signed file is unchanged; %1 more are not signed.").arg(report_.unsignedFiles.size())
                                 : say("Every file is as it was signed."),
             extra);
    if (!report_.ignored.isEmpty())
      addCheck("ignored", policy_.allowIgnored,
               say("The signer left out files that are here: %1.").arg(report_.ignored.mid(0, 20).join(QStringLiteral(", "))), true);
  }

  /// Reads a file once; its bytes go to the copy at the same time.
  Result<QByteArray> hashed(const QByteArray& name) {
    if (copyTo_.isEmpty()) return folder_.sha256(name);
    const QString target = copyTo_ + "/" + QString::fromUtf8(name);
    if (!QDir().mkpath(QFileInfo(target).absolutePath())) return failureFromErrno(errno, target);
    const int fd = ::open(QFile::encodeName(target).constData(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return failureFromErrno(errno, target);
    auto digest = folder_.sha256(name, fd);
    int error = ::fsync(fd) == 0 ? 0 : errno;
    if (::close(fd) != 0) error = errno;
    if (digest && error) return failureFromErrno(error, target);
    if (digest) return digest;
    Failure failed = digest.error();
    if (failed.kind == FailureKind::DiskFull || failed.kind == FailureKind::ReadOnly) failed.args["path"] = target;  // the copy's disk
    return failed;
  }

 public:
  const QByteArray& signatureBytes() const { return signatureBytes_; }

 private:
  const Folder& folder_;
  const VerifyPolicy& policy_;
  const QString signatureFile_, copyTo_;
  QByteArray signatureName_;  ///< relative, when it lies in the folder
  QByteArray signatureBytes_;
  oms::Envelope envelope_;
  oms::Statement statement_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verifyFolder(const QString& dir, const VerifyPolicy& policy, const QString& signatureFile) {
  auto folder = Folder::open(dir);
  if (!folder) return folder.error();
  return Verification(*folder, policy, signatureFile, {}).run();
}

Result<VerifyReport> verifyAndCopy(const QString& dir, const VerifyPolicy& policy, const QString& toDir, const QString& signatureFile) {
  auto folder = Folder::open(dir);
  if (!folder) return folder.error();
  const QString place = QDir(toDir).absolutePath();
  if (QFileInfo::exists(place) || QFileInfo(place).isSymLink()) return Failure{FailureKind::AlreadyExists, {{"path", toDir}}, {}};
  const QString staged = place + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (::mkdir(QFile::encodeName(staged).constData(), 0755) != 0) return failureFromErrno(errno, staged);
  Verification verification(*folder, policy, signatureFile, staged);
  auto report = verification.run();
  Result<void> done;
  if (report && report->valid) {
    done = writeFileAtomically(staged + "/model.sig", verification.signatureBytes());
    if (done) done = renameNew(staged, place);
    if (done) return report;
  }
  QDir(staged).removeRecursively();
  if (!done) return done.error();
  return report;
}

QString VerifyReport::verdict() const {
  if (valid) return signerTrusted ? QStringLiteral("valid") : QStringLiteral("unknown_signer");
  for (const VerifyCheck& c : checks)
    if (!c.passed && c.name != u"signer") return QStringLiteral("invalid");
  return QStringLiteral("unknown_signer");
}

QJsonObject VerifyReport::toJson() const {
  QJsonArray list;
  for (const VerifyCheck& c : checks)
    list.append(QJsonObject{{"name", c.name}, {"passed", c.passed}, {"warning", c.warning}, {"message", c.message}});
  return {{"valid", valid},
          {"verdict", verdict()},
          {"signerTrusted", signerTrusted},
          {"summary", summary},
          {"fingerprint", fingerprint},
          {"subject", subject},
          {"certificateSubject", certificateSubject},
          {"algorithm", algorithm},
          {"rootDigest", rootDigest},
          {"signedAt", signedAt},
          {"checks", list},
          {"files", QJsonArray::fromStringList(files)},
          {"ignored", QJsonArray::fromStringList(ignored)},
          {"unsignedFiles", QJsonArray::fromStringList(unsignedFiles)},
          {"extra", extra}};
}

}  // namespace cloister
