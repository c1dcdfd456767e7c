// How well a model does on samples, and the search for the layers that must stay in float so that int8 costs no more accuracy than stated.
// Called by export. Runs models; one thread.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/domain/result.h"
#include "core/onnx/quantize.h"
#include "core/onnx/samples.h"
#include "core/onnx/session.h"

namespace cloister::onnx {

/// false stops; the call then ends with Stopped.
using Tick = std::function<bool(int samplesDone)>;

struct Scores {
  std::vector<float> logits;  ///< [n, classes]
  std::vector<int> predicted, labels;
  int classes = 0;
  double accuracy() const;  ///< share of right ones; NaN without labels
};
Result<Scores> score(Session&, const Samples&, const Tick& = {});

/// Root mean square difference of logits over the root mean square of the reference's deviation from its mean: 0 is equal, 1 is noise.
double relativeError(const std::vector<float>& logits, const std::vector<float>& reference);

struct SearchOptions {
  double maximumDrop = 0.01;  ///< absolute accuracy
  int threads = 0;
  int sensitivitySamples = 48;
  bool staticModel = true;                   ///< false: dynamic quantization is searched
  std::function<void(const QString&)> note;  ///< what is being tried, for the log
};
struct SearchResult {
  Model model;
  std::vector<std::string> floatLayers;  ///< in the order in which they were given up
  double accuracy = 0, floatAccuracy = 0;
};

/// Quantizes everything; when the accuracy on `check` falls by more than maximumDrop, measures how much each layer alone disturbs the
/// logits, and leaves the worst ones in float until the limit holds (doubling the number, then halving back to the fewest that do).
/// When nothing helps, the model with the best accuracy is given.
Result<SearchResult> quantizeWithinLimit(const Model& floatModel, const Statistics&, const Samples& check, const SearchOptions&,
                                         const Tick& = {});

}  // namespace cloister::onnx
