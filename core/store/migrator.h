// Brings a project's database to the newest format by numbered SQL files. Called by Project::create and Project::open. One thread.
#pragma once
#include <QList>
#include <QString>

#include "core/domain/result.h"

namespace cloister {
class Database;

class Migrator {
 public:
  /// folder: NNNN_name.sql files, numbered 1, 2, 3 …; the default is compiled in.
  explicit Migrator(const QString& folder = QStringLiteral(":/cloister/migrations"));

  int newest() const { return int(files_.size()); }
  /// The format a database has (PRAGMA user_version); 0: empty. UnsupportedFormat for another program's database.
  static Result<int> versionOf(Database&);
  /// NewerVersion when the database was written by a newer program. Before each step on a database with content a copy is made beside
  /// it: project.sqlite.before-0002. Each step is one transaction: the database has the former or the next format, never between.
  Result<void> migrate(Database&) const;
  Result<void> refuseNewer(Database&) const;

 private:
  Result<void> apply(Database&, int version) const;
  QList<QString> files_;  // files_[0] makes format 1
};

}  // namespace cloister
