#include "core/store/project.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QUuid>

#include "core/domain/files.h"
#include "core/store/migrator.h"
#include "core/store/project_private.h"

namespace cloister {
namespace {

constexpr int kProjectFormat = 1;

QString markerPath(const QString& dir) { return dir + "/project.json"; }
QString databasePath(const QString& dir) { return dir + "/project.sqlite"; }

Result<void> makeFolder(const QString& path) {
  if (QDir().mkpath(path)) return {};
  // mkpath hides errno; a plain mkdir on the deepest missing folder tells it.
  QString missing = path;
  while (!QFileInfo::exists(QFileInfo(missing).path())) missing = QFileInfo(missing).path();
  if (::mkdir(QFile::encodeName(missing).constData(), 0755) == 0 || errno == EEXIST) errno = EIO;
  return failureFromErrno(errno, path);
}

Failure lockFailure(QLockFile& lock, const QString& dir) {
  if (lock.error() == QLockFile::LockFailedError) {
    qint64 pid = 0;
    QString host, program;
    lock.getLockInfo(&pid, &host, &program);
    return {FailureKind::DatabaseLocked, {{"path", dir}, {"pid", pid}, {"host", host}, {"program", program}}, {}};
  }
  // QLockFile knows only "permission"; the folder itself tells whether the medium or the owner forbids it, or whether it is full.

  if (::access(QFile::encodeName(dir).constData(), W_OK) != 0) return failureFromErrno(errno, dir);
  return {FailureKind::DiskFull, {{"path", dir}, {"free", bytesFree(dir)}}, "the lock file could not be written"};
}

Result<std::unique_ptr<QLockFile>> takeLock(const QString& dir) {
  auto lock = std::make_unique<QLockFile>(dir + "/project.lock");
  lock->setStaleLockTime(0);  // a lock is stale when its process is gone, never because it is old: trainings last for days
  if (!lock->tryLock(0)) return lockFailure(*lock, dir);
  return lock;
}

Result<ProjectInfo> readInfo(const QString& dir) {
  auto json = readJson(markerPath(dir), 1 << 20);
  if (!json) return json.error();
  const int format = (*json)["format"].toInt();
  if (format > kProjectFormat)
    return Failure{FailureKind::NewerVersion, {{"path", markerPath(dir)}, {"found", format}, {"supported", kProjectFormat}}, {}};
  ProjectInfo info{(*json)["id"].toString(), (*json)["name"].toString(), (*json)["task"].toString(), (*json)["createdAt"].toString()};
  if (format < 1 || info.id.isEmpty()) return Failure{FailureKind::CorruptFile, {{"path", markerPath(dir)}}, "format or id missing"};
  return info;
}

/// What a creation that was cut off left behind may go; a database with imports may not.
Result<void> clearUnfinished(const QString& dir) {
  const QString path = databasePath(dir);
  if (!QFileInfo::exists(path)) return {};
  const Failure taken{FailureKind::AlreadyExists, {{"path", path}}, "a database without project.json"};
  auto db = Database::open(path, Database::Mode::ReadOnly);
  if (!db) return taken;
  auto version = Migrator::versionOf(**db);
  if (!version) return taken;
  if (*version > 0) {
    auto imports = (*db)->number("SELECT count(*) FROM imports");
    if (!imports || *imports > 0) return taken;
  }
  db->reset();
  for (const char* suffix : {"", "-wal", "-shm"}) QFile::remove(path + QLatin1String(suffix));
  return {};
}

Failure emptyDatabase(const QString& path) { return {FailureKind::DatabaseCorrupt, {{"path", path}}, "the database is empty"}; }

/// project.json says that there is an index: an empty file is a lost one, and must not silently become a new one.
Result<void> refuseEmpty(Database& db) {
  auto version = Migrator::versionOf(db);
  if (!version) return version.error();
  if (*version > 0) return {};
  return emptyDatabase(db.path());
}

}  // namespace

QString utcNow() { return QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs); }

QString userName() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? QString::fromLocal8Bit(entry->pw_name) : QString::number(::geteuid());
}

QByteArray jsonText(const QJsonObject& object) { return QJsonDocument(object).toJson(QJsonDocument::Compact); }
QJsonObject jsonObject(QByteArrayView text) { return QJsonDocument::fromJson(text.toByteArray()).object(); }

Project::Project() : d(std::make_unique<Private>()) {}
Project::~Project() = default;

