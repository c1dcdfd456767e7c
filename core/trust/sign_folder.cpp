#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/trust/crypto.h"
#include "core/trust/folder_walk.h"
#include "core/trust/model_signature.h"
#include "core/trust/oms.h"

namespace cloister {
namespace {

Result<oms::Statement> statementOf(const QString& dir, const QJsonObject& extra) {
  auto folder = Folder::open(dir);
  if (!folder) return folder.error();
  auto listing = folder->list();
  if (!listing) return listing.error();
  if (!listing->refused.isEmpty())
    return Failure{
        FailureKind::PolicyRefused,
        {{"rule",
          QStringLiteral("a signed folder holds plain files only, but %1 is a link or a special file").arg(listing->refused.first())}},
        dir};
  oms::Statement s;
  s.subject = QFileInfo(QDir(dir).absolutePath()).fileName();
  s.ignorePaths = {"model.sig"};
  s.extra = extra;
  if (!s.extra.contains("signedAt")) s.extra["signedAt"] = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  for (const QByteArray& name : listing->files) {
    if (name == "model.sig") continue;
    // The reference tool's verifier leaves these out whatever was signed, so a signature over them would not hold there.
    if (oms::below(name, {".git", ".github", ".gitignore", ".gitattributes"}))
      return Failure{FailureKind::PolicyRefused,
                     {{"rule", QStringLiteral("git's own files are not signed, remove %1 first").arg(QString::fromUtf8(name))}},
                     dir};
    auto digest = folder->sha256(name);
    if (!digest) return digest.error();
    s.resources.push_back({name, *digest});
  }
  if (s.resources.empty())
    return Failure{FailureKind::NothingToDo, {{"what", "file to sign"}, {"next", "Choose a folder that holds the model."}}, dir};
  s.root = oms::rootDigest(s.resources);
  return s;
}

}  // namespace

Result<void> signFolder(const QString& dir, const KeyStore& keys, const QString& key, const QByteArray& passphrase,
                        const QJsonObject& extra) {
  auto info = keys.info(key);
  if (!info) return info.error();
  auto statement = statementOf(dir, extra);
  if (!statement) return statement.error();
  oms::Envelope envelope;
  envelope.payload = oms::writeStatement(*statement);
  // The reader's limit, checked by the writer: no signature is made that nobody would read.
  if (envelope.payload.size() > oms::kMaxSignatureBytes / 2)
    return Failure{FailureKind::TooLarge, {{"path", dir}, {"limit", oms::kMaxSignatureBytes / 2}}, QStringLiteral("list of files")};
  auto signature = keys.sign(key, passphrase, oms::preAuthentication(envelope.payload));
  if (!signature) return signature.error();
  envelope.signature = *signature;
  envelope.hint = info->fingerprint;
  for (const auto& certificate : crypto::certificatesFromPem(info->certificateChainPem))
    envelope.certificates.append(crypto::toDer(certificate.get()));
  return writeFileAtomically(dir + "/model.sig", oms::writeEnvelope(envelope));
}

}  // namespace cloister
