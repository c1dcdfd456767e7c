#include "core/trust/bundle_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
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
#include "core/trust/model_signature.h"
#include "core/trust/private_files.h"

namespace cloister {
namespace {

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

}  // namespace

Result<std::unique_ptr<BundleFolder>> BundleFolder::begin(const QString& toDir, const KeyStore& keys, const QString& key,
                                                          const QByteArray& passphrase) {
  const QString target = QDir::cleanPath(QDir(toDir).absolutePath());
  if (toDir.isEmpty()) return Failure{FailureKind::InvalidArgument, {{"name", "toDir"}, {"value", ""}, {"allowed", "a folder"}}, {}};
  if (QFileInfo::exists(target)) return Failure{FailureKind::AlreadyExists, {{"path", toDir}}, {}};
  if (auto probe = keys.sign(key, passphrase, "probe"); !probe) return probe.error();
  std::unique_ptr<BundleFolder> folder(new BundleFolder(target, keys, key, passphrase));
  errno = 0;
  if (!QDir().mkpath(folder->dir_)) return failureFromErrno(errno ? errno : EACCES, folder->dir_);
  return folder;
}

// The inner folder carries the final name: the signature's subject is named after it.
BundleFolder::BundleFolder(const QString& target, const KeyStore& keys, const QString& key, const QByteArray& passphrase)
    : target_(target),
      outer_(QFileInfo(target).absolutePath() + "/.bundle-" + QUuid::createUuid().toString(QUuid::Id128).left(12)),
      dir_(outer_ + "/" + QFileInfo(target).fileName()),
      keys_(keys),
      key_(key),
      passphrase_(passphrase) {}

BundleFolder::~BundleFolder() { QDir(outer_).removeRecursively(); }

Result<BundledFile> BundleFolder::copy(const QString& from, const QString& path) {
  if (auto copied = copyFile(from, dir_ + "/" + path); !copied) return copied.error();
  auto file = describeFile(dir_, path);
  if (file) files_.append(*file);
  return file;
}

Result<void> BundleFolder::write(const QString& path, const QByteArray& bytes) {
  if (const QString folder = QFileInfo(dir_ + "/" + path).path(); !QDir().mkpath(folder))
    return failureFromErrno(errno ? errno : EACCES, folder);
  if (auto written = writeFileAtomically(dir_ + "/" + path, bytes); !written) return written;
  auto file = describeFile(dir_, path);
  if (!file) return file.error();
  files_.append(*file);
  return {};
}

Result<void> BundleFolder::write(const QString& path, const QJsonObject& o) {
  return write(path, QJsonDocument(o).toJson(QJsonDocument::Indented));
}

Result<BundleResult> BundleFolder::seal(QJsonObject manifest, QJsonObject statement) {
  QJsonArray files;
  for (const BundledFile& f : files_) files.append(QJsonObject{{"path", f.path}, {"bytes", f.bytes}, {"sha256", f.sha256}});
  manifest["madeBy"] = QStringLiteral("Cloister %1 (%2)").arg(programVersion(), codeCommit());
  manifest["files"] = files;
  if (auto done = writeJsonAtomically(dir_ + "/bundle.json", manifest); !done) return done.error();
  for (const BundledFile& f : files_)
    if (f.path.contains('/'))
      if (auto done = syncFolder(QFileInfo(dir_ + "/" + f.path).path()); !done) return done.error();
  statement["signedAt"] = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  if (auto done = signFolder(dir_, keys_, key_, passphrase_, statement); !done) return done.error();
  return reverify(manifest);
}

// As a stranger would: from disk, with the public key alone.
Result<BundleResult> BundleFolder::reverify(const QJsonObject& manifest) const {
  auto info = keys_.info(key_);
  if (!info) return info.error();
  VerifyPolicy policy;
  policy.trustedPublicPems = {info->publicPem};
  auto report = verifyFolder(dir_, policy);
  if (!report) return report.error();
  if (!report->valid) return Failure{FailureKind::SignatureInvalid, {{"reason", report->summary}}, dir_};
  return BundleResult{target_, report->rootDigest, manifest};
}

Result<void> BundleFolder::publish() { return renameNew(dir_, target_); }

}  // namespace cloister
