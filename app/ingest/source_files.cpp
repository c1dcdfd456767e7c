#include "app/ingest/source_files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <memory>
#include <vector>

#include <QFile>

namespace cloister {
namespace {

constexpr qint64 kMaxFile = qint64(4) << 30;

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Result<void> openRegular(const QString& path, Descriptor& d, struct stat& s) {
  d.fd = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (d.fd < 0) return failureFromErrno(errno, path);
  if (::fstat(d.fd, &s) != 0) return failureFromErrno(errno, path);
  if (!S_ISREG(s.st_mode)) return Failure{FailureKind::UnsupportedFormat, {{"path", path}}, QStringLiteral("not a regular file")};
  return {};
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};

}  // namespace

Result<QByteArray> headOf(const QString& path) {
  Descriptor d;
  struct stat s {};
  if (auto opened = openRegular(path, d, s); !opened) return opened.error();
  QByteArray head(4096, Qt::Uninitialized);
  const ssize_t n = ::read(d.fd, head.data(), size_t(head.size()));
  if (n < 0) return failureFromErrno(errno, path);
  head.truncate(n);
  return head;
}

Result<Copied> copyAndHash(const QString& from, const QString& to, void (*alive)()) {
  Descriptor in, out;
  struct stat s {};
  if (auto opened = openRegular(from, in, s); !opened) return opened.error();
  if (s.st_size > kMaxFile) return Failure{FailureKind::TooLarge, {{"path", from}, {"limit", kMaxFile}}, {}};
  out.fd = ::open(QFile::encodeName(to).constData(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out.fd < 0) return failureFromErrno(errno, to);
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  std::vector<char> buffer(size_t(1) << 18);
  Copied copied;
  qint64 said = 0;
  for (;;) {
    const ssize_t n = ::read(in.fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, from);
    if (n == 0) break;
    EVP_DigestUpdate(digest.get(), buffer.data(), size_t(n));
    for (ssize_t done = 0; done < n;) {
      const ssize_t w = ::write(out.fd, buffer.data() + done, size_t(n - done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) return failureFromErrno(errno, to);
      done += w;
    }
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
  copied.sha256 = QString::fromLatin1(QByteArray(reinterpret_cast<char*>(raw), qsizetype(length)).toHex());
  return copied;
}

}  // namespace cloister
