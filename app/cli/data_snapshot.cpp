// data snapshot: freezes samples, labels, split and preprocessing under one digest.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

class DataSnapshot : public Verb {
 public:
  QStringList path() const override { return {"data", "snapshot"}; }
  QString summary() const override { return tr("Freezes the labelled samples, or the texts, with their split under one digest."); }
  QStringList examples() const override {
    return {"cloister-cli data snapshot --project chest --split 70/15/15 --group patient --seed 1 --size 224"};
  }
  QList<QCommandLineOption> options() const override { return splitOptions() + preprocessingOptions(); }
  int execute(Context& context) override {
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    return isLanguage(**project) ? freezeTexts(context, **project) : freezeImages(context, **project);
  }

 private:
  static int freezeImages(Context& context, Project& project) {
    auto request = splitRequest(context);
    if (!request) return context.fail(request.error());
    auto how = preprocessing(context);
    if (!how) return context.fail(how.error());
    return answer(context, freezeSnapshot(project, *request, *how));
  }

  static int freezeTexts(Context& context, Project& project) {
    auto split = textSplit(context);
    if (!split) return context.fail(split.error());
    auto snapshot = cloister::freezeTexts(project, *split, [&](qint64 done, qint64 total) {
      if (total > 0) context.progress().show(done, total);
      return !Context::stopRequested();
    });
    context.progress().clear();
    return answer(context, snapshot);
  }

  static int answer(Context& context, const Result<Snapshot>& snapshot) {
    if (!snapshot) return context.fail(snapshot.error());
    QJsonObject json = snapshotJson(*snapshot);
    json["findings"] = snapshot->json["findings"];
    context.emitJson(json);
    context.print(tr("Snapshot %1: samples: %2, groups: %3; %4")
                      .arg(snapshot->digest.left(12))
                      .arg(snapshot->samples)
                      .arg(snapshot->groups)
                      .arg(countsText(snapshot->splitCounts)));
    QList<Finding> findings;
    for (const QJsonValue& f : snapshot->json["findings"].toArray()) findings << Finding::fromJson(f.toObject());
    printFindings(context, findings);
    return 0;
  }
};
VerbRegistration<DataSnapshot> registration;

}  // namespace
}  // namespace cloister::cli
