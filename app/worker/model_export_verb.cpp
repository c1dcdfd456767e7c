// model-export: a language model as ONNX, compared with the model it came from before it is handed out.
#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <QFileInfo>

#include "app/worker/gguf_vocabulary.h"
#include "app/worker/judged_texts.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/staged_folder.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/engine/models/decoder/decoder_model.h"
#include "core/engine/models/tensor_types.h"
#include "core/onnx/decoder_graph.h"
#include "core/onnx/decoder_session.h"
#include "core/onnx/quantize.h"
#include "core/tensors/decoder_gguf.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

struct ExportRequest {
  QString from, to, quantize;
  bool genai = false, gguf = false;
  int block = 32;
  std::int64_t context = 0, steps = 64;
  double limit = 0;   ///< largest allowed rise of perplexity, a share
  QString textsPath;  ///< empty: no text to judge by

  bool blocks() const { return quantize == u"int4" || quantize == u"int8"; }
  bool quantized() const { return blocks() || quantize == u"dynamic-int8"; }
};

ExportRequest readRequest(const QStringList& arguments) {
  const auto one = [&](const char* name, const QStringList& allowed) {
    const QString given = option(arguments, QLatin1String(name), false, allowed.first());
    if (allowed.contains(given)) return given;
    throw EngineFailure(
        {FailureKind::InvalidArgument, {{"name", QString("--") + name}, {"value", given}, {"allowed", allowed.join(", ")}}, {}});
  };
  ExportRequest r;
  r.from = option(arguments, "model");
  r.to = option(arguments, "to");
  const QString variant = one("variant", {"standard", "genai", "gguf"});
  r.genai = variant == u"genai";
  r.gguf = variant == u"gguf";
  r.quantize = r.gguf ? one("quantize", {"none", "fp16", "q8_0"}) : one("quantize", {"none", "fp16", "dynamic-int8", "int8", "int4"});
  r.block = one("block", {"32", "16", "64", "128", "256"}).toInt();
  r.context = option(arguments, "context", false, "0").toLongLong();
  r.textsPath = option(arguments, "texts", false, {});
  // Eight bits should cost next to nothing; four may cost more (docs/decisions/0055).
  r.limit = option(arguments, "limit", false, r.quantize == u"int4" ? "0.05" : "0.01").toDouble();
  return r;
}

std::map<std::string, TensorView> viewsOf(const NamedTensors& tensors) {
  std::map<std::string, TensorView> views;
  for (const auto& [name, t] : tensors)
    views[name] = {dtypeOf(t.scalar_type()), t.sizes().vec(), static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()};
  return views;
}

onnx::Model buildGraph(const DecoderFolder& folder, const ExportRequest& r) {
  onnx::DecoderGraphOptions options;
  options.variant = r.genai ? onnx::DecoderVariant::GenAi : onnx::DecoderVariant::Standard;
  options.weights = r.quantize == u"fp16" ? onnx::ElementType::Float16 : onnx::ElementType::Float;
  options.context = r.context;
  options.separateHead = r.quantized();
  const auto views = viewsOf(folder.tensors);
  onnx::Model model = orThrow(onnx::buildDecoder(folder.config, views, r.from, options));
  if (r.quantize == u"dynamic-int8") return onnx::quantizeDynamic(model);
  if (!r.blocks()) return model;
  onnx::BlockOptions blocks;
  blocks.block = r.block;
  // Half a nibble saved on the head, the matrix that decides between tokens, is paid for dearly: it keeps eight bits.
  blocks.bits = 8;
  if (r.quantize == u"int4") {
    for (const onnx::Node& n : model.nodes)
      if (n.op == "MatMul" && n.name != "lm_head") blocks.keepFloat.insert(n.name);
    model = orThrow(onnx::quantizeBlocks(model, blocks));
    blocks.keepFloat.clear();
    blocks.bits = 4;
  }
  return orThrow(onnx::quantizeBlocks(model, blocks));
}

