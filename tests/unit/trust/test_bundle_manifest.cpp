// A received bundle: what its bundle.json may say, and that a genuine signature over a manifest which speaks of other files does not help
// it.
#include <functional>

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/trust/bundle_manifest.h"

using namespace cloister;

namespace {

void put(const QString& path, const QByteArray& bytes) {
  QDir().mkpath(QFileInfo(path).absolutePath());
  QFile f(path);
  if (!f.open(QIODevice::WriteOnly)) qFatal("cannot write");
  f.write(bytes);
}

QJsonObject goodManifest() {
  const QJsonObject model{{"path", "model.onnx"}, {"bytes", 7}, {"sha256", sha256Hex("weights")}};
  return {{"format", 1},
          {"name", "synthetic"},
          {"classes", QJsonArray{"a", "b"}},
          {"snapshot", QString(64, u'0')},
          {"model", QJsonObject{{"file", "model.onnx"}, {"sha256", sha256Hex("weights")}}},
          {"files", QJsonArray{model}}};
}

using Edit = std::function<void(QJsonObject&)>;

}  // namespace
Q_DECLARE_METATYPE(Edit)

class TestBundleManifest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void parse_data() {
    QTest::addColumn<Edit>("edit");
    QTest::addColumn<bool>("good");
    auto row = [](const char* name, bool good, Edit edit) { QTest::newRow(name) << edit << good; };
    auto file = [](const QJsonValue& path, const QJsonValue& sha, const QJsonValue& bytes) {
      return Edit([=](QJsonObject& o) { o["files"] = QJsonArray{QJsonObject{{"path", path}, {"sha256", sha}, {"bytes", bytes}}}; });
    };
    const QString digest(64, u'a');
    row("good", true, [](QJsonObject&) {});
    row("no files", true, [](QJsonObject& o) { o.remove("files"); });
    row("later format", false, [](QJsonObject& o) { o["format"] = 2; });
    row("no format", false, [](QJsonObject& o) { o.remove("format"); });
    row("no name", false, [](QJsonObject& o) { o.remove("name"); });
    row("no classes", false, [](QJsonObject& o) { o["classes"] = QJsonArray{}; });
    row("class that is no text", false, [](QJsonObject& o) { o["classes"] = QJsonArray{1}; });
    row("snapshot that is no digest", false, [](QJsonObject& o) { o["snapshot"] = "xyz"; });
    row("model outside", false, [&](QJsonObject& o) { o["model"] = QJsonObject{{"file", "../m"}, {"sha256", QString(64, u'a')}}; });
    row("file outside", false, file("../x", digest, 1));
    row("absolute file", false, file("/x", digest, 1));
    row("upper-case digest", false, file("x", digest.toUpper(), 1));
    row("negative size", false, file("x", digest, -1));
    row("size that is no number", false, file("x", digest, "1"));
    row("file twice", false, [](QJsonObject& o) { o["files"] = QJsonArray{o["files"].toArray()[0], o["files"].toArray()[0]}; });
  }
  void parse() {
    QFETCH(Edit, edit);
    QFETCH(bool, good);
    QJsonObject o = goodManifest();
    edit(o);
    auto m = BundleManifest::parse(QJsonDocument(o).toJson(), "bundle.json");
    QCOMPARE(bool(m), good);
    if (good) QCOMPARE(m->classes, (QStringList{"a", "b"}));
    else QVERIFY(m.error().kind == FailureKind::CorruptFile || m.error().kind == FailureKind::NewerVersion);
  }
  void parseRefusesWhatIsNoJson() {
    for (const char* text : {"", "[]", "{", "{\"format\":1,\"format\":1}", "{\"a\":1e999}", "{} x"})
      QVERIFY(!BundleManifest::parse(text, "b"));
    QVERIFY(!BundleManifest::parse("{\"a\":" + QByteArray(100'000, '['), "b"));
  }

  void manifestMustSpeakOfTheSignedFiles_data() {
    QTest::addColumn<Edit>("edit");
    QTest::addColumn<QString>("failed");
    auto row = [](const char* name, const char* failed, Edit edit) { QTest::newRow(name) << edit << QString::fromLatin1(failed); };
    row("good", "", [](QJsonObject&) {});
    row("another model", "bundle", [](QJsonObject& o) { o["model"] = QJsonObject{{"file", "model.onnx"}, {"sha256", QString(64, u'b')}}; });
    row("another digest", "bundle", [](QJsonObject& o) {
      o["files"] = QJsonArray{QJsonObject{{"path", "model.onnx"}, {"bytes", 7}, {"sha256", QString(64, u'b')}}};
    });
    row("a file left out", "bundle", [](QJsonObject& o) { o["files"] = QJsonArray{}; });
    row("unreadable", "bundle", [](QJsonObject& o) { o = QJsonObject{{"x", 1}}; });
  }
  void manifestMustSpeakOfTheSignedFiles() {
    QFETCH(Edit, edit);
    QFETCH(QString, failed);
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    VerifyPolicy policy;
    policy.trustedPublicPems = {keys.create("k", "P-256", "p")->publicPem};
    QJsonObject o = goodManifest();
    edit(o);
    put(dir.filePath("b/model.onnx"), "weights");
    put(dir.filePath("b/bundle.json"), QJsonDocument(o).toJson());
    QVERIFY(bool(signFolder(dir.filePath("b"), keys, "k", "p", {})));
    auto plain = verifyBundle(dir.filePath("b"), policy);
    auto copied = verifyBundle(dir.filePath("b"), policy, {}, dir.filePath("copy"));
    for (const auto* v : {&plain, &copied}) {
      QVERIFY(bool(*v));
      QCOMPARE((*v)->report.valid, failed.isEmpty());
      QCOMPARE((*v)->manifest.isEmpty(), !failed.isEmpty());
      if (!failed.isEmpty()) QVERIFY(!(*v)->report.checks.last().passed && (*v)->report.checks.last().name == failed);
    }
    QCOMPARE(QFile::exists(dir.filePath("copy/model.onnx")), failed.isEmpty());
  }

  void aFolderOfTheReferenceToolHasNoManifest() {
    QTemporaryDir dir;
    KeyStore keys(dir.filePath("keys"));
    VerifyPolicy policy;
    policy.trustedPublicPems = {keys.create("k", "P-256", "p")->publicPem};
    put(dir.filePath("b/x"), "1");
    QVERIFY(bool(signFolder(dir.filePath("b"), keys, "k", "p", {})));
    auto v = verifyBundle(dir.filePath("b"), policy);
    QVERIFY(v && v->report.valid && v->manifest.isEmpty());
  }
};

QTEST_GUILESS_MAIN(TestBundleManifest)
#include "test_bundle_manifest.moc"
