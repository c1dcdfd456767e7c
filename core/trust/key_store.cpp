#include "core/trust/key_store.h"

#include <argon2.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <algorithm>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonObject>
#include <QStandardPaths>
#include <QUuid>

#include "core/domain/files.h"
#include "core/trust/crypto.h"
#include "core/trust/private_files.h"

namespace cloister {
namespace {

constexpr int kFormat = 1;
constexpr int kSaltBytes = 16, kNonceBytes = 12, kTagBytes = 16, kKekBytes = 32;
constexpr qint64 kMaxKeyFile = 64 << 10, kMaxPemFile = 1 << 20;

/// RFC 9106's second choice; read back from the file, within bounds, so that later versions may raise it.
struct Cost {
  int memoryKiB = 64 << 10, passes = 3, lanes = 4;
  bool sane() const { return memoryKiB >= 8 * lanes && memoryKiB <= (1 << 20) && passes >= 1 && passes <= 64 && lanes >= 1 && lanes <= 16; }
};

Failure invalidKey(const QString& name, const QString& why) { return {FailureKind::KeyInvalid, {{"name", name}}, why}; }

Result<void> checkName(const QString& name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](QChar c) {
    return c.isLetterOrNumber() || c == u'-' || c == u'_' || c == u'.' || c == u' ' || c.isSurrogate();
  });
  if (!name.isEmpty() && letters && !name.startsWith(u'.') && name == name.trimmed() && name.toUtf8().size() <= 100) return {};
  return Failure{
      FailureKind::InvalidArgument,
      {{"name", "name"}, {"value", name}, {"allowed", "letters, digits, - _ . and space, at most 100 bytes, not starting with a dot"}},
      {}};
}

Result<void> checkPassphrase(const QByteArray& passphrase) {
  if (!passphrase.isEmpty() && passphrase.size() <= 4096) return {};
  return Failure{FailureKind::InvalidArgument, {{"name", "passphrase"}, {"value", ""}, {"allowed", "1 to 4096 bytes"}}, {}};
}

QByteArray random(int size) {
  QByteArray bytes(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), size) != 1) bytes.clear();
  return bytes;
}

/// What the wrapped key belongs to: a wrapped part moved into another key's file does not open.
QByteArray associatedData(const QString& curve, const QString& fingerprint) {
  return canonicalJson({{"format", kFormat}, {"curve", curve}, {"fingerprint", fingerprint}});
}

bool deriveKek(const QByteArray& passphrase, const QByteArray& salt, const Cost& cost, crypto::Secret& kek) {
  return argon2id_hash_raw(uint32_t(cost.passes), uint32_t(cost.memoryKiB), uint32_t(cost.lanes), passphrase.constData(),
                           size_t(passphrase.size()), salt.constData(), size_t(salt.size()), kek.data(), kek.size()) == ARGON2_OK;
}

const unsigned char* raw(const QByteArray& bytes) { return reinterpret_cast<const unsigned char*>(bytes.constData()); }
unsigned char* raw(QByteArray& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// AES-256-GCM: cipher text followed by the 16-byte tag; empty on failure.
QByteArray seal(const crypto::Secret& kek, const QByteArray& nonce, const QByteArray& aad, const crypto::Secret& plain) {
  const crypto::CipherContext c(EVP_CIPHER_CTX_new());
  QByteArray out(qsizetype(plain.size()) + kTagBytes, '\0');
  int n = 0;
  const bool good = EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, kek.data(), raw(nonce)) == 1 &&
                    EVP_EncryptUpdate(c.get(), nullptr, &n, raw(aad), int(aad.size())) == 1 &&
                    EVP_EncryptUpdate(c.get(), raw(out), &n, plain.data(), int(plain.size())) == 1 &&
                    EVP_EncryptFinal_ex(c.get(), raw(out) + n, &n) == 1 &&
                    EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + plain.size()) == 1;
  return good ? out : QByteArray();
}

std::optional<crypto::Secret> unseal(const crypto::Secret& kek, const QByteArray& nonce, const QByteArray& aad, const QByteArray& sealed) {
  const crypto::CipherContext c(EVP_CIPHER_CTX_new());
  const int size = int(sealed.size()) - kTagBytes;
  crypto::Secret plain{std::size_t(size)};
  QByteArray tag = sealed.last(kTagBytes);
  int n = 0;
  const bool good = EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, kek.data(), raw(nonce)) == 1 &&
                    EVP_DecryptUpdate(c.get(), nullptr, &n, raw(aad), int(aad.size())) == 1 &&
                    EVP_DecryptUpdate(c.get(), plain.data(), &n, raw(sealed), size) == 1 &&
                    EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(c.get(), plain.data() + n, &n) == 1;
  ERR_clear_error();
  if (!good) return {};
  return plain;
}

