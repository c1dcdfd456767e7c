#include "core/domain/language_plan.h"

#include <algorithm>
#include <array>

#include <QJsonArray>

namespace cloister {
namespace {

constexpr std::int64_t kDriver = 1'000'000'000, kCollectives = 1'000'000'000;
constexpr std::int64_t kLossChunk = 1024;
constexpr int kLogitCopies = 3;  // the logits, their logarithmic softmax and their gradient, all float32
constexpr double kFragmentation = 0.08;
constexpr std::int64_t kLibraries = 165 << 20;  // processor: LibTorch and the worker, before the first tensor
constexpr double kBackwardWork = 0.25;          // processor: gradients on their way and holes in the heap, of activations and logits
constexpr std::int64_t kLossElements = 8 << 20, kLeastRows = 64, kMostRows = 4096;  // of chunked_loss.cpp
constexpr int kMostCards = 4096;

const QStringList kMethods{"full", "lora", "qlora", "generate"};
const QStringList kPrecisions{"mixed", "autocast", "bf16", "fp32"};

/// Bytes a parameter.
struct StateBytes {
  std::int64_t weights, gradients, optimizer;
};

StateBytes stateBytes(LanguagePrecision precision) {
  switch (precision) {
    case LanguagePrecision::Mixed:
      return {2, 2, 12};
    case LanguagePrecision::Autocast:
      return {6, 4, 8};
    case LanguagePrecision::Bf16:
      return {2, 2, 4};
    case LanguagePrecision::Fp32:
      return {4, 4, 8};
  }
  return {};
}

bool isFloat32(const LanguagePlanOptions& o) {
  return o.precision == LanguagePrecision::Fp32 &&
         (o.processor || o.method == LanguageMethod::Full || o.method == LanguageMethod::Generate);
}

std::int64_t gatedWidth(const DecoderConfig& c, std::int64_t layer) {
  return c.isMoeLayer(layer) ? (c.expertsPerToken + c.sharedExperts) * c.expertIntermediate : c.intermediate;
}

/// Elements that a layer keeps for backward, for one token. LLaMA: input, two norms, the sum between, q, k, v, what attention gives; gate,
/// up, their activation and product.
std::int64_t keptByLayer(const DecoderConfig& c, std::int64_t layer) {
  const std::int64_t attention = c.hasMla()
                                     ? c.qLoraRank + c.kvLoraRank + c.qkRopeDim + 2 * c.heads * c.queryDim() + 2 * c.heads * c.valueDim()
                                     : 2 * c.heads * c.headDim + 2 * c.kvHeads * c.headDim;
  const std::int64_t width = gatedWidth(c, layer);
  const std::int64_t router = c.isMoeLayer(layer) ? 2 * c.routedExperts : 0;
  return 4 * c.hidden + attention + 4 * width + router;
}

std::int64_t shared(std::int64_t bytes, bool isShared, int cards) { return isShared ? (bytes + cards - 1) / cards : bytes; }

// Of one weight in four bits: nibbles, a byte for 64 of them, a float for 256 of those bytes, and their mean (Nf4Weight::bytes).
std::int64_t fourBits(std::int64_t elements) {
  const std::int64_t blocks = (elements + 63) / 64;
  return (elements + 1) / 2 + blocks + (blocks + 255) / 256 * 4 + 4;
}

// As the file holds it and LoRA in bfloat16 keeps it.
std::int64_t stored(const DecoderConfig& c, const DecoderTensor& t) {
  if (c.fp8BlockRows < 1) return 2 * t.elements();
  return t.elements() + (t.shape[0] + c.fp8BlockRows - 1) / c.fp8BlockRows * ((t.shape[1] + c.fp8BlockColumns - 1) / c.fp8BlockColumns) * 4;
}

void addStates(const LanguageSizes& s, const LanguagePlanOptions& o, LanguageMemory& m) {
  const bool adapters = o.method == LanguageMethod::Lora || o.method == LanguageMethod::Qlora;
  const std::int64_t trained = trainedParameters(s, o);
  const StateBytes bytes = stateBytes(adapters ? LanguagePrecision::Mixed : o.precision);
  std::int64_t base = 0;
  if (o.method == LanguageMethod::Lora) base = 2 * (s.parameters - s.linear) + s.storedBytes;
  if (o.method == LanguageMethod::Qlora) base = 2 * (s.parameters - s.linear) + s.fourBitBytes;
  if (o.method == LanguageMethod::Generate) {
    m.weights = (isFloat32(o) ? 4 : 2) * s.parameters;
    return;
  }
  m.weights = shared(base + bytes.weights * trained, o.zeroStage >= 3, o.cards);
  m.gradients = shared(bytes.gradients * trained, o.zeroStage >= 2, o.cards);
  m.optimizer = shared(bytes.optimizer * trained, o.zeroStage >= 1, o.cards);
}

void addStatesOnProcessor(const LanguageSizes& s, const LanguagePlanOptions& o, LanguageMemory& m) {
  const std::int64_t trained = trainedParameters(s, o), copies = o.method == LanguageMethod::Full && !isFloat32(o) ? s.linear : 0;
  const std::int64_t base = s.parameters - s.linear, bytes = isFloat32(o) ? 4 : 2;
  m.weights = o.method == LanguageMethod::Full    ? 4 * s.parameters + 2 * copies
              : o.method == LanguageMethod::Qlora ? 4 * trained + bytes * base + s.fourBitBytes
              : isFloat32(o)                      ? 4 * trained + 4 * s.parameters
                                                  : 4 * trained + 2 * base + s.storedBytes;
  // Several micro-batches are added up in float32 beside the gradients of the last.
  m.gradients = 4 * trained - 2 * copies + (o.microBatches > 1 ? 4 * trained : 0);
  m.optimizer = 8 * trained;
}

void addActivationsOnProcessor(const LanguageSizes& s, const LanguagePlanOptions& o, LanguageMemory& m) {
  const std::int64_t tokens = o.sequence * o.batch * (o.pairs ? 2 : 1), bytes = isFloat32(o) ? 4 : 2, stream = 2 * s.layers * s.hidden;
  // An adapter's result stands beside that of its layer.
  const std::int64_t results = o.method == LanguageMethod::Full ? 0 : s.resultsPerToken;
  const std::int64_t whole = 4 * stream + bytes * (s.keptPerToken - stream - s.gatedPerToken + results);
  m.activations = tokens * (o.checkpointing ? 4 * s.layers * s.hidden + whole / std::max<std::int64_t>(1, s.layers) : whole);
  m.logits =
      std::min(tokens, std::clamp(kLossElements / std::max<std::int64_t>(1, s.vocabulary), kLeastRows, kMostRows)) * s.vocabulary * bytes;
  m.overhead = kLibraries + std::int64_t(kBackwardWork * double(m.activations + m.logits));
}

void addActivations(const LanguageSizes& s, const LanguagePlanOptions& o, LanguageMemory& m) {
  const std::int64_t tokens = o.sequence * o.batch * (o.pairs ? 2 : 1), bytes = isFloat32(o) ? 4 : 2;
  if (o.method == LanguageMethod::Generate) {
    m.activations = tokens * bytes * s.keptOfLargestLayer;
    m.logits = o.batch * s.vocabulary * 4;
    m.cache = tokens * bytes * s.cachePerToken;
    return;
  }
  m.activations = tokens * bytes * (o.checkpointing ? s.layers * s.hidden + s.keptOfLargestLayer : s.keptPerToken);
  m.logits = (o.chunkedLoss ? std::min(tokens, kLossChunk) : tokens) * s.vocabulary * 4 * kLogitCopies;
}

QJsonArray toJson(const std::vector<PlanChange>& changes) {
  QJsonArray all;
  for (const PlanChange& c : changes) all.append(QJsonObject{{"knob", c.knob}, {"value", c.value}});
  return all;
}

DecoderConfig llama175b() {
  DecoderConfig c;
  c.layers = 96;
  c.hidden = 12288;
  c.intermediate = 32768;
  c.heads = c.kvHeads = 96;
  c.headDim = 128;
  c.vocabulary = 32000;
  c.context = 4096;
  c.bos = 1;
  c.eos = {2};
  c.dtype = "bfloat16";
  return c;
}

}  // namespace

LanguageSizes LanguageSizes::of(const DecoderConfig& c, bool prediction) {
  LanguageSizes s;
  const std::int64_t ahead = prediction ? c.mtpLayers : 0;
  s.layers = c.layers + ahead;
  s.hidden = c.hidden;
  s.vocabulary = c.vocabulary;
  s.cachePerToken = c.cacheElementsPerToken();
  std::vector<std::int64_t> ofLayer(std::size_t(s.layers), 0);
  const auto count = [&](const DecoderTensor& t) {
    if (t.role == TensorRole::RouterBias) return;
    const std::int64_t elements = t.elements();
    s.parameters += elements;
    if (t.layer >= 0) ofLayer[std::size_t(t.layer)] += elements;
    else s.largestUnit = std::max(s.largestUnit, elements);
    if (t.shape.size() != 2 || (t.role != TensorRole::Attention && t.role != TensorRole::Mlp && t.role != TensorRole::Expert)) return;
    s.linear += elements;
    s.fourBitBytes += fourBits(elements);
    s.storedBytes += stored(c, t);
    if (t.role != TensorRole::Expert) s.resultsPerToken += t.shape[0];
    s.adapterPerRank += t.shape[0] + t.shape[1];
    s.largestMatrix = std::max(s.largestMatrix, elements);
  };
  c.forEachTensor(count);
  for (std::int64_t i = 0; i < ahead; ++i) {
    for (const DecoderTensor& t : c.mtpTensors(i))
      if (t.role != TensorRole::Embedding && t.role != TensorRole::Head) count(t);
    s.keptPerToken += 5 * c.hidden;  // both norms and what they read, projected
  }
  for (std::int64_t i = 0; i < s.layers; ++i) {
    s.largestUnit = std::max(s.largestUnit, ofLayer[std::size_t(i)]);
    s.keptPerToken += keptByLayer(c, i);
    s.gatedPerToken += gatedWidth(c, i);
    s.keptOfLargestLayer = std::max(s.keptOfLargestLayer, keptByLayer(c, i));
  }
  return s;
}

std::int64_t trainedParameters(const LanguageSizes& s, const LanguagePlanOptions& o) {
  if (o.method == LanguageMethod::Generate) return 0;
  return o.method == LanguageMethod::Full ? s.parameters : s.adapterPerRank * o.loraRank;
}

LanguageMemory languageMemory(const LanguageSizes& s, const LanguagePlanOptions& o) {
  LanguageMemory m;
  if (o.processor && o.method != LanguageMethod::Generate) {
    addStatesOnProcessor(s, o, m);
    addActivationsOnProcessor(s, o, m);
    if (o.method == LanguageMethod::Qlora) m.overhead += (isFloat32(o) ? 4 : 2) * s.largestMatrix;
    return m;
  }
  addStates(s, o, m);
  addActivations(s, o, m);
  m.overhead = kDriver + (o.cards > 1 ? kCollectives : 0) + std::int64_t(kFragmentation * double(m.activations + m.logits));
  const bool trains = o.method != LanguageMethod::Generate;
  if (trains && o.zeroStage >= 3 && o.cards > 1) m.overhead += (isFloat32(o) ? 4 : 2) * s.largestUnit;
  if (o.method == LanguageMethod::Qlora) m.overhead += 2 * s.largestMatrix;
  return m;
}

Result<LanguagePlanOptions> LanguagePlanOptions::fromJson(const QJsonObject& o) {
  LanguagePlanOptions options;
  std::optional<Failure> wrong;
  const auto refuse = [&](const char* name, const QString& allowed) {
    if (!wrong)
      wrong = Failure{FailureKind::InvalidArgument,
                      {{"name", QLatin1String(name)}, {"value", o[QLatin1String(name)].toVariant().toString()}, {"allowed", allowed}},
                      {}};
  };
  const auto choice = [&](const char* name, const QStringList& words, int usual) {
    const QJsonValue value = o[QLatin1String(name)];
    if (value.isUndefined() || value.isNull()) return usual;
    const int at = int(words.indexOf(value.toString()));
    if (at < 0) refuse(name, words.join(QStringLiteral(", ")));
    return std::max(at, 0);
  };
  const auto number = [&](const char* name, std::int64_t usual, std::int64_t least, std::int64_t most) {
    const QJsonValue value = o[QLatin1String(name)];
    if (value.isUndefined() || value.isNull()) return usual;
    const std::int64_t n = value.toInteger(least - 1);
    if (n < least || n > most) refuse(name, QStringLiteral("%1 … %2").arg(least).arg(most));
    return n;
  };
  options.pairs = o["method"].toString() == u"dpo" || o["pairs"].toBool();
  if (o["method"].toString() == u"dpo") options.method = LanguageMethod(choice("dpoWeights", kMethods.first(3), 1));
  else options.method = LanguageMethod(choice("method", kMethods + QStringList{"dpo"}, 0));
  options.precision = LanguagePrecision(choice("precision", kPrecisions, 0));
  options.loraRank = number("rank", options.loraRank, 1, 4096);
  options.sequence = number("sequence", options.sequence, 1, 1 << 24);
  options.batch = number("batch", options.batch, 1, 1 << 16);
  options.checkpointing = o["checkpointing"].toBool(options.checkpointing);
  options.chunkedLoss = o["chunkedLoss"].toBool(options.chunkedLoss);
  options.cards = int(number("cards", options.cards, 1, kMostCards));
  options.zeroStage = int(number("zero", options.zeroStage, 0, 3));
  options.processor = o["processor"].toBool(options.processor);
  options.prediction = o["prediction"].toBool(options.prediction);
  options.microBatches = int(number("microBatches", options.microBatches, 1, 1 << 16));
  if (wrong) return *wrong;
  return options;
}

QJsonObject LanguagePlanOptions::toJson() const {
  QJsonObject o{{"method", kMethods[int(method)]},
                {"precision", kPrecisions[int(precision)]},
                {"rank", qint64(loraRank)},
                {"sequence", qint64(sequence)},
                {"batch", qint64(batch)},
                {"checkpointing", checkpointing},
                {"chunkedLoss", chunkedLoss},
                {"cards", cards},
                {"zero", zeroStage},
                {"processor", processor},
                {"prediction", prediction},
                {"microBatches", microBatches}};
  if (pairs) o["pairs"] = true;
  return o;
}

QJsonObject LanguageMemory::toJson() const {
  return {{"weights", qint64(weights)},         {"gradients", qint64(gradients)}, {"optimizer", qint64(optimizer)},
          {"activations", qint64(activations)}, {"logits", qint64(logits)},       {"cache", qint64(cache)},
          {"overhead", qint64(overhead)},       {"total", qint64(total())}};
}

Result<QJsonObject> languagePlanReport(const DecoderConfig& config, const LanguagePlanOptions& options,
                                       const std::vector<std::int64_t>& cardBytes) {
  if (options.sequence > config.context)
    return Failure{FailureKind::InvalidArgument,
                   {{"name", "sequence"}, {"value", qint64(options.sequence)}, {"allowed", QStringLiteral("1 … %1").arg(config.context)}},
                   {}};
  const LanguageSizes sizes = LanguageSizes::of(config, options.prediction);
  const LanguageMemory memory = languageMemory(sizes, options);
  QJsonArray cards;
  for (const std::int64_t bytes : cardBytes) {
    const LanguageFit fit = fitLanguageModel(sizes, options, bytes);
    QJsonObject card{{"bytes", qint64(bytes)}, {"fits", fit.fits}, {"needed", qint64(memory.total())}};
    if (!fit.fits) {
      card["changes"] = toJson(fit.changes);
      if (!fit.changes.empty()) card["changedTotal"] = qint64(fit.changedTotal);
      card["alternatives"] = toJson(fit.alternatives);
    }
    cards.append(card);
  }
  QJsonObject report{{"parameters", qint64(LanguageSizes::of(config).parameters)},
                     {"trained", qint64(trainedParameters(sizes, options))},
                     {"options", options.toJson()},
                     {"parts", memory.toJson()},
                     {"cards", cards}};
  if (config.mtpLayers > 0) report["predictionParameters"] = qint64(config.predictionParameterCount());
  return report;
}

Result<DecoderConfig> planPreset(const QString& name) {
  if (name == u"llama-175b") return llama175b();
  auto known = decoderPreset(name);
  if (known) return known;
  return Failure{FailureKind::InvalidArgument, {{"name", "preset"}, {"value", name}, {"allowed", planPresetNames().join(", ")}}, {}};
}

QStringList planPresetNames() {
  QStringList names;
  for (const DecoderPreset& p : decoderPresets()) names << p.name;
  return names << QStringLiteral("llama-175b");
}

}  // namespace cloister
