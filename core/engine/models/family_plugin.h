// The interface of a model family. Described by its JSON (id, name, ParameterSchema) to GUI and CLI; loaded and run by cloister-worker
// only, on its main thread. Implementations throw EngineFailure (or std::exception); the worker's main turns it into an event and a code.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QtPlugin>

#include "core/domain/run_spec.h"

namespace cloister {
class EventWriter;

/// One attempt of a run, as the worker received it.
struct TrainJob {
  QString runDir;  ///< runs/r-0001
  int attempt = 1;
  RunSpec spec;
  QString preparedDir;  ///< absolute
  EventWriter* events = nullptr;
  int rank = 0, worldSize = 1;
  /// Language models: token numbers as text, for what the model writes now and then while it trains; empty: it writes nothing.
  std::function<QString(const std::vector<std::int64_t>& tokens)> words;
  std::vector<std::int64_t> ends;  ///< tokens that end a text
};

class FamilyPlugin {
 public:
  virtual ~FamilyPlugin() = default;
  /// Trains until the end, a stop request or a failure (thrown).
  virtual WorkerExit train(const TrainJob&) = 0;
  /// FitReport as JSON; request as in docs/formats.md (plan).
  virtual QJsonObject plan(const QJsonObject& request) = 0;
};

}  // namespace cloister

#define CloisterFamilyPlugin_iid "org.cloister.FamilyPlugin/1"
Q_DECLARE_INTERFACE(cloister::FamilyPlugin, CloisterFamilyPlugin_iid)
