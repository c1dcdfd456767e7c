// The latency part of an evaluation: LibTorch in float32 and bfloat16, and every exported candidate in ONNX Runtime, interleaved round by
// round so that a slow moment of the machine hits all of them alike. One batch of real samples, decoding not included.
#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <QDir>

#include "app/worker/evaluate_job.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/precision.h"
#include "core/onnx/session.h"

namespace cloister {
namespace {

constexpr int kWarmup = 5;

struct Timed {
  QString runtime, precision;
  int threads = 1;
  std::function<bool()> call;
};

/// The exported candidates that lie beside the evaluation; "fp32" as file name is the precision's name.
std::vector<std::pair<QString, std::shared_ptr<onnx::Session>>> openCandidates(const EvaluateJob& job, EvaluateProgress& progress) {
  std::vector<std::pair<QString, std::shared_ptr<onnx::Session>>> out;
  onnx::SessionOptions options;
  options.threads = job.threads;
  for (const char* name : {"fp32", "fp16", "int8-dynamic", "int8-static"}) {
    const QString path = QStringLiteral("%1/export/%2.onnx").arg(job.runDir, QLatin1String(name));
    if (!QFile::exists(path)) continue;
    auto session = onnx::Session::open(path, options);
    if (session) out.emplace_back(QLatin1String(name), std::make_shared<onnx::Session>(std::move(session).value()));
    else progress.warn("candidate_not_timed", describe(session.error()));
  }
  return out;
}

std::vector<Timed> callsFor(EvaluateJob& job, const at::Tensor& images,
                            const std::vector<std::pair<QString, std::shared_ptr<onnx::Session>>>& candidates) {
  std::vector<Timed> out;
  for (const bool bf16 : {false, true})
    out.push_back({"libtorch", bf16 ? "bf16" : "fp32", job.threads, [model = job.models[0], images, bf16] {
                     EvaluateProgress::throwIfStopped();
                     const at::NoGradGuard off;
                     const Autocast autocast(bf16);
                     return model->forward(images).size(0) > 0;
                   }});
  const TensorView view{DType::F32, images.sizes().vec(), static_cast<const std::byte*>(images.const_data_ptr()), images.nbytes()};
  for (const auto& [name, session] : candidates)
    out.push_back({"onnxruntime", name, session->threads(), [session, images, view] {
                     EvaluateProgress::throwIfStopped();
                     return bool(session->run(view, "logits"));
                   }});
  return out;
}

/// Rounds that fit the time given; a p99 of fewer than twenty would be the maximum in disguise, so never fewer.
int rounds(const std::vector<std::function<bool()>>& calls, double seconds) {
  QElapsedTimer timer;
  timer.start();
  for (const auto& call : calls) call();
  for (const auto& call : calls) call();
  const double one = std::max(1e-6, static_cast<double>(timer.nsecsElapsed()) / 2e9);
  return std::clamp(static_cast<int>(seconds / one), 20, 500);
}

}  // namespace

QJsonArray latencySection(EvaluateJob& job, EvaluateProgress& progress) {
  progress.phase("timing");
  at::set_num_threads(job.threads);  // one call at a time: here every thread works on it
  const auto candidates = openCandidates(job, progress);
  QJsonArray out;
  const int batches[] = {1, 8};
  qint64 done = 0;
  for (const int batch : batches) {
    std::vector<std::size_t> rows(static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i % job.set.count();
    const at::Tensor images = job.set.images(rows).contiguous();
    const std::vector<Timed> timed = callsFor(job, images, candidates);
    std::vector<std::function<bool()>> calls;
    for (const Timed& t : timed) calls.push_back(t.call);
    auto results = onnx::measureInterleaved(calls, kWarmup, rounds(calls, job.options.latencySeconds / 2.0));
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i].batch = batch;
      results[i].threads = timed[i].threads;
      out.append(results[i].toJson(timed[i].runtime, timed[i].precision));
    }
    progress.at(++done, 2);
  }
  return out;
}

}  // namespace cloister
