// export --run DIR of a language model (docs/formats.md, "export/export.json"). Worker's main thread; throws EngineFailure.
#pragma once
#include <QString>

#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"

namespace cloister {

/// stopped: asked between the steps of the work.
WorkerExit exportLanguageRun(const QString& runDir, EventWriter&, bool (*stopped)());

}  // namespace cloister
