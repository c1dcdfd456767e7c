// One file of an import, in the decode child: copy and hash, describe, decode each frame for its thumbnail and difference hash.
#pragma once
#include "app/ingest/wire.h"
#include "core/extension/source_plugin.h"

namespace cloister {

/// job: file, key, label, labelOrigin, options, staging, objects. Sends parts on stdout for objects with many frames; returns the last one:
/// {"samples":[…]} with the thumbnails as bytes (offsets relative to them), {"references":[…]} for an index file, or {"failure":{…}}.
Message importOne(SourcePlugin&, const QJsonObject& job);

}  // namespace cloister
