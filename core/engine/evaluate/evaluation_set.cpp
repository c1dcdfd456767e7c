#include "core/engine/evaluate/evaluation_set.h"

#include <algorithm>
#include <mutex>
#include <set>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/engine/data/loader.h"
#include "core/engine/engine_failure.h"
#include "core/engine/evaluate/batches.h"
#include "core/engine/models/model.h"

namespace cloister {
namespace {

SampleFacts factsOf(const QJsonObject& o) {
  return {o["key"].toString(),     o["sha256"].toString(),     o["group"].toString(o["patient"].toString()),
          o["patient"].toString(), o["site"].toString(),       o["modality"].toString(),
          o["source"].toString(),  o["windowWidth"].toDouble()};
}

std::vector<SampleFacts> readFacts(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) throw EngineFailure({FailureKind::NotFound, {{"path", path}}, file.errorString()});
  std::vector<SampleFacts> out;
  while (!file.atEnd()) {
    const QByteArray line = file.readLine().trimmed();
    if (line.isEmpty()) continue;
    const QJsonDocument json = QJsonDocument::fromJson(line);
    if (!json.isObject())
      throw EngineFailure(
          {FailureKind::CorruptFile, {{"path", path}, {"position", static_cast<qint64>(out.size() + 1)}}, "not a JSON object"});
    out.push_back(factsOf(json.object()));
  }
  return out;
}

/// Equal names, one id; without a name the sample stands for itself.
std::vector<int> groupIds(const std::vector<SampleFacts>& facts) {
  std::vector<QString> names;
  for (std::size_t i = 0; i < facts.size(); ++i) names.push_back(facts[i].group.isEmpty() ? QChar(1) + QString::number(i) : facts[i].group);
  return denseIds(names);
}

at::Tensor copied(const std::vector<int>& values) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), out.data_ptr<std::int64_t>());
  return out;
}

}  // namespace

int EvaluationSet::groupCount() const { return groups.empty() ? 0 : *std::max_element(groups.begin(), groups.end()) + 1; }

QString EvaluationSet::groupedBy() const {
  const auto every = [this](auto holds) { return std::all_of(facts.begin(), facts.end(), holds); };
  if (every([](const SampleFacts& f) { return !f.patient.isEmpty() && f.group == f.patient; })) return QStringLiteral("patient");
  if (every([](const SampleFacts& f) { return f.group.isEmpty(); })) return QStringLiteral("sample");
  return QStringLiteral("group");
}

at::Tensor EvaluationSet::images(const std::vector<std::size_t>& rows) const {
  std::vector<std::int64_t> wanted;
  for (const std::size_t row : rows) wanted.push_back(indices[row]);
  return plainBatch(*data, wanted).images;
}

EvaluationSet openEvaluationSet(std::shared_ptr<PreparedData> data, const QString& split) {
  EvaluationSet set;
  set.indices = data->split(split);
  if (set.indices.empty())
    throw EngineFailure({FailureKind::NothingToDo,
                         {{"what", "sample in the " + split + " split"}, {"next", "Freeze a snapshot with a larger share for it."}},
                         {}});
  const QString path = data->dir() + "/../../samples.jsonl";
  const std::vector<SampleFacts> all = readFacts(path);
  if (static_cast<std::int64_t>(all.size()) != data->count())
    throw EngineFailure({FailureKind::CorruptFile,
                         {{"path", path}},
                         QStringLiteral("%1 samples, but %2 were prepared").arg(all.size()).arg(data->count())});
  for (const std::int64_t i : set.indices) {
    set.facts.push_back(all[static_cast<std::size_t>(i)]);
    set.labels.push_back(static_cast<int>(data->label(i)));
  }
  set.groups = groupIds(set.facts);
  set.data = std::move(data);
  return set;
}

at::Tensor predictLogits(const std::vector<std::shared_ptr<ClassifierModel>>& models, const EvaluationSet& set, int batch,
                         const std::function<void(std::size_t)>& progress) {
  for (const auto& model : models) model->setTraining(false);
  Team team(static_cast<int>(models.size()));
  std::vector<at::Tensor> parts(batchCount(set.count(), batch));
  std::mutex mutex;
  std::size_t done = 0;
  forBatches(team, set.count(), batch, [&](int member, std::size_t index, std::size_t begin, std::size_t end) {
    const at::NoGradGuard off;
    const std::vector<std::int64_t> wanted(set.indices.begin() + static_cast<std::ptrdiff_t>(begin),
                                           set.indices.begin() + static_cast<std::ptrdiff_t>(end));
    const at::Tensor images = plainBatch(*set.data, wanted).images;
    parts[index] = models[static_cast<std::size_t>(member)]->forward(images).to(at::kFloat).contiguous();
    if (!at::isfinite(parts[index]).all().item<bool>())
      throw EngineFailure({FailureKind::NonFinite, {{"step", 0}, {"batch", static_cast<qint64>(index)}}, "logits of the trained model"});
    const std::lock_guard lock(mutex);
    done += end - begin;
    if (progress) progress(done);
  });
  return at::cat(parts);
}

Predictions predictionsOf(const at::Tensor& logits, const EvaluationSet& set) {
  const at::Tensor p = at::softmax(logits.to(at::kDouble), 1).contiguous();
  Predictions out;
  out.classes = static_cast<int>(p.size(1));
  out.probabilities.assign(p.const_data_ptr<double>(), p.const_data_ptr<double>() + p.numel());
  out.labels = set.labels;
  out.groups = set.groups;
  return out;
}

QualityInput qualityInput(const Predictions& predictions, const EvaluationSet& set) {
  QualityInput in;
  in.classes = set.data->classes();
  in.predictions = predictions;
  for (const SampleFacts& f : set.facts) in.keys.push_back(f.key);
  const std::pair<const char*, QString SampleFacts::*> columns[] = {
      {"site", &SampleFacts::site}, {"modality", &SampleFacts::modality}, {"source", &SampleFacts::source}};
  for (const auto& [name, member] : columns) {
    std::vector<QString> values;
    for (const SampleFacts& f : set.facts) values.push_back(f.*member);
    const std::set<QString> distinct(values.begin(), values.end());
    const bool telling = distinct.size() > 1 || (member != &SampleFacts::source && !distinct.begin()->isEmpty());
    if (telling) in.attributes[QLatin1String(name)] = std::move(values);
  }
  return in;
}

void writePredictions(const QString& path, const QString& split, const at::Tensor& logits, const Predictions& p, const EvaluationSet& set) {
  const at::Tensor probabilities =
      at::from_blob(const_cast<double*>(p.probabilities.data()), {static_cast<std::int64_t>(p.count()), p.classes}, at::kDouble);
  const at::Tensor indices =
      at::from_blob(const_cast<std::int64_t*>(set.indices.data()), {static_cast<std::int64_t>(set.count())}, at::kLong);
  const QByteArray classes = QJsonDocument(QJsonArray::fromStringList(set.data->classes())).toJson(QJsonDocument::Compact);
  saveTensors(path,
              {{"logits", logits},
               {"probabilities", probabilities},
               {"labels", copied(set.labels)},
               {"groups", copied(set.groups)},
               {"indices", indices}},
              {{"split", split}, {"classes", QString::fromUtf8(classes)}});
}

}  // namespace cloister
