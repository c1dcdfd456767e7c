// Static quantization needs the range of every activation. Ranges come from histograms of real samples; three ways to choose them.
// Called by export and by the quantizer's accuracy search. The observers are values; calibrate() runs the model.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <QString>

#include "core/domain/result.h"
#include "core/onnx/model.h"
#include "core/onnx/samples.h"

namespace cloister::onnx {

enum class Calibration { MinMax, Entropy, Percentile };
QString calibrationName(Calibration);  ///< minmax, entropy, percentile
Result<Calibration> calibrationFromName(const QString&);

struct Range {
  float minimum = 0, maximum = 0;
  bool operator==(const Range&) const = default;
};

/// Counts of equal bins between minimum and maximum.
struct Histogram {
  float minimum = 0, maximum = 0;
  std::vector<double> counts;
  void add(std::span<const float> values);  ///< values outside are counted at the ends
  float edge(std::size_t i) const { return minimum + (maximum - minimum) * float(i) / float(counts.size()); }
};

/// The range outside of which (100 - percent) / 2 of the values lie on either side; linear inside a bin. A histogram that starts at 0
/// (after Relu) is cut above only, by 100 - percent.
Range percentileRange(const Histogram&, double percent);

/// The range whose quantization to `levels` steps keeps the most information: smallest Kullback-Leibler divergence between the clipped
/// distribution and its quantized version (Migacz, "8-bit Inference with TensorRT", 2017). A histogram that starts at 0 is cut above only;
/// others are cut at ±t.
Range entropyRange(const Histogram&, int levels = 256);

struct TensorStatistics {
  Range range;                      ///< by the chosen way
  std::vector<double> channelMean;  ///< axis 1 for 4-D tensors, the last axis otherwise; for bias correction
};
using Statistics = std::map<std::string, TensorStatistics>;

struct CalibrationOptions {
  std::vector<Calibration> methods{Calibration::MinMax};
  double percentile = 99.99;
  int samples = 128;
  int threads = 0;
  std::function<bool(int done, int total)> progress;  ///< false stops: the result is Stopped
};

/// Runs the float model over the samples once, twice where histograms are needed, and gives the statistics of the named values: one entry a
/// method, in the order asked.
Result<std::vector<Statistics>> calibrate(const Model&, const std::vector<std::string>& values, const Samples&, const CalibrationOptions&);

}  // namespace cloister::onnx
