// A language model handed out as the field's own files: the whole model as a Hugging Face folder (adapters added into the base), or the
// adapter alone in PEFT's layout. Read back and compared with what was meant before the folder appears. Worker's main thread; throws
// EngineFailure.
#pragma once
#include <QJsonObject>

#include "app/worker/language_export.h"
#include "app/worker/language_run.h"

namespace cloister {

/// Both return export.json of the folder `to`, which is made whole or not at all.
QJsonObject exportModelFolder(const LanguageRun&, const QString& to, const ExportProgress&);
/// NothingToDo for a run that trained all weights.
QJsonObject exportAdapterFolder(const LanguageRun&, const QString& to, const ExportProgress&);

}  // namespace cloister
