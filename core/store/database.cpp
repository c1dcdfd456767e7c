#include "core/store/database.h"

#include <sqlite3.h>
#include <cerrno>

#include <QFile>
#include <QFileInfo>
#include <QUrl>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr int kBusyMilliseconds = 2000;  // a reader's checkpoint may hold the file for a moment; a second writer holds it for good

int openFlags(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::Create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Mode::ReadWrite:
      return SQLITE_OPEN_READWRITE;
    case Database::Mode::ReadOnly:
    case Database::Mode::Immutable:
      break;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

FailureKind failureKindOfSqlite(int code, int systemErrno) {
  if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS) return FailureKind::DatabaseCorrupt;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return FailureKind::DatabaseLocked;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return FailureKind::DatabaseCorrupt;
    case SQLITE_FULL:
      return FailureKind::DiskFull;
    case SQLITE_READONLY:
      return FailureKind::ReadOnly;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return FailureKind::PermissionDenied;
    case SQLITE_NOMEM:
      return FailureKind::OutOfMemory;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      if (systemErrno == EFBIG) return FailureKind::DiskFull;  // a file size limit is a full disk to the person who meets it
      return systemErrno ? failureFromErrno(systemErrno, {}).kind : FailureKind::IoError;
    default:
      return FailureKind::Internal;
  }
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), sql_(std::move(other.sql_)), handle_(std::exchange(other.handle_, nullptr)), bindError_(other.bindError_) {}

Statement::~Statement() {
  if (!handle_) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  db_->idle_[sql_].append(handle_);
}

Result<bool> Statement::step() {
  if (bindError_) return db_->failure(bindError_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Failure failure = db_->failure(sqlite3_extended_errcode(db_->handle_));
  sqlite3_reset(handle_);
  return failure;
}

void Statement::reset() {
  sqlite3_reset(handle_);
  bindError_ = 0;
}

qint64 Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }
QString Statement::text(int column) const { return QString::fromUtf8(bytes(column)); }
QByteArray Statement::blob(int column) const { return bytes(column).toByteArray(); }

QByteArrayView Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return {data, qsizetype(sqlite3_column_bytes(handle_, column))};
}

void Statement::bind(int index, qint64 value) {
  if (const int code = sqlite3_bind_int64(handle_, index, value)) bindError_ = code;
}

void Statement::bind(int index, double value) {
  if (const int code = sqlite3_bind_double(handle_, index, value)) bindError_ = code;
}

void Statement::bind(int index, const QString& value) {
  const QByteArray utf8 = value.toUtf8();
  if (const int code = sqlite3_bind_text(handle_, index, utf8.constData(), int(utf8.size()), SQLITE_TRANSIENT)) bindError_ = code;
}

void Statement::bind(int index, const QByteArray& blob) {
  if (const int code = sqlite3_bind_blob(handle_, index, blob.constData(), int(blob.size()), SQLITE_TRANSIENT)) bindError_ = code;
}

Result<std::unique_ptr<Database>> Database::open(const QString& path, Mode mode) {
  std::unique_ptr<Database> db(new Database(path));
  QByteArray name = QFile::encodeName(path);
  int flags = openFlags(mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode == Mode::Immutable) {
    name = QUrl::fromLocalFile(path).toEncoded(QUrl::FullyEncoded) + "?immutable=1";
    flags |= SQLITE_OPEN_URI;
  }
  const int code = sqlite3_open_v2(name.constData(), &db->handle_, flags, nullptr);
  if (code != SQLITE_OK) return db->failure(code);
  if (auto configured = db->configure(mode); !configured) return configured.error();
  return db;
}

Result<void> Database::configure(Mode mode) {
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (auto set = execute("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"); !set)
    return set;
  if (mode == Mode::ReadOnly || mode == Mode::Immutable) return run("SELECT count(*) FROM sqlite_schema");
  auto journal = query("PRAGMA journal_mode=WAL");
  if (!journal) return journal.error();
  const Result<bool> row = journal->step();
  if (!row) return row.error();
  // A file system without shared memory (some network shares) answers with another mode: FULL and one writer still hold, but readers
  // would block the writer, so it is said instead of silently accepted.
  if (!*row || journal->text(0) != u"wal")
    return Failure{FailureKind::IoError, {{"path", path_}}, "the file system does not allow write-ahead logging: " + journal->text(0)};
  return {};
}

Database::~Database() {
  for (const auto& statements : std::as_const(idle_))
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const QByteArray& sql) {
  const int code = sqlite3_exec(handle_, sql.constData(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return {};
}

Result<Statement> Database::prepare(const QByteArray& sql) {
  auto& idle = idle_[sql];
  if (!idle.isEmpty()) return Statement(this, sql, idle.takeLast());
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.constData(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return Statement(this, sql, statement);
}

Result<void> Database::transaction(const std::function<Result<void>()>& work) {
  const QByteArray savepoint = "s" + QByteArray::number(depth_);
  const bool outer = depth_ == 0;
  if (auto begun = execute(outer ? QByteArray("BEGIN IMMEDIATE") : "SAVEPOINT " + savepoint); !begun) return begun;
  ++depth_;
  Result<void> done = work();
  --depth_;
  if (done) done = execute(outer ? QByteArray("COMMIT") : "RELEASE " + savepoint);
  if (done) return {};
  // A full disk or an I/O error may have rolled back by itself; then there is nothing left to undo.
  if (!sqlite3_get_autocommit(handle_)) {
    const auto undone = execute(outer ? QByteArray("ROLLBACK") : "ROLLBACK TO " + savepoint + "; RELEASE " + savepoint);
    if (!undone) qWarning("store: roll back failed: %s", qPrintable(undone.error().detail));
  }
  return done;
}

qint64 Database::lastInsertId() const { return sqlite3_last_insert_rowid(handle_); }
int Database::changes() const { return sqlite3_changes(handle_); }

Result<void> Database::copyTo(const QString& target) {
  const QString staged = target + ".part";
  QFile::remove(staged);
  sqlite3* copy = nullptr;
  int code = sqlite3_open_v2(QFile::encodeName(staged).constData(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code == SQLITE_OK) {
    if (sqlite3_backup* backup = sqlite3_backup_init(copy, "main", handle_, "main")) {
      sqlite3_backup_step(backup, -1);
      code = sqlite3_backup_finish(backup);
    } else {
      code = sqlite3_extended_errcode(copy);
    }
  }
  const int systemErrno = copy ? sqlite3_system_errno(copy) : 0;
  const QString message = QString::fromUtf8(sqlite3_errmsg(copy));
  sqlite3_close(copy);
  if (code != SQLITE_OK) {
    QFile::remove(staged);
    return Failure{failureKindOfSqlite(code, systemErrno), {{"path", target}}, message};
  }
  QFile::remove(target);
  if (!QFile::rename(staged, target)) return failureFromErrno(errno, target);
  return syncFolder(QFileInfo(target).absolutePath());
}

Failure Database::failure(int code) const {
  const int systemErrno = handle_ ? sqlite3_system_errno(handle_) : 0;
  const char* message = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  return {failureKindOfSqlite(code, systemErrno),
          {{"path", path_}},
          QStringLiteral("SQLite %1 (errno %2): %3").arg(code).arg(systemErrno).arg(QString::fromUtf8(message))};
}

}  // namespace cloister
