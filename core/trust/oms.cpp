#include "core/trust/oms.h"

#include <algorithm>

#include <QCryptographicHash>
#include <QJsonArray>
#include <QSet>

#include "core/domain/files.h"
#include "core/trust/folder_walk.h"
#include "core/trust/strict_json.h"

namespace cloister::oms {
namespace {

const QString kMediaType = QStringLiteral("application/vnd.dev.sigstore.bundle.v0.3+json");
const QString kPayloadType = QStringLiteral("application/vnd.in-toto+json");
const QString kStatementType = QStringLiteral("https://in-toto.io/Statement/v1");
const QString kPredicateType = QStringLiteral("https://model_signing/signature/v1.0");
constexpr int kMaxCertificates = 16;

/// Thrown inside this file only: the readers are long chains of "must be".
struct Refused {
  QString why;
};
void must(bool good, const char* why) {
  if (!good) throw Refused{QString::fromLatin1(why)};
}

void onlyMembers(const QJsonObject& o, std::initializer_list<const char*> allowed, const char* where) {
  for (auto it = o.begin(); it != o.end(); ++it)
    if (std::none_of(allowed.begin(), allowed.end(), [&](const char* name) { return it.key() == QLatin1String(name); }))
      throw Refused{QStringLiteral("%1 has an unknown member %2").arg(QLatin1String(where), it.key())};
}

QByteArray base64Member(const QJsonObject& o, const char* name) {
  const QJsonValue v = o[QLatin1String(name)];
  const auto bytes = v.isString() ? decodeStrictBase64(v.toString()) : std::nullopt;
  if (!bytes || bytes->isEmpty()) throw Refused{QStringLiteral("%1 is not strict base64").arg(QLatin1String(name))};
  return *bytes;
}

QByteArray hexDigest(const QJsonValue& v) {
  const QString text = v.toString();
  must(text.size() == 64 &&
           std::all_of(text.begin(), text.end(), [](QChar c) { return (c >= u'0' && c <= u'9') || (c >= u'a' && c <= u'f'); }),
       "a digest is not 64 lower-case hexadecimal digits");
  return QByteArray::fromHex(text.toLatin1());
}

void readMaterial(const QJsonObject& material, Envelope& out) {
  onlyMembers(material, {"publicKey", "x509CertificateChain", "tlogEntries", "timestampVerificationData"}, "verificationMaterial");
  const QJsonValue log = material["tlogEntries"], stamp = material["timestampVerificationData"];
  must(log.isUndefined() || (log.isArray() && log.toArray().isEmpty()), "transparency log entries are not supported");
  must(stamp.isUndefined() || stamp.isNull(), "timestamps are not supported");
  out.hasKey = material["publicKey"].isObject();
  const bool hasChain = material["x509CertificateChain"].isObject();
  must(out.hasKey != hasChain, "there must be one key or one certificate chain");
  if (out.hasKey) {
    const QJsonObject key = material["publicKey"].toObject();
    onlyMembers(key, {"hint", "rawBytes", "keyDetails"}, "publicKey");
    if (key.contains("hint") && !key["hint"].isNull()) out.hint = QString::fromLatin1(hexDigest(key["hint"]).toHex());
    return;
  }
  const QJsonObject chain = material["x509CertificateChain"].toObject();
  onlyMembers(chain, {"certificates"}, "x509CertificateChain");
  const QJsonArray certificates = chain["certificates"].toArray();
  must(!certificates.isEmpty() && certificates.size() <= kMaxCertificates, "the number of certificates is out of range");
  for (const QJsonValue& one : certificates) {
    onlyMembers(one.toObject(), {"rawBytes"}, "a certificate");
    out.certificates.append(base64Member(one.toObject(), "rawBytes"));
  }
}

QByteArray relativeName(const QJsonValue& v) {
  const QByteArray name = v.toString().toUtf8();
  must(!name.isEmpty() && name.size() <= 4096 && !name.contains('\0'), "a file name is empty or too long");
  for (const QByteArray& part : name.split('/'))
    must(!part.isEmpty() && part != "." && part != "..", "a file name leaves the folder or is not plain");
  return name;
}

void readSerialization(const QJsonObject& s, Statement& out) {
  must(s["method"].toString() == u"files", "only the method \"files\" is supported");
  must(s["hash_type"].toString() == u"sha256", "only SHA-256 is supported");
  must(s["allow_symlinks"].isUndefined() || s["allow_symlinks"] == QJsonValue(false), "links are not allowed");
  must(s["ignore_paths"].isUndefined() || s["ignore_paths"].isArray(), "ignore_paths is not a list");
  for (const QJsonValue& v : s["ignore_paths"].toArray()) out.ignorePaths.append(relativeName(v));
}

void readResources(const QJsonValue& list, Statement& out) {
  must(list.isArray() && !list.toArray().isEmpty(), "there are no files in the list");
  must(list.toArray().size() <= Folder::kMaxFiles, "there are too many files in the list");
  QSet<QByteArray> names;
  for (const QJsonValue& v : list.toArray()) {
    const QJsonObject o = v.toObject();
    must(o["algorithm"].toString() == u"sha256", "a file has another digest algorithm");
    Resource r{relativeName(o["name"]), hexDigest(o["digest"])};
    must(!names.contains(r.name), "a file is listed twice");
    must(!below(r.name, out.ignorePaths), "a file is listed and ignored at once");
    names.insert(r.name);
    out.resources.push_back(std::move(r));
  }
}

}  // namespace

bool below(const QByteArray& name, const QList<QByteArray>& paths) {
  return std::any_of(paths.begin(), paths.end(), [&](const QByteArray& p) {
    return name == p || (name.size() > p.size() && name.startsWith(p) && name[p.size()] == '/');
  });
}

std::optional<Envelope> readEnvelope(const QByteArray& signatureFile, QString& why) {
  const auto bundle = parseStrictJson(signatureFile, why);
  if (!bundle) return {};
  try {
    Envelope out;
    onlyMembers(*bundle, {"mediaType", "verificationMaterial", "dsseEnvelope"}, "the signature");
    must((*bundle)["mediaType"].toString() == kMediaType, "it is no Sigstore bundle v0.3");
    must((*bundle)["verificationMaterial"].isObject() && (*bundle)["dsseEnvelope"].isObject(), "a part is missing");
    readMaterial((*bundle)["verificationMaterial"].toObject(), out);
    const QJsonObject envelope = (*bundle)["dsseEnvelope"].toObject();
    onlyMembers(envelope, {"payload", "payloadType", "signatures"}, "dsseEnvelope");
    must(envelope["payloadType"].toString() == kPayloadType, "the payload is no in-toto statement");
    out.payload = base64Member(envelope, "payload");
    const QJsonArray signatures = envelope["signatures"].toArray();
    must(signatures.size() == 1, "there must be exactly one signature");
    onlyMembers(signatures[0].toObject(), {"sig", "keyid"}, "the signature entry");
    out.signature = base64Member(signatures[0].toObject(), "sig");
    return out;
  } catch (const Refused& refused) {
    why = refused.why;
    return {};
  }
}

std::optional<Statement> readStatement(const QByteArray& payload, QString& why) {
  const auto statement = parseStrictJson(payload, why);
  if (!statement) return {};
  try {
    Statement out;
    must((*statement)["_type"].toString() == kStatementType, "it is no in-toto statement v1");
    must((*statement)["predicateType"].toString() == kPredicateType, "it is no model signing predicate v1.0");
    const QJsonArray subjects = (*statement)["subject"].toArray();
    must(subjects.size() == 1, "there must be exactly one subject");
    const QJsonObject subject = subjects[0].toObject(), digest = subject["digest"].toObject();
    must(subject["name"].isString() && digest.size() == 1, "the subject is not named by one SHA-256");
    out.subject = subject["name"].toString();
    out.root = hexDigest(digest["sha256"]);
    const QJsonObject predicate = (*statement)["predicate"].toObject();
    readSerialization(predicate["serialization"].toObject(), out);
    readResources(predicate["resources"], out);
    must(rootDigest(out.resources) == out.root, "the subject's digest is not the one of its files");
    out.extra = predicate["x-cloister"].toObject();
    return out;
  } catch (const Refused& refused) {
    why = refused.why;
    return {};
  }
}

QByteArray rootDigest(const std::vector<Resource>& resources) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  for (const Resource& r : resources) hash.addData(r.digest);
  return hash.result();
}

