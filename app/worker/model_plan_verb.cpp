// model-plan: whether a language model from elsewhere fits cards, or how it trains on many. Only its config.json is read.
#include <QDir>
#include <QJsonArray>

#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/language_plan.h"
#include "core/domain/scale_model.h"
#include "core/engine/engine_failure.h"

namespace cloister {
int modelPlanVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const QJsonObject request = orThrow(readJson(option(arguments, "request")));
    const QString path = QDir(option(arguments, "model")).filePath("config.json");
    const DecoderConfig config = orThrow(DecoderConfig::fromJson(orThrow(readJson(path)), path));
    if (request.contains("scale")) {
      QJsonObject scale = orThrow(scaleReport(config, request["scale"].toObject()));
      scale["type"] = "finished";
      say(scale);
      return;
    }
    const LanguagePlanOptions options = orThrow(LanguagePlanOptions::fromJson(request["options"].toObject()));
    std::vector<std::int64_t> cards;
    for (const QJsonValue& bytes : request["cards"].toArray()) cards.push_back(bytes.toInteger());
    QJsonObject report = orThrow(languagePlanReport(config, options, cards));
    report["type"] = "finished";
    say(report);
  });
}

}  // namespace cloister
