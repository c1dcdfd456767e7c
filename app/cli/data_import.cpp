// data import: files into the project; an import that was interrupted goes on where it was.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"
#include "core/curation/import_job.h"
#include "core/domain/task.h"

namespace cloister::cli {
namespace {

constexpr int kRefusalsShown = 20;

ImportRequest requestFrom(const Context& context) {
  ImportRequest request;
  request.source = context.value("source");
  request.paths = context.arguments();
  request.labelsFile = context.value("labels");
  request.keyColumn = context.value("key");
  request.labelColumn = context.value("label");
  request.groupColumn = context.value("group");
  request.siteColumn = context.value("site");
  return request;
}

Result<void> readOptions(const Context& context, ImportRequest& request) {
  auto workers = context.integer("workers", 0, 1024);
  if (!workers) return workers.error();
  request.workers = int(*workers);
  for (const QString& text : context.values("set")) {
    const qsizetype equals = text.indexOf('=');
    if (equals <= 0) return Failure{FailureKind::InvalidArgument, {{"name", "--set"}, {"value", text}, {"allowed", "KEY=VALUE"}}, {}};
    request.options[text.left(equals)] = text.mid(equals + 1);
  }
  return {};
}

void printSummary(Context& context, const ImportSummary& s) {
  context.print(tr("Accepted %1, refused %2, duplicates %3").arg(s.accepted).arg(s.refusedCount).arg(s.duplicateCount));
  if (s.labels)
    context.print(tr("Label table: rows: %1, matched: %2, without a sample: %3, conflicts: %4; samples without a label: %5")
                      .arg(s.labels->rows)
                      .arg(s.labels->matched)
                      .arg(s.labels->unmatchedRows)
                      .arg(s.labels->conflicts.size())
                      .arg(s.labels->unlabelledSamples));
  for (int i = 0; i < s.refused.size() && i < kRefusalsShown; ++i)
    context.print("  " + s.refused[i]["file"].toString() + ": " + s.refused[i]["message"].toString());
  if (s.refused.size() > kRefusalsShown) context.print(tr("  … and %1 more").arg(s.refused.size() - kRefusalsShown));
}

class DataImport : public Verb {
 public:
  QStringList path() const override { return {"data", "import"}; }
  QString summary() const override { return tr("Imports images, with labels from folders or a table, or texts into the project."); }
  QStringList examples() const override {
    return {
        "cloister-cli data import --project chest --source images ./images --labels metadata.csv --key file --label label --group "
        "patient_id",
        "cloister-cli data import --project chest --source dicom /media/disc/DICOMDIR",
        "cloister-cli data import --project letters --source text answers.jsonl --set kind=instructions"};
  }
  QString arguments() const override { return QStringLiteral("PATH…"); }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return -1; }
  QList<QCommandLineOption> options() const override {
    return {{"source", tr("dicom, images, table (labels alone) or text (default: text for a language model, else dicom)."), "SOURCE"},
            {"labels", tr("A table (CSV) with a row a file."), "FILE"},
            {"key", tr("Its column that names the file (default: file, path …)."), "COLUMN"},
            {"label", tr("Its column with the label (default: label)."), "COLUMN"},
            {"group", tr("Its column with the patient (default: patient_id, patient)."), "COLUMN"},
            {"site", tr("Its column with the site (default: site)."), "COLUMN"},
            {"set", tr("An option of the source, KEY=VALUE; may be repeated."), "KEY=VALUE"},
            {"workers", tr("Processes that decode (0: one per processor)."), "N", "0"},
            {"new", tr("Start anew also when such an import was interrupted.")}};
  }
  int execute(Context& context) override {
    ImportRequest request = requestFrom(context);
    if (auto ok = readOptions(context, request); !ok) return context.fail(ok.error());
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    if (request.source.isEmpty()) request.source = Task::named((*project)->info().task).sources.first();
    qint64 interrupted = 0;
    if (!context.isSet("new")) {
      auto found = interruptedImport(**project, request);
      if (!found) return context.fail(found.error());
      interrupted = *found;
    }
    return run(context, **project, request, interrupted);
  }

 private:
  static int run(Context& context, Project& project, const ImportRequest& request, qint64 interrupted) {
    ImportJob job(project, request);
    int code = 1;
    QObject::connect(&job, &ImportJob::progressed, &context, [&](const ImportProgress& p) {
      context.progress().show(p.done, p.total,
                              tr("%1 accepted, %2 refused, %3 files/s").arg(p.accepted).arg(p.refused).arg(p.filesPerSecond, 0, 'f', 0),
                              p.secondsLeft);
    });
    QObject::connect(&job, &ImportJob::finished, &context, [&](const ImportSummary& summary) {
      QJsonObject json = summary.toJson();
      json["resumed"] = interrupted > 0;
      context.emitJson(json);
      printSummary(context, summary);
      if (summary.stopped) code = 130;
      else code = summary.accepted + summary.duplicateCount == 0 && !summary.labels ? exitCodeFor(FailureKind::NothingToDo) : 0;
      context.quit(code);
    });
    QObject::connect(&job, &ImportJob::failed, &context, [&](const Failure& failure) { context.quit(context.fail(failure)); });
    QObject::connect(&context, &Context::stopAsked, &job, &ImportJob::stop);
    if (interrupted > 0) context.note(tr("Going on with import %1.").arg(interrupted));
    auto started = interrupted > 0 ? job.resume(interrupted) : job.start();
    if (!started) return context.fail(started.error());
    return context.runEventLoop();
  }
};
VerbRegistration<DataImport> registration;

}  // namespace
}  // namespace cloister::cli
