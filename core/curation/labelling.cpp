#include "core/curation/labelling.h"

#include "core/trust/audit_log.h"

namespace cloister {
namespace {

Result<void> note(const Project& project, const QJsonObject& object) {
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  if (auto entry = (*log)->append(QStringLiteral("label"), object); !entry) return entry.error();
  return {};
}

}  // namespace

Result<void> changeByPerson(Project& project, const QList<Project::SampleChange>& changes, const QString& what) {
  if (auto noted = note(project, {{"what", what}, {"samples", changes.size()}}); !noted) return noted;
  return project.changeSamples(changes, what);
}

Result<QString> undoByPerson(Project& project, bool redo) {
  if (auto noted = note(project, {{"what", redo ? "redo" : "undo"}}); !noted) return noted.error();
  return redo ? project.redo() : project.undo();
}

Result<void> excludeByPerson(Project& project, const QList<qint64>& ids, bool exclude) {
  QList<Project::SampleChange> changes;
  changes.reserve(ids.size());
  for (const qint64 id : ids) {
    Project::SampleChange change;
    change.id = id;
    change.excluded = exclude;
    changes << change;
  }
  return changeByPerson(project, changes, exclude ? QStringLiteral("exclude") : QStringLiteral("include"));
}

}  // namespace cloister
