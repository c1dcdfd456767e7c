// The training loop, readable in one sitting. What each step does lives in LanguageSession; the order of things lives here.
#include "core/engine/train/language/train_language.h"

#include <cmath>

#include "core/engine/engine_failure.h"
#include "core/engine/train/language/language_session.h"

namespace cloister {
namespace {

// A loss or gradient that is not finite, or a gradient beyond the limit, ends the run before the weights are touched.
void guard(const LanguageSession& s, const std::vector<std::int64_t>& sequences, double loss, double norm) {
  if (std::isfinite(loss) && std::isfinite(norm) && norm <= s.recipe.step.gradientLimit) return;
  QStringList list;
  for (auto i : sequences) list << QString::number(i);
  throw EngineFailure({FailureKind::NonFinite,
                       {{"step", qint64(s.state.step + 1)}, {"batch", "sequences " + list.join(", ")}},
                       QString("loss %1, gradient norm %2, limit %3").arg(loss).arg(norm).arg(s.recipe.step.gradientLimit)});
}

}  // namespace

WorkerExit trainLanguage(const TrainJob& job) {
  LanguageSession s(job);
  const TrainRecipe& recipe = s.recipe.step;
  s.prepareReference();
  s.event("phase", {{"name", "training"}});
  while (s.state.step < s.totalSteps) {
    if (s.stopRequested()) {
      s.checkpoint(false);
      s.event("stopped", {{"step", qint64(s.state.step)}}, true);
      return WorkerExit::StoppedAsAsked;
    }
    const std::vector<std::int64_t> sequences = s.sequencesOf(s.state.step);
    const double rate = learningRateAt(recipe, s.state.step, s.warmupSteps, s.totalSteps);
    const double loss = s.forwardBackward(sequences);
    const double norm = s.optimizer->collect({s.trained->gradients()});
    guard(s, sequences, loss, norm);
    s.applyStep(rate, recipe.clipNorm > 0 && norm > recipe.clipNorm ? recipe.clipNorm / norm : 1.0);
    ++s.state.step;
    s.reportStep(loss, norm, rate);

    const std::int64_t bestBefore = s.state.bestStep;
    if (s.evaluationDue()) s.keepBest(s.validate(loss));
    if (s.state.step == s.totalSteps || s.checkpointDue()) s.checkpoint(s.state.bestStep != bestBefore);
  }
  s.event("finished",
          {{"step", qint64(s.state.step)},
           {"seconds", s.state.secondsTrained},
           {"best", QJsonObject{{"step", qint64(s.state.bestStep)}, {"metric", s.state.bestMetric}, {"value", s.state.bestValue}}}},
          true);
  return WorkerExit::Finished;
}

}  // namespace cloister
