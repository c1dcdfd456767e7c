// A signature file from a stranger: envelope, statement, certificates and their chain. Never a crash; what is accepted survives being
// written again; and what the strict JSON reader accepts Qt's reader understands in the same way.
#include <cstdlib>

#include <QJsonDocument>

#include "core/trust/certificate_chain.h"
#include "core/trust/oms.h"
#include "core/trust/strict_json.h"

using namespace cloister;

namespace {

void check(bool good) {
  if (!good) std::abort();
}

void certificates(const oms::Envelope& envelope) {
  std::vector<crypto::Certificate> chain, roots;
  for (const QByteArray& der : envelope.certificates) {
    chain.push_back(crypto::certificateFromDer(der));
    if (!chain.back()) return;
  }
  if (chain.empty()) return;
  roots.push_back(crypto::certificateFromDer(envelope.certificates.last()));
  const ChainVerdict verdict = judgeChain(chain, roots, QDateTime::fromSecsSinceEpoch(1'790'000'000, Qt::UTC));
  check(!verdict.subject.isNull());
  crypto::verify(X509_get0_pubkey(chain.front().get()), oms::preAuthentication(envelope.payload), envelope.signature);
}

void statement(const QByteArray& payload) {
  QString why;
  const auto read = oms::readStatement(payload, why);
  if (!read) {
    check(!why.isEmpty());
    return;
  }
  check(!read->resources.empty() && oms::rootDigest(read->resources) == read->root);
  for (const auto& r : read->resources) check(!r.name.startsWith('/') && !r.name.contains("..//") && r.digest.size() == 32);
  const auto again = oms::readStatement(oms::writeStatement(*read), why);
  check(again && again->root == read->root && again->resources.size() == read->resources.size() && again->ignorePaths == read->ignorePaths);
}

void json(const QByteArray& bytes) {
  QString why;
  const auto strict = parseStrictJson(bytes, why);
  if (!strict) return;
  QJsonParseError error;
  const QJsonDocument theirs = QJsonDocument::fromJson(bytes, &error);
  check(theirs.isObject() && theirs.object().keys() == strict->keys());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const QByteArray bytes(reinterpret_cast<const char*>(data), qsizetype(size));
  json(bytes);
  statement(bytes);
  QString why;
  if (const auto envelope = oms::readEnvelope(bytes, why)) {
    check(envelope->hasKey != !envelope->certificates.isEmpty());
    statement(envelope->payload);
    certificates(*envelope);
    const auto again = oms::readEnvelope(oms::writeEnvelope(*envelope), why);
    // A signer that gives no hint is read; our writer always gives one.
    check(envelope->hint.isEmpty() && envelope->hasKey
              ? !again
              : again && again->payload == envelope->payload && again->signature == envelope->signature);
  }
  if (const crypto::Key key = crypto::publicKeyFromPem(bytes)) check(!crypto::publicPem(key.get()).isEmpty());
  crypto::certificatesFromPem(bytes);
  return 0;
}
