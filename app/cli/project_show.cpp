// project show: what a project holds.
#include <QDir>
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

QJsonArray importsJson(const QList<ImportRecord>& imports) {
  QJsonArray all;
  for (const ImportRecord& r : imports)
    all.append(QJsonObject{{"import", r.id},
                           {"source", r.source},
                           {"state", r.state},
                           {"startedAt", r.startedAt},
                           {"accepted", r.accepted},
                           {"refused", r.refused},
                           {"duplicates", r.duplicates},
                           {"paths", r.request["paths"]}});
  return all;
}

QJsonArray snapshotsJson(const QList<SnapshotRecord>& snapshots) {
  QJsonArray all;
  for (const SnapshotRecord& r : snapshots)
    all.append(QJsonObject{{"digest", r.digest},
                           {"createdAt", r.createdAt},
                           {"samples", r.samples},
                           {"groups", r.groups},
                           {"splitCounts", countsJson(r.splitCounts)},
                           {"classes", QJsonArray::fromStringList(r.classes)}});
  return all;
}

QJsonArray runsJson(const QList<RunRecord>& runs) {
  QJsonArray all;
  for (const RunRecord& r : runs)
    all.append(QJsonObject{{"run", r.id}, {"family", r.family}, {"state", r.state}, {"snapshot", r.snapshot}, {"createdAt", r.createdAt}});
  return all;
}

class ProjectShow : public Verb {
 public:
  QStringList path() const override { return {"project", "show"}; }
  QString summary() const override { return tr("Shows what a project holds: samples, imports, snapshots, runs and bundles."); }
  QStringList examples() const override { return {"cloister-cli project show --project chest --json"}; }
  int execute(Context& context) override {
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    auto counts = (*project)->counts();
    if (!counts) return context.fail(counts.error());
    auto imports = (*project)->imports();
    if (!imports) return context.fail(imports.error());
    auto snapshots = (*project)->snapshots();
    if (!snapshots) return context.fail(snapshots.error());
    auto runs = (*project)->runs();
    if (!runs) return context.fail(runs.error());
    const QStringList bundles = QDir((*project)->bundlesDir()).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    const ProjectInfo& info = (*project)->info();
    context.emitJson({{"project", (*project)->dir()},
                      {"id", info.id},
                      {"name", info.name},
                      {"task", info.task},
                      {"createdAt", info.createdAt},
                      {"samples", counts->samples},
                      {"labelled", counts->labelled},
                      {"excluded", counts->excluded},
                      {"patients", counts->patients},
                      {"refused", counts->refused},
                      {"duplicates", counts->duplicates},
                      {"problems", counts->problems},
                      {"byLabel", countsJson(counts->byLabel)},
                      {"bySite", countsJson(counts->bySite)},
                      {"byModality", countsJson(counts->byModality)},
                      {"imports", importsJson(*imports)},
                      {"snapshots", snapshotsJson(*snapshots)},
                      {"runs", runsJson(*runs)},
                      {"bundles", QJsonArray::fromStringList(bundles)}});
    context.print(QStringLiteral("%1 (%2), %3").arg(info.name, info.task, (*project)->dir()));
    context.print(tr("Samples %1, labelled %2, patients %3, excluded %4, refused %5, duplicates %6")
                      .arg(counts->samples)
                      .arg(counts->labelled)
                      .arg(counts->patients)
                      .arg(counts->excluded)
                      .arg(counts->refused)
                      .arg(counts->duplicates));
    if (!counts->byLabel.isEmpty()) context.print(tr("Labels: %1").arg(countsText(counts->byLabel)));
    if (!counts->bySite.isEmpty()) context.print(tr("Sites: %1").arg(countsText(counts->bySite)));
    for (const SnapshotRecord& s : *snapshots)
      context.print(
          tr("Snapshot %1: samples: %2 (%3), %4").arg(s.digest.left(12)).arg(s.samples).arg(countsText(s.splitCounts), s.createdAt));
    for (const RunRecord& r : *runs) context.print(tr("Run %1: %2, %3").arg(r.id, r.family, r.state));
    for (const QString& name : bundles) context.print(tr("Bundle %1").arg(name));
    return 0;
  }
};
VerbRegistration<ProjectShow> registration;

}  // namespace
}  // namespace cloister::cli
