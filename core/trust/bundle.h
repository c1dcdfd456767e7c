// A bundle: model, labels, pre- and post-processing, test vectors, model card, evaluation report, SPDX, lineage; signed. Built from a run's
// export in a staging folder, signed, re-verified from disk as a stranger would, then renamed into place. What leaves the house holds no
// pictures, no file names and no names of people (docs/decisions). Called by the CLI and the GUI's worker thread. Any thread; blocking.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"
#include "core/trust/key_store.h"

namespace cloister {

class AuditLog;

struct BundleResult {
  QString dir;
  QString rootDigest;    ///< of the signature's subject
  QJsonObject manifest;  ///< bundle.json
};

struct BundleRequest {
  QString projectDir, runDir, snapshotDir;
  QString candidate;  ///< file stem in <run>/export, for example "int8-static"; empty: the recommended one
  QString toDir;      ///< the bundle folder to make; AlreadyExists when it is there
  QString key;
  QByteArray passphrase;
  QString name;  ///< of the model, for people; empty: the folder's
  QString intendedUse, limits;
  QJsonObject auditCheckpoint;
  /// Asked when the signed bundle stands verified in its staging folder; a failure keeps it from appearing.
  std::function<Result<void>(const BundleResult&)> beforePublish;
};

/// A language model's run becomes a bundle as `bundle model` makes it, with lineage, run and snapshot (language_bundle.h).
/// NothingToDo names the missing step (evaluation, export), IdentityChanged files that do not belong together, CorruptFile a changed
/// export, PolicyRefused a candidate whose parity check failed, WrongPassphrase, AlreadyExists, DiskFull.
Result<BundleResult> createBundle(const BundleRequest&, const KeyStore&);

/// The same with its audit entry: the log's checkpoint goes into the signature, and the bundle appears only after the entry is written.
Result<BundleResult> createAuditedBundle(BundleRequest, const KeyStore&, AuditLog&);

}  // namespace cloister
