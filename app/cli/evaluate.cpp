// evaluate: measures a trained run on the frozen test split.
#include <QJsonArray>

#include "app/cli/run_session.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

Result<QJsonObject> optionsFrom(const Context& context) {
  QJsonObject options{{"attacks", !context.isSet("no-attacks")}};
  const QString language = context.value("language");
  options["language"] = language.isEmpty() ? QStringLiteral("en") : language;
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
  } kNumbers[] = {{"attack-samples", "samples", 1, 1'000'000}, {"steps", "steps", 1, 1000}, {"restarts", "restarts", 1, 100}};
  for (const auto& number : kNumbers) {
    if (!context.isSet(QLatin1String(number.option))) continue;
    auto value = context.integer(QLatin1String(number.option), number.minimum, number.maximum);
    if (!value) return value.error();
    options[QLatin1String(number.member)] = *value;
  }
  if (context.isSet("no-latency")) options["latency"] = false;
  QJsonArray epsilons;
  for (const QString& word : context.value("epsilons").split(',', Qt::SkipEmptyParts)) {
    bool ok = false;
    const double greyLevels = word.toDouble(&ok);
    if (!ok || greyLevels < 0 || greyLevels > 255)
      return Failure{FailureKind::InvalidArgument, {{"name", "--epsilons"}, {"value", word}, {"allowed", "0 … 255"}}, {}};
    epsilons << greyLevels / 255;
  }
  if (!epsilons.isEmpty()) options["epsilons"] = epsilons;
  return options;
}

class Evaluate : public Verb {
 public:
  QStringList path() const override { return {"evaluate"}; }
  QString summary() const override {
    return tr("Measure a trained model on the frozen test split: accuracy, intervals, attacks, latency.");
  }
  QStringList examples() const override {
    return {"cloister-cli evaluate --project chest", "cloister-cli evaluate --project chest --run r-0001 --no-attacks --json"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"run", tr("The run; otherwise the newest trained one."), "RUN"},
            {"no-attacks", tr("Leave out FGSM and PGD.")},
            {"epsilons", tr("Attack strengths in grey levels of 255, with commas."), "LIST"},
            {"attack-samples", tr("How many test samples are attacked."), "N"},
            {"steps", tr("Steps of PGD."), "N"},
            {"restarts", tr("Random starts of PGD."), "N"},
            {"no-latency", tr("Leave out the timings.")},
            {"threshold", tr("Probability from which a class counts as found."), "P"}};
  }
  int execute(Context& context) override {
    auto options = optionsFrom(context);
    if (!options) return context.fail(options.error());
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    QJsonObject report;
    if (const int code = runJob(context, **session, context.value("run"), QStringLiteral("evaluate"), *options, &report); code != 0)
      return code;
    const QString folder = report["dir"].toString();
    QJsonObject summary{{"run", report["run"]}, {"report", folder + "/report.json"}, {"html", folder + "/report.html"}};
    for (const char* key : {"snapshot", "split", "samples", "groups", "headline", "perClass", "latency", "attacks", "hardware"})
      if (report.contains(QLatin1String(key))) summary[QLatin1String(key)] = report[QLatin1String(key)];
    context.emitJson(summary);
    printHeadline(context, summary["headline"].toArray());
    context.print(tr("Report: %1").arg(summary["html"].toString()));
    return 0;
  }
};

VerbRegistration<Evaluate> evaluate;

}  // namespace

}  // namespace cloister::cli
