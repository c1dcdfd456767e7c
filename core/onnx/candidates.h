// From a trained classifier to the models a user chooses from: writes each candidate, runs the finished file, compares it with the trained
// model, measures accuracy, size and latency, and recommends one. Called by `cloister-worker export`, which brings the trained model's own
// logits. Torch-free. One thread; takes minutes; reports as it goes.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/model_graph.h"
#include "core/domain/result.h"
#include "core/metrics/bootstrap.h"
#include "core/onnx/calibration.h"
#include "core/onnx/graph_builder.h"
#include "core/onnx/samples.h"
#include "core/onnx/session.h"

namespace cloister::onnx {

struct ExportOptions {
  QStringList quantize{"none", "fp16", "dynamic-int8", "static-int8"};
  std::optional<Calibration> calibration;  ///< none: all are tried, the one that disturbs the validation logits least is taken
  double percentile = 99.99;
  int calibrationSamples = 128;
  double maximumAccuracyDrop = 0.01;
  int threads = 0;
  int latencyIterations = 0;  ///< 0: as many as fit some seconds, 20 to 200

  /// export/request.json; absent members mean the default. InvalidArgument names the member.
  static Result<ExportOptions> fromJson(const QJsonObject&);
};

/// Images of which the trained model's logits are known.
struct Reference {
  Samples images;
  std::vector<float> logits;  ///< [n, classes]
};

struct ExportInput {
  ModelGraph graph;
  std::map<std::string, TensorView> weights;
  QString weightsPath;
  BuildInfo info;
  Samples train;                ///< calibration
  Samples validation;           ///< accuracy while layers are chosen; empty: train
  Samples test;                 ///< the stated accuracy
  std::vector<int> testGroups;  ///< patients; empty: every sample is its own
  Reference vectors;            ///< stored beside the models
  Reference testImages;         ///< compared only, never stored
};

struct Candidate {
  QString name, file, sha256;  ///< "int8-static", "int8-static.onnx"
  qint64 bytes = 0;
  Interval accuracy;
  double searchAccuracy = 0;  ///< on the validation split
  double maxAbs = 0;          ///< largest difference of a logit on real test images; of a float model on the stored vectors as well
  double tolerance = 0;       ///< for maxAbs: a share of the range of the trained model's logits on those images
  double maxAbsVectors = 0;   ///< on the stored vectors
  bool passed = false;
  double agreement = 0;  ///< share of test images that get the trained model's class
  std::vector<Latency> latency;
  QStringList floatLayers;
  QString calibration;

  QJsonObject toJson() const;
};

struct ExportReport {
  std::function<void(const QString& phase)> phase;
  std::function<bool(qint64 done, qint64 total)> progress;  ///< false stops; the result is Stopped, and no marker is written
  std::function<void(const QString& kind, const QString& message)> warning;
};

/// Writes <name>.onnx for each asked candidate and test_vectors.safetensors into folder; gives the content of export.json without writing
/// it: the caller adds what it knows and writes the marker last.
Result<QJsonObject> exportCandidates(const ExportInput&, const ExportOptions&, const QString& folder, const ExportReport&);

/// Images for the stored test vectors that show nobody: smooth random fields with the mean and contrast of the training data, always the
/// same for a seed. float32 [n,C,H,W] in 0…1.
std::vector<float> syntheticImages(int n, int channels, int size, const std::vector<double>& mean, const std::vector<double>& std,
                                   std::uint64_t seed = 7);

}  // namespace cloister::onnx