/// The model itself on one sequence, with its cache.
class Original {
 public:
  explicit Original(DecoderFolder& folder) : model_(folder.config, folder.tensors), cache_(folder.config.layers) {}
  std::vector<float> feed(const Tokens& tokens) {
    at::NoGradGuard noGrad;
    const at::Tensor ids = at::tensor(tokens, at::kLong).unsqueeze(0);
    const at::Tensor logits = model_.logits(model_.hidden({.ids = ids}, &cache_)).to(at::kFloat).contiguous();
    const float* first = logits.const_data_ptr<float>();
    return {first, first + logits.numel()};
  }
  void reset() { cache_ = DecoderCache(model_.config().layers); }
  DecoderModel& model() { return model_; }

 private:
  DecoderModel model_;
  DecoderCache cache_;
};

struct Parity {
  double maxAbs = 0, range = 0;
  int agree = 0, steps = 0;
  void add(const std::vector<float>& ours, const std::vector<float>& theirs, std::int64_t vocabulary) {
    const auto last = [&](const std::vector<float>& v) { return std::span(v).subspan(v.size() - std::size_t(vocabulary)); };
    const auto a = last(ours), b = last(theirs);
    const auto [low, high] = std::minmax_element(a.begin(), a.end());
    range = std::max(range, double(*high) - double(*low));
    for (std::size_t i = 0; i < a.size(); ++i) maxAbs = std::max(maxAbs, std::abs(double(a[i]) - double(b[i])));
    agree += onnx::largest(a) == onnx::largest(b);
    ++steps;
  }
};

/// Both continue the prompt with the tokens that the model itself prefers, so that a step cannot hide what the one before it did.
Parity compare(Original& original, onnx::DecoderSession& exported, Tokens next, std::int64_t steps, std::int64_t vocabulary,
               const Say& say) {
  Parity p;
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::vector<float> ours = original.feed(next), theirs = orThrow(exported.feed(next));
    p.add(ours, theirs, vocabulary);
    next = {onnx::largest(std::span(ours).subspan(ours.size() - std::size_t(vocabulary)))};
    say({{"type", "progress"}, {"phase", "parity"}, {"done", qint64(i + 1)}, {"total", qint64(steps)}});
  }
  return p;
}

struct Perplexities {
  double original = 0, exported = 0;
  std::int64_t tokens = 0;
  double rise() const { return exported / original - 1; }
};

Perplexities judge(Original& original, onnx::DecoderSession& exported, const std::vector<Tokens>& texts, std::int64_t vocabulary,
                   const Say& say) {
  onnx::TokenLoss a, b;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    original.reset();
    exported.reset();
    a.add(original.feed(texts[i]), texts[i], vocabulary);
    b.add(orThrow(exported.feed(texts[i])), texts[i], vocabulary);
    say({{"type", "progress"}, {"phase", "perplexity"}, {"done", qint64(i + 1)}, {"total", qint64(texts.size())}});
  }
  return {std::exp(a.mean()), std::exp(b.mean()), a.tokens};
}

/// The start that every text of the model has, else its first token.
Tokens defaultPrompt(const DecoderConfig& c) { return {c.bos.value_or(0)}; }

