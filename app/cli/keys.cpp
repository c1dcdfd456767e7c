// keys create|list|show|import|export-public|remove|change-passphrase: the signing keys of this user.
#include <QJsonArray>

#include "app/cli/passphrase.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/trust/audit_log.h"
#include "core/trust/key_store.h"

namespace cloister::cli {
namespace {

class KeyVerb : public Verb {
 public:
  bool needsProject() const override { return false; }

 protected:
  static QCommandLineOption nameOption() { return {"name", tr("Name of the key."), "NAME"}; }
  static QCommandLineOption passphraseOption() {
    return {"passphrase-file", tr("File whose first line is the passphrase; asked on a terminal otherwise."), "FILE"};
  }
  static QCommandLineOption projectOption() { return {"project", tr("Also record it in the audit log of this project."), "DIR"}; }
  /// --name, or the only argument.
  static QString nameOf(const Context& context) { return context.isSet("name") ? context.value("name") : context.arguments().value(0); }
  /// Written before the change shows; without --project there is no log to write to.
  static Result<void> record(const Context& context, const QString& action, const QString& name, const QString& fingerprint = {}) {
    if (!context.isSet("project")) return {};
    auto log = AuditLog::open(context.value("project"));
    if (!log) return log.error();
    auto entry = (*log)->append(action, {{"key", name}, {"fingerprint", fingerprint}});
    if (!entry) return entry.error();
    return {};
  }
  static int show(Context& context, const KeyInfo& info) {
    QJsonObject o = info.toJson();
    o["publicPem"] = QString::fromLatin1(info.publicPem);
    context.emitJson(o);
    context.print(tr("Key %1, %2, made %3").arg(info.name, info.curve, info.createdAt));
    context.print(tr("Fingerprint: %1").arg(info.fingerprint));
    if (!info.certificateChainPem.isEmpty()) context.print(tr("With a certificate chain."));
    return 0;
  }
};

class KeysCreate : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "create"}; }
  QString summary() const override { return tr("Make a signing key behind a passphrase."); }
  QStringList examples() const override { return {"cloister-cli keys create --name radiology --curve P-256 --passphrase-file pass.txt"}; }
  QList<QCommandLineOption> options() const override {
    return {nameOption(), {"curve", tr("P-256, P-384 or P-521."), "CURVE", "P-256"}, passphraseOption(), projectOption()};
  }
  QString arguments() const override { return "[NAME]"; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto passphrase = passphraseFrom(context, "passphrase-file", tr("New passphrase"));
    if (!passphrase) return context.fail(passphrase.error());
    if (auto recorded = record(context, "key_create", nameOf(context)); !recorded) return context.fail(recorded.error());
    auto made = KeyStore().create(nameOf(context), context.value("curve"), *passphrase);
    return made ? show(context, *made) : context.fail(made.error());
  }
};

class KeysImport : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "import"}; }
  QString summary() const override {
    return tr("Take over an EC private key from a PEM file, with its certificate chain if there is one.");
  }
  QStringList examples() const override {
    return {"cloister-cli keys import --name radiology --private-key leaf.key --certificate-chain chain.pem --passphrase-file pass.txt"};
  }
  QList<QCommandLineOption> options() const override {
    return {nameOption(),
            {"private-key", tr("PEM file of the private key."), "FILE"},
            {"pem-passphrase-file", tr("File whose first line opens the PEM file."), "FILE"},
            {"certificate-chain", tr("PEM file, the key's own certificate first."), "FILE"},
            passphraseOption(),
            projectOption()};
  }
  int execute(Context& context) override {
    auto pem = readFile(context.value("private-key"), 1 << 20);
    if (!pem) return context.fail(pem.error());
    QByteArray chain, pemPassphrase;
    if (context.isSet("certificate-chain")) {
      auto bytes = readFile(context.value("certificate-chain"), 1 << 20);
      if (!bytes) return context.fail(bytes.error());
      chain = *bytes;
    }
    if (context.isSet("pem-passphrase-file")) {
      auto secret = passphraseFrom(context, "pem-passphrase-file", {});
      if (!secret) return context.fail(secret.error());
      pemPassphrase = *secret;
    }
    auto passphrase = passphraseFrom(context, "passphrase-file", tr("New passphrase"));
    if (!passphrase) return context.fail(passphrase.error());
    if (auto recorded = record(context, "key_import", nameOf(context)); !recorded) return context.fail(recorded.error());
    auto made = KeyStore().importPem(nameOf(context), *pem, pemPassphrase, chain, *passphrase);
    return made ? show(context, *made) : context.fail(made.error());
  }
};

