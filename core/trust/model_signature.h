// OpenSSF Model Signing (files, SHA-256, ECDSA P-256/384/521): sign a folder, and verify one as a stranger would, strictly (stricter than
// the reference tool where two readers could differ: docs/decisions). Called by bundle creation, the CLI and the fuzz targets; the GUI asks
// `cloister-cli bundle verify --json`, so that a hostile folder costs a child process at most. Any thread; blocking.
#pragma once
#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QMap>
#include <QStringList>

#include "core/domain/result.h"
#include "core/trust/key_store.h"

namespace cloister {

/// Signs every file below dir into dir/model.sig (staged, renamed, written last). extra goes to predicate "x-cloister", with signedAt.
/// PolicyRefused when a link, a special file or one of git's own files lies in the folder; WrongPassphrase, KeyInvalid from the key.
Result<void> signFolder(const QString& dir, const KeyStore&, const QString& key, const QByteArray& passphrase, const QJsonObject& extra);

struct VerifyPolicy {
  QList<QByteArray> trustedPublicPems;  ///< pinned keys
  QByteArray trustedRootsPem;           ///< for certificate mode
  bool allowIgnored = false;            ///< files that the signer left out on purpose (ignore_paths)
  bool allowUnsignedFiles = false;
  bool allowExpired = true;         ///< shown in any case
  bool allowUnknownSigner = false;  ///< certificate mode only: the signature holds, but nobody vouches for who signed
  QDateTime now;                    ///< invalid: the clock
};

struct VerifyCheck {
  QString name;  ///< structure, signature, signer, certificate, expiry, digest, files, ignored
  bool passed = false;
  QString message;
  bool warning = false;  ///< passed, but people should read the message
};

struct VerifyReport {
  bool valid = false;
  bool signerTrusted = false;  ///< by a pinned key or root
  QString summary;             ///< one line
  QString fingerprint;         ///< of the signer's public PEM text
  QString subject;             ///< the folder's name when it was signed
  QString certificateSubject;  ///< empty in key mode
  QString algorithm, rootDigest;
  QString signedAt;  ///< what the signer says; no witness
  QList<VerifyCheck> checks;
  QStringList files, ignored, unsignedFiles;
  QMap<QString, QString> digests;  ///< hex SHA-256 as signed, of every file in files
  QJsonObject extra;               ///< x-cloister of the predicate
  /// "valid", "unknown_signer" (nothing speaks against the bundle, but no trusted key or root speaks for it) or "invalid".
  QString verdict() const;
  QJsonObject toJson() const;
};

/// Never fails on a bad bundle: the report says what is wrong. Failure only when dir cannot be read at all.
/// signatureFile: empty for dir/model.sig.
Result<VerifyReport> verifyFolder(const QString& dir, const VerifyPolicy&, const QString& signatureFile = {});

/// The same, and the very bytes that were verified are written to the new folder toDir while they are read: what is opened later is what
/// was checked. toDir appears only when the report is valid; AlreadyExists when it is there.
Result<VerifyReport> verifyAndCopy(const QString& dir, const VerifyPolicy&, const QString& toDir, const QString& signatureFile = {});

}  // namespace cloister
