// OpenSSL handles and the few EC habits that keys, signatures and certificates share. Internal to core/trust; any thread.
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <memory>
#include <optional>
#include <vector>

#include <QByteArray>
#include <QString>

#include "core/domain/result.h"

namespace cloister::crypto {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

/// A secret in memory: wiped when it goes, never copied.
class Secret {
 public:
  explicit Secret(std::size_t size) : bytes_(size) {}
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Secret(Secret&&) = default;
  Secret& operator=(Secret&&) = delete;
  unsigned char* data() { return bytes_.data(); }
  const unsigned char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  /// Fewer bytes than were taken at first; the rest is wiped.
  void shrink(std::size_t size) {
    OPENSSL_cleanse(bytes_.data() + size, bytes_.size() - size);
    bytes_.resize(size);
  }

 private:
  std::vector<unsigned char> bytes_;
};

/// "P-256", "P-384", "P-521"; empty for every other key: no other may sign here.
QString curveOf(const EVP_PKEY*);
/// The curve's own hash (P-256 SHA-256, P-384 SHA-384, P-521 SHA-512); nullptr for an unknown curve.
const EVP_MD* hashOf(const QString& curve);
/// "ECDSA P-256 SHA-256"
QString algorithmOf(const QString& curve);
Key generate(const QString& curve);

/// SubjectPublicKeyInfo as `openssl pkey -pubout` writes it: uncompressed point, named curve.
QByteArray publicPem(EVP_PKEY*);
/// The OMS hint: hex SHA-256 of the PEM text.
QString fingerprint(const QByteArray& publicPem);
/// Null unless it is one EC key on one of the three curves with a named curve.
Key publicKeyFromPem(const QByteArray& pem);

std::optional<QByteArray> sign(EVP_PKEY*, QByteArrayView message);
bool verify(EVP_PKEY*, QByteArrayView message, QByteArrayView signature);

/// Every certificate of a PEM text, in order; empty when one of them cannot be read.
std::vector<Certificate> certificatesFromPem(const QByteArray& pem);
/// Null unless the bytes are one certificate and nothing more.
Certificate certificateFromDer(const QByteArray& der);
QByteArray toDer(X509*);
QByteArray toPem(X509*);

/// OpenSSL's own words for its last error; clears its queue.
QString lastError();

}  // namespace cloister::crypto
