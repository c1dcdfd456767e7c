#include "app/ingest/source_files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <memory>
#include <vector>

#include <QFile>

#include "core/domain/descriptor.h"

namespace cloister {
namespace {

constexpr qint64 kMaxFile = qint64(4) << 30;

Result<void> openRegular(const QString& path, Descriptor& d, struct stat& s) {
  d.reset(::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (d.get() < 0) return failureFromErrno(errno, path);
  if (::fstat(d.get(), &s) != 0) return failureFromErrno(errno, path);
  if (!S_ISREG(s.st_mode)) return Failure{FailureKind::UnsupportedFormat, {{"path", path}}, QStringLiteral("not a regular file")};
  return {};
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};

QString hex(const unsigned char* digest, unsigned int length) {
  return QString::fromLatin1(QByteArray(reinterpret_cast<const char*>(digest), qsizetype(length)).toHex());
}

bool writeAll(int fd, const char* data, qint64 size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size_t(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    size -= n;
  }
  return true;
}

}  // namespace

Result<QByteArray> contentsOf(const QString& path, qint64 most) {
  Descriptor d;
  struct stat s {};
  if (auto opened = openRegular(path, d, s); !opened) return opened.error();
  if (s.st_size < 1 || s.st_size > most) return QByteArray();
  QByteArray bytes(s.st_size, Qt::Uninitialized);
  qint64 have = 0;
  while (have < bytes.size()) {
    const ssize_t n = ::read(d.get(), bytes.data() + have, size_t(bytes.size() - have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, path);
    if (n == 0) return QByteArray();
    have += n;
  }
  char more = 0;
  return ::read(d.get(), &more, 1) == 0 ? bytes : QByteArray();
}

QString sha256Of(QByteArrayView bytes) {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // looked up once
  EVP_Digest(bytes.data(), size_t(bytes.size()), raw, &length, sha256, nullptr);
  return hex(raw, length);
}

Result<void> writeReadOnly(const QString& path, QByteArrayView bytes) {
  Descriptor out;
  out.reset(::open(QFile::encodeName(path).constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (out.get() < 0) return failureFromErrno(errno, path);
  if (!writeAll(out.get(), bytes.data(), bytes.size())) {
    const int error = errno;
    ::unlink(QFile::encodeName(path).constData());
    return failureFromErrno(error, path);
  }
  return {};
}

Result<QByteArray> headOf(const QString& path) {
  Descriptor d;
  struct stat s {};
  if (auto opened = openRegular(path, d, s); !opened) return opened.error();
  QByteArray head(4096, Qt::Uninitialized);
  const ssize_t n = ::read(d.get(), head.data(), size_t(head.size()));
  if (n < 0) return failureFromErrno(errno, path);
  head.truncate(n);
  return head;
}

Result<Copied> copyAndHash(const QString& from, const QString& to, void (*alive)()) {
  Descriptor in, out;
  struct stat s {};
  if (auto opened = openRegular(from, in, s); !opened) return opened.error();
  if (s.st_size > kMaxFile) return Failure{FailureKind::TooLarge, {{"path", from}, {"limit", kMaxFile}}, {}};
  out.reset(::open(QFile::encodeName(to).constData(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (out.get() < 0) return failureFromErrno(errno, to);
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  std::vector<char> buffer(size_t(1) << 18);
  Copied copied;
  qint64 said = 0;
  for (;;) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, from);
    if (n == 0) break;
    EVP_DigestUpdate(digest.get(), buffer.data(), size_t(n));
    if (!writeAll(out.get(), buffer.data(), n)) return failureFromErrno(errno, to);
    copied.bytes += n;
    if (copied.bytes > kMaxFile) return Failure{FailureKind::TooLarge, {{"path", from}, {"limit", kMaxFile}}, {}};
    if (copied.bytes - said >= (64 << 20)) {
      said = copied.bytes;
      alive();
    }
  }
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(digest.get(), raw, &length);
  copied.sha256 = hex(raw, length);
  return copied;
}

}  // namespace cloister
