// One split of a snapshot with what is known about each sample (patient, site, modality …), and the model's predictions on it. Called by
// the worker's evaluate verb. Throws EngineFailure. One thread.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <QString>

#include "core/engine/data/prepared_data.h"
#include "core/metrics/quality_report.h"

namespace cloister {

class ClassifierModel;

/// A line of the snapshot's samples.jsonl, as far as reports need it.
struct SampleFacts {
  QString key, sha256, group, patient, site, modality, source;
  double windowWidth = 0;  ///< in modality units; 0: full range
};

struct EvaluationSet {
  std::shared_ptr<PreparedData> data;
  std::vector<std::int64_t> indices;  ///< into the prepared samples
  std::vector<SampleFacts> facts;     ///< per index
  std::vector<int> labels;
  std::vector<int> groups;  ///< dense; a sample without a group is one of its own

  std::size_t count() const { return indices.size(); }
  int groupCount() const;
  /// "patient", "group" or "sample": what stands together in groups.
  QString groupedBy() const;
  /// float32 [n, C, H, W], 0…1
  at::Tensor images(const std::vector<std::size_t>& rows) const;
};

/// NothingToDo for an empty split, CorruptFile when samples.jsonl and the prepared samples do not belong together.
EvaluationSet openEvaluationSet(std::shared_ptr<PreparedData> data, const QString& split);

/// [count, classes] float32 on the CPU, inference mode, the same model once for each thread. A non-finite logit is refused (NonFinite names
/// the batch). progress is called by one thread at a time.
at::Tensor predictLogits(const std::vector<std::shared_ptr<ClassifierModel>>&, const EvaluationSet&, int batch,
                         const std::function<void(std::size_t done)>& progress);

/// Softmax in double precision, with labels and groups.
Predictions predictionsOf(const at::Tensor& logits, const EvaluationSet&);

/// Predictions with class names, keys and the attributes worth a table: site, modality and source, where more than one value occurs or the
/// one that does is named.
QualityInput qualityInput(const Predictions&, const EvaluationSet&);

/// logits, probabilities (F64), labels, groups, indices; metadata says split and classes.
void writePredictions(const QString& path, const QString& split, const at::Tensor& logits, const Predictions&, const EvaluationSet&);

}  // namespace cloister