std::optional<crypto::Secret> pkcs8(EVP_PKEY* key) {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
  PKCS8_PRIV_KEY_INFO_free(info);
  if (size <= 0) return {};
  crypto::Secret secret{std::size_t(size)};
  std::copy_n(der, size, secret.data());
  OPENSSL_clear_free(der, std::size_t(size));
  return secret;
}

crypto::Key keyFromPkcs8(const crypto::Secret& der) {
  const unsigned char* at = der.data();
  PKCS8_PRIV_KEY_INFO* info = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, long(der.size()));
  crypto::Key key(info ? EVP_PKCS82PKEY(info) : nullptr);
  PKCS8_PRIV_KEY_INFO_free(info);
  return key;
}

Result<QByteArray> wrappedKeyFile(const KeyInfo& info, EVP_PKEY* key, const QByteArray& passphrase) {
  const Cost cost;
  const QByteArray salt = random(kSaltBytes), nonce = random(kNonceBytes);
  crypto::Secret kek{kKekBytes};
  auto plain = pkcs8(key);
  if (!plain || salt.isEmpty() || nonce.isEmpty()) return invalidKey(info.name, crypto::lastError());
  if (!deriveKek(passphrase, salt, cost, kek))
    return Failure{FailureKind::OutOfMemory, {{"needed", qint64(cost.memoryKiB) * 1024}}, QStringLiteral("argon2id")};
  const QByteArray sealed = seal(kek, nonce, associatedData(info.curve, info.fingerprint), *plain);
  if (sealed.isEmpty()) return invalidKey(info.name, crypto::lastError());
  return canonicalJson({{"format", kFormat},
                        {"name", info.name},
                        {"curve", info.curve},
                        {"fingerprint", info.fingerprint},
                        {"createdAt", info.createdAt},
                        {"kdf", QJsonObject{{"algorithm", "argon2id"},
                                            {"version", 19},
                                            {"memoryKiB", cost.memoryKiB},
                                            {"passes", cost.passes},
                                            {"lanes", cost.lanes},
                                            {"salt", QString::fromLatin1(salt.toBase64())}}},
                        {"cipher", QJsonObject{{"algorithm", "aes-256-gcm"}, {"nonce", QString::fromLatin1(nonce.toBase64())}}},
                        {"wrapped", QString::fromLatin1(sealed.toBase64())}});
}

Result<crypto::Key> unwrap(const QString& folder, const KeyInfo& info, const QByteArray& passphrase) {
  auto file = readJson(folder + "/key.json", kMaxKeyFile);
  if (!file) return file.error();
  const QJsonObject kdf = (*file)["kdf"].toObject(), cipher = (*file)["cipher"].toObject();
  const Cost cost{kdf["memoryKiB"].toInt(), kdf["passes"].toInt(), kdf["lanes"].toInt()};
  const QByteArray salt = QByteArray::fromBase64(kdf["salt"].toString().toLatin1());
  const QByteArray nonce = QByteArray::fromBase64(cipher["nonce"].toString().toLatin1());
  const QByteArray sealed = QByteArray::fromBase64((*file)["wrapped"].toString().toLatin1());
  if (kdf["algorithm"].toString() != u"argon2id" || kdf["version"].toInt() != 19 || cipher["algorithm"].toString() != u"aes-256-gcm" ||
      !cost.sane() || salt.size() < 8 || nonce.size() != kNonceBytes || sealed.size() <= kTagBytes)
    return invalidKey(info.name, QStringLiteral("key.json is damaged"));
  crypto::Secret kek{kKekBytes};
  if (!deriveKek(passphrase, salt, cost, kek))
    return Failure{FailureKind::OutOfMemory, {{"needed", qint64(cost.memoryKiB) * 1024}}, QStringLiteral("argon2id")};
  auto plain = unseal(kek, nonce, associatedData(info.curve, info.fingerprint), sealed);
  if (!plain) return Failure{FailureKind::WrongPassphrase, {{"name", info.name}}, {}};
  crypto::Key key = keyFromPkcs8(*plain);
  if (!key || crypto::publicPem(key.get()) != info.publicPem)
    return invalidKey(info.name, QStringLiteral("the two halves do not belong together"));
  return key;
}

