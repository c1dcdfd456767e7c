#include "widgets/export/candidate_words.h"

#include <QJsonArray>

#include "core/domain/task.h"
#include "widgets/common/words.h"
#include "widgets/evaluate/report_cards.h"
#include "widgets/export/export_page.h"

namespace cloister {
namespace {

QString candidateTitle(const QString& name) {
  if (name == u"fp32") return QStringLiteral("FP32");
  if (name == u"fp16") return QStringLiteral("FP16");
  if (name == u"int8-dynamic") return ExportPage::tr("int8, dynamic");
  if (name == u"int8-static") return ExportPage::tr("int8, static");
  if (name == u"int8") return ExportPage::tr("int8, in blocks");
  if (name == u"int4") return ExportPage::tr("int4, in blocks");
  return name;
}

/// p50 of the batch-1 latency of a candidate, and p95.
QString latencyText(const QJsonObject& candidate) {
  const QJsonArray rows = candidate["latency"].toArray();
  for (const QJsonValue& l : rows)
    if (l["batch"].toInt() == 1)
      return words::milliseconds(l["p50"].toDouble()) + QStringLiteral(" / ") + words::milliseconds(l["p95"].toDouble());
  return QStringLiteral("–");
}

QString languageWhy(const QJsonObject& json) {
  if (json["target"].toString() == u"gguf") return ExportPage::tr("GGUF files are written here, not run: judge them where they are used.");
  const QJsonArray candidates = json["candidates"].toArray();
  for (const QJsonValue& c : candidates)
    if (c["name"] == json["recommended"])
      return ExportPage::tr(
                 "★ Suggested: the smallest whose perplexity stays within its limit. %1, perplexity %2 against %3 of the trained model.")
          .arg(words::bytes(c["bytes"].toDouble()), words::figures(c["perplexity"]["exported"].toDouble(), 4),
               words::figures(c["perplexity"]["original"].toDouble(), 4));
  return ExportPage::tr("None is suggested: every candidate raises the perplexity beyond its limit.");
}

}  // namespace

QStringList candidateCells(const QJsonObject& exported, const QJsonObject& c) {
  const QString dash = QStringLiteral("–"), title = candidateTitle(c["name"].toString()), size = words::bytes(c["bytes"].toDouble());
  const QJsonObject parity = c["parity"].toObject(), perplexity = c["perplexity"].toObject();
  if (isLanguageTask(exported.value(QStringLiteral("task")).toString())) {
    const QJsonArray latency = c["latency"].toArray();
    const bool holds = c["passed"].toBool();
    return {title,
            perplexity.isEmpty() ? dash : words::figures(perplexity["exported"].toDouble(), 4),
            size,
            latency.isEmpty() ? dash : words::figures(latency[0].toObject()["tokensPerSecond"].toDouble()),
            parity.isEmpty() ? dash : ExportPage::tr("%1 of %2").arg(parity["sameToken"].toInt()).arg(parity["steps"].toInt()),
            perplexity.isEmpty()
                ? dash
                : (holds ? ExportPage::tr("%1, within %2") : ExportPage::tr("%1, beyond %2"))
                      .arg(words::percent(perplexity["rise"].toDouble(), 2), words::percent(perplexity["limit"].toDouble(), 1))};
  }
  return {title,
          report::intervalText(c["accuracy"]),
          size,
          latencyText(c),
          parity.isEmpty() ? dash
                           : (parity["passed"].toBool() ? ExportPage::tr("holds, %1 of %2") : ExportPage::tr("fails, %1 of %2"))
                                 .arg(words::figures(parity["maxAbs"].toDouble(), 2), words::figures(parity["tolerance"].toDouble(), 2)),
          words::number(c["floatLayers"].toArray().size())};
}

// In the language of the screen, from the figures; export.json has the same in English.
QString candidatesWhy(const QJsonObject& exported) {
  const QJsonArray candidates = exported.value(QStringLiteral("candidates")).toArray();
  if (candidates.isEmpty()) return ExportPage::tr("No candidates yet: make them to compare accuracy, size and speed.");
  if (isLanguageTask(exported.value(QStringLiteral("task")).toString())) return languageWhy(exported);
  const QString limit = words::percent(exported.value(QStringLiteral("maximumAccuracyDrop")).toDouble(), 1);
  const auto accuracy = [](const QJsonObject& c) { return words::percent(c["accuracy"]["value"].toDouble(), 1); };
  QJsonObject best;
  for (const QJsonValue& c : candidates)
    if (c["name"] == exported.value(QStringLiteral("recommended"))) best = c.toObject();
  if (best.isEmpty())
    return ExportPage::tr("None is suggested: no candidate agrees with the trained model and loses at most %1 of accuracy.").arg(limit);
  return ExportPage::tr(
             "★ Suggested: the fastest that agrees with the trained model and loses at most %1 of accuracy. %2 for one image, %3, accuracy "
             "%4 "
             "against %5.")
      .arg(limit, latencyText(best).section('/', 0, 0).trimmed(), words::bytes(best.value(QStringLiteral("bytes")).toDouble()),
           accuracy(best), accuracy(candidates.first().toObject()));
}

}  // namespace cloister
