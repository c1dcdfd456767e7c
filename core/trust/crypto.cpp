#include "core/trust/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <array>

#include "core/domain/files.h"

namespace cloister::crypto {
namespace {

struct Curve {
  const char* name;
  std::array<const char*, 2> groups;  // OpenSSL's names for it
  const EVP_MD* (*hash)();
  const char* algorithm;
};
const std::array kCurves{Curve{"P-256", {"prime256v1", "P-256"}, EVP_sha256, "ECDSA P-256 SHA-256"},
                         Curve{"P-384", {"secp384r1", "P-384"}, EVP_sha384, "ECDSA P-384 SHA-384"},
                         Curve{"P-521", {"secp521r1", "P-521"}, EVP_sha512, "ECDSA P-521 SHA-512"}};

const Curve* find(const QString& name) {
  for (const Curve& c : kCurves)
    if (name == QLatin1String(c.name)) return &c;
  return nullptr;
}

Bio readOnlyBio(const QByteArray& bytes) { return Bio(BIO_new_mem_buf(bytes.constData(), int(bytes.size()))); }

QByteArray contentOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return QByteArray(data, size);
}

}  // namespace

QString curveOf(const EVP_PKEY* key) {
  if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return {};
  int isExplicit = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &isExplicit);
  char group[64] = {};
  std::size_t length = 0;
  if (isExplicit || EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return {};
  for (const Curve& c : kCurves)
    for (const char* name : c.groups)
      if (QByteArrayView(group) == QByteArrayView(name)) return QString::fromLatin1(c.name);
  return {};
}

const EVP_MD* hashOf(const QString& curve) {
  const Curve* c = find(curve);
  return c ? c->hash() : nullptr;
}

QString algorithmOf(const QString& curve) {
  const Curve* c = find(curve);
  return c ? QString::fromLatin1(c->algorithm) : QString();
}

Key generate(const QString& curve) {
  const Curve* c = find(curve);
  return c ? Key(EVP_EC_gen(c->groups[0])) : Key();
}

QByteArray publicPem(EVP_PKEY* key) {
  EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
  const Bio bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_PUBKEY(bio.get(), key) == 1 ? contentOf(bio.get()) : QByteArray();
}

QString fingerprint(const QByteArray& pem) { return sha256Hex(pem); }

Key publicKeyFromPem(const QByteArray& pem) {
  const Bio bio = readOnlyBio(pem);
  Key key(PEM_read_bio_PUBKEY(
      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  ERR_clear_error();
  return curveOf(key.get()).isEmpty() ? Key() : std::move(key);
}

std::optional<QByteArray> sign(EVP_PKEY* key, QByteArrayView message) {
  const EVP_MD* hash = hashOf(curveOf(key));
  const DigestContext context(EVP_MD_CTX_new());
  if (!hash || EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key) != 1) return {};
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, data, std::size_t(message.size())) != 1) return {};
  QByteArray signature(qsizetype(size), '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data, std::size_t(message.size())) != 1)
    return {};
  signature.truncate(qsizetype(size));
  return signature;
}

bool verify(EVP_PKEY* key, QByteArrayView message, QByteArrayView signature) {
  const EVP_MD* hash = hashOf(curveOf(key));
  const DigestContext context(EVP_MD_CTX_new());
  const bool good = hash && EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), std::size_t(signature.size()),
                                     reinterpret_cast<const unsigned char*>(message.data()), std::size_t(message.size())) == 1;
  ERR_clear_error();
  return good;
}

std::vector<Certificate> certificatesFromPem(const QByteArray& pem) {
  std::vector<Certificate> all;
  const Bio bio = readOnlyBio(pem);
  while (X509* one = PEM_read_bio_X509(
             bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr))
    all.emplace_back(one);
  const bool atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!atEnd) all.clear();
  return all;
}

Certificate certificateFromDer(const QByteArray& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.constData());
  const auto* end = at + der.size();
  Certificate certificate(d2i_X509(nullptr, &at, long(der.size())));
  ERR_clear_error();
  return at == end ? std::move(certificate) : Certificate();
}

QByteArray toDer(X509* certificate) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(certificate, &out);
  if (size <= 0) return {};
  const QByteArray der(reinterpret_cast<char*>(out), size);
  OPENSSL_free(out);
  return der;
}

QByteArray toPem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_X509(bio.get(), certificate) == 1 ? contentOf(bio.get()) : QByteArray();
}

QString lastError() {
  char text[256] = {};
  if (const unsigned long code = ERR_peek_last_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return QString::fromLatin1(text);
}

}  // namespace cloister::crypto
