// The tamper-evident audit log: audit.sqlite in the project, a hash chain of canonical JSON entries (RFC 8785, RFC 9162 leaf hashes; DICOM
// PS3.15 A.5 event codes). The entry is written before the effect of a change becomes visible; when it cannot be written, the change is
// refused. Several processes may append at once. Called by runs, curation, bundle creation, GUI and CLI. One thread per object; blocking.
// A chain shows every change inside it; a cut tail shows only against a checkpoint kept elsewhere (docs/threat-model.md).
#pragma once
#include <memory>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct AuditEntry {
  qint64 seq = 0;    ///< 1, 2, 3 … without a gap
  QString prev;      ///< hex SHA-256 of the former entry's bytes, 64 zeros for the first
  QJsonObject body;  ///< {v,seq,prev,ts,mono,boot,actor,role,session,ev,action,outcome,obj,detail}
  QString hash;      ///< hex SHA-256 of this entry's bytes
};

class AuditLog {
 public:
  /// Makes the file when it is missing (not when readOnly: NotFound). NewerVersion, DatabaseCorrupt, ReadOnly, DatabaseLocked.
  static Result<std::unique_ptr<AuditLog>> open(const QString& projectDir, bool readOnly = false);
  ~AuditLog();
  /// action: import, snapshot, train, stop, resume, evaluate, export, sign, verify, label, key_create …; object: ids and digests, never
  /// names of people. detail lies beside the chain under its digest and can be erased without breaking it.
  Result<AuditEntry> append(const QString& action, const QJsonObject& object, const QString& outcome = QStringLiteral("success"),
                            const QJsonObject& detail = {});
  Result<QList<AuditEntry>> entries(qint64 from = 1, int limit = 1000) const;
  /// The newest entries, newest first.
  Result<QList<AuditEntry>> latest(int limit) const;
  /// What was stored beside an entry; empty when there was nothing or it was erased.
  Result<QJsonObject> detail(const AuditEntry&) const;

  struct Verification {
    bool intact = false;
    qint64 entries = 0;      ///< read until the first broken one
    qint64 firstBroken = 0;  ///< seq, 0: none
    QString headHash;        ///< of the last good entry
    QString reason;          ///< what is wrong, empty when intact
    bool anchored = false;   ///< a checkpoint from elsewhere was given and agrees
    int clockSetBack = 0;    ///< entries whose wall clock lies before the former one's in the same boot: a note, not a break
    QJsonObject toJson() const;
  };
  /// Reads the whole chain. anchor: a checkpoint kept elsewhere (a signed bundle, paper); without one a cut tail cannot be told.
  Result<Verification> verify(const QJsonObject& anchor = {}) const;
  /// {"size","head"}: goes into every signed bundle, so that a later cut of the log's tail shows.
  Result<QJsonObject> checkpoint() const;

 private:
  AuditLog();
  struct Private;
  std::unique_ptr<Private> d;
};

}  // namespace cloister