/// Normalised PEM of a chain whose first certificate is the key's and whose every next one issued the one before.
Result<QByteArray> checkedChain(const QString& name, EVP_PKEY* key, const QByteArray& pem) {
  const auto chain = crypto::certificatesFromPem(pem);
  if (chain.empty()) return invalidKey(name, QStringLiteral("the certificate chain cannot be read"));
  if (EVP_PKEY_eq(X509_get0_pubkey(chain.front().get()), key) != 1)
    return invalidKey(name, QStringLiteral("the first certificate is not this key's"));
  QByteArray out;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i && X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK)
      return invalidKey(name, QStringLiteral("certificate %1 did not issue the one before it").arg(i + 1));
    out += crypto::toPem(chain[i].get());
  }
  return out;
}

struct PemPassphrase {
  const QByteArray& bytes;
  bool asked = false;
};
int givePassphrase(char* buffer, int size, int, void* user) {
  auto* p = static_cast<PemPassphrase*>(user);
  p->asked = true;
  if (p->bytes.isEmpty() || p->bytes.size() > size) return -1;
  std::copy(p->bytes.begin(), p->bytes.end(), buffer);
  return int(p->bytes.size());
}

/// The key's folder appears whole: staged beside its place with mode 0700, then renamed.
Result<KeyInfo> store(const QString& folder, KeyInfo info, EVP_PKEY* key, const QByteArray& passphrase) {
  info.curve = crypto::curveOf(key);
  info.publicPem = crypto::publicPem(key);
  info.fingerprint = crypto::fingerprint(info.publicPem);
  info.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  const QString place = folder + "/" + info.name;
  if (QFileInfo::exists(place)) return Failure{FailureKind::AlreadyExists, {{"path", info.name}}, {}};
  auto file = wrappedKeyFile(info, key, passphrase);
  if (!file) return file.error();
  const QString staged = folder + "/.new-" + QUuid::createUuid().toString(QUuid::Id128).left(12);
  if (!QDir().mkpath(folder)) return failureFromErrno(errno, folder);
  if (::mkdir(QFile::encodeName(staged).constData(), 0700) != 0) return failureFromErrno(errno, staged);
  Result<void> done = writeNewPrivateFile(staged + "/public.pem", info.publicPem);
  if (done && !info.certificateChainPem.isEmpty()) done = writeNewPrivateFile(staged + "/certificate-chain.pem", info.certificateChainPem);
  if (done) done = writeNewPrivateFile(staged + "/key.json", *file);
  if (done) done = syncFolder(staged);
  if (done) done = renameNew(staged, place);
  if (done) return info;
  QDir(staged).removeRecursively();
  return done.error();
}

}  // namespace

QJsonObject KeyInfo::toJson() const {
  return {{"name", name},
          {"curve", curve},
          {"fingerprint", fingerprint},
          {"createdAt", createdAt},
          {"certificate", !certificateChainPem.isEmpty()}};
}

KeyStore::KeyStore(QString folder) : folder_(std::move(folder)) {
  if (folder_.isEmpty()) folder_ = qEnvironmentVariable("CLOISTER_KEYS");
  if (folder_.isEmpty()) folder_ = QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + "/cloister/keys";
}

Result<KeyInfo> KeyStore::create(const QString& name, const QString& curve, const QByteArray& passphrase) {
  if (auto good = checkName(name); !good) return good.error();
  if (auto good = checkPassphrase(passphrase); !good) return good.error();
  if (!crypto::hashOf(curve))
    return Failure{FailureKind::InvalidArgument, {{"name", "curve"}, {"value", curve}, {"allowed", "P-256, P-384, P-521"}}, {}};
  const crypto::Key key = crypto::generate(curve);
  if (!key) return invalidKey(name, crypto::lastError());
  KeyInfo info;
  info.name = name;
  return store(folder_, info, key.get(), passphrase);
}

