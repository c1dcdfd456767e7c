#include "core/onnx/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <numeric>

#include <onnxruntime_cxx_api.h>
#include <QFile>
#include <QThread>

namespace cloister::onnx {
namespace {

struct TypeRow {
  ONNXTensorElementDataType onnx;
  DType dtype;
};
constexpr TypeRow kTypes[] = {{ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, DType::F32},    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, DType::U8},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, DType::I8},      {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, DType::U16},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, DType::I16},    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, DType::I32},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, DType::I64},    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, DType::Bool},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, DType::F16},  {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, DType::F64},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, DType::U32},   {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, DType::U64},
                              {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, DType::BF16}};

bool dtypeOf(ONNXTensorElementDataType type, DType& out) {
  for (const TypeRow& r : kTypes)
    if (r.onnx == type) {
      out = r.dtype;
      return true;
    }
  return false;
}

ONNXTensorElementDataType onnxTypeOf(DType type) {
  for (const TypeRow& r : kTypes)
    if (r.dtype == type) return r.onnx;
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

// One pool of threads for all sessions of the process: sessions that are compared in turn do not disturb each other by threads that wait
// busily, and a search that opens a hundred models starts no threads.
struct Environment {
  int threads = QThread::idealThreadCount();
  Ort::Env env{nullptr};
  Environment() {
    // Set before the environment exists: its start-up event would come before any call that switches events off.
    ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    Ort::ThreadingOptions pool;
    pool.SetGlobalIntraOpNumThreads(threads);
    pool.SetGlobalInterOpNumThreads(1);
    env = Ort::Env(static_cast<const OrtThreadingOptions*>(pool), ORT_LOGGING_LEVEL_ERROR, "cloister");
    env.DisableTelemetryEvents();
  }
};

Environment& environment() {
  static Environment made;
  return made;
}

Failure loadFailure(const QString& path, const Ort::Exception& e) {
  const bool unknown = e.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED;
  return {unknown ? FailureKind::UnsupportedFormat : FailureKind::CorruptFile, {{"path", path}}, QString::fromUtf8(e.what())};
}

}  // namespace

struct Session::Impl {
  Ort::Session session{nullptr};
  std::vector<Port> inputs, outputs;
  QString path;
  int threads = 1;

  Result<void> describe() {
    Ort::AllocatorWithDefaultOptions allocator;
    const auto port = [&](auto name, const Ort::TypeInfo& info, std::vector<Port>& out) {
      if (info.GetONNXType() != ONNX_TYPE_TENSOR) return false;
      const auto tensor = info.GetTensorTypeAndShapeInfo();
      Port p{name.get(), DType::F32, tensor.GetShape()};
      if (!dtypeOf(tensor.GetElementType(), p.dtype)) return false;
      out.push_back(std::move(p));
      return true;
    };
    for (std::size_t i = 0; i < session.GetInputCount(); ++i)
      if (!port(session.GetInputNameAllocated(i, allocator), session.GetInputTypeInfo(i), inputs)) return unsupported();
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i)
      if (!port(session.GetOutputNameAllocated(i, allocator), session.GetOutputTypeInfo(i), outputs)) return unsupported();
    return {};
  }
  Failure unsupported() const {
    return {FailureKind::UnsupportedFormat, {{"path", path}}, QStringLiteral("an input or output is not a numeric tensor")};
  }

  template <typename Make>
  static Result<Session> make(const QString& path, const SessionOptions& options, Make create) {
    try {
      auto impl = std::make_unique<Impl>();
      impl->path = path;
      Environment& process = environment();
      impl->threads = options.threads > 0 ? options.threads : process.threads;
      Ort::SessionOptions o;
      if (impl->threads == process.threads) {
        o.DisablePerSessionThreads();
      } else {
        o.SetIntraOpNumThreads(impl->threads);
        o.SetInterOpNumThreads(1);
      }
      o.SetGraphOptimizationLevel(options.optimise ? ORT_ENABLE_ALL : ORT_DISABLE_ALL);
      if (!options.saveOptimised.isEmpty()) o.SetOptimizedModelFilePath(QFile::encodeName(options.saveOptimised).constData());
      impl->session = create(process.env, o);
      if (auto ok = impl->describe(); !ok) return ok.error();
      return Session(std::move(impl));
    } catch (const Ort::Exception& e) {
      return loadFailure(path, e);
    }
  }
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::open(const QString& path, const SessionOptions& options) {
  if (!QFile::exists(path)) return Failure{FailureKind::NotFound, {{"path", path}}, {}};
  return Impl::make(path, options,
                    [&](Ort::Env& env, Ort::SessionOptions& o) { return Ort::Session(env, QFile::encodeName(path).constData(), o); });
}

