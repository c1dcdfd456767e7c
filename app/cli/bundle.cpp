// bundle create|verify: hand a model out, and check one that came in. verify needs no project and is what the desktop starts, so that a
// hostile folder costs this process at most.
#include <QDir>

#include "app/cli/passphrase.h"
#include "app/cli/project_option.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/trust/audit_log.h"
#include "core/trust/bundle.h"
#include "core/trust/bundle_manifest.h"
#include "core/trust/language_bundle.h"

namespace cloister::cli {
namespace {

/// --key, else the only one there is.
Result<QString> signingKey(const Context& context, const KeyStore& keys) {
  if (const QString given = context.value("key"); !given.isEmpty()) return given;
  auto all = keys.list();
  if (!all) return all.error();
  if (all->isEmpty())
    return Failure{
        FailureKind::NothingToDo, {{"what", tr("signing key")}, {"next", tr("Make one: cloister-cli keys create --name NAME")}}, {}};
  QStringList names;
  for (const KeyInfo& info : *all) names << info.name;
  if (names.size() > 1) return Failure{FailureKind::InvalidArgument, {{"name", "--key"}, {"value", ""}, {"allowed", names.join(", ")}}, {}};
  return names.first();
}

class BundleCreate : public Verb {
 public:
  QStringList path() const override { return {"bundle", "create"}; }
  QString summary() const override { return tr("Put a run's exported model with its papers into a signed folder."); }
  QStringList examples() const override {
    return {"cloister-cli bundle create --project P --key radiology --passphrase-file pass.txt --to /media/usb/chest-model"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"run", tr("The run; the newest otherwise."), "RUN"},
            {"candidate", tr("Which exported model (fp32, fp16, int8-dynamic, int8-static); the recommended one otherwise."), "NAME"},
            {"key", tr("Name of the signing key; may be left out when there is only one."), "NAME"},
            {"passphrase-file", tr("File whose first line is the passphrase; asked on a terminal otherwise."), "FILE"},
            {"to", tr("Folder to make; bundles/RUN in the project otherwise."), "DIR"},
            {"name", tr("Name of the model for people; the folder's otherwise."), "TEXT"},
            {"intended-use", tr("What the model is for; goes into the model card."), "TEXT"},
            {"limits", tr("What it is not good for; goes into the model card."), "TEXT"}};
  }
  int execute(Context& context) override {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    KeyStore keys;
    auto request = requestFor(context, **project, keys);
    if (!request) return context.fail(request.error());
    auto passphrase = passphraseFrom(context, "passphrase-file", tr("Passphrase of %1").arg(request->key));
    if (!passphrase) return context.fail(passphrase.error());
    request->passphrase = *passphrase;
    auto log = AuditLog::open((*project)->dir());
    if (!log) return context.fail(log.error());
    auto made = createAuditedBundle(*request, keys, **log);
    if (!made) return context.fail(made.error());
    context.emitJson({{"bundle", made->dir}, {"rootDigest", made->rootDigest}, {"key", request->key}, {"manifest", made->manifest}});
    context.print(tr("Bundle: %1").arg(made->dir));
    context.print(tr("Check it anywhere: cloister-cli bundle verify DIR --public-key FILE"));
    return 0;
  }

 private:
  static Result<BundleRequest> requestFor(const Context& context, const Project& project, const KeyStore& keys) {
    auto run = project.run(context.value("run"));
    if (!run) return run.error();
    BundleRequest r;
    r.projectDir = project.dir();
    r.runDir = project.runDir(run->id);
    r.snapshotDir = project.snapshotDir(run->snapshot);
    r.candidate = context.value("candidate");
    r.toDir = context.isSet("to") ? context.value("to") : project.bundlesDir() + "/" + run->id;
    r.name = context.value("name");
    r.intendedUse = context.value("intended-use");
    r.limits = context.value("limits");
    auto key = signingKey(context, keys);
    if (!key) return key.error();
    r.key = *key;
    return r;
  }
};

class BundleModel : public FolderVerb {
 public:
  QStringList path() const override { return {"bundle", "model"}; }
  QString summary() const override {
    return tr("Put an exported language model with its tokenizer and papers into a signed folder. Needs no project.");
  }
  QStringList examples() const override {
    return {"cloister-cli bundle model deliver --report report.json --key radiology --passphrase-file pass.txt --to /media/usb/assistant"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"report", tr("The report that model evaluate wrote; it goes along without what it says of single texts."), "FILE"},
            {"key", tr("Name of the signing key; may be left out when there is only one."), "NAME"},
            {"passphrase-file", tr("File whose first line is the passphrase; asked on a terminal otherwise."), "FILE"},
            {"to", tr("The new folder."), "DIR"},
            {"name", tr("Name of the model for people; the folder's otherwise."), "TEXT"},
            {"base", tr("What it was made from, for the model card."), "TEXT"},
            {"intended-use", tr("What the model is for; goes into the model card."), "TEXT"},
            {"limits", tr("What it is not good for; goes into the model card."), "TEXT"}};
  }
  int execute(Context& context) override {
    if (!context.isSet("to"))
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a new folder")}}, {}});
    const KeyStore keys;
    LanguageBundleRequest r;
    r.exportDir = context.arguments()[0];
    r.reportFile = context.value("report");
    r.toDir = context.value("to");
    r.name = context.value("name");
    r.baseModel = context.value("base");
    r.intendedUse = context.value("intended-use");
    r.limits = context.value("limits");
    auto key = signingKey(context, keys);
    if (!key) return context.fail(key.error());
    r.key = *key;
    auto passphrase = passphraseFrom(context, "passphrase-file", tr("Passphrase of %1").arg(r.key));
    if (!passphrase) return context.fail(passphrase.error());
    r.passphrase = *passphrase;
    auto made = createLanguageBundle(r, keys);
    if (!made) return context.fail(made.error());
    context.emitJson({{"bundle", made->dir}, {"rootDigest", made->rootDigest}, {"key", r.key}, {"manifest", made->manifest}});
    context.print(tr("Bundle: %1").arg(made->dir));
    context.print(tr("Check it anywhere: cloister-cli bundle verify DIR --public-key FILE"));
    return 0;
  }
};

