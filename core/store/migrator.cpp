#include "core/store/migrator.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/store/database.h"

// Outside the namespace, as Qt demands: a static library's resources are linked only when something asks for them.
static void initMigrations() { Q_INIT_RESOURCE(migrations); }

namespace cloister {
namespace {

constexpr int kApplicationId = 0x434c5354;  // "CLST" in the header of the file, so that file(1) and we know whose it is

}  // namespace

Migrator::Migrator(const QString& folder) {
  initMigrations();
  const QDir dir(folder);
  for (const QString& name : dir.entryList({QStringLiteral("[0-9][0-9][0-9][0-9]_*.sql")}, QDir::Files, QDir::Name)) {
    if (name.left(4).toInt() != files_.size() + 1) qFatal("migration %s is out of sequence", qPrintable(name));
    files_.append(dir.filePath(name));
  }
}

Result<int> Migrator::versionOf(Database& db) {
  auto version = db.number("PRAGMA user_version");
  if (!version) return version.error();
  auto application = db.number("PRAGMA application_id");
  if (!application) return application.error();
  auto tables = db.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (*tables > 0 && *application != kApplicationId)
    return Failure{FailureKind::UnsupportedFormat, {{"path", db.path()}}, "an SQLite database of another program"};
  return int(*version);
}

Result<void> Migrator::refuseNewer(Database& db) const {
  auto version = versionOf(db);
  if (!version) return version.error();
  if (*version > newest())
    return Failure{FailureKind::NewerVersion, {{"path", db.path()}, {"found", *version}, {"supported", newest()}}, {}};
  return {};
}

Result<void> Migrator::migrate(Database& db) const {
  if (auto ok = refuseNewer(db); !ok) return ok;
  auto version = versionOf(db);
  if (!version) return version.error();
  for (int next = *version + 1; next <= newest(); ++next) {
    if (*version > 0) {
      auto copied = db.copyTo(db.path() + QStringLiteral(".before-%1").arg(next, 4, 10, QLatin1Char('0')));
      if (!copied) return copied;
    }
    if (auto applied = apply(db, next); !applied) return applied;
  }
  return {};
}

Result<void> Migrator::apply(Database& db, int version) const {
  const QString name = files_.at(version - 1);
  QFile file(name);
  if (!file.open(QIODevice::ReadOnly)) return Failure{FailureKind::Internal, {{"path", name}}, file.errorString()};
  const QByteArray sql = file.readAll();
  return db.transaction([&]() -> Result<void> {
    if (auto ran = db.execute(sql); !ran) return ran;
    return db.execute("PRAGMA application_id=" + QByteArray::number(kApplicationId) +
                      "; PRAGMA user_version=" + QByteArray::number(version));
  });
}

}  // namespace cloister