Result<KeyInfo> KeyStore::importPem(const QString& name, const QByteArray& privatePem, const QByteArray& pemPassphrase,
                                    const QByteArray& chainPem, const QByteArray& passphrase) {
  if (auto good = checkName(name); !good) return good.error();
  if (auto good = checkPassphrase(passphrase); !good) return good.error();
  if (privatePem.size() > kMaxPemFile || chainPem.size() > kMaxPemFile)
    return Failure{FailureKind::TooLarge, {{"path", name}, {"limit", kMaxPemFile}}, {}};
  PemPassphrase given{pemPassphrase};
  const crypto::Bio bio(BIO_new_mem_buf(privatePem.constData(), int(privatePem.size())));
  const crypto::Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, givePassphrase, &given));
  if (!key && given.asked) {
    ERR_clear_error();
    return Failure{FailureKind::WrongPassphrase, {{"name", name}}, QStringLiteral("of the PEM file")};
  }
  if (crypto::curveOf(key.get()).isEmpty()) {
    const QString why = crypto::lastError();
    return invalidKey(name, why.isEmpty() ? QStringLiteral("not an EC key on P-256, P-384 or P-521") : why);
  }
  KeyInfo info;
  info.name = name;
  if (!chainPem.isEmpty()) {
    auto chain = checkedChain(name, key.get(), chainPem);
    if (!chain) return chain.error();
    info.certificateChainPem = *chain;
  }
  return store(folder_, info, key.get(), passphrase);
}

Result<KeyInfo> KeyStore::info(const QString& name) const {
  if (auto good = checkName(name); !good) return good.error();
  const QString folder = folder_ + "/" + name;
  if (!QFileInfo::exists(folder)) return Failure{FailureKind::NotFound, {{"path", name}}, QStringLiteral("no such key")};
  auto file = readJson(folder + "/key.json", kMaxKeyFile);
  if (!file) return file.error();
  if ((*file)["format"].toInt() > kFormat)
    return Failure{FailureKind::NewerVersion, {{"path", name}, {"found", (*file)["format"]}, {"supported", kFormat}}, {}};
  KeyInfo info;
  info.name = name;
  info.curve = (*file)["curve"].toString();
  info.fingerprint = (*file)["fingerprint"].toString();
  info.createdAt = (*file)["createdAt"].toString();
  auto pem = readFile(folder + "/public.pem", kMaxPemFile);
  if (!pem) return pem.error();
  info.publicPem = *pem;
  const crypto::Key key = crypto::publicKeyFromPem(info.publicPem);
  if (!key || crypto::fingerprint(info.publicPem) != info.fingerprint || crypto::curveOf(key.get()) != info.curve)
    return invalidKey(name, QStringLiteral("public.pem does not fit key.json"));
  if (QFileInfo::exists(folder + "/certificate-chain.pem")) {
    auto chain = readFile(folder + "/certificate-chain.pem", kMaxPemFile);
    if (!chain) return chain.error();
    info.certificateChainPem = *chain;
  }
  return info;
}

Result<QList<KeyInfo>> KeyStore::list() const {
  QList<KeyInfo> all;
  const QDir dir(folder_);
  for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name))
    if (auto one = info(name)) all.append(*one);
  return all;
}

Result<void> KeyStore::remove(const QString& name) {
  if (auto good = checkName(name); !good) return good.error();
  const QString place = folder_ + "/" + name;
  if (!QFileInfo(place).isDir()) return Failure{FailureKind::NotFound, {{"path", name}}, QStringLiteral("no such key")};
  // Out of sight first: a removal that is cut short leaves no half key under its name.
  const QString gone = folder_ + "/.gone-" + QUuid::createUuid().toString(QUuid::Id128).left(12);
  if (auto moved = renameNew(place, gone); !moved) return moved;
  if (!QDir(gone).removeRecursively()) return Failure{FailureKind::IoError, {{"path", gone}}, {}};
  return {};
}

Result<void> KeyStore::changePassphrase(const QString& name, const QByteArray& from, const QByteArray& to) {
  if (auto good = checkPassphrase(to); !good) return good;
  auto known = info(name);
  if (!known) return known.error();
  auto key = unwrap(folder_ + "/" + name, *known, from);
  if (!key) return key.error();
  auto file = wrappedKeyFile(*known, key->get(), to);
  if (!file) return file.error();
  return replacePrivateFile(folder_ + "/" + name + "/key.json", *file);
}

Result<QByteArray> KeyStore::sign(const QString& name, const QByteArray& passphrase, const QByteArray& message) const {
  auto known = info(name);
  if (!known) return known.error();
  auto key = unwrap(folder_ + "/" + name, *known, passphrase);
  if (!key) return key.error();
  auto signature = crypto::sign(key->get(), message);
  if (!signature) return invalidKey(name, crypto::lastError());
  return *signature;
}

}  // namespace cloister