class BundleVerify : public FolderVerb {
 public:
  QStringList path() const override { return {"bundle", "verify"}; }
  QString summary() const override { return tr("Check a bundle's signature, signer and every file. Needs no project."); }
  QStringList examples() const override {
    return {"cloister-cli bundle verify /media/usb/chest-model --public-key radiology.pub",
            "cloister-cli bundle verify DIR --roots hospital-ca.pem --copy-to verified --json"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"public-key", tr("PEM file of a trusted key; may stand several times. Without it and --roots: this user's own keys."), "FILE"},
            {"roots", tr("PEM file of trusted certificate authorities."), "FILE"},
            {"signature", tr("The signature file when it is not DIR/model.sig."), "FILE"},
            {"copy-to", tr("Also write the very bytes that were verified to this new folder; open that one."), "DIR"},
            {"allow-unsigned", tr("Accept files that are not signed.")},
            {"allow-ignored", tr("Accept files that the signer left out on purpose.")},
            {"allow-unknown-signer", tr("Accept a certificate that leads to no trusted root.")},
            {"refuse-expired", tr("Refuse a certificate that is out of date.")}};
  }
  int execute(Context& context) override {
    auto policy = policyFor(context);
    if (!policy) return context.fail(policy.error());
    const QString dir = context.arguments().value(0);
    auto found = verifyBundle(dir, *policy, context.value("signature"), context.value("copy-to"));
    if (!found) return context.fail(found.error());
    QJsonObject o = found->toJson();
    o["dir"] = QDir(dir).absolutePath();
    context.emitJson(o);
    printReport(context, *found);
    return found->report.valid ? 0 : 4;
  }

 private:
  static Result<VerifyPolicy> policyFor(const Context& context) {
    VerifyPolicy p;
    p.allowUnsignedFiles = context.isSet("allow-unsigned");
    p.allowIgnored = context.isSet("allow-ignored");
    p.allowUnknownSigner = context.isSet("allow-unknown-signer");
    p.allowExpired = !context.isSet("refuse-expired");
    for (const QString& file : context.values("public-key")) {
      auto pem = readFile(file, 1 << 20);
      if (!pem) return pem.error();
      if (!pem->contains("-----BEGIN PUBLIC KEY-----"))
        return Failure{FailureKind::KeyInvalid, {{"name", file}}, QStringLiteral("not a public key in PEM form")};
      p.trustedPublicPems.append(*pem);
    }
    for (const QString& file : context.values("roots")) {
      auto pem = readFile(file, 8 << 20);
      if (!pem) return pem.error();
      p.trustedRootsPem += *pem + '\n';
    }
    if (context.isSet("public-key") || context.isSet("roots")) return p;
    if (auto own = KeyStore().list())
      for (const KeyInfo& info : *own) p.trustedPublicPems.append(info.publicPem);
    return p;
  }

  static void printReport(Context& context, const BundleVerification& found) {
    for (const VerifyCheck& c : found.report.checks)
      context.print(QStringLiteral("%1 %2: %3").arg(c.passed ? (c.warning ? "!" : "+") : "-", c.name, c.message));
    context.print(found.report.summary);
    if (!found.manifest.isEmpty())
      context.print(tr("Model %1, version %2").arg(found.manifest["name"].toString(), found.manifest["version"].toString()));
    if (!found.copiedTo.isEmpty()) context.print(tr("The verified files were copied to %1").arg(found.copiedTo));
  }
};

VerbRegistration<BundleCreate> create;
VerbRegistration<BundleModel> model;
VerbRegistration<BundleVerify> verify;

}  // namespace
}  // namespace cloister::cli
