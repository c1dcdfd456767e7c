// What a received bundle says about itself (bundle.json), read strictly because a stranger wrote it; and the whole check of a received
// bundle: its signature, and that the manifest speaks of the signed files. Called by the CLI (the GUI asks the CLI) and a fuzz target. Any
// thread.
#pragma once
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"
#include "core/trust/model_signature.h"

namespace cloister {

struct BundleManifest {
  struct File {
    QString path, sha256;
    qint64 bytes = 0;
  };
  QString name, version, createdAt, task, run, family, snapshot;
  QStringList classes;
  QString modelFile, modelSha256;
  QList<File> files;
  QJsonObject json;  ///< the whole of it

  /// CorruptFile (with the reason), NewerVersion. path only names the file in failures.
  static Result<BundleManifest> parse(const QByteArray& bytes, const QString& path);
};

struct BundleVerification {
  VerifyReport report;   ///< with a check "bundle" when the folder has a bundle.json
  QJsonObject manifest;  ///< empty unless the report is valid and the folder is a Cloister bundle
  QString copiedTo;      ///< empty unless asked for and valid
  QJsonObject toJson() const;
};

/// verifyFolder, or verifyAndCopy when copyTo is given, and the manifest read from the bytes that were verified.
Result<BundleVerification> verifyBundle(const QString& dir, const VerifyPolicy&, const QString& signatureFile = {},
                                        const QString& copyTo = {});

}  // namespace cloister
