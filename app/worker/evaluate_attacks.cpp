// The attack part of an evaluation: how many samples, which radii, the curves as JSON, the triplets as pictures.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "app/worker/evaluate_job.h"
#include "core/engine/engine_failure.h"
#include "core/engine/evaluate/robustness.h"
#include "core/metrics/sampling.h"

namespace cloister {
namespace {

QString attackName(AttackKind kind) { return kind == AttackKind::Fgsm ? QStringLiteral("fgsm") : QStringLiteral("pgd"); }
QString normName(AttackNorm norm) { return norm == AttackNorm::Linf ? QStringLiteral("linf") : QStringLiteral("l2"); }

RobustnessOptions optionsFor(const EvaluateJob& job) {
  RobustnessOptions r;
  r.linf = job.options.epsilons;
  r.l2 = job.options.epsilonsL2;
  if (r.l2.empty()) {
    // √values · ε∞ is the longest a change inside the cube can be; a quarter of it gives curves of a similar reach.
    const double values = double(job.set.data->channels()) * job.set.data->size() * job.set.data->size();
    for (const double e : r.linf) r.l2.push_back(e * std::sqrt(values) / 4);
  }
  r.steps = job.options.steps;
  r.restarts = job.options.restarts;
  r.seed = job.options.seed;
  r.threshold = job.threshold;
  r.batch = job.options.batch;
  r.bootstrap.resamples = job.options.resamples;
  r.bootstrap.seed = job.options.seed;
  return r;
}

RobustnessInput inputFor(EvaluateJob& job, const std::vector<std::size_t>& rows) {
  RobustnessInput in;
  in.classes = static_cast<int>(job.set.data->classes().size());
  for (const auto& model : job.models) in.classifiers.emplace_back([model](const at::Tensor& x) { return model->forward(x); });
  in.images = [&job, rows](std::size_t begin, std::size_t end) {
    return job.set.images({rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end)});
  };
  std::vector<QString> groups;
  for (const std::size_t row : rows) {
    in.labels.push_back(job.set.labels[row]);
    in.sampleIds.push_back(job.set.indices[row]);
    groups.push_back(QString::number(job.set.groups[row]));
  }
  in.groups = denseIds(groups);
  return in;
}

/// Measured on one batch, after one to warm up: seconds for one forward and backward pass of one sample, all threads together.
double secondsPerPass(EvaluateJob& job, const std::vector<std::size_t>& rows, const RobustnessOptions& options) {
  const std::size_t n = std::min<std::size_t>(rows.size(), static_cast<std::size_t>(options.batch));
  const RobustnessInput in = inputFor(job, {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n)});
  AttackOptions a;
  a.steps = 1;
  a.randomStart = false;
  const at::Tensor images = in.images(0, n), labels = at::zeros({static_cast<std::int64_t>(n)}, at::kLong);
  attack(in.classifiers[0], images, labels, a, {});
  QElapsedTimer timer;
  timer.start();
  attack(in.classifiers[0], images, labels, a, {});
  return static_cast<double>(timer.nsecsElapsed()) / 1e9 / static_cast<double>(n) / 1.4 / static_cast<double>(job.models.size());
}

/// As many as asked for, fewer when the time given would not do; the report states the number.
std::vector<std::size_t> attackedRows(EvaluateJob& job, const RobustnessOptions& options, EvaluateProgress& progress) {
  std::vector<std::size_t> rows = stratifiedSubset(job.set.labels, job.options.samples, job.options.seed);
  const double each = secondsPerPass(job, rows, options) * static_cast<double>(gradientPasses(options));
  const auto affordable = static_cast<std::size_t>(std::max(32.0, job.options.attackSeconds / std::max(each, 1e-9)));
  if (affordable >= rows.size()) return rows;
  progress.warn("fewer_attacked_samples", QStringLiteral("Attacking %1 samples would take %2 minutes; %3 are attacked instead.")
                                              .arg(rows.size())
                                              .arg(std::ceil(each * static_cast<double>(rows.size()) / 60))
                                              .arg(affordable));
  return stratifiedSubset(job.set.labels, static_cast<int>(affordable), job.options.seed);
}