class KeysList : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "list"}; }
  QString summary() const override { return tr("List the signing keys."); }
  QStringList examples() const override { return {"cloister-cli keys list --json"}; }
  int execute(Context& context) override {
    auto all = KeyStore().list();
    if (!all) return context.fail(all.error());
    QJsonArray list;
    for (const KeyInfo& info : *all) {
      list.append(info.toJson());
      context.print(QStringLiteral("%1  %2  %3  %4").arg(info.name, info.curve, info.fingerprint.left(16), info.createdAt));
    }
    if (all->isEmpty()) context.print(tr("There are no keys yet. Make one: cloister-cli keys create --name NAME"));
    context.emitJson({{"keys", list}, {"folder", KeyStore().folder()}});
    return 0;
  }
};

class KeysShow : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "show"}; }
  QString summary() const override { return tr("Show one key's curve, age and fingerprint."); }
  QStringList examples() const override { return {"cloister-cli keys show radiology"}; }
  QList<QCommandLineOption> options() const override { return {nameOption()}; }
  QString arguments() const override { return "[NAME]"; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto info = KeyStore().info(nameOf(context));
    return info ? show(context, *info) : context.fail(info.error());
  }
};

class KeysExportPublic : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "export-public"}; }
  QString summary() const override { return tr("Write the public half as PEM, for those who verify."); }
  QStringList examples() const override { return {"cloister-cli keys export-public radiology --to radiology.pub"}; }
  QList<QCommandLineOption> options() const override {
    return {nameOption(), {"to", tr("File to write; standard output otherwise."), "FILE"}};
  }
  QString arguments() const override { return "[NAME]"; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto info = KeyStore().info(nameOf(context));
    if (!info) return context.fail(info.error());
    if (context.isSet("to"))
      if (auto written = writeFileAtomically(context.value("to"), info->publicPem); !written) return context.fail(written.error());
    context.emitJson({{"name", info->name},
                      {"fingerprint", info->fingerprint},
                      {"publicPem", QString::fromLatin1(info->publicPem)},
                      {"file", context.value("to")}});
    context.print(context.isSet("to")
                      ? tr("Written to %1. Its fingerprint, to compare by telephone: %2").arg(context.value("to"), info->fingerprint)
                      : QString::fromLatin1(info->publicPem).trimmed());
    return 0;
  }
};

class KeysRemove : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "remove"}; }
  QString summary() const override { return tr("Remove a key for good. What it signed stays valid."); }
  QStringList examples() const override { return {"cloister-cli keys remove radiology"}; }
  QList<QCommandLineOption> options() const override { return {nameOption(), projectOption()}; }
  QString arguments() const override { return "[NAME]"; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    KeyStore keys;
    const QString name = nameOf(context);
    auto info = keys.info(name);
    if (auto recorded = record(context, "key_remove", name, info ? info->fingerprint : QString()); !recorded)
      return context.fail(recorded.error());
    if (auto removed = keys.remove(name); !removed) return context.fail(removed.error());
    context.emitJson({{"removed", name}});
    context.print(tr("Key %1 was removed.").arg(name));
    return 0;
  }
};

class KeysChangePassphrase : public KeyVerb {
 public:
  QStringList path() const override { return {"keys", "change-passphrase"}; }
  QString summary() const override { return tr("Put a key behind another passphrase."); }
  QStringList examples() const override {
    return {"cloister-cli keys change-passphrase radiology --passphrase-file old.txt --new-passphrase-file new.txt"};
  }
  QList<QCommandLineOption> options() const override {
    return {nameOption(),
            passphraseOption(),
            {"new-passphrase-file", tr("File whose first line is the new passphrase."), "FILE"},
            projectOption()};
  }
  QString arguments() const override { return "[NAME]"; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    const QString name = nameOf(context);
    auto from = passphraseFrom(context, "passphrase-file", tr("Present passphrase"));
    if (!from) return context.fail(from.error());
    auto to = passphraseFrom(context, "new-passphrase-file", tr("New passphrase"));
    if (!to) return context.fail(to.error());
    if (auto recorded = record(context, "key_change", name); !recorded) return context.fail(recorded.error());
    if (auto changed = KeyStore().changePassphrase(name, *from, *to); !changed) return context.fail(changed.error());
    context.emitJson({{"changed", name}});
    context.print(tr("The passphrase of %1 was changed.").arg(name));
    return 0;
  }
};

VerbRegistration<KeysCreate> create;
VerbRegistration<KeysImport> import;
VerbRegistration<KeysList> list;
VerbRegistration<KeysShow> show;
VerbRegistration<KeysExportPublic> exportPublic;
VerbRegistration<KeysRemove> removal;
VerbRegistration<KeysChangePassphrase> change;

}  // namespace
}  // namespace cloister::cli
