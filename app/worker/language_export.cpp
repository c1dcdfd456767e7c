#include "app/worker/language_export.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <QFileInfo>

#include "app/worker/gguf_vocabulary.h"
#include "app/worker/language_sections.h"
#include "core/domain/files.h"
#include "core/domain/staged_folder.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/tensor_types.h"
#include "core/onnx/decoder_graph.h"
#include "core/onnx/decoder_session.h"
#include "core/onnx/quantize.h"
#include "core/tensors/decoder_gguf.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

std::map<std::string, TensorView> viewsOf(const NamedTensors& tensors) {
  std::map<std::string, TensorView> views;
  for (const auto& [name, t] : tensors)
    views[name] = {dtypeOf(t.scalar_type()), t.sizes().vec(), static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()};
  return views;
}

onnx::Model buildGraph(const DecoderFolder& folder, const LanguageExportRequest& r) {
  onnx::DecoderGraphOptions options;
  options.variant = r.genai ? onnx::DecoderVariant::GenAi : onnx::DecoderVariant::Standard;
  options.weights = r.quantize == u"fp16" ? onnx::ElementType::Float16 : onnx::ElementType::Float;
  options.context = r.context;
  options.separateHead = r.quantized();
  const auto views = viewsOf(folder.tensors);
  onnx::Model model = orThrow(onnx::buildDecoder(folder.config, views, r.name, options));
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
  model = orThrow(onnx::quantizeBlocks(model, blocks));
  if (r.floatEmbedding) return model;
  // A head that is the same matrix has been cut in blocks already; one copy serves both.
  return orThrow(onnx::quantizeRows(model, "embedding", blocks, folder.config.tiedEmbeddings ? "lm_head" : ""));
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
               const ExportProgress& say) {
  Parity p;
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::vector<float> ours = original.feed(next), theirs = orThrow(exported.feed(next));
    p.add(ours, theirs, vocabulary);
    next = {onnx::largest(std::span(ours).subspan(ours.size() - std::size_t(vocabulary)))};
    say("parity", qint64(i + 1), qint64(steps));
  }
  return p;
}

struct Perplexities {
  double original = 0, exported = 0;
  std::int64_t tokens = 0;
  double rise() const { return exported / original - 1; }
};

/// Only the judged tokens count, each by the logits of the one before it.
void addJudged(onnx::TokenLoss& loss, const std::vector<float>& logits, const TokenText& text, std::int64_t vocabulary) {
  const auto n = std::int64_t(text.ids.size());
  for (std::int64_t i = std::max<std::int64_t>(text.answer, 1); i < n; ++i) {
    if (!text.counts.empty() && text.counts[std::size_t(i)] == 0) continue;
    const std::array pair{text.ids[std::size_t(i - 1)], text.ids[std::size_t(i)]};
    loss.add(std::span(logits).subspan(std::size_t((i - 1) * vocabulary), std::size_t(2 * vocabulary)), pair, vocabulary);
  }
}

Perplexities judge(Original& original, onnx::DecoderSession& exported, const std::vector<TokenText>& texts, std::int64_t vocabulary,
                   const ExportProgress& say) {
  onnx::TokenLoss a, b;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    original.reset();
    exported.reset();
    addJudged(a, original.feed(texts[i].ids), texts[i], vocabulary);
    addJudged(b, orThrow(exported.feed(texts[i].ids)), texts[i], vocabulary);
    say("perplexity", qint64(i + 1), qint64(texts.size()));
  }
  return {std::exp(a.mean()), std::exp(b.mean()), a.tokens};
}

/// The start that every text of the model has, else its first token.
Tokens defaultPrompt(const DecoderConfig& c) { return {c.bos.value_or(0)}; }

