#include "core/trust/private_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <cerrno>

#include <QFile>
#include <QFileInfo>
#include <QUuid>

#include "core/domain/files.h"

namespace cloister {

Result<void> writeNewPrivateFile(const QString& path, QByteArrayView bytes) {
  const QByteArray name = QFile::encodeName(path);
  const int fd = ::open(name.constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failureFromErrno(errno, path);
  int error = 0;
  while (!bytes.isEmpty() && !error) {
    const ssize_t n = ::write(fd, bytes.data(), size_t(bytes.size()));
    if (n >= 0) bytes = bytes.sliced(n);
    else if (errno != EINTR) error = errno;
  }
  if (!error && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && !error) error = errno;
  if (!error) return {};
  ::unlink(name.constData());
  return failureFromErrno(error, path);
}

Result<void> replacePrivateFile(const QString& path, QByteArrayView bytes) {
  const QString staged = path + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (auto written = writeNewPrivateFile(staged, bytes); !written) return written;
  if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(path).constData()) != 0) {
    const int error = errno;
    ::unlink(QFile::encodeName(staged).constData());
    return failureFromErrno(error, path);
  }
  return syncFolder(QFileInfo(path).absolutePath());
}

Result<void> renameNew(const QString& from, const QString& to) {
  const QByteArray source = QFile::encodeName(from), target = QFile::encodeName(to);
  int rc = ::renameat2(AT_FDCWD, source.constData(), AT_FDCWD, target.constData(), RENAME_NOREPLACE);
  if (rc != 0 && errno == EINVAL) {  // a file system without the flag (some USB sticks): check, then rename
    if (QFileInfo::exists(to)) return Failure{FailureKind::AlreadyExists, {{"path", to}}, {}};
    rc = ::rename(source.constData(), target.constData());
  }
  if (rc != 0) return failureFromErrno(errno, to);
  return syncFolder(QFileInfo(to).absolutePath());
}

}  // namespace cloister
