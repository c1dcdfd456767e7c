// project create: makes the folder of a project.
#include "app/cli/data_common.h"
#include "app/cli/verb.h"
#include "core/domain/task.h"

namespace cloister::cli {
namespace {

class ProjectCreate : public Verb {
 public:
  QStringList path() const override { return {"project", "create"}; }
  QString summary() const override { return tr("Makes a new project folder."); }
  QStringList examples() const override {
    return {"cloister-cli project create --project chest --task image-classification",
            "cloister-cli project create --project letters --task language-model"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"name", tr("Name of the project (default: the folder's name)."), "NAME"},
            {"task", tr("What to build: image-classification or language-model."), "TASK", "image-classification"}};
  }
  int execute(Context& context) override {
    QStringList tasks;
    for (const Task& task : Task::all()) tasks << task.id;
    if (!tasks.contains(context.value("task")))
      return context.fail(
          {FailureKind::InvalidArgument, {{"name", "--task"}, {"value", context.value("task")}, {"allowed", tasks.join(", ")}}, {}});
    auto project = Project::create(context.projectDir(), context.value("name"), context.value("task"));
    if (!project) return context.fail(project.error());
    const ProjectInfo& info = (*project)->info();
    context.emitJson(
        {{"project", (*project)->dir()}, {"id", info.id}, {"name", info.name}, {"task", info.task}, {"createdAt", info.createdAt}});
    context.print(tr("Project %1 made in %2. Next: cloister-cli data import").arg(info.name, (*project)->dir()));
    return 0;
  }
};
VerbRegistration<ProjectCreate> registration;

}  // namespace
}  // namespace cloister::cli
