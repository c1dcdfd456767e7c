// The sections of a report on a language model (docs/formats.md, "Report on a language model"), each measured here for the verb on files
// and for the job of a run. Worker's main thread, gradients off. Throws EngineFailure; a tick that answers false stops.
#pragma once
#include <functional>
#include <memory>

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include "core/engine/evaluate/language_quality.h"
#include "core/metrics/bootstrap.h"
#include "core/onnx/decoder_session.h"

namespace cloister {

/// {"value"}, and "low" and "high" where there is an interval.
QJsonObject textInterval(const Interval&);
/// Whole texts are drawn: tokens of one text hang together.
std::vector<Interval> intervalsOverTexts(std::size_t texts, const Statistics&, const BootstrapOptions&);

/// {"value","low","high","tokens","nats","loss","nextTokenAccuracy"}.
QJsonObject perplexitySection(const std::vector<TextLoss>&, const BootstrapOptions&);
/// The same texts under both models: the base's perplexity, {"ratio","p"}: one-sided paired bootstrap of "not better than the base".
QJsonObject baseSection(const std::vector<TextLoss>& ours, const std::vector<TextLoss>& theirs, const BootstrapOptions&);

QJsonObject memorisationSection(DecoderModel&, const std::vector<std::vector<std::int64_t>>& texts, std::int64_t prompt,
                                std::int64_t length, const TextTick&);

/// attacks: [{"kind","norm","steps","randomStart","seed","epsilons"}]. At most `limit` texts; one without a stated answer is asked for its
/// last quarter. decode: readings as text as well.
QJsonArray attackSection(DecoderModel&, const std::vector<TokenText>&, const QJsonArray& attacks, std::int64_t limit, const TextTick&,
                         const std::function<QString(const std::vector<std::int64_t>&)>& decode = {});

/// Something that writes on: one sequence, or `batch` equal ones side by side.
struct TimedModel {
  QString runtime, precision;
  int batch = 1;
  std::function<void()> reset;
  std::function<std::int64_t(const std::vector<std::int64_t>&)> feed;  ///< the next token by greedy choice
};
TimedModel timedEngine(std::shared_ptr<DecoderModel>, const QString& precision, int batch);
TimedModel timedSession(std::shared_ptr<onnx::DecoderSession>, const QString& precision, std::int64_t vocabulary);
/// One after the other in each round, so that what else the machine does meets all of them. text: repeated up to 128 tokens.
QJsonArray latencySection(std::vector<TimedModel>, const std::vector<std::int64_t>& text, std::int64_t context, int rounds,
                          const TextTick&);

}  // namespace cloister
