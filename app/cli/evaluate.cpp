// evaluate: measures a trained run on the frozen test split.
#include <QJsonArray>

#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/domain/task.h"

namespace cloister::cli {
namespace {

Result<QJsonObject> optionsFrom(const Context& context, bool language) {
  QJsonObject options{{"attacks", !context.isSet("no-attacks")}};
  const QString words = context.value("language");
  options["language"] = words.isEmpty() ? QStringLiteral("en") : words;
  if (context.isSet("threshold")) {
    bool ok = false;
    const double threshold = context.value("threshold").toDouble(&ok);
    if (!ok || threshold < 0 || threshold > 1)
      return Failure{
          FailureKind::InvalidArgument, {{"name", "--threshold"}, {"value", context.value("threshold")}, {"allowed", "0 … 1"}}, {}};
    options["threshold"] = threshold;
  }
  constexpr struct {
    const char *option, *member;
    qint64 minimum, maximum;
  } kNumbers[] = {{"attack-samples", "samples", 1, 1'000'000},
                  {"steps", "steps", 1, 1000},
                  {"restarts", "restarts", 1, 100},
                  {"answers", "answers", 0, 1'000'000},
                  {"new-tokens", "newTokens", 1, 100'000}};
  for (const auto& number : kNumbers) {
    if (!context.isSet(QLatin1String(number.option))) continue;
    auto value = context.integer(QLatin1String(number.option), number.minimum, number.maximum);
    if (!value) return value.error();
    const bool attacked = language && QLatin1String(number.member) == QLatin1String("samples");
    options[attacked ? QStringLiteral("attackedTexts") : QString::fromLatin1(number.member)] = *value;
  }
  if (context.isSet("no-latency")) options["latency"] = false;
  QJsonArray epsilons;
  for (const QString& word : context.value("epsilons").split(',', Qt::SkipEmptyParts)) {
    bool ok = false;
    const double given = word.toDouble(&ok);
    const int most = language ? 100 : 255;
    if (!ok || given < 0 || given > most)
      return Failure{FailureKind::InvalidArgument, {{"name", "--epsilons"}, {"value", word}, {"allowed", QString("0 … %1").arg(most)}}, {}};
    epsilons << (language ? given : given / 255);
  }
  if (!epsilons.isEmpty()) options["epsilons"] = epsilons;
  return options;
}

class Evaluate : public Verb {
 public:
  QStringList path() const override { return {"evaluate"}; }
  QString summary() const override {
    return tr(
        "Measure a trained model on the frozen test split, with intervals, attacks and latency: pictures called right, or perplexity and "
        "answers.");
  }
  QStringList examples() const override {
    return {"cloister-cli evaluate --project chest", "cloister-cli evaluate --project letters --answers 100 --no-latency",
            "cloister-cli evaluate --project chest --run r-0001 --no-attacks --json"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"run", tr("The run; otherwise the newest trained one."), "RUN"},
            {"no-attacks", tr("Leave out FGSM and PGD.")},
            {"epsilons", tr("Attack strengths with commas: grey levels of 255; of language models shares of a word's vector."), "LIST"},
            {"attack-samples", tr("How many test samples are attacked."), "N"},
            {"answers", tr("Language models: how many answers are written and scored, at most."), "N"},
            {"new-tokens", tr("Language models: longest answer, in tokens."), "N"},
            {"steps", tr("Steps of PGD."), "N"},
            {"restarts", tr("Random starts of PGD."), "N"},
            {"no-latency", tr("Leave out the timings.")},
            {"threshold", tr("Probability from which a class counts as found."), "P"}};
  }
  int execute(Context& context) override {
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    auto row = trainedRun(*(*session)->project, context.value("run"));
    if (!row) return context.fail(row.error());
    auto options = optionsFrom(context, isLanguageModel(*row));
    if (!options) return context.fail(options.error());
    QJsonObject report;
    if (const int code = runJob(context, **session, row->id, QStringLiteral("evaluate"), *options, &report); code != 0) return code;
    const QString folder = report["dir"].toString();
    QJsonObject summary{{"run", report["run"]}, {"report", folder + "/report.json"}, {"html", folder + "/report.html"}};
    for (const char* key : {"task", "snapshot", "split", "samples", "groups", "headline", "perClass", "latency", "attacks", "hardware",
                            "part", "kind", "texts", "perplexity", "base", "scores", "generation", "memorisation"})
      if (report.contains(QLatin1String(key))) summary[QLatin1String(key)] = report[QLatin1String(key)];
    context.emitJson(summary);
    if (isLanguageTask(report["task"].toString())) printLanguage(context, report);
    else printHeadline(context, summary["headline"].toArray());
    context.print(tr("Report: %1").arg(summary["html"].toString()));
    return 0;
  }

 private:
  /// Figures beside those of the base, then what was found of memory.
  static void printLanguage(Context& context, const QJsonObject& report) {
    if (report["part"].toString() != u"test") context.print(tr("There is no test split; the figures are from the validation split."));
    for (const QJsonValue& v : report["headline"].toArray()) {
      QString line = QStringLiteral("%1 %2").arg(v["name"].toString().leftJustified(12), shortNumber(v["value"].toDouble()));
      if (v["low"].isDouble())
        line += QStringLiteral("  (%1 … %2)").arg(shortNumber(v["low"].toDouble()), shortNumber(v["high"].toDouble()));
      if (v["base"].isObject()) line += "  " + tr("base %1").arg(shortNumber(v["base"]["value"].toDouble()));
      if (v["p"].isDouble()) line += QStringLiteral("  p %1").arg(shortNumber(v["p"].toDouble()));
      context.print(line);
    }
    if (const QJsonObject memory = report["memorisation"].toObject(); !memory.isEmpty())
      context.print(tr("Training texts repeated word for word: %1 of %2").arg(memory["repeated"].toInt()).arg(memory["texts"].toInt()));
  }
};

VerbRegistration<Evaluate> evaluate;

}  // namespace

}  // namespace cloister::cli