Result<std::unique_ptr<Project>> Project::create(const QString& dir, const QString& name, const QString& task) {
  const QString root = QDir::cleanPath(QFileInfo(dir).absoluteFilePath());
  if (QFileInfo::exists(markerPath(root))) return Failure{FailureKind::AlreadyExists, {{"path", root}}, {}};
  for (const char* folder : {"", "/objects", "/imports", "/snapshots", "/runs", "/bundles"})
    if (auto made = makeFolder(root + QLatin1String(folder)); !made) return made.error();
  {
    auto lock = takeLock(root);
    if (!lock) return lock.error();
    if (auto cleared = clearUnfinished(root); !cleared) return cleared.error();
    auto db = Database::open(databasePath(root), Database::Mode::Create);
    if (!db) return db.error();
    if (auto migrated = Migrator().migrate(**db); !migrated) return migrated.error();
    // The marker comes last: without it the folder is no project yet.
    auto marked = writeJsonAtomically(markerPath(root), {{"format", kProjectFormat},
                                                         {"id", QUuid::createUuid().toString(QUuid::WithoutBraces)},
                                                         {"name", name.isEmpty() ? QFileInfo(root).fileName() : name},
                                                         {"task", task},
                                                         {"createdAt", utcNow()}});
    if (!marked) return marked.error();
  }
  return open(root, Mode::ReadWrite);
}

Result<std::unique_ptr<Project>> Project::open(const QString& dir, Mode mode) {
  std::unique_ptr<Project> project(new Project);
  Private& d = *project->d;
  d.dir = QDir::cleanPath(QFileInfo(dir).absoluteFilePath());
  d.mode = mode;
  auto info = readInfo(d.dir);
  if (!info) return info.error();
  d.info = *info;
  const QString path = databasePath(d.dir);
  // Before SQLite sees it: it would write its header into an empty file.
  if (const QFileInfo file(path); file.exists() && file.size() == 0) return emptyDatabase(path);
  if (mode == Mode::ReadWrite) {
    auto lock = takeLock(d.dir);
    if (!lock) return lock.error();
    d.lock = std::move(*lock);
    auto db = Database::open(path, Database::Mode::ReadWrite);
    if (!db) return db.error();
    d.db = std::move(*db);
    if (auto there = refuseEmpty(*d.db); !there) return there.error();
    if (auto migrated = Migrator().migrate(*d.db); !migrated) return migrated.error();
    return project;
  }
  auto db = Database::open(path, Database::Mode::ReadOnly);
  // On a read-only medium SQLite cannot make its shared memory file; without a log to replay the file can be read as it is.
  if (!db && QFileInfo(path + "-wal").size() == 0 && !QFileInfo(d.dir).isWritable()) db = Database::open(path, Database::Mode::Immutable);
  if (!db) return db.error();
  d.db = std::move(*db);
  if (auto newer = Migrator().refuseNewer(*d.db); !newer) return newer.error();
  if (auto there = refuseEmpty(*d.db); !there) return there.error();
  auto version = Migrator::versionOf(*d.db);
  if (!version) return version.error();
  if (*version < Migrator().newest())
    return Failure{FailureKind::PolicyRefused,
                   {{"path", path}, {"rule", "a project of an older Cloister must be opened for writing once, which brings it up to date"}},
                   {}};
  return project;
}

Result<std::unique_ptr<Project>> Project::openWithNewIndex(const QString& dir) {
  const QString root = QDir::cleanPath(QFileInfo(dir).absoluteFilePath());
  auto info = readInfo(root);
  if (!info) return info.error();
  {
    auto lock = takeLock(root);
    if (!lock) return lock.error();
    const QString path = databasePath(root), aside = path + ".damaged-" + QDateTime::currentDateTimeUtc().toString("yyyyMMdd-HHmmsszzz");
    for (const char* suffix : {"", "-wal", "-shm"}) {
      const QString from = path + QLatin1String(suffix), to = aside + QLatin1String(suffix);
      if (::rename(QFile::encodeName(from).constData(), QFile::encodeName(to).constData()) != 0 && errno != ENOENT)
        return failureFromErrno(errno, from);
    }
    auto db = Database::open(path, Database::Mode::Create);
    if (!db) return db.error();
    if (auto migrated = Migrator().migrate(**db); !migrated) return migrated.error();
  }
  return open(root, Mode::ReadWrite);
}

QString Project::dir() const { return d->dir; }
const ProjectInfo& Project::info() const { return d->info; }
QString Project::objectPath(const QString& sha256) const { return d->dir + "/objects/" + sha256.left(2) + "/" + sha256; }
QString Project::importDir(qint64 id) const { return d->dir + QStringLiteral("/imports/i-%1").arg(id, 6, 10, QLatin1Char('0')); }
QString Project::snapshotDir(const QString& digest) const { return d->dir + "/snapshots/" + digest.left(12); }
QString Project::runDir(const QString& run) const { return d->dir + "/runs/" + run; }
QString Project::bundlesDir() const { return d->dir + "/bundles"; }
bool Project::isWritable() const { return d->mode == Mode::ReadWrite; }

Result<void> Project::inTransaction(const std::function<Result<void>()>& work) { return d->db->transaction(work); }

}  // namespace cloister
