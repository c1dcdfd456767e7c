// One ONNX Runtime session on the CPU. Used by export (parity, accuracy, latency), calibration and `cloister-worker run`; evaluate times
// models with it. ONNX Runtime stays behind this header. run() may be called from several threads; everything else from one.
// Errors: CorruptFile with the runtime's own message when a model cannot be loaded, UnsupportedFormat when it lacks an operator's version,
// Internal when a run fails.
//
// ORT_DISABLE_TELEMETRY=1 is set before the first session of the process: the pinned build sends nothing, later ones would.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <QString>

#include "core/domain/result.h"
#include "core/onnx/model.h"
#include "core/tensors/safetensors.h"

namespace cloister::onnx {

struct SessionOptions {
  int threads = 0;        ///< 0: as many as the machine has processors for this process
  bool optimise = true;   ///< false: the graph as written (calibration looks at inner values)
  QString saveOptimised;  ///< not empty: the graph after ONNX Runtime's own rewriting, for looking at what was fused
};

/// A tensor that owns its bytes.
struct HostTensor {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  std::span<const float> floats() const { return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)}; }
  TensorView view() const { return {dtype, shape, bytes.data(), bytes.size()}; }
};

/// What the session wants or gives; -1 in the shape: any.
struct Port {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
};

class Session {
 public:
  static Result<Session> open(const QString& path, const SessionOptions& = {});
  static Result<Session> fromModel(const Model&, const SessionOptions& = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  int threads() const;

  /// Inputs by name; outputs: which ones, empty means all, in the model's order. The input memory must live during the call only.
  Result<std::vector<HostTensor>> run(const std::map<std::string, TensorView>& inputs, const std::vector<std::string>& outputs = {});
  /// The common case: one float input, one output wanted.
  Result<HostTensor> run(const TensorView& image, const std::string& output);

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

/// Milliseconds. Percentiles by linear interpolation between the two nearest ranks (numpy's default).
struct Latency {
  double p50 = 0, p95 = 0, p99 = 0, mean = 0;
  int batch = 1, threads = 1, warmup = 0, iterations = 0;
  QJsonObject toJson(const QString& runtime, const QString& precision) const;  ///< docs/formats.md, evaluation/report.json
};
Latency latencyOf(std::vector<double> milliseconds);
double percentile(std::vector<double> values, double q);  ///< q in 0…100

/// Runs each of the given calls in turn, round after round, so that a slow moment of the machine hits all of them alike.
/// One Latency a call. A call returns false to give up (its own failure is reported by the caller).
/// between is asked after each call, outside of the measured time: for progress and for stopping (false).
std::vector<Latency> measureInterleaved(const std::vector<std::function<bool()>>& calls, int warmup, int iterations,
                                        const std::function<bool()>& between = {});

}  // namespace cloister::onnx
