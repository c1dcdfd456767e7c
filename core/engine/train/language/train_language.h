// Training of a language model, from scratch, on a base, or by adapters: what the family decoder_lm runs. Worker's main thread. Throws
// EngineFailure.
#pragma once
#include "core/engine/models/family_plugin.h"

namespace cloister {

WorkerExit trainLanguage(const TrainJob&);

/// FitReport (docs/formats.md, plan). request: {"parameters","baseWeights" (folder or empty),"trainTokens","processes"}.
QJsonObject planLanguage(const QJsonObject& request);

}  // namespace cloister
