#include "core/trust/folder_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include <QCryptographicHash>
#include <QFile>
#include <QUtf8StringView>

#include "core/domain/descriptor.h"

namespace cloister {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// O_NONBLOCK: a pipe put in a file's place must not hold us; it has no effect on regular files.
constexpr int kFileFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

QString shown(const QByteArray& name) { return QString::fromUtf8(name); }

/// Takes folderFd. False with errno when a folder cannot be read.
bool collect(int folderFd, const QByteArray& prefix, int depth, Folder::Listing& out) {
  DIR* dir = ::fdopendir(folderFd);
  if (!dir) {
    ::close(folderFd);
    return false;
  }
  bool good = true;
  errno = 0;
  while (const dirent* e = good ? ::readdir(dir) : nullptr) {
    const QByteArray leaf(e->d_name);
    if (leaf == "." || leaf == "..") continue;
    const QByteArray name = prefix + leaf;
    struct stat s {};
    if (::fstatat(::dirfd(dir), leaf.constData(), &s, AT_SYMLINK_NOFOLLOW) != 0) {
      good = false;
    } else if (!QUtf8StringView(leaf.constData(), leaf.size()).isValidUtf8() || (!S_ISDIR(s.st_mode) && !S_ISREG(s.st_mode))) {
      out.refused.append(shown(name));
    } else if (S_ISREG(s.st_mode)) {
      out.files.push_back(name);
    } else {
      const int fd = depth < Folder::kMaxDepth ? ::openat(::dirfd(dir), leaf.constData(), kFolderFlags) : -1;
      if (depth >= Folder::kMaxDepth) errno = ENAMETOOLONG;
      good = fd >= 0 && collect(fd, name + '/', depth + 1, out);
    }
    if (out.files.size() + std::size_t(out.refused.size()) > std::size_t(Folder::kMaxFiles)) {
      errno = EMFILE;
      good = false;
    }
    if (good) errno = 0;
  }
  const int error = errno;
  good = good && error == 0;
  ::closedir(dir);
  errno = error;
  return good;
}

}  // namespace

bool beforeByComponents(const QByteArray& a, const QByteArray& b) {
  // '/' ends a component and so stands before every other byte; a name that ends first stands first.
  const auto rank = [](char c) { return c == '/' ? -1 : int(uchar(c)); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return rank(x) < rank(y); });
}

Result<Folder> Folder::open(const QString& dir) {
  const int fd = ::open(QFile::encodeName(dir).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failureFromErrno(errno, dir);
  return Folder(fd, dir);
}

Folder::~Folder() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Folder::Listing> Folder::list() const {
  Listing out;
  const int fd = ::openat(fd_, ".", kFolderFlags);
  if (fd < 0) return failureFromErrno(errno, path_);
  if (!collect(fd, {}, 0, out)) {
    if (errno == EMFILE || errno == ENAMETOOLONG)
      return Failure{
          FailureKind::TooLarge, {{"path", path_}, {"limit", QStringLiteral("%1 files, %2 levels").arg(kMaxFiles).arg(kMaxDepth)}}, {}};
    return failureFromErrno(errno, path_);
  }
  std::sort(out.files.begin(), out.files.end(), beforeByComponents);
  return out;
}

Result<int> Folder::openFile(const QByteArray& name, qint64& size) const {
  const QString full = path_ + "/" + shown(name);
  Descriptor at(::openat(fd_, ".", kFolderFlags));
  const QList<QByteArray> parts = name.split('/');
  for (qsizetype i = 0; at.get() >= 0 && i < parts.size(); ++i) {
    if (parts[i].isEmpty() || parts[i] == "." || parts[i] == "..") return Failure{FailureKind::InvalidArgument, {{"name", full}}, {}};
    at.reset(::openat(at.get(), parts[i].constData(), i + 1 < parts.size() ? kFolderFlags : kFileFlags));
  }
  if (at.get() < 0) return failureFromErrno(errno, full);
  struct stat s {};
  if (::fstat(at.get(), &s) != 0) return failureFromErrno(errno, full);
  if (!S_ISREG(s.st_mode)) return Failure{FailureKind::UnsupportedFormat, {{"path", full}}, QStringLiteral("not a regular file")};
  size = s.st_size;
  return at.release();
}

Result<QByteArray> Folder::sha256(const QByteArray& name, int copyTo) const {
  qint64 size = 0, total = 0;
  auto opened = openFile(name, size);
  if (!opened) return opened.error();
  const Descriptor file(*opened);
  const QString full = path_ + "/" + shown(name);
  QCryptographicHash hash(QCryptographicHash::Sha256);
  std::vector<char> buffer(std::size_t(std::clamp<qint64>(size, 1, 1 << 20)));
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, full);
    if (n == 0) break;
    hash.addData(QByteArrayView(buffer.data(), n));
    total += n;
    for (ssize_t done = 0; copyTo >= 0 && done < n;) {
      const ssize_t w = ::write(copyTo, buffer.data() + done, std::size_t(n - done));
      if (w < 0 && errno != EINTR) return failureFromErrno(errno, shown(name));
      done += std::max<ssize_t>(w, 0);
    }
  }
  if (total != size) return Failure{FailureKind::CorruptFile, {{"path", full}}, QStringLiteral("changed while it was read")};
  return hash.result();
}

Result<QByteArray> Folder::read(const QByteArray& name, qint64 maxBytes) const {
  qint64 size = 0;
  auto opened = openFile(name, size);
  if (!opened) return opened.error();
  const Descriptor file(*opened);
  const QString full = path_ + "/" + shown(name);
  if (size > maxBytes) return Failure{FailureKind::TooLarge, {{"path", full}, {"limit", maxBytes}}, {}};
  QByteArray bytes(size, '\0');
  qint64 have = 0;
  while (have < size) {
    const ssize_t n = ::read(file.get(), bytes.data() + have, std::size_t(size - have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, full);
    if (n == 0) break;
    have += n;
  }
  bytes.truncate(have);
  return bytes;
}

}  // namespace cloister