QByteArray preAuthentication(const QByteArray& payload) {
  const QByteArray type = kPayloadType.toLatin1();
  return "DSSEv1 " + QByteArray::number(type.size()) + ' ' + type + ' ' + QByteArray::number(payload.size()) + ' ' + payload;
}

QByteArray writeStatement(const Statement& s) {
  QJsonArray resources, ignored;
  for (const Resource& r : s.resources)
    resources.append(
        QJsonObject{{"name", QString::fromUtf8(r.name)}, {"algorithm", "sha256"}, {"digest", QString::fromLatin1(r.digest.toHex())}});
  for (const QByteArray& path : s.ignorePaths) ignored.append(QString::fromUtf8(path));
  QJsonObject predicate{
      {"serialization", QJsonObject{{"method", "files"}, {"hash_type", "sha256"}, {"allow_symlinks", false}, {"ignore_paths", ignored}}},
      {"resources", resources}};
  if (!s.extra.isEmpty()) predicate["x-cloister"] = s.extra;
  const QJsonObject subject{{"name", s.subject}, {"digest", QJsonObject{{"sha256", QString::fromLatin1(s.root.toHex())}}}};
  return canonicalJson(
      {{"_type", kStatementType}, {"subject", QJsonArray{subject}}, {"predicateType", kPredicateType}, {"predicate", predicate}});
}

QByteArray writeEnvelope(const Envelope& e) {
  QJsonObject material{{"tlogEntries", QJsonArray{}}};
  if (e.certificates.isEmpty()) {
    material["publicKey"] = QJsonObject{{"hint", e.hint}};
  } else {
    QJsonArray chain;
    for (const QByteArray& der : e.certificates) chain.append(QJsonObject{{"rawBytes", QString::fromLatin1(der.toBase64())}});
    material["x509CertificateChain"] = QJsonObject{{"certificates", chain}};
  }
  const QJsonObject signature{{"sig", QString::fromLatin1(e.signature.toBase64())}, {"keyid", ""}};
  return canonicalJson({{"mediaType", kMediaType},
                        {"verificationMaterial", material},
                        {"dsseEnvelope", QJsonObject{{"payload", QString::fromLatin1(e.payload.toBase64())},
                                                     {"payloadType", kPayloadType},
                                                     {"signatures", QJsonArray{signature}}}}});
}

}  // namespace cloister::oms
