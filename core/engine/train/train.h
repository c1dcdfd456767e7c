// Training an image classifier: the whole of one attempt. Called by a family plugin in cloister-worker, on its main thread. Blocking.
#pragma once
#include "core/domain/model_graph.h"
#include "core/engine/models/family_plugin.h"

namespace cloister {

/// Trains from the newest whole checkpoint (or from the start) to the end, a stop request or a thrown failure: NonFinite for a loss or
/// gradient that is not finite or beyond the limit, IdentityChanged for a checkpoint of other data, weights or settings, OutOfMemory and
/// DiskFull before anything starts. The result's weights are bit-identical whether or not the run was interrupted (same machine, same
/// number of threads).
WorkerExit trainClassifier(const TrainJob&);

/// FitReport as JSON (docs/formats.md, plan). Measures one training step where memory allows.
QJsonObject planClassifier(const QJsonObject& request);

/// Bytes by part: weights, gradients, optimizer, average, activations, data, runtime.
struct TrainRecipe;
QJsonObject memoryParts(const ModelGraph&, const TrainRecipe&);
/// What of them lies on the card and what in the computer's memory when a card computes.
QJsonObject cardParts(const QJsonObject& parts);
QJsonObject hostParts(const QJsonObject& parts);
qint64 sumOf(const QJsonObject& parts);

}  // namespace cloister
