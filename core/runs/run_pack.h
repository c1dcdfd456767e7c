// A run on its way to a cluster that does not see the project, and back: packRuns makes one archive or folder with everything the worker
// reads there, importRuns takes the results out of the folder after it ran, when the run is still the same one. Thread of the Project;
// blocking (reads every byte once for its digest).
#pragma once
#include <QJsonObject>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {
class Project;

/// script: the sbatch file, put at the top as launch.sbatch. path ends in ".tar" for an archive (made by tar), else a folder; must not
/// exist; whole or absent. Names of files, people and places (samples.jsonl) stay here: training needs pixels and classes only.
/// Returns {"path","files","bytes"}.
Result<QJsonObject> packRuns(const Project&, const QStringList& runs, const QString& script, const QString& path);

/// folder: an unpacked pack. IdentityChanged when recipe, data or base weights are not those of the project's run of that number. Takes
/// what is new: attempts, whole checkpoints and best weights whose digests hold. Returns
/// {"runs":[{"run","attempts","checkpoints","best","state"}]}.
Result<QJsonObject> importRuns(Project&, const QString& folder);

}  // namespace cloister