Result<Session> Session::fromModel(const Model& model, const SessionOptions& options) {
  const std::string bytes = serialize(model);
  return Impl::make(QString::fromStdString(model.graphName), options,
                    [&](Ort::Env& env, Ort::SessionOptions& o) { return Ort::Session(env, bytes.data(), bytes.size(), o); });
}

const std::vector<Port>& Session::inputs() const { return impl_->inputs; }
const std::vector<Port>& Session::outputs() const { return impl_->outputs; }
int Session::threads() const { return impl_->threads; }

Result<std::vector<HostTensor>> Session::run(const std::map<std::string, TensorView>& inputs, const std::vector<std::string>& wanted) {
  try {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::vector<const char*> inputNames, outputNames;
    std::vector<Ort::Value> values;
    for (const auto& [name, view] : inputs) {
      inputNames.push_back(name.c_str());
      // ONNX Runtime takes a writable pointer and does not write to inputs.
      values.push_back(Ort::Value::CreateTensor(memory, const_cast<std::byte*>(view.data), view.bytes, view.shape.data(), view.shape.size(),
                                                onnxTypeOf(view.dtype)));
    }
    if (wanted.empty())
      for (const Port& p : impl_->outputs) outputNames.push_back(p.name.c_str());
    for (const std::string& name : wanted) outputNames.push_back(name.c_str());
    const auto results = impl_->session.Run(Ort::RunOptions{nullptr}, inputNames.data(), values.data(), values.size(), outputNames.data(),
                                            outputNames.size());
    std::vector<HostTensor> out;
    for (const Ort::Value& value : results) {
      const auto info = value.GetTensorTypeAndShapeInfo();
      HostTensor t;
      if (!dtypeOf(info.GetElementType(), t.dtype)) return impl_->unsupported();
      t.shape = info.GetShape();
      const auto* first = static_cast<const std::byte*>(value.GetTensorRawData());
      t.bytes.assign(first, first + info.GetElementCount() * dtypeSize(t.dtype));
      out.push_back(std::move(t));
    }
    return out;
  } catch (const Ort::Exception& e) {
    return Failure{FailureKind::Internal, {{"path", impl_->path}}, QString::fromUtf8(e.what())};
  }
}

Result<HostTensor> Session::run(const TensorView& image, const std::string& output) {
  auto all = run({{impl_->inputs.front().name, image}}, {output});
  if (!all) return all.error();
  return std::move(all->front());
}

QJsonObject Latency::toJson(const QString& runtime, const QString& precision) const {
  return {{"runtime", runtime}, {"precision", precision}, {"batch", batch},          {"p50", p50}, {"p95", p95}, {"p99", p99},
          {"threads", threads}, {"warmup", warmup},       {"iterations", iterations}};
}

double percentile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = q / 100 * double(values.size() - 1);
  const auto low = std::size_t(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - double(low)) * (values[high] - values[low]);
}

Latency latencyOf(std::vector<double> milliseconds) {
  Latency l;
  l.iterations = int(milliseconds.size());
  if (milliseconds.empty()) return l;
  l.mean = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0) / double(milliseconds.size());
  l.p50 = percentile(milliseconds, 50);
  l.p95 = percentile(milliseconds, 95);
  l.p99 = percentile(std::move(milliseconds), 99);
  return l;
}

std::vector<Latency> measureInterleaved(const std::vector<std::function<bool()>>& calls, int warmup, int iterations,
                                        const std::function<bool()>& between) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(calls.size());
  std::vector<bool> alive(calls.size(), true);
  bool going = true;
  for (int round = -warmup; round < iterations && going; ++round)
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (!alive[i]) continue;
      const auto start = Clock::now();
      alive[i] = calls[i]();
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      if (round >= 0 && alive[i]) times[i].push_back(ms);
      going = !between || between();
      if (!going) break;
    }
  std::vector<Latency> out;
  for (auto& t : times) {
    out.push_back(latencyOf(std::move(t)));
    out.back().warmup = warmup;
  }
  return out;
}

}  // namespace cloister::onnx
