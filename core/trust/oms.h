// The text of an OpenSSF Model Signing signature: a Sigstore bundle v0.3 around a DSSE envelope around an in-toto statement. Reads
// strictly, writes what the reference tool reads. Knows no files and no trust. Internal to core/trust and its fuzz target; any thread.
// Source: sigstore/model-transparency e343073 (model_signing 1.1.1), measured byte by byte.
#pragma once
#include <optional>
#include <vector>

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>

namespace cloister::oms {

inline constexpr qint64 kMaxSignatureBytes = 64 << 20;

struct Resource {
  QByteArray name;    ///< relative, '/', UTF-8
  QByteArray digest;  ///< 32 raw bytes
};

struct Envelope {
  QByteArray payload;
  QByteArray signature;            ///< DER
  QString hint;                    ///< key mode: 64 hex, or empty when the signer gave none
  QList<QByteArray> certificates;  ///< certificate mode: DER, leaf first
  bool hasKey = false;
};

struct Statement {
  QString subject;
  QByteArray root;  ///< 32 raw bytes
  QList<QByteArray> ignorePaths;
  std::vector<Resource> resources;
  QJsonObject extra;  ///< predicate "x-cloister"
};

/// Empty with why.
std::optional<Envelope> readEnvelope(const QByteArray& signatureFile, QString& why);
/// The root digest is checked against the resources, names and ignore paths for sense.
std::optional<Statement> readStatement(const QByteArray& payload, QString& why);

QByteArray rootDigest(const std::vector<Resource>&);
/// What is signed: DSSE pre-authentication encoding of the payload.
QByteArray preAuthentication(const QByteArray& payload);

QByteArray writeStatement(const Statement&);
QByteArray writeEnvelope(const Envelope&);

/// name lies at or below one of the paths.
bool below(const QByteArray& name, const QList<QByteArray>& paths);

}  // namespace cloister::oms
