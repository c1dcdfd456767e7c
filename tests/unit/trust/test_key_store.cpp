// Signing keys: what lies on disk, who can open it, and that OpenSSL's own tool agrees about key, hint and signature.
#include <sys/stat.h>

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/trust/key_store.h"

using namespace cloister;

namespace {

void put(const QString& path, const QByteArray& bytes) {
  QFile f(path);
  if (!f.open(QIODevice::WriteOnly)) qFatal("cannot write");
  f.write(bytes);
}

QByteArray get(const QString& path) {
  QFile f(path);
  return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}

/// The openssl program: the independent implementation of this file.
int openssl(const QStringList& arguments, QByteArray* out = nullptr) {
  QProcess p;
  p.start("openssl", arguments);
  if (!p.waitForFinished(20000)) return -1;
  if (out) *out = p.readAllStandardOutput();
  return p.exitCode();
}

}  // namespace

class TestKeyStore : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void createSignAndVerifyWithOpenssl_data() {
    QTest::addColumn<QString>("curve");
    QTest::addColumn<QString>("hash");
    QTest::newRow("P-256") << "P-256"
                           << "-sha256";
    QTest::newRow("P-384") << "P-384"
                           << "-sha384";
    QTest::newRow("P-521") << "P-521"
                           << "-sha512";
  }
  void createSignAndVerifyWithOpenssl() {
    QFETCH(QString, curve);
    QFETCH(QString, hash);
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    auto made = keys.create("lab key", curve, "correct horse");
    QVERIFY(bool(made));
    QCOMPARE(made->curve, curve);
    put(dir.filePath("k.pub"), made->publicPem);
    QByteArray normal;
    QCOMPARE(openssl({"pkey", "-pubin", "-in", dir.filePath("k.pub"), "-pubout"}, &normal), 0);
    QCOMPARE(normal, made->publicPem);
    QCOMPARE(made->fingerprint, sha256Hex(normal));
    const QByteArray message = "what is signed";
    auto signature = keys.sign("lab key", "correct horse", message);
    QVERIFY(bool(signature));
    put(dir.filePath("m"), message);
    put(dir.filePath("s"), *signature);
    const QStringList verify{"dgst", hash, "-verify", dir.filePath("k.pub"), "-signature", dir.filePath("s"), dir.filePath("m")};
    QCOMPARE(openssl(verify), 0);
    put(dir.filePath("m"), message + "!");
    QVERIFY(openssl(verify) != 0);
  }

  void filesArePrivateAndHoldNoPlainKey() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    QVERIFY(bool(keys.create("k", "P-256", "secret words")));
    struct stat s {};
    QCOMPARE(stat(QFile::encodeName(dir.filePath("keys/k")).constData(), &s), 0);
    QCOMPARE(int(s.st_mode & 0777), 0700);
    for (const char* name : {"key.json", "public.pem"}) {
      QCOMPARE(stat(QFile::encodeName(dir.filePath("keys/k/") + name).constData(), &s), 0);
      QCOMPARE(int(s.st_mode & 0777), 0600);
    }
    const QJsonObject file = QJsonDocument::fromJson(get(dir.filePath("keys/k/key.json"))).object();
    QCOMPARE(file["kdf"].toObject()["memoryKiB"].toInt(), 65536);
    QCOMPARE(file["kdf"].toObject()["passes"].toInt(), 3);
    QCOMPARE(file["kdf"].toObject()["lanes"].toInt(), 4);
    // The wrapped part is no readable DER: a PKCS#8 starts 30 81 87 02 01 00.
    QVERIFY(!QByteArray::fromBase64(file["wrapped"].toString().toLatin1()).contains(QByteArray::fromHex("020100301306072a8648ce3d0201")));
    QVERIFY(!get(dir.filePath("keys/k/key.json")).contains("secret words"));
    QCOMPARE(QDir(dir.filePath("keys")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList{"k"});
  }

  void wrongPassphraseIsTyped() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    QVERIFY(bool(keys.create("k", "P-256", "right")));
    QVERIFY(keys.sign("k", "wrong", "m").error().kind == FailureKind::WrongPassphrase);
    QVERIFY(keys.sign("k", "", "m").error().kind == FailureKind::WrongPassphrase);
    QVERIFY(keys.sign("absent", "right", "m").error().kind == FailureKind::NotFound);
    QVERIFY(keys.changePassphrase("k", "wrong", "new").error().kind == FailureKind::WrongPassphrase);
    const QString before = keys.info("k")->fingerprint;
    QVERIFY(bool(keys.changePassphrase("k", "right", "new")));
    QVERIFY(keys.sign("k", "right", "m").error().kind == FailureKind::WrongPassphrase);
    QVERIFY(bool(keys.sign("k", "new", "m")));
    QCOMPARE(keys.info("k")->fingerprint, before);
    struct stat s {};
    QCOMPARE(stat(QFile::encodeName(dir.filePath("keys/k/key.json")).constData(), &s), 0);
    QCOMPARE(int(s.st_mode & 0777), 0600);
  }

  void names_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("good");
    QTest::newRow("plain") << "Radiology 2026" << true;
    QTest::newRow("chinese") << QString::fromUtf8("放射科") << true;
    QTest::newRow("empty") << "" << false;
    QTest::newRow("dots") << ".." << false;
    QTest::newRow("hidden") << ".k" << false;
    QTest::newRow("slash") << "a/b" << false;
    QTest::newRow("traversal") << "../../x" << false;
    QTest::newRow("nul") << QString(QChar(0)) << false;
    QTest::newRow("newline") << "a\nb" << false;
    QTest::newRow("space at end") << "a " << false;
    QTest::newRow("long") << QString(101, u'a') << false;
  }
  void names() {
    QFETCH(QString, name);
    QFETCH(bool, good);
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    auto made = keys.create(name, "P-256", "p");
    QCOMPARE(bool(made), good);
    if (!good) QVERIFY(made.error().kind == FailureKind::InvalidArgument);
    if (!good) QVERIFY(keys.remove(name).error().kind == FailureKind::InvalidArgument);
  }

  void listRemoveAndClash() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    QVERIFY(keys.list()->isEmpty());
    QVERIFY(bool(keys.create("b", "P-256", "p")));
    QVERIFY(bool(keys.create("a", "P-384", "p")));
    QVERIFY(keys.create("a", "P-256", "p").error().kind == FailureKind::AlreadyExists);
    QVERIFY(keys.create("c", "P-224", "p").error().kind == FailureKind::InvalidArgument);
    QVERIFY(keys.create("c", "P-256", "").error().kind == FailureKind::InvalidArgument);
    QCOMPARE(keys.list()->size(), 2);
    QCOMPARE(keys.list()->first().name, QString("a"));
    put(dir.filePath("keys/b/key.json"), "{");  // a damaged one does not hide the other
    QCOMPARE(keys.list()->size(), 1);
    QVERIFY(bool(keys.remove("a")));
    QVERIFY(keys.remove("a").error().kind == FailureKind::NotFound);
    QVERIFY(keys.list()->isEmpty());
  }

  void damagedFilesAreRefused() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    QVERIFY(bool(keys.create("k", "P-256", "p")));
    QVERIFY(bool(keys.create("other", "P-256", "p")));
    const QString path = dir.filePath("keys/k/key.json");
    const QJsonObject good = QJsonDocument::fromJson(get(path)).object();
    auto with = [&](const QString& group, const QString& key, const QJsonValue& value) {
      QJsonObject o = good;
      if (group.isEmpty()) {
        o[key] = value;
      } else {
        QJsonObject inner = o[group].toObject();
        inner[key] = value;
        o[group] = inner;
      }
      put(path, QJsonDocument(o).toJson());
      auto r = keys.sign("k", "p", "m");
      return bool(r) ? FailureKind::Internal : r.error().kind;
    };
    QVERIFY(with("kdf", "memoryKiB", 2'000'000'000) == FailureKind::KeyInvalid);  // must not take 2 TB
    QVERIFY(with("kdf", "passes", 1'000'000) == FailureKind::KeyInvalid);
    QVERIFY(with("kdf", "lanes", 0) == FailureKind::KeyInvalid);
    QVERIFY(with("kdf", "algorithm", "pbkdf2") == FailureKind::KeyInvalid);
    QVERIFY(with("cipher", "nonce", "AAAA") == FailureKind::KeyInvalid);
    QVERIFY(with("", "wrapped", "AAAA") == FailureKind::KeyInvalid);
    QVERIFY(with("", "fingerprint", QString(64, u'0')) == FailureKind::KeyInvalid);
    QVERIFY(with("", "format", 2) == FailureKind::NewerVersion);
    // Another key's wrapped part under the same passphrase does not open here.
    const QJsonObject other = QJsonDocument::fromJson(get(dir.filePath("keys/other/key.json"))).object();
    QJsonObject mixed = other;
    mixed["fingerprint"] = good["fingerprint"];
    put(path, QJsonDocument(mixed).toJson());
    QVERIFY(keys.sign("k", "p", "m").error().kind == FailureKind::WrongPassphrase);
    put(path, QJsonDocument(good).toJson());
    QVERIFY(bool(keys.sign("k", "p", "m")));
  }

  void importOfForeignKeys() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    auto file = [&](const char* name) { return dir.filePath(QLatin1String(name)); };
    QCOMPARE(openssl({"ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", file("k.pem")}), 0);
    QCOMPARE(openssl({"pkcs8", "-topk8", "-in", file("k.pem"), "-out", file("enc.pem"), "-passout", "pass:pem"}), 0);
    QCOMPARE(openssl({"ec", "-in", file("k.pem"), "-aes256", "-out", file("old.pem"), "-passout", "pass:pem"}), 0);
    QByteArray pub;
    QCOMPARE(openssl({"pkey", "-in", file("k.pem"), "-pubout"}, &pub), 0);
    for (const char* source : {"k.pem", "enc.pem", "old.pem"}) {
      auto in = keys.importPem(QLatin1String(source), get(file(source)), "pem", {}, "mine");
      QVERIFY2(bool(in), source);
      QCOMPARE(in->publicPem, pub);
      QCOMPARE(in->curve, QString("P-384"));
      QVERIFY(bool(keys.sign(QLatin1String(source), "mine", "m")));
    }
    QVERIFY(keys.importPem("x", get(file("enc.pem")), "wrong", {}, "mine").error().kind == FailureKind::WrongPassphrase);
    QVERIFY(keys.importPem("x", get(file("old.pem")), {}, {}, "mine").error().kind == FailureKind::WrongPassphrase);
    QVERIFY(keys.importPem("x", "no key", {}, {}, "mine").error().kind == FailureKind::KeyInvalid);
    QVERIFY(keys.importPem("x", pub, {}, {}, "mine").error().kind == FailureKind::KeyInvalid);
    QCOMPARE(openssl({"genpkey", "-algorithm", "ed25519", "-out", file("ed.pem")}), 0);
    QVERIFY(keys.importPem("x", get(file("ed.pem")), {}, {}, "mine").error().kind == FailureKind::KeyInvalid);
    QCOMPARE(openssl({"ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", file("k1.pem")}), 0);
    QVERIFY(keys.importPem("x", get(file("k1.pem")), {}, {}, "mine").error().kind == FailureKind::KeyInvalid);
    QCOMPARE(openssl({"ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout", "-out", file("ex.pem")}), 0);
    QVERIFY(keys.importPem("x", get(file("ex.pem")), {}, {}, "mine").error().kind == FailureKind::KeyInvalid);
    // A point written compressed elsewhere gets the hint that the field's tools compute.
    QCOMPARE(openssl({"ec", "-in", file("k.pem"), "-conv_form", "compressed", "-out", file("c.pem")}), 0);
    auto compressed = keys.importPem("c", get(file("c.pem")), {}, {}, "mine");
    QVERIFY(bool(compressed));
    QCOMPARE(compressed->publicPem, pub);
    // A chain must belong to the key.
    QCOMPARE(openssl({"req", "-x509", "-key", file("k.pem"), "-subj", "/CN=synthetic", "-days", "30", "-out", file("k.crt")}), 0);
    auto chained = keys.importPem("chained", get(file("k.pem")), {}, get(file("k.crt")), "mine");
    QVERIFY(bool(chained));
    QVERIFY(keys.info("chained")->certificateChainPem.contains("BEGIN CERTIFICATE"));
    QVERIFY(keys.importPem("x", get(file("k1.pem")), {}, get(file("k.crt")), "mine").error().kind == FailureKind::KeyInvalid);
    QCOMPARE(openssl({"ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file("o.pem")}), 0);
    QVERIFY(keys.importPem("x", get(file("o.pem")), {}, get(file("k.crt")), "mine").error().kind == FailureKind::KeyInvalid);
    QVERIFY(keys.importPem("x", get(file("k.pem")), {}, "rubbish", "mine").error().kind == FailureKind::KeyInvalid);
  }
};

QTEST_GUILESS_MAIN(TestKeyStore)
#include "test_key_store.moc"
