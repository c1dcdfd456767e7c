// A sample's way from the file it came from to every signed bundle it went into. Any thread with its own Project.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {
class Project;

/// {"key","sha256","frame","file","object","import":{id,source,startedAt,state},"label":{value,origin},"patient","site",
///  "changes":[{at,who,what,field,before,after,undone}],"snapshots":[{digest,split,createdAt}],
///  "runs":[{run,snapshot,state,split}],"bundles":[{name,run,snapshot}]}
/// keyOrDigest: a sample's key, or the SHA-256 of its bytes (also the first 12 digits or more). NotFound.
Result<QJsonObject> sampleLineage(const Project&, const QString& keyOrDigest);

}  // namespace cloister
