// project rebuild: a new index from the files, when the database is damaged or lost.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/verb.h"
#include "core/curation/rebuild.h"
#include "core/runs/run_supervisor.h"

namespace cloister::cli {
namespace {

class ProjectRebuild : public Verb {
 public:
  QStringList path() const override { return {"project", "rebuild"}; }
  QString summary() const override { return tr("Makes a new index from the project's files when its database is damaged or lost."); }
  QStringList examples() const override { return {"cloister-cli project rebuild --project chest"}; }
  int execute(Context& context) override {
    auto rebuilt = rebuildIndex(context.projectDir());
    if (!rebuilt) return context.fail(rebuilt.error());
    if (auto attached = RunSupervisor(*rebuilt->project).attach(); !attached) return context.fail(attached.error());
    auto runs = rebuilt->project->runs();
    if (!runs) return context.fail(runs.error());
    context.emitJson({{"imports", rebuilt->imports},
                      {"samples", rebuilt->samples},
                      {"snapshots", rebuilt->snapshots},
                      {"runs", runs->size()},
                      {"unreadable", QJsonArray::fromStringList(rebuilt->unreadable)}});
    context.print(tr("Rebuilt: imports: %1, samples: %2, snapshots: %3, runs: %4")
                      .arg(rebuilt->imports)
                      .arg(rebuilt->samples)
                      .arg(rebuilt->snapshots)
                      .arg(runs->size()));
    context.print(tr("Labels set after the newest snapshot, exclusions and the undo history were only in the database and are lost."));
    for (const QString& folder : rebuilt->unreadable) context.print("  " + folder);
    return rebuilt->unreadable.isEmpty() ? 0 : exitCodeFor(FailureKind::CorruptFile);
  }
};
VerbRegistration<ProjectRebuild> registration;

}  // namespace
}  // namespace cloister::cli
