#include "core/trust/audit_log.h"

#include <pwd.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QThread>
#include <QUrl>
#include <QUuid>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr int kFormat = 1;
constexpr int kApplicationId = 0x436C4175;  // "ClAu"
constexpr int kBusyMilliseconds = 10'000;
constexpr qsizetype kMaxEntryBytes = 256 << 10;

// The triggers stop accidents, nobody who holds the file: detection is the chain's work.
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS audit(seq INTEGER PRIMARY KEY, entry BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS detail(hash BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT,'the audit log is append-only'); END;"
    "CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT,'the audit log is append-only'); END;"
    "PRAGMA application_id=1131168117; PRAGMA user_version=1;";
static_assert(kApplicationId == 1131168117 && kFormat == 1);

QByteArray sha256(QByteArrayView bytes) { return QCryptographicHash::hash(bytes.toByteArray(), QCryptographicHash::Sha256); }

/// RFC 9162 2.1.1: the leaf of a later Merkle tree over the same bytes.
QByteArray leafHash(QByteArrayView entry) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  hash.addData(QByteArrayView("\0", 1));
  hash.addData(entry);
  return hash.result();
}

QString zeroHash() { return QString(64, u'0'); }

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) { rc_ = sqlite3_prepare_v2(db, sql, -1, &s_, nullptr); }
  ~Statement() { sqlite3_finalize(s_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  void bind(int at, qint64 value) { sqlite3_bind_int64(s_, at, value); }
  void bind(int at, const QByteArray& blob) {
    sqlite3_bind_blob64(s_, at, blob.constData(), sqlite3_uint64(blob.size()), SQLITE_TRANSIENT);
  }
  int step() { return rc_ == SQLITE_OK ? sqlite3_step(s_) : rc_; }
  qint64 integer(int column) { return sqlite3_column_int64(s_, column); }
  QByteArray blob(int column) {
    const void* data = sqlite3_column_blob(s_, column);
    return QByteArray(static_cast<const char*>(data), sqlite3_column_bytes(s_, column));
  }

 private:
  sqlite3_stmt* s_ = nullptr;
  int rc_ = SQLITE_OK;
};

QString bootId() {
  QFile file(QStringLiteral("/proc/sys/kernel/random/boot_id"));
  return file.open(QIODevice::ReadOnly) ? QString::fromLatin1(file.readAll().trimmed()) : QString();
}

qint64 millisecondsSinceBoot() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return qint64(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

QString account() {
  const passwd* p = getpwuid(geteuid());
  return p ? QString::fromLocal8Bit(p->pw_name) : QStringLiteral("uid-%1").arg(geteuid());
}

/// The DICOM PS3.15 A.5 event code of an action (scheme DCM).
QString eventCode(const QString& action) {
  if (action == u"import") return QStringLiteral("110107");
  if (action == u"export" || action == u"sign" || action == u"bundle") return QStringLiteral("110106");
  if (action == u"snapshot" || action == u"label") return QStringLiteral("110103");
  if (action.startsWith(u"key_")) return QStringLiteral("110137");
  if (action.startsWith(u"audit")) return QStringLiteral("110101");
  return QStringLiteral("110100");
}

AuditEntry entryFrom(qint64 seq, const QByteArray& bytes) {
  AuditEntry e;
  e.seq = seq;
  e.body = QJsonDocument::fromJson(bytes).object();
  e.prev = e.body["prev"].toString();
  e.hash = QString::fromLatin1(sha256(bytes).toHex());
  return e;
}

}  // namespace

struct AuditLog::Private {
  QString path;
  sqlite3* db = nullptr;
  bool readOnly = false;
  const QString boot = bootId();
  const QString actor = account();
  const QString session = QUuid::createUuid().toString(QUuid::WithoutBraces);
  ~Private() { sqlite3_close(db); }

  Failure failure(int rc) const {
    FailureKind kind = FailureKind::IoError;
    switch (rc & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        kind = FailureKind::DatabaseLocked;
        break;
      case SQLITE_FULL:
        kind = FailureKind::DiskFull;
        break;
      case SQLITE_READONLY:
        kind = FailureKind::ReadOnly;
        break;
      case SQLITE_PERM:
      case SQLITE_AUTH:
        kind = FailureKind::PermissionDenied;
        break;
      case SQLITE_CANTOPEN:
        kind = QFileInfo::exists(path) ? FailureKind::PermissionDenied : FailureKind::NotFound;
        break;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_ERROR:
      case SQLITE_CONSTRAINT:
        kind = FailureKind::DatabaseCorrupt;
        break;
      default:
        break;
    }
    if (kind == FailureKind::NotFound && QFileInfo(QFileInfo(path).absolutePath()).isDir()) kind = FailureKind::ReadOnly;
    return {kind, {{"path", path}}, db ? QString::fromUtf8(sqlite3_errmsg(db)) : QString::fromLatin1(sqlite3_errstr(rc))};
  }

  int openWith(const QByteArray& query, int flags) {
    sqlite3_close(db);
    db = nullptr;
    const QByteArray uri = "file:" + QUrl::toPercentEncoding(QFileInfo(path).absoluteFilePath(), "/") + query;
    int rc = sqlite3_open_v2(uri.constData(), &db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
    if (rc != SQLITE_OK) return rc;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, kBusyMilliseconds);
    // A project may come from a stranger: its schema runs no functions with side effects.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    qint64 version = 0;
    return scalar("PRAGMA schema_version", version);  // the first real read of the file
  }

  int scalar(const char* sql, qint64& value) const {
    Statement s(db, sql);
    const int rc = s.step();
    if (rc == SQLITE_ROW) value = s.integer(0);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
  }

  int run(const char* sql) const { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr); }

  /// The change to WAL does not wait for the busy handler when another process creates the file at the same moment.
  int makeWritable() const {
    int rc = SQLITE_BUSY;
    for (int attempt = 0; attempt < 200 && (rc & 0xff) == SQLITE_BUSY; ++attempt) {
      if (attempt) QThread::msleep(10);
      rc = run("PRAGMA journal_mode=WAL");
    }
    if (rc == SQLITE_OK) rc = run("PRAGMA synchronous=FULL");
    return rc;
  }

  int createSchema() const {
    int rc = run("BEGIN IMMEDIATE");
    if (rc != SQLITE_OK) return rc;
    rc = run(kSchema);
    if (rc == SQLITE_OK) rc = run("COMMIT");
    if (rc != SQLITE_OK) run("ROLLBACK");
    return rc;
  }

  Result<void> check() const {
    qint64 version = 0, application = 0, tables = 0;
    int rc = scalar("PRAGMA user_version", version);
    if (rc == SQLITE_OK) rc = scalar("PRAGMA application_id", application);
    if (rc == SQLITE_OK) rc = scalar("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name IN ('audit','detail')", tables);
    if (rc != SQLITE_OK) return failure(rc);
    if (version > kFormat) return Failure{FailureKind::NewerVersion, {{"path", path}, {"found", version}, {"supported", kFormat}}, {}};
    if (application != kApplicationId || tables != 2)
      return Failure{FailureKind::DatabaseCorrupt, {{"path", path}}, QStringLiteral("not an audit log")};
    return {};
  }

  /// Inside the caller's write transaction, so that two processes can never take the same place in the chain.
  int appendLocked(QJsonObject body, const QByteArray& detailBytes, AuditEntry& made) const {
    qint64 seq = 0;
    QByteArray prev;
    {
      Statement last(db, "SELECT seq,entry FROM audit ORDER BY seq DESC LIMIT 1");
      const int rc = last.step();
      if (rc == SQLITE_ROW) {
        seq = last.integer(0);
        prev = sha256(last.blob(1)).toHex();
      } else if (rc != SQLITE_DONE) {
        return rc;
      }
    }
    body["seq"] = ++seq;
    body["prev"] = prev.isEmpty() ? zeroHash() : QString::fromLatin1(prev);
    body["ts"] = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);
    body["mono"] = millisecondsSinceBoot();
    const QByteArray bytes = canonicalJson(body);
    if (bytes.size() > kMaxEntryBytes) return SQLITE_TOOBIG;
    if (!detailBytes.isEmpty()) {
      Statement s(db, "INSERT OR IGNORE INTO detail(hash,body) VALUES(?1,?2)");
      s.bind(1, sha256(detailBytes));
      s.bind(2, detailBytes);
      if (const int rc = s.step(); rc != SQLITE_DONE) return rc;
    }
    Statement s(db, "INSERT INTO audit(seq,entry,leaf) VALUES(?1,?2,?3)");
    s.bind(1, seq);
    s.bind(2, bytes);
    s.bind(3, leafHash(bytes));
    if (const int rc = s.step(); rc != SQLITE_DONE) return rc;
    made = entryFrom(seq, bytes);
    return SQLITE_OK;
  }

  Result<QList<AuditEntry>> list(const char* sql, qint64 first, qint64 second) const {
    Statement s(db, sql);
    s.bind(1, first);
    s.bind(2, second);
    QList<AuditEntry> all;
    int rc;
    while ((rc = s.step()) == SQLITE_ROW) all.append(entryFrom(s.integer(0), s.blob(1)));
    if (rc != SQLITE_DONE) return failure(rc);
    return all;
  }
};