/// F16 (none and fp16 mean the same here), Q8_0 or Q4_0. Nothing of ours runs such a file, so nothing is said about its quality.
QJsonObject exportGguf(const LanguageExportRequest& r, const ExportProgress& say) {
  const DecoderFolder folder = r.weights();
  const GgufType type = r.quantize == u"q8_0" ? GgufType::Q8_0 : r.quantize == u"q4_0" ? GgufType::Q4_0 : GgufType::F16;
  const auto views = viewsOf(folder.tensors);
  GgufModel model = orThrow(decoderGguf(folder.config, views, r.name, r.name, type));
  const GgufMetadata vocabulary = ggufVocabulary(r.companions, folder.config);
  model.metadata.insert(model.metadata.end(), vocabulary.begin(), vocabulary.end());
  StagedFolder staged = orThrow(StagedFolder::begin(r.to));
  const QString file = staged.path() + "/model.gguf";
  orThrow(writeGguf(file, model.metadata, model.tensors,
                    [&](std::size_t done, std::size_t total) { say("write", qint64(done), qint64(total)); }));
  const QJsonObject report{{"format", 1},
                           {"file", "model.gguf"},
                           {"variant", "gguf"},
                           {"quantize", type == GgufType::F16 ? QStringLiteral("fp16") : r.quantize},
                           {"context", qint64(folder.config.context)},
                           {"bytes", QFileInfo(file).size()},
                           {"sha256", orThrow(sha256OfFile(file))}};
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

/// The exported model beside the one it came from, in float32 and in turn.
QJsonArray latencyOf(const LanguageExportRequest& r, const DecoderFolder& folder, onnx::DecoderSession exported, const Tokens& prompt,
                     std::int64_t context, const ExportProgress& say) {
  std::vector<TimedModel> both;
  both.push_back(timedSession(std::make_shared<onnx::DecoderSession>(std::move(exported)),
                              r.quantize == u"none" ? QStringLiteral("fp32") : r.quantize, folder.config.vocabulary));
  both.push_back(timedEngine(std::make_shared<DecoderModel>(folder.config, folder.tensors), "fp32", 1));
  return latencySection(std::move(both), prompt, context, r.rounds, [&](std::int64_t done, std::int64_t total) {
    say("latency", done, total);
    return true;
  });
}

QJsonObject exportModel(const LanguageExportRequest& r, const ExportProgress& say) {
  DecoderFolder folder = r.weights();
  const DecoderConfig config = folder.config;
  const std::vector<TokenText> texts = r.texts ? r.texts(config) : std::vector<TokenText>();
  const std::int64_t context = r.context > 0 ? r.context : config.context;
  for (const TokenText& t : texts)
    if (std::int64_t(t.ids.size()) > context)
      throw EngineFailure({FailureKind::InvalidArgument,
                           {{"name", "--texts"}, {"value", qint64(t.ids.size())}, {"allowed", QString("at most %1 tokens").arg(context)}},
                           {}});

  StagedFolder staged = orThrow(StagedFolder::begin(r.to));
  const QString file = staged.path() + "/model.onnx";
  say("write", 0, 0);
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
  Tokens prompt = texts.empty() ? defaultPrompt(config) : texts.front().ids;
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
  if (r.blocks()) {
    report["block"] = r.block;
    report["embedding"] = r.floatEmbedding ? "float" : "blocks";
  }
  bool passed = parity.maxAbs <= tolerance;
  if (!texts.empty()) {
    const Perplexities p = judge(original, exported, texts, config.vocabulary, say);
    report["perplexity"] = QJsonObject{
        {"original", p.original}, {"exported", p.exported}, {"rise", p.rise()}, {"limit", r.limit}, {"tokens", qint64(p.tokens)}};
    if (r.quantized()) passed = p.rise() <= r.limit;
  }
  // A quantized model without a text to judge by is neither good nor bad.
  if (!r.quantized() || !texts.empty()) report["passed"] = passed;
  if (r.rounds > 0) report["latency"] = latencyOf(r, folder, std::move(exported), prompt, context, say);
  if (r.genai) orThrow(writeJsonAtomically(staged.path() + "/genai_config.json", onnx::genaiConfig(config, "model.onnx", context)));
  orThrow(writeJsonAtomically(staged.path() + "/config.json", config.toJson()));
  copyCompanionFiles(r.companions, staged.path());
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

}  // namespace

double defaultRiseLimit(const QString& quantize) { return quantize == u"int4" ? 0.05 : 0.01; }

QJsonObject exportLanguage(const LanguageExportRequest& r, const ExportProgress& say) {
  return r.gguf ? exportGguf(r, say) : exportModel(r, say);
}

}  // namespace cloister