/// F16 (none and fp16 mean the same here) or Q8_0. Nothing of ours runs such a file, so nothing is said about its quality.
QJsonObject exportGguf(const ExportRequest& r, const Say& say) {
  const DecoderFolder folder = readDecoderFolder(r.from, WeightsAs::Stored);
  const bool eight = r.quantize == u"q8_0";
  const auto views = viewsOf(folder.tensors);
  GgufModel model =
      orThrow(decoderGguf(folder.config, views, r.from, QFileInfo(r.from).fileName(), eight ? GgufType::Q8_0 : GgufType::F16));
  const GgufMetadata vocabulary = ggufVocabulary(r.from, folder.config);
  model.metadata.insert(model.metadata.end(), vocabulary.begin(), vocabulary.end());
  StagedFolder staged = orThrow(StagedFolder::begin(r.to));
  const QString file = staged.path() + "/model.gguf";
  orThrow(writeGguf(file, model.metadata, model.tensors, [&](std::size_t done, std::size_t total) {
    say({{"type", "progress"}, {"phase", "write"}, {"done", qint64(done)}, {"total", qint64(total)}});
  }));
  const QJsonObject report{{"format", 1},
                           {"file", "model.gguf"},
                           {"variant", "gguf"},
                           {"quantize", eight ? "q8_0" : "fp16"},
                           {"context", qint64(folder.config.context)},
                           {"bytes", QFileInfo(file).size()},
                           {"sha256", orThrow(sha256OfFile(file))}};
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

QJsonObject exportModel(const ExportRequest& r, const Say& say) {
  DecoderFolder folder = readDecoderFolder(r.from, WeightsAs::Stored);
  const DecoderConfig config = folder.config;
  std::vector<Tokens> texts;
  if (!r.textsPath.isEmpty())
    for (TokenText& t : readJudgedTexts(r.textsPath, r.from, config)) texts.push_back(std::move(t.ids));
  const std::int64_t context = r.context > 0 ? r.context : config.context;
  for (const Tokens& t : texts)
    if (std::int64_t(t.size()) > context)
      throw EngineFailure({FailureKind::InvalidArgument,
                           {{"name", "--texts"}, {"value", qint64(t.size())}, {"allowed", QString("at most %1 tokens").arg(context)}},
                           {}});

  StagedFolder staged = orThrow(StagedFolder::begin(r.to));
  const QString file = staged.path() + "/model.onnx";
  say({{"type", "phase"}, {"phase", "write"}});
  {
    const onnx::Model model = buildGraph(folder, r);
    orThrow(onnx::writeModel(model, file));
  }
  qint64 bytes = QFileInfo(file).size();
  if (const QFileInfo data(file + ".data"); data.exists()) bytes += data.size();

  // What is compared is the finished file, read back; with float32 arithmetic on our side whatever the weights' type.
  for (auto& [name, t] : folder.tensors) t = t.to(at::kFloat);
  Original original(folder);
  onnx::DecoderSession exported = orThrow(onnx::DecoderSession::open(file, config));
  Tokens prompt = texts.empty() ? defaultPrompt(config) : texts.front();
  prompt.resize(std::min<std::size_t>(prompt.size(), 32));
  const std::int64_t steps = std::min<std::int64_t>(r.steps, context - std::int64_t(prompt.size()));
  const Parity parity = compare(original, exported, prompt, steps, config.vocabulary, say);
  const double tolerance = parity.range * (r.quantize == u"none" ? 1e-4 : r.quantize == u"fp16" ? 1e-2 : 1.0);

  QJsonObject report{{"format", 1},
                     {"file", "model.onnx"},
                     {"variant", r.genai ? "genai" : "standard"},
                     {"quantize", r.quantize},
                     {"context", qint64(context)},
                     {"bytes", bytes},
                     {"sha256", orThrow(sha256OfFile(file))},
                     {"parity", QJsonObject{{"steps", parity.steps},
                                            {"maxAbs", parity.maxAbs},
                                            {"logitRange", parity.range},
                                            {"tolerance", tolerance},
                                            {"sameToken", parity.agree}}}};
  if (r.blocks()) report["block"] = r.block;
  bool passed = parity.maxAbs <= tolerance;
  if (!texts.empty()) {
    const Perplexities p = judge(original, exported, texts, config.vocabulary, say);
    report["perplexity"] = QJsonObject{
        {"original", p.original}, {"exported", p.exported}, {"rise", p.rise()}, {"limit", r.limit}, {"tokens", qint64(p.tokens)}};
    if (r.quantized()) passed = p.rise() <= r.limit;
  }
  // A quantized model without a text to judge by is neither good nor bad.
  if (!r.quantized() || !texts.empty()) report["passed"] = passed;
  if (r.genai) orThrow(writeJsonAtomically(staged.path() + "/genai_config.json", onnx::genaiConfig(config, "model.onnx", context)));
  orThrow(writeJsonAtomically(staged.path() + "/config.json", config.toJson()));
  copyCompanionFiles(r.from, staged.path());
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

}  // namespace

int modelExportVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const ExportRequest request = readRequest(arguments);
    QJsonObject report = request.gguf ? exportGguf(request, say) : exportModel(request, say);
    report["type"] = "finished";
    say(report);
  });
}

}  // namespace cloister
