// The tamper-evident audit log: audit.sqlite in the project, a hash chain of canonical JSON entries (facts: security section 3).
// Business change and entry belong together: the entry is written before the effect becomes visible. One thread per object.
#pragma once
#include <memory>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct AuditEntry {
  qint64 seq = 0;
  QString prev;      ///< hex SHA-256 of the former entry's bytes, 64 zeros for the first
  QJsonObject body;  ///< {v,seq,prev,ts,mono,boot,actor,role,session,ev,action,outcome,obj,detail}
  QString hash;      ///< hex SHA-256 of this entry's bytes
};

class AuditLog {
 public:
  static Result<std::unique_ptr<AuditLog>> open(const QString& projectDir, bool readOnly = false);
  ~AuditLog();
  /// action: import, snapshot, train, stop, resume, evaluate, export, sign, verify, label, key_create …; object: ids and digests, never
  /// names of people.
  Result<AuditEntry> append(const QString& action, const QJsonObject& object, const QString& outcome = QStringLiteral("success"));
  Result<QList<AuditEntry>> entries(qint64 from = 1, int limit = 1000) const;
  struct Verification {
    bool intact = false;
    qint64 entries = 0;
    qint64 firstBroken = 0;  ///< seq, 0: none
    QString headHash;
    QString reason;
  };
  Result<Verification> verify() const;
  /// {"size","head"}: goes into every signed bundle, so that a later cut of the log's tail shows.
  Result<QJsonObject> checkpoint() const;

 private:
  AuditLog();
  struct Private;
  std::unique_ptr<Private> d;
};

}  // namespace cloister
