// A bundle: model, labels, pre- and post-processing, test vectors, model card, evaluation report, SPDX, lineage; signed. Built from a run's
// export in a staging folder, signed, re-verified from disk, then renamed into place. Any thread; blocking.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"
#include "core/trust/key_store.h"

namespace cloister {

struct BundleRequest {
  QString projectDir, runDir, snapshotDir;
  QString candidate;  ///< file stem in <run>/export, for example "int8-static"; empty: the recommended one
  QString toDir;      ///< the bundle folder to make; AlreadyExists when it is there
  QString key;
  QByteArray passphrase;
  QString name;  ///< of the model, for people
  QString intendedUse, limits;
  QJsonObject auditCheckpoint;
};

struct BundleResult {
  QString dir;
  QString rootDigest;    ///< of the signature's subject
  QJsonObject manifest;  ///< bundle.json
};

Result<BundleResult> createBundle(const BundleRequest&, const KeyStore&);

}  // namespace cloister
