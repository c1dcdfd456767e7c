// audit verify|show: is the project's log of what was done still whole, and what does it say.
#include <algorithm>
#include <limits>

#include <QJsonArray>
#include <QJsonDocument>

#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/trust/audit_log.h"
#include "core/trust/key_store.h"
#include "core/trust/model_signature.h"

namespace cloister::cli {
namespace {

class AuditVerify : public Verb {
 public:
  QStringList path() const override { return {"audit", "verify"}; }
  QString summary() const override { return tr("Check the whole chain of audit entries, also against a checkpoint kept elsewhere."); }
  QStringList examples() const override {
    return {"cloister-cli audit verify --project P", "cloister-cli audit verify --project P --bundle /media/usb/chest-model"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"checkpoint", tr("JSON file with a checkpoint {\"size\",\"head\"} from earlier."), "FILE"},
            {"bundle", tr("A bundle signed by one of this user's keys: its checkpoint is used."), "DIR"}};
  }
  int execute(Context& context) override {
    auto anchor = anchorFor(context);
    if (!anchor) return context.fail(anchor.error());
    auto log = AuditLog::open(context.projectDir(), true);
    if (!log) return context.fail(log.error());
    auto v = (*log)->verify(*anchor);
    if (!v) return context.fail(v.error());
    context.emitJson(v->toJson());
    context.print(v->intact ? tr("The audit log is intact. Entries: %1.").arg(v->entries)
                            : tr("The audit log is broken: %1.").arg(v->reason));
    if (v->clockSetBack > 0) context.print(tr("Times the clock was set back: %1.").arg(v->clockSetBack));
    if (v->intact && !v->anchored)
      context.print(tr("Without a checkpoint from elsewhere nobody can tell whether the newest entries were cut off."));
    return v->intact ? 0 : 4;
  }

 private:
  static Result<QJsonObject> anchorFor(const Context& context) {
    if (context.isSet("checkpoint")) return readJson(context.value("checkpoint"), 64 << 10);
    if (!context.isSet("bundle")) return QJsonObject{};
    VerifyPolicy policy;
    policy.allowUnsignedFiles = policy.allowIgnored = true;
    if (auto own = KeyStore().list())
      for (const KeyInfo& info : *own) policy.trustedPublicPems.append(info.publicPem);
    auto report = verifyFolder(context.value("bundle"), policy);
    if (!report) return report.error();
    if (!report->valid) return Failure{FailureKind::SignatureInvalid, {{"reason", report->summary}}, {}};
    return report->extra["auditCheckpoint"].toObject();
  }
};

class AuditShow : public Verb {
 public:
  QStringList path() const override { return {"audit", "show"}; }
  QString summary() const override { return tr("Show audit entries: when, who, what."); }
  QStringList examples() const override { return {"cloister-cli audit show --project P --limit 20"}; }
  QList<QCommandLineOption> options() const override {
    return {{"from", tr("First entry to show; the newest ones otherwise."), "N"}, {"limit", tr("How many."), "N", "50"}};
  }
  int execute(Context& context) override {
    auto limit = context.integer("limit", 1, 1'000'000);
    if (!limit) return context.fail(limit.error());
    auto log = AuditLog::open(context.projectDir(), true);
    if (!log) return context.fail(log.error());
    auto entries = read(context, **log, int(*limit));
    if (!entries) return context.fail(entries.error());
    QJsonArray list;
    for (const AuditEntry& e : *entries) {
      QJsonObject o = e.body;
      o["hash"] = e.hash;
      list.append(o);
      context.print(QStringLiteral("%1  %2  %3  %4  %5  %6")
                        .arg(e.seq)
                        .arg(o["ts"].toString(), o["actor"].toString(), o["action"].toString(), o["outcome"].toString(),
                             QString::fromUtf8(QJsonDocument(o["obj"].toObject()).toJson(QJsonDocument::Compact))));
    }
    context.emitJson({{"entries", list}});
    return 0;
  }

 private:
  static Result<QList<AuditEntry>> read(const Context& context, const AuditLog& log, int limit) {
    if (!context.isSet("from")) {
      auto newest = log.latest(limit);
      if (newest) std::reverse(newest->begin(), newest->end());
      return newest;
    }
    auto from = context.integer("from", 1, std::numeric_limits<qint64>::max());
    if (!from) return from.error();
    return log.entries(*from, limit);
  }
};

VerbRegistration<AuditVerify> verify;
VerbRegistration<AuditShow> show;

}  // namespace
}  // namespace cloister::cli
