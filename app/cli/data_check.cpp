// data check: what a person should know before training.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

class DataCheck : public Verb {
 public:
  QStringList path() const override { return {"data", "check"}; }
  QString summary() const override {
    return tr("Looks for what would spoil a training: duplicates, imbalance, one patient on both sides …");
  }
  QStringList examples() const override { return {"cloister-cli data check --project chest --group patient"}; }
  QList<QCommandLineOption> options() const override { return splitOptions(); }
  int execute(Context& context) override {
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    if (isLanguage(**project)) return checkTexts(context, **project);
    auto request = splitRequest(context);
    if (!request) return context.fail(request.error());
    SampleFilter included;
    included.includeExcluded = false;
    auto samples = (*project)->samples(included, 0, std::numeric_limits<int>::max());
    if (!samples) return context.fail(samples.error());
    // The split that a snapshot with these options would make; without enough patients the checks that need none still run.
    QList<Split> splits;
    auto made = splitSamples(*samples, *request);
    if (made) splits = *made;
    else if (made.error().kind != FailureKind::NothingToDo) return context.fail(made.error());
    auto findings = checkDataset(**project, *samples, splits);
    if (!findings) return context.fail(findings.error());
    return answer(context, *findings, samples->size(), {{"split", !splits.isEmpty()}});
  }

 private:
  static int checkTexts(Context& context, const Project& project) {
    auto split = textSplit(context);
    if (!split) return context.fail(split.error());
    auto check = cloister::checkTexts(project, *split, [](qint64, qint64) { return !Context::stopRequested(); });
    if (!check) return context.fail(check.error());
    return answer(context, check->findings, check->records, {{"kind", check->kind}, {"division", check->division}});
  }

  static int answer(Context& context, const QList<Finding>& findings, qint64 samples, QJsonObject json) {
    qint64 blocking = 0;
    for (const Finding& f : findings) blocking += f.severity == u"blocking";
    json["samples"] = samples;
    json["blocking"] = blocking;
    json["findings"] = findingsJson(findings);
    context.emitJson(json);
    printFindings(context, findings);
    if (findings.isEmpty()) context.print(tr("Nothing to remark. Samples checked: %1.").arg(samples));
    return blocking > 0 ? exitCodeFor(FailureKind::PolicyRefused) : 0;
  }
};
VerbRegistration<DataCheck> registration;

}  // namespace
}  // namespace cloister::cli