/// Median window width of the samples that state one: what a pixel range of 1 means in modality units (Hounsfield …). 0: unknown.
double windowUnits(const EvaluateJob& job, const std::vector<std::size_t>& rows) {
  std::vector<double> widths;
  for (const std::size_t row : rows)
    if (job.set.facts[row].windowWidth > 0) widths.push_back(job.set.facts[row].windowWidth);
  return widths.empty() ? 0 : quantile(widths, 0.5);
}

QJsonArray pointsJson(const AttackCurve& curve, double window) {
  QJsonArray out;
  for (const RobustnessPoint& p : curve.points)
    out.append(QJsonObject{{"epsilon", p.epsilon},
                           {"epsilonGreyLevels", p.epsilon * 255},
                           {"epsilonWindowUnits", window > 0 ? QJsonValue(p.epsilon * window) : QJsonValue()},
                           {"stepSize", p.stepSize},
                           {"robustAccuracy", intervalJson(p.robustAccuracy)},
                           {"successRate", intervalJson(p.successRate)},
                           {"meanLoss", p.meanLoss}});
  return out;
}

QJsonArray examplesJson(const AttackCurve& curve, const EvaluateJob& job, const std::vector<std::size_t>& rows) {
  QJsonArray out;
  const QStringList& classes = job.set.data->classes();
  for (const AttackExample& e : curve.examples) {
    const QString name = QStringLiteral("%1-%2-%3-").arg(attackName(curve.kind), normName(curve.norm)).arg(out.size() + 1);
    const std::size_t row = rows[e.sample];
    // Grey is no change: darker and lighter pixels show the direction.
    const at::Tensor difference = 0.5 + 10 * (e.attacked - e.original);
    out.append(QJsonObject{{"key", job.set.facts[row].key},
                           {"epsilon", e.epsilon},
                           {"label", classes[job.set.labels[row]]},
                           {"before", classes[e.before]},
                           {"after", classes[e.after]},
                           {"original", writePicture(job, name + "original", e.original)},
                           {"difference", writePicture(job, name + "difference", difference)},
                           {"attacked", writePicture(job, name + "attacked", e.attacked)}});
  }
  return out;
}

QJsonObject curveJson(const AttackCurve& curve, const EvaluateJob& job, const std::vector<std::size_t>& rows, double window) {
  QJsonArray sentences, signs;
  for (const MaskingSign& s : curve.signs) {
    sentences.append(QString::fromStdString(sentence(s)));
    signs.append(QJsonObject{{"kind", QString::fromStdString(s.kind)}, {"value", numberJson(s.value)}});
  }
  const double relative = curve.kind == AttackKind::Fgsm ? 1 : RobustnessOptions().relativeStep / curve.steps;
  return {{"name", attackName(curve.kind)},
          {"norm", normName(curve.norm)},
          {"steps", curve.steps},
          {"stepSize", curve.points.empty() ? 0 : curve.points.back().stepSize},
          {"relativeStepSize", relative},
          {"restarts", curve.restarts},
          {"samples", static_cast<qint64>(rows.size())},
          {"windowWidth", window > 0 ? QJsonValue(window) : QJsonValue()},
          {"epsilons", pointsJson(curve, window)},
          {"examples", examplesJson(curve, job, rows)},
          {"warnings", sentences},
          {"signs", signs}};
}

}  // namespace

QJsonArray attackSection(EvaluateJob& job, EvaluateProgress& progress) {
  progress.phase("attacking");
  const RobustnessOptions options = optionsFor(job);
  if (options.linf.empty() && options.l2.empty()) return {};
  const std::vector<std::size_t> rows = attackedRows(job, options, progress);
  const auto curves =
      measureRobustness(inputFor(job, rows), options, [&](std::int64_t done, std::int64_t total) { progress.at(done, total); });
  const double window = windowUnits(job, rows);
  QJsonArray out;
  for (const AttackCurve& curve : curves) {
    for (const MaskingSign& s : curve.signs) progress.warn(QString::fromStdString(s.kind), QString::fromStdString(sentence(s)));
    out.append(curveJson(curve, job, rows, window));
  }
  return out;
}

}  // namespace cloister
