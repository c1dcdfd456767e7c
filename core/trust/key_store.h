// Signing keys made and kept by Cloister: EC P-256/384/521, the private part (PKCS#8) wrapped with AES-256-GCM under an Argon2id key of the
// passphrase (64 MiB, 3 passes, 4 lanes). Folder: <config>/cloister/keys/<name>/{key.json,public.pem[,certificate-chain.pem]}, files 0600.
// Secrets are wiped after use. Called by bundle creation, GUI trust page and CLI. Any thread; blocking (a wrap takes about 0.2 s).
#pragma once
#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct KeyInfo {
  QString name, curve;  ///< P-256, P-384, P-521
  QString fingerprint;  ///< hex SHA-256 of the public PEM text = the OMS hint
  QString createdAt;
  QByteArray publicPem;
  QByteArray certificateChainPem;  ///< leaf first, empty without
  QJsonObject toJson() const;      ///< {name,curve,fingerprint,createdAt,certificate}
};

class KeyStore {
 public:
  /// folder empty: $CLOISTER_KEYS, else the user's configuration folder.
  explicit KeyStore(QString folder = {});
  const QString& folder() const { return folder_; }
  Result<KeyInfo> create(const QString& name, const QString& curve, const QByteArray& passphrase);
  /// Unencrypted or PEM-encrypted EC key from elsewhere, optionally with its certificate chain (leaf first). Never asks on a terminal.
  Result<KeyInfo> importPem(const QString& name, const QByteArray& privatePem, const QByteArray& pemPassphrase, const QByteArray& chainPem,
                            const QByteArray& passphrase);
  /// By name; a damaged key does not hide the others.
  Result<QList<KeyInfo>> list() const;
  Result<KeyInfo> info(const QString& name) const;
  Result<void> remove(const QString& name);
  Result<void> changePassphrase(const QString& name, const QByteArray& from, const QByteArray& to);
  /// ECDSA over message with the curve's own hash; DER. WrongPassphrase, KeyInvalid.
  Result<QByteArray> sign(const QString& name, const QByteArray& passphrase, const QByteArray& message) const;

 private:
  QString folder_;
};

}  // namespace cloister