AuditLog::AuditLog() : d(std::make_unique<Private>()) {}
AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(const QString& projectDir, bool readOnly) {
  std::unique_ptr<AuditLog> log(new AuditLog);
  Private& p = *log->d;
  p.path = QDir(projectDir).filePath(QStringLiteral("audit.sqlite"));
  p.readOnly = readOnly;
  if (!QFileInfo(projectDir).isDir()) return Failure{FailureKind::NotFound, {{"path", projectDir}}, {}};
  if (readOnly && !QFileInfo::exists(p.path)) return Failure{FailureKind::NotFound, {{"path", p.path}}, {}};
  int rc = p.openWith({}, readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // WAL needs its shared-memory file even for reading; a medium that cannot be written has no other writer either.
  if (rc != SQLITE_OK && readOnly && (rc & 0xff) != SQLITE_NOTADB && (rc & 0xff) != SQLITE_CORRUPT && !QFileInfo::exists(p.path + "-wal"))
    rc = p.openWith("?immutable=1", SQLITE_OPEN_READONLY);
  if (rc == SQLITE_OK && !readOnly) {
    qint64 tables = 0;
    rc = p.scalar("SELECT count(*) FROM sqlite_schema", tables);
    if (rc == SQLITE_OK && tables > 0)
      if (auto sound = p.check(); !sound) return sound.error();
    if (rc == SQLITE_OK) rc = p.makeWritable();
    if (rc == SQLITE_OK && tables == 0) rc = p.createSchema();
  }
  if (rc != SQLITE_OK) return p.failure(rc);
  if (auto sound = p.check(); !sound) return sound.error();
  return log;
}

Result<AuditEntry> AuditLog::append(const QString& action, const QJsonObject& object, const QString& outcome, const QJsonObject& detail) {
  if (d->readOnly) return Failure{FailureKind::ReadOnly, {{"path", d->path}}, {}};
  const QByteArray detailBytes = detail.isEmpty() ? QByteArray() : canonicalJson(detail);
  const QJsonObject body{
      {"v", kFormat},          {"boot", d->boot},
      {"actor", d->actor},     {"role", QStringLiteral("operator")},
      {"session", d->session}, {"ev", eventCode(action)},
      {"action", action},      {"outcome", outcome},
      {"obj", object},         {"detail", detailBytes.isEmpty() ? QString() : QString::fromLatin1(sha256(detailBytes).toHex())}};
  int rc = d->run("BEGIN IMMEDIATE");
  if (rc != SQLITE_OK) return d->failure(rc);
  AuditEntry made;
  rc = d->appendLocked(body, detailBytes, made);
  if (rc == SQLITE_OK) rc = d->run("COMMIT");
  if (rc == SQLITE_OK) return made;
  Failure failed = d->failure(rc);
  if (rc == SQLITE_TOOBIG) failed = {FailureKind::TooLarge, {{"path", d->path}, {"limit", kMaxEntryBytes}}, {}};
  d->run("ROLLBACK");
  return failed;
}

Result<QList<AuditEntry>> AuditLog::entries(qint64 from, int limit) const {
  return d->list("SELECT seq,entry FROM audit WHERE seq>=?1 ORDER BY seq LIMIT ?2", from, limit);
}

Result<QList<AuditEntry>> AuditLog::latest(int limit) const {
  return d->list("SELECT seq,entry FROM audit WHERE seq>=?1 ORDER BY seq DESC LIMIT ?2", 0, limit);
}

Result<QJsonObject> AuditLog::detail(const AuditEntry& entry) const {
  const QByteArray hash = QByteArray::fromHex(entry.body["detail"].toString().toLatin1());
  if (hash.isEmpty()) return QJsonObject{};
  Statement s(d->db, "SELECT body FROM detail WHERE hash=?1");
  s.bind(1, hash);
  const int rc = s.step();
  if (rc == SQLITE_DONE) return QJsonObject{};
  if (rc != SQLITE_ROW) return d->failure(rc);
  const QByteArray bytes = s.blob(0);
  if (sha256(bytes) != hash) return Failure{FailureKind::DatabaseCorrupt, {{"path", d->path}}, QStringLiteral("detail changed")};
  return QJsonDocument::fromJson(bytes).object();
}

Result<QJsonObject> AuditLog::checkpoint() const {
  auto last = latest(1);
  if (!last) return last.error();
  if (last->isEmpty()) return QJsonObject{{"size", 0}, {"head", zeroHash()}};
  return QJsonObject{{"size", last->first().seq}, {"head", last->first().hash}};
}

namespace {

/// Why this row cannot stand at place seq after prev; empty when it can.
QString brokenBecause(qint64 expected, qint64 seq, const QByteArray& bytes, const QByteArray& leaf, const QString& prev) {
  if (seq != expected) return QStringLiteral("entry %1 is missing").arg(expected);
  if (leaf != leafHash(bytes)) return QStringLiteral("entry %1 was changed").arg(seq);
  QJsonParseError error;
  const QJsonDocument doc = QJsonDocument::fromJson(bytes, &error);
  if (!doc.isObject() || canonicalJson(doc.object()) != bytes) return QStringLiteral("entry %1 is not canonical JSON").arg(seq);
  const QJsonObject body = doc.object();
  if (body["v"].toInt() != kFormat) return QStringLiteral("entry %1 has an unknown version").arg(seq);
  if (body["seq"].toInteger() != seq) return QStringLiteral("entry %1 stands in another entry's place").arg(seq);
  if (body["prev"].toString() != prev) return QStringLiteral("entry %1 does not follow the one before it").arg(seq);
  return {};
}

}  // namespace

Result<AuditLog::Verification> AuditLog::verify(const QJsonObject& anchor) const {
  Verification v;
  v.headHash = zeroHash();
  const qint64 anchorSize = anchor["size"].toInteger(-1);
  QString atAnchor = anchorSize == 0 ? zeroHash() : QString();
  QString formerBoot, formerTime;
  Statement s(d->db, "SELECT seq,entry,leaf FROM audit ORDER BY seq");
  int rc;
  while ((rc = s.step()) == SQLITE_ROW) {
    const qint64 seq = s.integer(0);
    const QByteArray bytes = s.blob(1);
    v.reason = brokenBecause(v.entries + 1, seq, bytes, s.blob(2), v.headHash);
    if (!v.reason.isEmpty()) {
      v.firstBroken = v.entries + 1;
      return v;
    }
    const QJsonObject body = QJsonDocument::fromJson(bytes).object();
    const QString boot = body["boot"].toString(), time = body["ts"].toString();
    if (boot == formerBoot && time < formerTime) ++v.clockSetBack;
    formerBoot = boot;
    formerTime = time;
    v.headHash = QString::fromLatin1(sha256(bytes).toHex());
    if (++v.entries == anchorSize) atAnchor = v.headHash;
  }
  if ((rc & 0xff) == SQLITE_CORRUPT) {
    v.firstBroken = v.entries + 1;
    v.reason = QStringLiteral("entry %1 cannot be read from the file").arg(v.firstBroken);
    return v;
  }
  if (rc != SQLITE_DONE) return d->failure(rc);
  if (!anchor.isEmpty()) {
    v.anchored = anchorSize >= 0 && !atAnchor.isEmpty() && atAnchor == anchor["head"].toString();
    if (anchorSize < 0) v.reason = QStringLiteral("the checkpoint is not one of an audit log");
    else if (v.entries < anchorSize)
      v.reason = QStringLiteral("the log was cut or an older copy was put back: %1 entries, the checkpoint says %2")
                     .arg(v.entries)
                     .arg(anchorSize);
    else if (!v.anchored) v.reason = QStringLiteral("another history: entry %1 is not the checkpoint's").arg(anchorSize);
    if (!v.anchored) v.firstBroken = anchorSize < 0 ? 0 : std::min(anchorSize, v.entries + 1);
  }
  v.intact = v.reason.isEmpty();
  return v;
}

QJsonObject AuditLog::Verification::toJson() const {
  return {{"intact", intact}, {"entries", entries},   {"firstBroken", firstBroken},  {"head", headHash},
          {"reason", reason}, {"anchored", anchored}, {"clockSetBack", clockSetBack}};
}

}  // namespace cloister
