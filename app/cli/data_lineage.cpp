// data lineage: one sample's way from its file to every bundle.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/verb.h"
#include "core/curation/lineage.h"

namespace cloister::cli {
namespace {

class DataLineage : public Verb {
 public:
  QStringList path() const override { return {"data", "lineage"}; }
  QString summary() const override {
    return tr("Shows where a sample came from and where it went: import, labels, snapshots, runs, bundles.");
  }
  QStringList examples() const override { return {"cloister-cli data lineage --project chest NORMAL/IM-0119-0001.jpeg"}; }
  QString arguments() const override { return QStringLiteral("KEY|SHA256"); }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    auto lineage = sampleLineage(**project, context.arguments().first());
    if (!lineage) return context.fail(lineage.error());
    const QJsonObject& o = *lineage;
    context.emitJson(o);
    context.print(tr("Sample   %1 (SHA-256 %2)").arg(o["key"].toString(), o["sha256"].toString()));
    context.print(tr("File     %1").arg(o["file"].toString()));
    const QJsonObject import = o["import"].toObject();
    context.print(tr("Import   %1, %2, %3").arg(import["id"].toInteger()).arg(import["source"].toString(), import["startedAt"].toString()));
    context.print(tr("Label    %1 (%2)").arg(o["label"]["value"].toString(), o["label"]["origin"].toString()));
    for (const QJsonValue& c : o["changes"].toArray())
      context.print(tr("Change   %1 %2: %3 \"%4\" → \"%5\" (%6)%7")
                        .arg(c["at"].toString(), c["who"].toString(), c["field"].toString(), c["before"].toString(), c["after"].toString(),
                             c["what"].toString(), c["undone"].toBool() ? tr(", undone") : QString()));
    for (const QJsonValue& s : o["snapshots"].toArray())
      context.print(tr("Snapshot %1: %2").arg(s["digest"].toString().left(12), s["split"].toString()));
    for (const QJsonValue& r : o["runs"].toArray())
      context.print(tr("Run      %1: %2, %3").arg(r["run"].toString(), r["split"].toString(), r["state"].toString()));
    for (const QJsonValue& b : o["bundles"].toArray())
      context.print(tr("Bundle   %1: %2").arg(b["name"].toString(), b["split"].toString()));
    return 0;
  }
};
VerbRegistration<DataLineage> registration;

}  // namespace
}  // namespace cloister::cli
