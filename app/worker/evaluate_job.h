// The parts of `cloister-worker evaluate`: options, events, pictures, attacks, latency. Main thread of the worker; throws EngineFailure.
#pragma once
#include <vector>

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"
#include "core/engine/evaluate/evaluation_set.h"
#include "core/engine/models/model.h"

namespace cloister {

/// evaluation/request.json; a member that is absent has the default below.
struct EvaluateOptions {
  QString split = QStringLiteral("test");
  bool attacks = true;
  std::vector<double> epsilons;    ///< L∞ radii, pixel units; default ½, 1, 2, 4, 8 grey levels
  std::vector<double> epsilonsL2;  ///< default: ε∞ · √(values of an image) / 4
  int steps = 10, restarts = 1;
  int samples = 256;        ///< attacked samples, stratified; 0 in the request means this
  int attackSeconds = 900;  ///< fewer samples are attacked when more time would be needed (never below 32)
  int resamples = 1000;
  double threshold = 0.5;
  bool youden = false;  ///< "threshold":"youden": chosen on the validation split
  bool latency = true;
  int latencySeconds = 20;  ///< for all timings together
  int batch = 32;
  quint64 seed = 20;
  QString language = QStringLiteral("en");
};
/// InvalidArgument names the member that is out of its range.
EvaluateOptions evaluateOptions(const QJsonObject& request);

/// A whole number of the request; InvalidArgument outside least … most.
int wholeOption(const QJsonObject& request, const QString& name, int fallback, int least, int most);
/// A report that is being rewritten is absent, with its pictures.
void clearEvaluation(const QString& folder);

/// Events of this job, no more than five progress lines a second; throws Stopped after SIGTERM or SIGINT.
/// at(), warn() and phase() may come from any thread, one at a time.
class EvaluateProgress {
 public:
  explicit EvaluateProgress(EventWriter& events);
  void phase(const QString& name);
  void at(qint64 done, qint64 total);
  void warn(const QString& kind, const QString& message);
  void event(const QString& type, const QJsonObject& body, bool sync = false);
  static void throwIfStopped();

 private:
  EventWriter& events_;
  QElapsedTimer sinceStart_, sinceLine_;
  QString phase_;
};

struct EvaluateJob {
  QString runDir, folder;  ///< folder: runDir/evaluation
  EvaluateOptions options;
  /// The best weights, once for each thread; all share one storage.
  std::vector<std::shared_ptr<ClassifierModel>> models;
  int threads = 1;
  EvaluationSet set;
  double threshold = 0.5;
};

/// Fills "image" of each entry of worst and best and writes the pictures.
QJsonArray withPictures(const QJsonArray& samples, const QString& prefix, const EvaluateJob&);
/// Writes a [C,H,W] picture of values 0…1; returns its path relative to the evaluation folder.
QString writePicture(const EvaluateJob&, const QString& name, const at::Tensor& image);

QJsonArray attackSection(EvaluateJob&, EvaluateProgress&);
QJsonArray latencySection(EvaluateJob&, EvaluateProgress&);
/// One line: processor, threads, memory.
QString hardwareLine();

/// The whole job for a language model's run (language_evaluate.cpp).
WorkerExit evaluateLanguage(const QString& runDir, EventWriter&);

}  // namespace cloister
