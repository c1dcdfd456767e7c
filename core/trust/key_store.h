// Signing keys made and kept by Cloister: EC P-256/384/521, private part wrapped with AES-256-GCM under an Argon2id key of the passphrase.
// Folder: <config>/cloister/keys/<name>/{key.json,public.pem[,certificate-chain.pem]}. Secrets are wiped after use. Any thread.
#pragma once
#include <QByteArray>
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
};

class KeyStore {
 public:
  /// folder empty: $CLOISTER_KEYS, else the user's configuration folder.
  explicit KeyStore(QString folder = {});
  Result<KeyInfo> create(const QString& name, const QString& curve, const QByteArray& passphrase);
  /// Unencrypted or PEM-encrypted EC key from elsewhere, optionally with its certificate chain.
  Result<KeyInfo> importPem(const QString& name, const QByteArray& privatePem, const QByteArray& pemPassphrase, const QByteArray& chainPem,
                            const QByteArray& passphrase);
  Result<QList<KeyInfo>> list() const;
  Result<KeyInfo> info(const QString& name) const;
  Result<void> remove(const QString& name);
  Result<void> changePassphrase(const QString& name, const QByteArray& from, const QByteArray& to);
  /// ECDSA over message with the curve's own hash; DER.
  Result<QByteArray> sign(const QString& name, const QByteArray& passphrase, const QByteArray& message) const;

 private:
  QString folder_;
};

}  // namespace cloister
