#include "core/metrics/predictions.h"

#include <algorithm>
#include <cmath>

#include <QHash>

namespace cloister {
namespace {

Failure refused(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

}  // namespace

std::vector<double> Predictions::column(int c) const {
  std::vector<double> out(count());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = at(i, c);
  return out;
}

Predictions Predictions::subset(std::span<const std::size_t> rows) const {
  Predictions out;
  out.classes = classes;
  const auto k = static_cast<std::size_t>(classes);
  out.probabilities.reserve(rows.size() * k);
  for (const std::size_t row : rows) {
    for (std::size_t c = 0; c < k; ++c) out.probabilities.push_back(probabilities[row * k + c]);
    out.labels.push_back(labels[row]);
    if (!groups.empty()) out.groups.push_back(groups[row]);
  }
  return out;
}

Result<void> checkPredictions(const Predictions& p) {
  if (p.classes < 2) return refused("classes", QString::number(p.classes), "2 …");
  const auto k = static_cast<std::size_t>(p.classes);
  if (p.count() == 0) return Failure{FailureKind::NothingToDo, {{"what", "test sample"}}, {}};
  if (p.probabilities.size() != p.count() * k)
    return refused("probabilities", QString::number(p.probabilities.size()), QString::number(p.count() * k));
  if (!p.groups.empty() && p.groups.size() != p.count())
    return refused("groups", QString::number(p.groups.size()), QString::number(p.count()));
  for (std::size_t i = 0; i < p.count(); ++i) {
    if (p.labels[i] < 0 || p.labels[i] >= p.classes)
      return refused(QStringLiteral("label %1").arg(i), QString::number(p.labels[i]), QStringLiteral("0 … %1").arg(p.classes - 1));
    if (!p.groups.empty() && p.groups[i] < 0) return refused(QStringLiteral("group %1").arg(i), QString::number(p.groups[i]), "0 …");
    double sum = 0;
    for (int c = 0; c < p.classes; ++c) {
      const double value = p.at(i, c);
      if (!std::isfinite(value) || value < -1e-9 || value > 1 + 1e-9)
        return refused(QStringLiteral("probability %1,%2").arg(i).arg(c), QString::number(value), "0 … 1");
      sum += value;
    }
    if (std::abs(sum - 1) > 1e-4) return refused(QStringLiteral("probabilities %1").arg(i), QString::number(sum), "1");
  }
  return {};
}

std::vector<int> denseIds(const std::vector<QString>& names) {
  QHash<QString, int> ids;
  std::vector<int> out;
  out.reserve(names.size());
  for (const QString& name : names) {
    auto it = ids.constFind(name);
    if (it == ids.constEnd()) it = ids.insert(name, static_cast<int>(ids.size()));
    out.push_back(it.value());
  }
  return out;
}

int decideOne(std::span<const double> probabilities, double threshold) {
  if (probabilities.size() == 2) return probabilities[1] >= threshold ? 1 : 0;
  return static_cast<int>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

std::vector<int> decide(const Predictions& p, double threshold) {
  std::vector<int> out(p.count());
  const auto k = static_cast<std::size_t>(p.classes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = decideOne({p.probabilities.data() + i * k, k}, threshold);
  return out;
}

}  // namespace cloister
