// What a person changes by hand (labels, exclusions, undo and redo) with its audit entry, which is written first: an entry without an
// effect can be explained, an effect without an entry cannot. Called by the Data page and `data label`, on the thread of the Project.
#pragma once
#include "core/store/project.h"

namespace cloister {

/// what: label, exclude, include, or "label NAME". Failures of the audit log keep the change from being made.
Result<void> changeByPerson(Project&, const QList<Project::SampleChange>&, const QString& what);
/// Leaves samples out of what follows, or takes them in again.
Result<void> excludeByPerson(Project&, const QList<qint64>& ids, bool exclude);
/// Project::undo or redo; NothingToDo without a history.
Result<QString> undoByPerson(Project&, bool redo);

}  // namespace cloister
