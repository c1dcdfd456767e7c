// model-show, model-import, model-logits: language models in Hugging Face folders, checked, copied and run on given token numbers.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/token_ids.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/adapter.h"
#include "core/engine/models/decoder/decoder_folder_write.h"
#include "core/engine/models/decoder/decoder_model.h"
#include "core/engine/models/precision.h"

namespace cloister {
namespace {

constexpr qint64 kTellEveryMs = 200;

template <typename T>
T choice(const QStringList& arguments, const char* name, std::initializer_list<std::pair<const char*, T>> known) {
  const QString given = option(arguments, name, false, QLatin1String(known.begin()->first));
  QStringList words;
  for (const auto& [word, value] : known) {
    if (given == QLatin1String(word)) return value;
    words << word;
  }
  throw EngineFailure(
      {FailureKind::InvalidArgument, {{"name", QString("--") + name}, {"value", given}, {"allowed", words.join(", ")}}, {}});
}

QJsonObject summaryOf(const DecoderFolder& folder) {
  const DecoderConfig& c = folder.config;
  QStringList types;
  for (const auto& [name, t] : folder.tensors)
    if (const QString type = QString::fromUtf8(c10::toString(t.scalar_type())); !types.contains(type)) types << type;
  return {{"modelType", decoderModelType(c.architecture)},
          {"parameters", qint64(c.parameterCount())},
          {"activeParameters", qint64(c.activeParameterCount())},
          {"layers", qint64(c.layers)},
          {"vocabulary", qint64(c.vocabulary)},
          {"context", qint64(c.context)},
          {"cacheBytesPerToken", qint64(c.cacheElementsPerToken() * 2)},
          {"flopsPerToken", c.forwardFlopsPerToken(std::min<std::int64_t>(c.context, 2048))},
          {"types", QJsonArray::fromStringList(types)},
          {"files", QJsonArray::fromStringList(folder.files)},
          {"bytes", folder.bytes},
          {"ignored", QJsonArray::fromStringList(folder.ignored)},
          {"predictionLayers", folder.prediction.empty() ? 0 : qint64(c.mtpLayers)},
          {"predictionParameters", folder.prediction.empty() ? 0 : qint64(c.predictionParameterCount())},
          {"config", c.toJson()}};
}

WeightsAs typeOption(const QStringList& arguments, const char* name) {
  return choice<WeightsAs>(arguments, name,
                           {{"stored", WeightsAs::Stored},
                            {"float32", WeightsAs::Float32},
                            {"fp32", WeightsAs::Float32},
                            {"bfloat16", WeightsAs::BFloat16},
                            {"bf16", WeightsAs::BFloat16}});
}

// All at once, or `step` tokens at a time through the cache.
at::Tensor logitsOf(DecoderModel& model, const at::Tensor& ids, std::int64_t step, LatentPath path) {
  if (step <= 0) return model.logits(model.hidden({.ids = ids}, nullptr, path));
  DecoderCache cache(model.config().layers);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < ids.size(1); from += step) {
    const std::int64_t count = std::min(step, ids.size(1) - from);
    parts.push_back(model.logits(model.hidden({.ids = ids.narrow(1, from, count)}, &cache, path)));
  }
  return at::cat(parts, 1);
}

}  // namespace

int modelShowVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    QJsonObject found = summaryOf(readDecoderFolder(option(arguments, "model")));
    found["type"] = "finished";
    say(found);
  });
}

int modelImportVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const QString from = option(arguments, "model"), to = option(arguments, "to");
    DecoderFolder folder = readDecoderFolder(from, typeOption(arguments, "dtype"));
    QJsonObject found = summaryOf(folder);
    if (const QString adapter = option(arguments, "adapter", false); !adapter.isEmpty()) {
      DecoderModel model(folder.config, folder.tensors);
      readAdapter(adapter, model);
      folder.tensors = mergedState(model);
    }
    NamedTensors all = folder.tensors;
    all.insert(folder.prediction.begin(), folder.prediction.end());
    DecoderWriteOptions options{.from = from};
    const qint64 shard = option(arguments, "shard-bytes", false, "0").toLongLong();
    if (shard > 0) options.shardBytes = shard;
    const auto progress = [&say, last = QDateTime::currentMSecsSinceEpoch()](qint64 done, qint64 total) mutable {
      const qint64 now = QDateTime::currentMSecsSinceEpoch();
      if (now - last < kTellEveryMs && done < total) return;
      last = now;
      say({{"type", "progress"}, {"done", done}, {"total", total}});
    };
    folder.config.fp8BlockRows = folder.config.fp8BlockColumns = 0;
    writeDecoderFolderTelling(to, folder.config, all, options, progress);
    found["type"] = "finished";
    found["to"] = to;
    say(found);
  });
}

int modelLogitsVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const auto path = choice<LatentPath>(
        arguments, "path", {{"automatic", LatentPath::Automatic}, {"plain", LatentPath::Plain}, {"absorbed", LatentPath::Absorbed}});
    const std::int64_t step = option(arguments, "cached", false, "0").toLongLong();
    const QString to = option(arguments, "to");
    DecoderFolder folder = readDecoderFolder(option(arguments, "model"), typeOption(arguments, "precision"));
    DecoderModel model(folder.config, std::move(folder.tensors));
    if (const QString adapter = option(arguments, "adapter", false); !adapter.isEmpty()) readAdapter(adapter, model);
    const at::Tensor ids = equalRows(readTokenIds(option(arguments, "ids")), option(arguments, "ids"));
    model.checkIds(ids);
    at::NoGradGuard noGrad;
    const at::Tensor logits = logitsOf(model, ids, step, path).to(at::kFloat);
    saveTensors(to, {{"logits", logits}});
    say({{"type", "finished"}, {"sequences", qint64(ids.size(0))}, {"tokens", qint64(ids.size(1))}, {"file", to}});
  });
}

}  // namespace cloister
