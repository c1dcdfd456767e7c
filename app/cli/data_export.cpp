// data export, data recreate: a snapshot as a folder for elsewhere, and back.
#include "app/cli/data_common.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

class DataExport : public Verb {
 public:
  QStringList path() const override { return {"data", "export"}; }
  QString summary() const override { return tr("Writes a snapshot as files, table and digest."); }
  QStringList examples() const override { return {"cloister-cli data export --project chest --to /media/stick/chest-data"}; }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("The folder to make."), "DIR"}, {"snapshot", tr("Digest or its beginning (default: the newest)."), "DIGEST"}};
  }
  int execute(Context& context) override {
    if (context.value("to").isEmpty())
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a folder to make")}}, {}});
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    auto snapshot = openSnapshot(**project, context.value("snapshot"));
    if (!snapshot) return context.fail(snapshot.error());
    auto done = exportSnapshot(**project, *snapshot, context.value("to"), [&](qint64 at, qint64 total) {
      context.progress().show(at, total);
      return !Context::stopRequested();
    });
    if (!done) return context.fail(done.error());
    context.emitJson({{"snapshot", snapshot->digest}, {"samples", snapshot->samples}, {"to", context.value("to")}});
    context.print(tr("Snapshot %1 written to %2").arg(snapshot->digest.left(12), context.value("to")));
    return 0;
  }
};
VerbRegistration<DataExport> exportRegistration;

class DataRecreate : public Verb {
 public:
  QStringList path() const override { return {"data", "recreate"}; }
  QString summary() const override { return tr("Takes an exported snapshot into the project, under the same digest."); }
  QStringList examples() const override { return {"cloister-cli data recreate /media/stick/chest-data --project copy"}; }
  QString arguments() const override { return QStringLiteral("DIR"); }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    auto snapshot = recreateSnapshot(**project, context.arguments().first());
    if (!snapshot) return context.fail(snapshot.error());
    context.emitJson(snapshotJson(*snapshot));
    context.print(tr("Snapshot %1: samples: %2").arg(snapshot->digest.left(12)).arg(snapshot->samples));
    return 0;
  }
};
VerbRegistration<DataRecreate> recreateRegistration;

}  // namespace
}  // namespace cloister::cli
