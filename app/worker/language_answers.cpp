#include "app/worker/language_answers.h"

#include <algorithm>

#include <QElapsedTimer>
#include <QJsonArray>

#include "app/worker/text_stream.h"
#include "core/engine/engine_failure.h"
#include "core/engine/generate/generator.h"
#include "core/text/scores/score_job.h"

namespace cloister {
namespace {

GenerateSettings settingsFor(const LanguageRun& run, const DecoderConfig& config, const AnswerOptions& options, bool ends) {
  GenerateSettings s;
  s.newTokens = options.newTokens;
  if (ends) s.ends = run.ends(config);
  return s;
}

QString textOfAnswer(const LanguageRun& run, const AskedText& asked, std::vector<std::int64_t> tokens) {
  return QString::fromStdString(textOf(run.tokenizer(), asked.prompt, tokens)).trimmed();
}

/// Whether texts are written in Chinese rather than in letters: words without spaces need another cut.
bool isChinese(const std::vector<Answered>& answers) {
  qint64 ideographs = 0, letters = 0;
  for (const Answered& a : answers)
    for (const char32_t c : a.reference.toStdU32String()) {
      const bool ideograph = (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3134F);
      ideographs += ideograph;
      letters += !ideograph && QChar::isLetter(c);
    }
  return ideographs * 2 > letters;
}

QJsonObject rowOf(const QString& name, const QJsonValue& score, const QJsonObject& interval, const QJsonObject& paired,
                  const QString& signature) {
  QJsonObject row{{"name", name}, {"value", score}, {"signature", signature}};
  if (!interval.isEmpty()) row["low"] = interval["low"], row["high"] = interval["high"];
  if (paired.isEmpty()) return row;
  const QJsonObject base = paired["baselineInterval"].toObject();
  row["base"] = QJsonObject{{"value", paired["baseline"]}, {"low", base["low"]}, {"high", base["high"]}};
  row["difference"] = paired["difference"];
  // sacreBLEU counts only larger differences, which makes two equal systems look different.
  row["p"] = paired["difference"].toDouble() == 0 ? QJsonValue(1.0) : paired["randomisation"].toObject()["p"];
  return row;
}

}  // namespace

std::vector<Answered> answersTo(const std::vector<AskedText>& asked, const LanguageRun& run, DecoderModel& model, DecoderModel* base,
                                const AnswerOptions& options, const TextTick& tick) {
  QElapsedTimer timer;
  timer.start();
  // What continues a plain text has no end of its own to be judged by.
  const GenerateSettings settings = settingsFor(run, model.config(), options, run.hasAnswers());
  const OnToken alive = [&](std::int64_t, std::int64_t) { return true; };
  std::vector<Answered> out;
  for (std::size_t from = 0; from < asked.size(); from += std::size_t(options.batch)) {
    if (from > 0 && timer.elapsed() > 1000LL * options.seconds) break;
    const std::size_t to = std::min(asked.size(), from + std::size_t(options.batch));
    std::vector<TokenIds> prompts;
    for (std::size_t i = from; i < to; ++i) prompts.push_back(asked[i].prompt);
    const auto ours = generate(model, prompts, settings, alive);
    const auto theirs = base ? generate(*base, prompts, settings, alive) : std::vector<Generated>();
    for (std::size_t i = from; i < to; ++i) {
      const AskedText& q = asked[i];
      out.push_back({run.decode(q.prompt).trimmed(), textOfAnswer(run, q, q.answer), textOfAnswer(run, q, ours[i - from].tokens),
                     base ? textOfAnswer(run, q, theirs[i - from].tokens) : QString(), QString::fromLatin1(ours[i - from].reason)});
    }
    if (tick && !tick(std::int64_t(to), std::int64_t(asked.size()))) throw EngineFailure({FailureKind::Stopped, {}, {}});
  }
  return out;
}

namespace {

// NUL is no text to the scores.
std::string utf8(QString text) { return text.remove(QChar(0)).toStdString(); }

scores::TextSet textsOf(const std::vector<Answered>& answers, bool withBase) {
  scores::TextSet texts;
  texts.references.emplace_back();
  for (const Answered& a : answers) {
    texts.hypotheses.push_back(utf8(a.output));
    texts.references[0].push_back(utf8(a.reference));
    if (withBase) texts.baseline.push_back(utf8(a.baseOutput));
  }
  return texts;
}

}  // namespace

std::vector<double> answerQuality(const std::vector<Answered>& answers) {
  std::vector<std::vector<double>> each;
  orThrow(scores::scoreTexts({{"metric", "chrf"}}, textsOf(answers, false), &each));
  std::vector<double> out;
  for (const auto& one : each) out.push_back(one.empty() ? 0 : one[0]);
  return out;
}

QJsonArray answerScores(const std::vector<Answered>& answers, bool withBase, const AnswerOptions& options) {
  const scores::TextSet texts = textsOf(answers, withBase);
  const bool chinese = isChinese(answers);
  const std::pair<const char*, QJsonObject> metrics[] = {{"bleu", {{"tokenize", chinese ? "zh" : "13a"}}},
                                                         {"chrf", {}},
                                                         {"ter", {{"normalized", chinese}, {"asianSupport", chinese}}},
                                                         {"rouge", {{"tokenize", chinese ? "zh" : "rouge"}}},
                                                         {"exact", {}}};
  QJsonArray rows;
  for (const auto& [metric, metricOptions] : metrics) {
    const QJsonObject request{{"metric", QLatin1String(metric)},
                              {"options", metricOptions},
                              {"bootstrap", options.resamples},
                              {"trials", std::max(1, options.resamples * 10)},
                              {"seed", qint64(options.seed)}};
    const QJsonObject got = orThrow(scores::scoreTexts(request, texts));
    const QString signature = got["signature"].toString();
    if (got.contains("name")) {
      rows.append(rowOf(got["name"].toString(), got["score"], got["interval"].toObject(), got["paired"].toObject(), signature));
      continue;
    }
    const QJsonObject byName = got["score"].toObject();
    for (auto it = byName.begin(); it != byName.end(); ++it)
      rows.append(rowOf(it.key(), it.value(), got["interval"].toObject()[it.key()].toObject(),
                        got["paired"].toObject()[it.key()].toObject(), signature));
  }
  return rows;
}

}  // namespace cloister
