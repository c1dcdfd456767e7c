#include "core/domain/files.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cerrno>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QUuid>

#include "core/domain/descriptor.h"

namespace cloister {
namespace {

Result<void> writeAll(int fd, QByteArrayView bytes, const QString& path) {
  while (!bytes.isEmpty()) {
    const ssize_t n = ::write(fd, bytes.data(), size_t(bytes.size()));
    if (n < 0) {
      if (errno == EINTR) continue;
      return failureFromErrno(errno, path);
    }
    bytes = bytes.sliced(n);
  }
  return {};
}

}  // namespace

Result<void> writeFileAtomically(const QString& path, QByteArrayView bytes) {
  const QString staged = path + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  Descriptor fd(::open(QFile::encodeName(staged).constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (fd.get() < 0) return failureFromErrno(errno, path);
  Result<void> written = writeAll(fd.get(), bytes, path);
  if (written && ::fsync(fd.get()) != 0) written = failureFromErrno(errno, path);
  if (::close(fd.release()) != 0 && written) written = failureFromErrno(errno, path);
  if (written && ::rename(QFile::encodeName(staged).constData(), QFile::encodeName(path).constData()) != 0)
    written = failureFromErrno(errno, path);
  if (!written) {
    ::unlink(QFile::encodeName(staged).constData());
    return written;
  }
  return syncFolder(QFileInfo(path).absolutePath());
}

Result<void> writeJsonAtomically(const QString& path, const QJsonObject& object) {
  return writeFileAtomically(path, QJsonDocument(object).toJson(QJsonDocument::Indented));
}

Result<QByteArray> readFile(const QString& path, qint64 maxBytes) {
  Descriptor fd(::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return failureFromErrno(errno, path);
  QByteArray all;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, path);
    if (n == 0) return all;
    if (all.size() + n > maxBytes) return Failure{FailureKind::TooLarge, {{"path", path}, {"limit", maxBytes}}, {}};
    all.append(buffer, n);
  }
}

Result<QJsonObject> readJson(const QString& path, qint64 maxBytes) {
  auto bytes = readFile(path, maxBytes);
  if (!bytes) return bytes.error();
  QJsonParseError error;
  const QJsonDocument doc = QJsonDocument::fromJson(*bytes, &error);
  if (!doc.isObject())
    return Failure{FailureKind::CorruptFile,
                   {{"path", path}, {"position", error.offset}},
                   error.error ? error.errorString() : QStringLiteral("not a JSON object")};
  return doc.object();
}

Result<void> syncFolder(const QString& path) {
  Descriptor fd(::open(QFile::encodeName(path).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return failureFromErrno(errno, path);
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return failureFromErrno(errno, path);  // EINVAL: a file system without folder sync
  return {};
}

QByteArray canonicalJson(const QJsonObject& object) { return QJsonDocument(object).toJson(QJsonDocument::Compact); }

QString sha256Hex(QByteArrayView bytes) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  hash.addData(bytes);
  return QString::fromLatin1(hash.result().toHex());
}

Result<QString> sha256OfFile(const QString& path) {
  Descriptor fd(::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return failureFromErrno(errno, path);
  QCryptographicHash hash(QCryptographicHash::Sha256);
  std::vector<char> buffer(1 << 18);
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, path);
    if (n == 0) break;
    hash.addData(QByteArrayView(buffer.data(), n));
  }
  return QString::fromLatin1(hash.result().toHex());
}

qint64 bytesFree(const QString& path) {
  QString p = path.isEmpty() ? QDir::currentPath() : QFileInfo(path).absoluteFilePath();  // an empty path has no parent to end at
  while (!QFileInfo::exists(p) && p != QDir::rootPath()) p = QFileInfo(p).absolutePath();
  struct statvfs s {};
  if (::statvfs(QFile::encodeName(p).constData(), &s) != 0) return -1;
  return qint64(s.f_bavail) * qint64(s.f_frsize);
}

}  // namespace cloister
