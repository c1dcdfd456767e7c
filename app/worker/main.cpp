// cloister-worker: trains, evaluates and exports in a process of its own. Reads a run folder, writes into it, prints nothing that anyone
// has to parse except `plan`. Exit codes: WorkerExit (core/domain/run_spec.h).
#include <malloc.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include <QCoreApplication>

#include "app/worker/adapter_show_verb.h"
#include "app/worker/verbs.h"
#include "core/domain/run_spec.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"

namespace {

struct Row {
  const char* name;
  int (*run)(const QStringList&);
  const char* usage;
};

constexpr Row kVerbs[] = {
    {"train", cloister::trainVerb, "--run DIR --attempt N [--stop-code N, instead of 10 after a stop as asked]"},
    {"evaluate", cloister::evaluateVerb, "--run DIR (options in DIR/evaluation/request.json)"},
    {"plan", cloister::planVerb, "--request FILE (prints a FitReport)"},
    {"export", cloister::exportVerb, "--run DIR"},
    {"export-graph", cloister::exportGraphVerb, "--request FILE (weights to ONNX without a run)"},
    {"run", cloister::runVerb, "--model FILE.onnx --input FILE.safetensors --to FILE.safetensors [--threads N]"},
    {"init", cloister::initVerb, "--request FILE --to FILE.safetensors (writes initial weights)"},
    {"logits", cloister::logitsVerb, "--weights FILE --input FILE.safetensors --to FILE.safetensors [--precision fp32|bf16]"},
    {"model-show", cloister::modelShowVerb, "--model DIR (checks a language model and prints what it is)"},
    {"adapter-show", cloister::adapterShowVerb, "--request FILE (a LoRA adapter and models: which of them it fits)"},
    {"model-import", cloister::modelImportVerb, "--model DIR --to DIR [--adapter DIR] [--dtype stored|float32|bfloat16] [--shard-bytes N]"},
    {"model-logits", cloister::modelLogitsVerb,
     "--model DIR [--adapter DIR] --ids FILE.json --to FILE.safetensors [--precision stored|fp32|bf16] [--path automatic|plain|absorbed] "
     "[--cached N]"},
    {"model-export", cloister::modelExportVerb,
     "--model DIR --to DIR [--variant standard|genai] [--quantize none|fp16|dynamic-int8|int8|int4] [--block N] [--embedding blocks|float] "
     "[--context N] "
     "[--texts FILE] "
     "[--limit SHARE]"},
    {"generate", cloister::generateVerb, "--request FILE (prints each token as a JSON line)"},
    {"filter-logits", cloister::filterLogitsVerb, "--input FILE.safetensors --settings JSON --to FILE.safetensors"},
    {"model-plan", cloister::modelPlanVerb, "--model DIR --request FILE (options and cards; reads config.json only)"},
    {"model-train", cloister::modelTrainVerb, "--request FILE (prepared texts to a model, without a project)"},
    {"model-evaluate", cloister::modelEvaluateVerb, "--request FILE [--to FILE.json] [--html FILE [--language en|zh_CN]]"},
    {"hardware", cloister::hardwareVerb, "(prints what LibTorch finds on this machine as JSON, graphics cards included)"},
};

int usage(std::FILE* out) {
  std::fprintf(out, "cloister-worker %s\n", qUtf8Printable(cloister::programVersion()));
  for (const Row& row : kVerbs) std::fprintf(out, "  cloister-worker %s %s\n", row.name, row.usage);
  return out == stdout ? 0 : int(cloister::WorkerExit::InvalidSpec);
}

/// Whether whoever started this worker has said on disk that it exists (kStartGateVariable).
bool startIsRecorded() {
  bool given = false;
  const int gate = qEnvironmentVariableIntValue(cloister::kStartGateVariable, &given);
  if (!given) return true;
  qunsetenv(cloister::kStartGateVariable);
  char token = 0;
  ssize_t got;
  do got = ::read(gate, &token, 1);
  while (got < 0 && errno == EINTR);
  ::close(gate);
  return got == 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (!startIsRecorded()) {
    std::fprintf(stderr, "The program that started this worker ended before it had written worker.json; nothing was done.\n");
    return int(cloister::WorkerExit::Failed);
  }
  // A training step frees and asks for the same tensors again and again: keep their memory instead of giving it back each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  QCoreApplication app(argc, argv);
  QCoreApplication::setApplicationName("cloister-worker");
  const QStringList arguments = QCoreApplication::arguments();
  if (arguments.size() < 2) return usage(stderr);
  if (arguments[1] == u"--help") return usage(stdout);
  if (arguments[1] == u"--version")
    return std::printf("%s %s\n", qUtf8Printable(cloister::programVersion()), qUtf8Printable(cloister::codeCommit())) < 0;
  for (const Row& row : kVerbs) {
    if (arguments[1] != QLatin1String(row.name)) continue;
    try {
      return row.run(arguments.mid(2));
    } catch (const cloister::EngineFailure& e) {
      std::fprintf(stderr, "%s %s\n", e.what(), qUtf8Printable(e.failure().detail));
      return int(cloister::exitFor(e.failure()));
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      return int(cloister::WorkerExit::Failed);
    }
  }
  return usage(stderr);
}
