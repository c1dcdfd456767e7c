// The training loop, readable in one sitting. What each step does lives in Session; the order of things lives here.
#include "core/engine/train/train.h"

#include <cmath>

#include <QJsonArray>

#include "core/engine/engine_failure.h"
#include "core/engine/train/session.h"

namespace cloister {
namespace {

// A loss or gradient that is not finite, or a gradient beyond the limit, ends the run before the weights are touched: the newest
// checkpoint on disk is the last good one.
void guard(const Session& s, const Batch& batch, double loss, double norm) {
  if (std::isfinite(loss) && std::isfinite(norm) && norm <= s.recipe.gradientLimit) return;
  const QStringList keys = s.data->keys(batch.indices);
  throw EngineFailure({FailureKind::NonFinite,
                       {{"step", qint64(s.state.step + 1)}, {"batch", keys.join(", ")}, {"keys", QJsonArray::fromStringList(keys)}},
                       QString("loss %1, gradient norm %2, limit %3").arg(loss).arg(norm).arg(s.recipe.gradientLimit)});
}

WorkerExit finish(Session& s) {
  s.event("finished",
          {{"step", qint64(s.state.step)},
           {"seconds", s.state.secondsTrained},
           {"best", QJsonObject{{"step", qint64(s.state.bestStep)}, {"metric", s.state.bestMetric}, {"value", s.state.bestValue}}}},
          true);
  return WorkerExit::Finished;
}

}  // namespace

WorkerExit trainClassifier(const TrainJob& job) {
  Session s(job);
  Loader loader(s.data, s.sampler, s.recipe.augment, quint64(job.spec.seed), s.state.step, s.totalSteps, s.recipe.threads > 4 ? 2 : 1);
  s.event("phase", {{"name", "training"}});
  const auto stoppedEarly = [&] { return s.recipe.patience > 0 && s.state.epochsSinceBest >= s.recipe.patience; };
  while (s.state.step < s.totalSteps && !stoppedEarly()) {
    const Batch batch = loader.next();
    if (s.stopAgreed(batch)) {
      s.checkpoint(false);
      s.event("stopped", {{"step", qint64(s.state.step)}}, true);
      return WorkerExit::StoppedAsAsked;
    }
    const double rate = learningRateAt(s.recipe, s.state.step, s.warmupSteps, s.totalSteps);
    const double loss = s.forwardBackward(batch);
    const double norm = s.optimizer->collect(s.gradients());
    guard(s, batch, loss, norm);
    s.applyStep(rate, s.recipe.clipNorm > 0 && norm > s.recipe.clipNorm ? s.recipe.clipNorm / norm : 1.0);
    ++s.state.step;
    s.reportStep(loss, norm, rate);

    const bool epochEnds = s.state.step % s.sampler->stepsPerEpoch() == 0 || s.state.step == s.totalSteps;
    const std::int64_t bestBefore = s.state.bestStep;
    if (epochEnds) s.keepBest(s.validate());
    const bool last = s.state.step == s.totalSteps || stoppedEarly();
    if (last || s.checkpointDue()) s.checkpoint(s.state.bestStep != bestBefore);
  }
  return finish(s);
}

}  // namespace cloister
