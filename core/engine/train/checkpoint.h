// Checkpoints of a run, whole or absent: a folder is filled under a hidden name, synced, its marker state.json written last, then renamed.
// Folder and members: docs/formats.md. Training thread.
#pragma once
#include <functional>
#include <optional>

#include <QJsonObject>

#include "core/domain/run_spec.h"
#include "core/engine/models/model.h"

namespace cloister {

/// Everything besides tensors that a resume needs. Random numbers are functions of (seed, step), so the step is their state.
struct TrainState {
  std::int64_t step = 0;  ///< optimizer steps done: the sampler's place and the random numbers' place too
  QString bestMetric;
  double bestValue = 0, bestLoss = 0;
  std::int64_t bestStep = -1;  ///< -1: none yet
  int epochsSinceBest = 0;
  double secondsTrained = 0;  ///< over all attempts; for people, never for decisions
  int threads = 0;            ///< the arithmetic depends on it
  bool bf16 = false;
  QString device = "cpu";  ///< "cpu" or "cuda": another one computes other last digits
  QJsonObject toJson() const;
  static TrainState fromJson(const QJsonObject&);
};

struct CheckpointParts {
  NamedTensors model, average, optimizer;  ///< average empty: EMA off
};

/// What must be equal between a checkpoint and the run that resumes it.
QJsonObject identityOf(const RunSpec&);
/// IdentityChanged naming the first difference.
Result<void> compareIdentity(const QJsonObject& expected, const QJsonObject& found);

/// Writes checkpoints/step-XXXXXXXX and removes all but the newest two. Returns its bytes.
qint64 writeCheckpoint(const QString& runDir, const RunSpec&, const TrainState&, const CheckpointParts&, const QJsonObject& metadata);

/// The newest checkpoint whose files carry the digests its marker states; damaged ones are passed over (named in skipped).
struct FoundCheckpoint {
  QString dir;
  TrainState state;
  QJsonObject identity;
};
std::optional<FoundCheckpoint> newestCheckpoint(const QString& runDir, QStringList& skipped);

/// Replaces best/ by exchanging folders, so that a reader finds the old or the new one. fill makes the folder it is given and its files;
/// state.json, the marker with their digests, comes last.
void writeBest(const QString& runDir, const std::function<void(const QString& folder)>& fill, const QJsonObject& state);
/// The same with model.safetensors alone.
void writeBest(const QString& runDir, const NamedTensors& weights, const QJsonObject& metadata, const QJsonObject& state);

/// Removes what a killed attempt left half-written.
void removeLeftovers(const QString& runDir);

}  // namespace cloister
