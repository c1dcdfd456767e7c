// Imports, snapshots, runs and settings.
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/store/project_private.h"

namespace cloister {
namespace {

const QByteArray kImportColumns =
    "SELECT i.id, i.source, i.state, i.started_at, i.request, i.finished_at, (SELECT count(*) FROM samples s WHERE s.import_id = i.id), "
    "(SELECT count(*) FROM refusals r WHERE r.import_id = i.id), (SELECT count(*) FROM duplicates u WHERE u.import_id = i.id) FROM imports "
    "i";

ImportRecord importFrom(const Statement& row) {
  ImportRecord r;
  r.id = row.integer(0);
  r.source = row.text(1);
  r.state = row.text(2);
  r.startedAt = row.text(3);
  r.request = jsonObject(row.bytes(4));
  r.finishedAt = row.text(5);
  r.accepted = row.integer(6);
  r.refused = row.integer(7);
  r.duplicates = row.integer(8);
  return r;
}

const QByteArray kRunColumns = "SELECT id, family, snapshot, state, created_at, finished_at, step, steps, attempts, summary FROM runs";

RunRecord runFrom(const Statement& row) {
  RunRecord r;
  r.id = row.text(0);
  r.family = row.text(1);
  r.snapshot = row.text(2);
  r.state = row.text(3);
  r.createdAt = row.text(4);
  r.finishedAt = row.text(5);
  r.step = row.integer(6);
  r.steps = row.integer(7);
  r.attempts = int(row.integer(8));
  r.summary = jsonObject(row.bytes(9));
  return r;
}

QString splitWord(qint64 split) {
  return split == 0 ? QStringLiteral("train") : split == 1 ? QStringLiteral("validation") : QStringLiteral("test");
}

qint64 runNumber(const QString& id) { return id.startsWith(u"r-") ? id.mid(2).toLongLong() : 0; }

}  // namespace

Result<qint64> Project::beginImport(const QString& source, const QJsonObject& request) {
  auto begun = d->db->run("INSERT INTO imports (source, state, started_at, request) VALUES (?, 'running', ?, ?)", source, utcNow(),
                          QString::fromUtf8(jsonText(request)));
  if (!begun) return begun.error();
  return d->db->lastInsertId();
}

Result<void> Project::restoreImport(const ImportRecord& r) {
  return d->db->run("INSERT INTO imports (id, source, state, started_at, finished_at, request) VALUES (?, ?, ?, ?, ?, ?)", r.id, r.source,
                    r.state, r.startedAt, r.finishedAt, QString::fromUtf8(jsonText(r.request)));
}

Result<void> Project::finishImport(qint64 id, const QString& state, qint64 recordsOffset) {
  return d->db->run("UPDATE imports SET state = ?, records_offset = ?, finished_at = ? WHERE id = ?", state, recordsOffset,
                    state == u"running" ? QString() : utcNow(), id);
}

Result<void> Project::setImportOffset(qint64 id, qint64 recordsOffset) {
  return d->db->run("UPDATE imports SET records_offset = ? WHERE id = ?", recordsOffset, id);
}

Result<qint64> Project::importOffset(qint64 id) const { return d->db->number("SELECT records_offset FROM imports WHERE id = ?", id); }

Result<QList<ImportRecord>> Project::imports() const {
  QList<ImportRecord> all;
  auto read = d->db->each(kImportColumns + " ORDER BY i.id DESC", [&](Statement& row) { all.append(importFrom(row)); });
  if (!read) return read.error();
  return all;
}

Result<ImportRecord> Project::importRecord(qint64 id) const {
  std::optional<ImportRecord> found;
  auto read = d->db->each(
      kImportColumns + " WHERE i.id = ?", [&](Statement& row) { found = importFrom(row); }, id);
  if (!read) return read.error();
  if (!found) return Failure{FailureKind::NotFound, {{"path", QStringLiteral("import %1").arg(id)}}, {}};
  return *found;
}

Result<void> Project::addSnapshot(const SnapshotRecord& record, const QList<SnapshotMember>& members) {
  QJsonObject counts;
  for (auto it = record.splitCounts.begin(); it != record.splitCounts.end(); ++it) counts[it.key()] = it.value();
  const QJsonObject detail{{"splitCounts", counts}, {"classes", QJsonArray::fromStringList(record.classes)}};
  return d->db->transaction([&]() -> Result<void> {
    auto added = d->db->run(
        "INSERT INTO snapshots (digest, created_at, samples, groups, detail) VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        record.digest, record.createdAt, record.samples, record.groups, QString::fromUtf8(jsonText(detail)));
    if (!added || d->db->changes() == 0) return added;
    const qint64 id = d->db->lastInsertId();
    for (const SnapshotMember& m : members)
      if (auto put = d->db->run("INSERT INTO snapshot_samples VALUES (?, ?, ?)", id, m.split, m.sample); !put) return put;
    return {};
  });
}

Result<QList<SnapshotRecord>> Project::snapshots() const {
  QList<SnapshotRecord> all;
  auto read = d->db->each("SELECT digest, created_at, samples, groups, detail FROM snapshots ORDER BY id DESC", [&](Statement& row) {
    SnapshotRecord r{row.text(0), row.text(1), row.integer(2), row.integer(3), {}, {}};
    const QJsonObject detail = jsonObject(row.bytes(4));
    const QJsonObject counts = detail["splitCounts"].toObject();
    for (auto it = counts.begin(); it != counts.end(); ++it) r.splitCounts[it.key()] = it.value().toInteger();
    for (const QJsonValue& name : detail["classes"].toArray()) r.classes.append(name.toString());
    all.append(r);
  });
  if (!read) return read.error();
  return all;
}

Result<QList<QPair<QString, QString>>> Project::snapshotsOfSample(qint64 sampleId) const {
  QList<QPair<QString, QString>> all;
  auto read = d->db->each(
      "SELECT p.digest, m.split FROM snapshot_samples m JOIN snapshots p ON p.id = m.snapshot_id WHERE m.sample_id = ? ORDER BY p.id DESC",
      [&](Statement& row) {
        all.append({row.text(0), splitWord(row.integer(1))});
      },
      sampleId);
  if (!read) return read.error();
  return all;
}

Result<QString> Project::newRunId() {
  qint64 number = 0;
  auto done = d->db->transaction([&]() -> Result<void> {
    auto given = setting(QStringLiteral("runs.last"));
    if (!given) return given.error();
    auto rows = d->db->number("SELECT max(number) FROM runs");
    if (!rows) return rows.error();
    number = std::max((*given).toInteger(), *rows);
    // A folder without a row (an index restored from a copy) keeps its number as well.
    for (const QString& name : QDir(d->dir + "/runs").entryList(QDir::Dirs | QDir::NoDotAndDotDot))
      number = std::max(number, runNumber(name));
    return setSetting(QStringLiteral("runs.last"), ++number);
  });
  if (!done) return done.error();
  return QStringLiteral("r-%1").arg(number, 4, 10, QLatin1Char('0'));
}

Result<void> Project::saveRun(const RunRecord& r) {
  return d->db->run(
      "INSERT INTO runs (id, number, family, snapshot, state, created_at, finished_at, step, steps, attempts, summary) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET family = excluded.family, snapshot = excluded.snapshot, "
      "state = excluded.state, created_at = excluded.created_at, finished_at = excluded.finished_at, step = excluded.step, "
      "steps = excluded.steps, attempts = excluded.attempts, summary = excluded.summary",
      r.id, runNumber(r.id), r.family, r.snapshot, r.state, r.createdAt, r.finishedAt, r.step, r.steps, r.attempts,
      QString::fromUtf8(jsonText(r.summary)));
}

Result<QList<RunRecord>> Project::runs() const {
  QList<RunRecord> all;
  auto read = d->db->each(kRunColumns + " ORDER BY number DESC", [&](Statement& row) { all.append(runFrom(row)); });
  if (!read) return read.error();
  return all;
}

Result<RunRecord> Project::run(const QString& id) const {
  std::optional<RunRecord> found;
  const auto keep = [&](Statement& row) { found = runFrom(row); };
  auto read = id.isEmpty() ? d->db->each(kRunColumns + " ORDER BY number DESC LIMIT 1", keep)
                           : d->db->each(kRunColumns + " WHERE id = ?", keep, id);
  if (!read) return read.error();
  if (found) return *found;
  if (id.isEmpty()) return Failure{FailureKind::NothingToDo, {{"what", "run"}, {"next", "Train a model first."}}, {}};
  return Failure{FailureKind::NotFound, {{"path", id}}, "no run with this name"};
}

Result<QJsonValue> Project::setting(const QString& key) const {
  QJsonValue value(QJsonValue::Null);
  auto read = d->db->each(
      "SELECT value FROM settings WHERE key = ?", [&](Statement& row) { value = QJsonDocument::fromJson(row.blob(0)).array().at(0); }, key);
  if (!read) return read.error();
  return value;
}

Result<void> Project::setSetting(const QString& key, const QJsonValue& value) {
  const QByteArray text = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
  return d->db->run("INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key,
                    QString::fromUtf8(text));
}

}  // namespace cloister
