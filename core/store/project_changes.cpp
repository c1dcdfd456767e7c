// Changes of samples with their history: one group a call, undone and redone as a whole.
#include "core/store/project_private.h"

namespace cloister {
namespace {

enum HistoryState { Done = 0, Undone = 1, Replaced = 2 };

/// Column names are ours, never a caller's text.
QByteArray columnOf(const QString& field) {
  for (const char* column : {"label", "label_origin", "patient", "site", "excluded"})
    if (field == QLatin1String(column)) return column;
  return {};
}

Result<void> writeField(Database& db, qint64 sample, const QString& field, const QString& value) {
  const QByteArray column = columnOf(field);
  if (column.isEmpty()) return Failure{FailureKind::DatabaseCorrupt, {{"path", db.path()}}, "history names an unknown field: " + field};
  const QByteArray sql = "UPDATE samples SET " + column + " = ? WHERE id = ?";
  return column == "excluded" ? db.run(sql, value.toLongLong(), sample) : db.run(sql, value, sample);
}

struct FieldChange {
  QString field, before, after;
};

QList<FieldChange> fieldChanges(const Statement& now, const Project::SampleChange& change) {
  QList<FieldChange> changes;
  const auto add = [&](const char* field, const QString& before, const QString& after) {
    if (before != after) changes.append({QLatin1String(field), before, after});
  };
  if (change.label) {
    add("label", now.text(0), *change.label);
    // Taking a label away takes away where it came from, too.
    add("label_origin", now.text(1), change.label->isEmpty() ? QString() : change.labelOrigin);
  }
  if (change.patient) add("patient", now.text(2), *change.patient);
  if (change.site) add("site", now.text(3), *change.site);
  if (change.excluded) add("excluded", QString::number(now.integer(4)), QString::number(int(*change.excluded)));
  return changes;
}

Result<qint64> applyOne(Database& db, qint64 history, const Project::SampleChange& change) {
  QList<FieldChange> changes;
  {
    auto now = db.query("SELECT label, label_origin, patient, site, excluded FROM samples WHERE id = ?", change.id);
    if (!now) return now.error();
    const auto row = now->step();
    if (!row) return row.error();
    if (!*row) return Failure{FailureKind::NotFound, {{"path", QStringLiteral("sample %1").arg(change.id)}}, {}};
    changes = fieldChanges(*now, change);
  }
  for (const FieldChange& c : changes) {
    if (auto written = writeField(db, change.id, c.field, c.after); !written) return written.error();
    auto noted = db.run(
        "INSERT INTO history_changes VALUES (?, ?, ?, ?, ?) ON CONFLICT (history_id, sample_id, field) DO UPDATE SET after = "
        "excluded.after",
        history, change.id, c.field, c.before, c.after);
    if (!noted) return noted.error();
  }
  return qint64(changes.size());
}

/// Writes back `before` (undo) or `after` (redo) of all changes of one group.
Result<void> replay(Database& db, qint64 history, const char* side, HistoryState state) {
  struct Row {
    qint64 sample;
    QString field, value;
  };
  QList<Row> rows;
  auto read = db.each(
      "SELECT sample_id, field, " + QByteArray(side) + " FROM history_changes WHERE history_id = ?",
      [&](Statement& row) {
        rows.append({row.integer(0), row.text(1), row.text(2)});
      },
      history);
  if (!read) return read;
  for (const Row& row : rows)
    if (auto written = writeField(db, row.sample, row.field, row.value); !written) return written;
  return db.run("UPDATE history SET state = ? WHERE id = ?", int(state), history);
}

Result<QString> step(Database& db, const QByteArray& findSql, const char* side, HistoryState state, const QString& missing) {
  QString what;
  auto done = db.transaction([&]() -> Result<void> {
    qint64 history = 0;
    auto read = db.each(findSql, [&](Statement& row) {
      history = row.integer(0);
      what = row.text(1);
    });
    if (!read) return read;
    if (history == 0) return Failure{FailureKind::NothingToDo, {{"what", missing}, {"next", QString()}}, {}};
    return replay(db, history, side, state);
  });
  if (!done) return done.error();
  return what;
}

}  // namespace

Result<void> Project::changeSamples(const QList<SampleChange>& changes, const QString& what) {
  Database& db = *d->db;
  return db.transaction([&]() -> Result<void> {
    auto begun = db.run("INSERT INTO history (at, who, what) VALUES (?, ?, ?)", utcNow(), userName(), what);
    if (!begun) return begun;
    const qint64 history = db.lastInsertId();
    qint64 changed = 0;
    for (const SampleChange& change : changes) {
      auto applied = applyOne(db, history, change);
      if (!applied) return applied.error();
      changed += *applied;
    }
    // Nothing differs: no step for undo to stop at, and what was undone can still be redone.
    if (changed == 0) return db.run("DELETE FROM history WHERE id = ?", history);
    return db.run("UPDATE history SET state = ? WHERE state = ?", int(Replaced), int(Undone));
  });
}

Result<QString> Project::undo() {
  return step(*d->db, "SELECT id, what FROM history WHERE state = 0 ORDER BY id DESC LIMIT 1", "before", Undone,
              QStringLiteral("change to undo"));
}

Result<QString> Project::redo() {
  return step(*d->db, "SELECT id, what FROM history WHERE state = 1 ORDER BY id LIMIT 1", "after", Done, QStringLiteral("change to redo"));
}

Result<QList<SampleHistoryRow>> Project::sampleHistory(qint64 sampleId) const {
  QList<SampleHistoryRow> rows;
  auto read = d->db->each(
      "SELECT h.at, h.who, h.what, c.field, c.before, c.after, h.state FROM history_changes c JOIN history h ON h.id = c.history_id "
      "WHERE c.sample_id = ? ORDER BY h.id, c.field",
      [&](Statement& row) {
        rows.append({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.integer(6) != Done});
      },
      sampleId);
  if (!read) return read.error();
  return rows;
}

}  // namespace cloister
