// OpenSSF Model Signing (files, SHA-256, ECDSA): sign a folder and verify one as a stranger would, strictly (facts: security section 1).
// Any thread; blocking.
#pragma once
#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QStringList>

#include "core/domain/result.h"
#include "core/trust/key_store.h"

namespace cloister {

/// Signs every file below dir into dir/model.sig (staged, renamed, written last). extra goes to predicate "x-cloister".
Result<void> signFolder(const QString& dir, const KeyStore&, const QString& key, const QByteArray& passphrase, const QJsonObject& extra);

struct VerifyPolicy {
  QList<QByteArray> trustedPublicPems;  ///< pinned keys; empty and no roots: the signature is checked against the key given in the bundle's
                                        ///< chain only → "unknown signer"
  QByteArray trustedRootsPem;           ///< for certificate mode
  bool allowIgnored = false;            ///< files below ignore_paths
  bool allowUnsignedFiles = false;
  bool allowExpired = true;  ///< shown in any case
};

struct VerifyCheck {
  QString name;  ///< structure, digest, signature, files, certificate, expiry, ignored
  bool passed = false;
  QString message;
};

struct VerifyReport {
  bool valid = false;
  bool signerTrusted = false;  ///< by a pinned key or root
  QString summary;             ///< one line
  QString fingerprint, subject, algorithm, signedAt;
  QList<VerifyCheck> checks;
  QStringList files, ignored, unsignedFiles;
  QJsonObject extra;  ///< x-cloister of the predicate
  QJsonObject toJson() const;
};

/// Never fails on a bad bundle: the report says what is wrong. Failure only when dir cannot be read at all.
Result<VerifyReport> verifyFolder(const QString& dir, const VerifyPolicy&, const QString& signatureFile = {});

}  // namespace cloister
