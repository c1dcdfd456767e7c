// generate and filter-logits: tokens from a language model, and the logits filters alone for comparison with other implementations.
#include <chrono>

#include <ATen/ops/tensor.h>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/token_ids.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/generate/generator.h"
#include "core/engine/models/decoder/adapter.h"
#include "core/engine/models/decoder/decoder_folder.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

WeightsAs precisionOf(const QString& word) {
  if (word == u"stored") return WeightsAs::Stored;
  if (word == u"fp32") return WeightsAs::Float32;
  if (word == u"bf16") return WeightsAs::BFloat16;
  throw EngineFailure({FailureKind::InvalidArgument, {{"name", "precision"}, {"value", word}, {"allowed", "stored, fp32, bf16"}}, {}});
}

// generation_config.json says what ends a text where it differs from config.json (chat models).
TokenIds endsOf(const QString& dir, const DecoderConfig& config) {
  const QString path = dir + "/generation_config.json";
  if (!QFileInfo::exists(path)) return config.eos;
  const QJsonValue eos = orThrow(readJson(path, 1 << 20))["eos_token_id"];
  TokenIds ends;
  for (const QJsonValue& v : eos.isArray() ? eos.toArray() : QJsonArray{eos})
    if (v.toInteger(-1) >= 0) ends.push_back(v.toInteger());
  return ends.empty() ? config.eos : ends;
}

QJsonArray toJson(const TokenIds& tokens) {
  QJsonArray list;
  for (auto t : tokens) list.append(qint64(t));
  return list;
}

}  // namespace

// request: {"model","adapter","ids":FILE,"precision","ignore_end", and the members of GenerateSettings}
int generateVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const QJsonObject request = orThrow(readJson(option(arguments, "request")));
    GenerateSettings settings = orThrow(GenerateSettings::fromJson(request));
    const QString dir = request["model"].toString();
    const WeightsAs as = precisionOf(request["precision"].toString("stored"));
    DecoderFolder folder = readDecoderFolder(dir, as);
    if (!request["ignore_end"].toBool()) settings.ends = endsOf(dir, folder.config);
    DecoderModel model(folder.config, std::move(folder.tensors));
    if (const QString adapter = request["adapter"].toString(); !adapter.isEmpty()) readAdapter(adapter, model);
    const std::vector<TokenIds> prompts = readTokenIds(request["ids"].toString());
    const Clock::time_point start = Clock::now();
    double first = 0;
    qint64 count = 0;
    const std::vector<Generated> all = generate(model, prompts, settings, [&](std::int64_t sequence, std::int64_t token) {
      if (first == 0) first = secondsSince(start);
      if (token >= 0) say({{"type", "token"}, {"sequence", qint64(sequence)}, {"token", qint64(token)}});
      return true;
    });
    QJsonArray sequences;
    for (const Generated& g : all) {
      count += qint64(g.tokens.size());
      QJsonObject one{{"tokens", toJson(g.tokens)}, {"reason", g.reason}};
      if (settings.beams > 1) one["score"] = g.score;
      sequences.append(one);
    }
    say({{"type", "finished"},
         {"sequences", sequences},
         {"newTokens", count},
         {"firstTokenSeconds", first},
         {"tokensPerSecond", double(count) / std::max(1e-9, secondsSince(start))}});
  });
}

// The input holds "logits" F32 [B, V] and "history" I64 [B, T] (every token counts); settings as JSON text.
int filterLogitsVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const NamedTensors given = readTensors(option(arguments, "input"));
    const QJsonObject o = QJsonDocument::fromJson(option(arguments, "settings").toUtf8()).object();
    const SamplingSettings settings = orThrow(SamplingSettings::fromJson(o));
    const at::Tensor history = given.at("history").contiguous();
    std::vector<TokenIds> rows;
    for (std::int64_t i = 0; i < history.size(0); ++i) {
      const std::int64_t* p = history.const_data_ptr<std::int64_t>() + i * history.size(1);
      rows.emplace_back(p, p + history.size(1));
    }
    const at::Tensor processed = processedLogits(given.at("logits"), rows, settings);
    TokenIds drawn;
    std::vector<std::int64_t> sequence;
    for (std::int64_t i = 0; i < history.size(0); ++i) sequence.push_back(i);
    for (std::int64_t step = 0; step < o["draws"].toInteger(0); ++step)
      for (std::int64_t t : chooseTokens(processed, settings, sequence, step)) drawn.push_back(t);
    saveTensors(option(arguments, "to"), {{"logits", processed}, {"drawn", at::tensor(drawn, at::kLong)}});
    say({{"type", "finished"}});
  });
}

}  // namespace cloister
