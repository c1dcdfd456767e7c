// data audit: the audit log's entries and whether its chain holds.
#include <QJsonArray>
#include <QJsonDocument>

#include "app/cli/data_common.h"
#include "app/cli/verb.h"
#include "core/trust/audit_log.h"

namespace cloister::cli {
namespace {

class DataAudit : public Verb {
 public:
  QStringList path() const override { return {"data", "audit"}; }
  QString summary() const override { return tr("Checks the audit log's chain and shows its newest entries."); }
  QStringList examples() const override { return {"cloister-cli data audit --project chest --limit 50"}; }
  QList<QCommandLineOption> options() const override { return {{"limit", tr("So many entries."), "N", "20"}}; }
  int execute(Context& context) override {
    auto limit = context.integer("limit", 0, 1'000'000);
    if (!limit) return context.fail(limit.error());
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    auto log = AuditLog::open((*project)->dir(), true);
    if (!log) return context.fail(log.error());
    auto verification = (*log)->verify();
    if (!verification) return context.fail(verification.error());
    auto entries = (*log)->latest(int(*limit));
    if (!entries) return context.fail(entries.error());
    QJsonArray list;
    for (const AuditEntry& e : *entries) {
      list.append(QJsonObject{{"seq", e.seq}, {"hash", e.hash}, {"body", e.body}});
      context.print(QStringLiteral("%1\t%2\t%3\t%4\t%5")
                        .arg(e.seq)
                        .arg(e.body["ts"].toString(), e.body["actor"].toVariant().toString(), e.body["action"].toString(),
                             QString::fromUtf8(QJsonDocument(e.body["obj"].toObject()).toJson(QJsonDocument::Compact))));
    }
    QJsonObject json = verification->toJson();
    json["log"] = list;
    context.emitJson(json);
    context.print(verification->intact
                      ? tr("The chain of %1 entries holds.").arg(verification->entries)
                      : tr("The chain is broken at entry %1: %2").arg(verification->firstBroken).arg(verification->reason));
    return verification->intact ? 0 : exitCodeFor(FailureKind::SignatureInvalid);
  }
};
VerbRegistration<DataAudit> registration;

}  // namespace
}  // namespace cloister::cli
