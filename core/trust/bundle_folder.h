// A bundle while it is made: filled in a hidden folder beside its place, described, signed, verified from disk as a stranger would, then
// renamed into place. What every kind of bundle shares. Internal to core/trust; any thread; blocking.
#pragma once
#include <memory>

#include "core/trust/bundle.h"
#include "core/trust/bundle_documents.h"

namespace cloister {

class BundleFolder {
 public:
  /// InvalidArgument without a folder, AlreadyExists, and what the key store says of key and passphrase: a wrong one shows before the long
  /// work.
  static Result<std::unique_ptr<BundleFolder>> begin(const QString& toDir, const KeyStore&, const QString& key,
                                                     const QByteArray& passphrase);
  ~BundleFolder();  ///< removes what was not published
  BundleFolder(const BundleFolder&) = delete;
  BundleFolder& operator=(const BundleFolder&) = delete;

  Result<BundledFile> copy(const QString& from, const QString& path);
  Result<void> write(const QString& path, const QByteArray&);
  Result<void> write(const QString& path, const QJsonObject&);
  const QList<BundledFile>& files() const { return files_; }
  const QString& target() const { return target_; }

  /// Writes bundle.json (the members given, madeBy and files), signs with the statement's members and the time, verifies.
  Result<BundleResult> seal(QJsonObject manifest, QJsonObject statement);
  /// AlreadyExists when somebody was faster.
  Result<void> publish();

 private:
  BundleFolder(const QString& target, const KeyStore&, const QString& key, const QByteArray& passphrase);
  Result<BundleResult> reverify(const QJsonObject& manifest) const;

  const QString target_, outer_, dir_;
  const KeyStore& keys_;
  const QString key_;
  const QByteArray passphrase_;
  QList<BundledFile> files_;
};

}  // namespace cloister
