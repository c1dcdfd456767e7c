// Every file below a folder, by file descriptors and without following one link, so that nothing outside is ever read. Internal to
// core/trust (signing, verifying); any thread; blocking.
#pragma once
#include <vector>

#include <QByteArray>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

class Folder {
 public:
  /// dir itself may be reached through a link (the caller named it); nothing below may.
  static Result<Folder> open(const QString& dir);
  Folder(Folder&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder();
  const QString& path() const { return path_; }

  struct Listing {
    std::vector<QByteArray> files;  ///< relative names with '/', sorted by path components
    QStringList refused;            ///< links, pipes, sockets, devices, names that are not UTF-8
  };
  static constexpr int kMaxFiles = 100'000;
  static constexpr int kMaxDepth = 64;
  Result<Listing> list() const;

  /// Raw SHA-256 of one file; its bytes go to copyTo (an open file) at the same time unless that is -1. CorruptFile when the file changes
  /// while it is read.
  Result<QByteArray> sha256(const QByteArray& name, int copyTo = -1) const;
  /// Whole regular file of at most maxBytes.
  Result<QByteArray> read(const QByteArray& name, qint64 maxBytes) const;

 private:
  Folder(int fd, QString path) : fd_(fd), path_(std::move(path)) {}
  Result<int> openFile(const QByteArray& name, qint64& size) const;
  int fd_ = -1;
  QString path_;
};

/// The OMS order: component by component, by bytes ("a/x" before "a-b/x" before "a.txt").
bool beforeByComponents(const QByteArray& a, const QByteArray& b);

}  // namespace cloister
