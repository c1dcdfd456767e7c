// data label: labels from a table, by name, or back again.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"
#include "core/curation/import_job.h"
#include "core/curation/labelling.h"

namespace cloister::cli {
namespace {

class DataLabel : public Verb {
 public:
  QStringList path() const override { return {"data", "label"}; }
  QString summary() const override { return tr("Sets labels from a table or by hand, excludes samples, and takes changes back."); }
  QStringList examples() const override {
    return {"cloister-cli data label labels.csv --key file --label label --group patient_id --site site",
            "cloister-cli data label --set PNEUMONIA person1/IM0001.dcm", "cloister-cli data label --exclude bad.dcm",
            "cloister-cli data label --undo"};
  }
  QString arguments() const override { return QStringLiteral("[CSV | KEY…]"); }
  int maximumArguments() const override { return -1; }
  QList<QCommandLineOption> options() const override {
    return {{"key", tr("The table's column that names the file."), "COLUMN"},
            {"label", tr("The table's column with the label."), "COLUMN"},
            {"group", tr("The table's column with the patient."), "COLUMN"},
            {"site", tr("The table's column with the site."), "COLUMN"},
            {"set", tr("Gives the named samples this label; empty takes it away."), "LABEL"},
            {"exclude", tr("Leaves the named samples out of snapshots.")},
            {"include", tr("Takes the named samples in again.")},
            {"undo", tr("Takes the last change back.")},
            {"redo", tr("Does it again.")}};
  }
  int execute(Context& context) override {
    int modes = 0;
    for (const char* option : {"set", "exclude", "include", "undo", "redo"}) modes += context.isSet(option);
    const bool history = context.isSet("undo") || context.isSet("redo");
    if (modes > 1 || history != context.arguments().isEmpty() || (modes == 0 && context.arguments().size() != 1))
      return context.fail({FailureKind::InvalidArgument,
                           {{"name", tr("arguments")},
                            {"value", context.arguments().join(' ')},
                            {"allowed", tr("one table, or --set, --exclude, --include with samples, or --undo, --redo")}},
                           {}});
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    if (history) return stepBack(context, **project);
    return modes == 0 ? fromTable(context, **project) : byHand(context, **project);
  }

 private:
  static int stepBack(Context& context, Project& project) {
    auto what = undoByPerson(project, context.isSet("redo"));
    if (!what) return context.fail(what.error());
    context.emitJson({{context.isSet("undo") ? "undone" : "redone", *what}});
    context.print((context.isSet("undo") ? tr("Undone: %1") : tr("Done again: %1")).arg(*what));
    return 0;
  }

  static int fromTable(Context& context, Project& project) {
    auto result = applyLabelTable(project, context.arguments().first(), context.value("key"), context.value("label"),
                                  context.value("group"), context.value("site"));
    if (!result) return context.fail(result.error());
    context.emitJson(result->toJson());
    context.print(tr("Rows: %1, matched: %2, samples changed: %3, rows without a sample: %4, conflicts: %5")
                      .arg(result->rows)
                      .arg(result->matched)
                      .arg(result->changed)
                      .arg(result->unmatchedRows)
                      .arg(result->conflicts.size()));
    return result->rows > 0 && result->matched == 0 ? exitCodeFor(FailureKind::NotFound) : 0;
  }

  static int byHand(Context& context, Project& project) {
    QList<Project::SampleChange> changes;
    for (const QString& key : context.arguments()) {
      auto sample = project.sampleByKey(key);
      if (!sample) return context.fail(sample.error());
      Project::SampleChange change;
      change.id = sample->id;
      if (context.isSet("set")) change.label = context.value("set"), change.labelOrigin = QStringLiteral("person");
      else change.excluded = context.isSet("exclude");
      changes.append(change);
    }
    const QString what = context.isSet("set") ? "label " + context.value("set") : context.isSet("exclude") ? "exclude" : "include";
    if (auto done = changeByPerson(project, changes, what); !done) return context.fail(done.error());
    context.emitJson({{"changed", changes.size()}});
    context.print(tr("Samples changed: %1").arg(changes.size()));
    return 0;
  }
};
VerbRegistration<DataLabel> registration;

}  // namespace
}  // namespace cloister::cli
