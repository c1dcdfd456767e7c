// The search for what makes a language model fit, and the sentence that says it.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <QCoreApplication>
#include <QJsonArray>
#include <QLocale>

#include "core/domain/language_plan.h"

namespace cloister {
namespace {

#define TR(text) QT_TRANSLATE_NOOP("LanguagePlan", text)
QString say(const char* text) { return QCoreApplication::translate("LanguagePlan", text); }

constexpr std::array<std::int64_t, 3> kCards{40'000'000'000, 80'000'000'000, 141'000'000'000};
constexpr std::int64_t kShortest = 256;

/// The settings and the card they are tried on.
struct Setup {
  LanguagePlanOptions options;
  std::int64_t cardBytes = 0;
};

/// One setting, tried at its values from the least change to the greatest.
struct Knob {
  const char* name;
  /// The values worth trying from these settings.
  std::function<std::vector<QJsonValue>(const Setup&)> values;
  std::function<void(Setup&, const QJsonValue&)> set;
};

std::vector<QJsonValue> halves(std::int64_t from, std::int64_t least) {
  std::vector<QJsonValue> all;
  for (std::int64_t n = from / 2; n >= least; n /= 2) all.push_back(qint64(n));
  return all;
}

/// Names of what the options' JSON calls the same.
void setMember(Setup& setup, const char* name, const QJsonValue& value) {
  QJsonObject o = setup.options.toJson();
  o[QLatin1String(name)] = value;
  if (auto options = LanguagePlanOptions::fromJson(o)) setup.options = *options;
}

Knob member(const char* name, std::function<std::vector<QJsonValue>(const Setup&)> values) {
  return {name, std::move(values), [name](Setup& s, const QJsonValue& v) { setMember(s, name, v); }};
}

bool trains(const Setup& s) { return s.options.method != LanguageMethod::Generate; }

/// What leaves the result as it is.
std::vector<Knob> freeKnobs() {
  return {member("checkpointing",
                 [](const Setup& s) {
                   return trains(s) && !s.options.checkpointing ? std::vector<QJsonValue>{true} : std::vector<QJsonValue>{};
                 }),
          member("chunkedLoss",
                 [](const Setup& s) {
                   return trains(s) && !s.options.chunkedLoss ? std::vector<QJsonValue>{true} : std::vector<QJsonValue>{};
                 }),
          member("zero",
                 [](const Setup& s) {
                   std::vector<QJsonValue> all;
                   for (int stage = s.options.zeroStage + 1; trains(s) && s.options.cards > 1 && stage <= 3; ++stage) all.push_back(stage);
                   return all;
                 }),
          member("batch", [](const Setup& s) { return halves(s.options.batch, 1); })};
}

/// What trains something else.
std::vector<Knob> costlyKnobs() {
  return {member("precision",
                 [](const Setup& s) {
                   const bool full = s.options.method == LanguageMethod::Full, single = s.options.precision == LanguagePrecision::Fp32;
                   if (full && s.options.precision != LanguagePrecision::Bf16) return std::vector<QJsonValue>{"bf16"};
                   return !trains(s) && single ? std::vector<QJsonValue>{"bf16"} : std::vector<QJsonValue>{};
                 }),
          member("method",
                 [](const Setup& s) {
                   if (s.options.method == LanguageMethod::Full) return std::vector<QJsonValue>{"lora", "qlora"};
                   return s.options.method == LanguageMethod::Lora ? std::vector<QJsonValue>{"qlora"} : std::vector<QJsonValue>{};
                 }),
          member("sequence", [](const Setup& s) { return halves(s.options.sequence, std::min(kShortest, s.options.sequence)); })};
}

/// What costs money.
std::vector<Knob> hardwareKnobs() {
  return {{"cards",
           [](const Setup& s) {
             std::vector<QJsonValue> all;
             for (int n = 2; trains(s) && n <= 1024; n *= 2)
               if (n > s.options.cards) all.push_back(n);
             return all;
           },
           [](Setup& s, const QJsonValue& v) {
             setMember(s, "cards", v);
             setMember(s, "zero", 3);
           }},
          {"cardBytes",
           [](const Setup& s) {
             std::vector<QJsonValue> all;
             for (const std::int64_t bytes : kCards)
               if (bytes > s.cardBytes) all.push_back(qint64(bytes));
             return all;
           },
           [](Setup& s, const QJsonValue& v) { s.cardBytes = v.toInteger(); }}};
}

std::int64_t needed(const LanguageSizes& sizes, const Setup& s) { return languageMemory(sizes, s.options).total(); }
bool fits(const LanguageSizes& sizes, const Setup& s) { return needed(sizes, s) <= s.cardBytes; }

/// The first value of each knob that is enough on its own.
std::vector<PlanChange> enoughAlone(const LanguageSizes& sizes, const Setup& from, const std::vector<Knob>& knobs) {
  std::vector<PlanChange> found;
  for (const Knob& knob : knobs)
    for (const QJsonValue& value : knob.values(from)) {
      Setup tried = from;
      knob.set(tried, value);
      if (!fits(sizes, tried)) continue;
      found.push_back({QLatin1String(knob.name), value});
      break;
    }
  return found;
}

Setup applied(Setup setup, const std::vector<PlanChange>& changes, const std::vector<Knob>& knobs) {
  for (const PlanChange& c : changes)
    for (const Knob& knob : knobs)
      if (c.knob == QLatin1String(knob.name)) knob.set(setup, c.value);
  return setup;
}

/// Changes that are not needed beside the others are taken back, the last ones first: they cost most. What is left goes as far as it must.
void dropNeedless(const LanguageSizes& sizes, const Setup& from, const std::vector<Knob>& knobs, std::vector<PlanChange>& changes) {
  for (std::size_t i = changes.size(); i-- > 0;) {
    std::vector<PlanChange> fewer = changes;
    fewer.erase(fewer.begin() + std::ptrdiff_t(i));
    if (fits(sizes, applied(from, fewer, knobs))) changes = fewer;
  }
  for (PlanChange& change : changes)
    for (const Knob& knob : knobs) {
      if (change.knob != QLatin1String(knob.name)) continue;
      for (const QJsonValue& less : knob.values(from)) {
        const QJsonValue most = std::exchange(change.value, less);
        if (fits(sizes, applied(from, changes, knobs))) break;
        change.value = most;
      }
    }
}

/// All that is free at its greatest, then one knob that is not; then two.
std::vector<PlanChange> together(const LanguageSizes& sizes, const Setup& from, const std::vector<Knob>& costly) {
  std::vector<Knob> all = freeKnobs();
  all.insert(all.end(), costly.begin(), costly.end());
  std::vector<PlanChange> changes;
  Setup setup = from;
  for (const Knob& knob : freeKnobs()) {
    const std::vector<QJsonValue> values = knob.values(from);
    if (values.empty()) continue;
    changes.push_back({QLatin1String(knob.name), values.back()});
    knob.set(setup, values.back());
  }
  if (fits(sizes, setup)) {
    dropNeedless(sizes, from, all, changes);
    return changes;
  }
  std::vector<PlanChange> more = enoughAlone(sizes, setup, costly);
  if (!more.empty()) more.resize(1);
  for (std::size_t a = 0; more.empty() && a < costly.size(); ++a)
    for (const QJsonValue& value : costly[a].values(setup)) {
      Setup tried = setup;
      costly[a].set(tried, value);
      const std::vector<PlanChange> second =
          enoughAlone(sizes, tried, std::vector<Knob>(costly.begin() + std::ptrdiff_t(a) + 1, costly.end()));
      if (second.empty()) continue;
      more = {{QLatin1String(costly[a].name), value}, second.front()};
      break;
    }
  if (more.empty()) return {};
  changes.insert(changes.end(), more.begin(), more.end());
  dropNeedless(sizes, from, all, changes);
  return changes;
}

QString inGigabytes(std::int64_t bytes) {
  return QLocale().toString(double(bytes) / 1e9, 'f', bytes % 1'000'000'000 ? 1 : 0) + QStringLiteral(" GB");
}

QString changeWords(const QJsonObject& change) {
  const QString knob = change["knob"].toString(), word = change["value"].toString();
  const qint64 number = change["value"].toInteger();
  if (knob == u"checkpointing") return say(TR("activation checkpointing"));
  if (knob == u"chunkedLoss") return say(TR("the loss in pieces"));
  if (knob == u"zero") return say(TR("ZeRO stage %1")).arg(number);
  if (knob == u"batch") return say(TR("a micro-batch of %1 (and more gradient accumulation)")).arg(number);
  if (knob == u"precision") return say(TR("bfloat16 throughout"));
  if (knob == u"method" && word == u"lora") return say(TR("LoRA instead of all weights"));
  if (knob == u"method") return say(TR("QLoRA (the base model in 4 bits)"));
  if (knob == u"sequence") return say(TR("sequences of %1 tokens")).arg(number);
  if (knob == u"cards") return say(TR("%1 cards with ZeRO stage 3")).arg(number);
  return say(TR("cards of %1")).arg(inGigabytes(number));
}

}  // namespace

LanguageFit fitLanguageModel(const LanguageSizes& sizes, const LanguagePlanOptions& options, std::int64_t cardBytes) {
  LanguageFit fit;
  fit.cardBytes = cardBytes;
  const Setup from{options, cardBytes};
  fit.fits = fits(sizes, from);
  if (fit.fits) return fit;
  std::vector<Knob> knobs = freeKnobs(), costly = costlyKnobs();
  for (const auto& more : {costly, hardwareKnobs()}) knobs.insert(knobs.end(), more.begin(), more.end());
  std::vector<PlanChange> alone = enoughAlone(sizes, from, knobs);
  const auto isHardware = [](const PlanChange& c) { return c.knob == u"cards" || c.knob == u"cardBytes"; };
  // Several settings rather than other machines.
  if (alone.empty() || isHardware(alone.front())) fit.changes = together(sizes, from, costly);
  if (fit.changes.empty() && !alone.empty()) {
    fit.changes = {alone.front()};
    alone.erase(alone.begin());
  }
  fit.alternatives = std::move(alone);
  for (const Knob& knob : hardwareKnobs()) costly.push_back(knob);
  if (fit.changes.empty()) fit.changes = together(sizes, from, costly);
  if (!fit.changes.empty()) fit.changedTotal = needed(sizes, applied(from, fit.changes, knobs));
  return fit;
}

QString describeFit(const QJsonObject& card) {
  const QString size = inGigabytes(card["bytes"].toInteger()), need = inGigabytes(card["needed"].toInteger());
  if (card["fits"].toBool()) return say(TR("%1 cards: it fits, %2 are needed on each.")).arg(size, need);
  QStringList changes;
  for (const QJsonValue& c : card["changes"].toArray()) changes << changeWords(c.toObject());
  if (changes.isEmpty())
    return say(TR("%1 cards: it does not fit (%2 are needed), and no change of settings makes it fit.")).arg(size, need);
  const QString then = inGigabytes(card["changedTotal"].toInteger());
  if (changes.size() == 1)
    return say(TR("%1 cards: it does not fit (%2 are needed). With %3 it does: %4.")).arg(size, need, changes.first(), then);
  QString sentence = say(TR("%1 cards: it does not fit (%2 are needed). With all of these it does: %3; then %4 are needed."))
                         .arg(size, need, changes.join(say(TR(", "))), then);
  if (const QJsonArray alone = card["alternatives"].toArray(); !alone.isEmpty())
    sentence += ' ' + say(TR("Enough alone: %1.")).arg(changeWords(alone[0].toObject()));
  return sentence;
}

}  // namespace cloister
