// A bundle from a finished run: what is in it, what is not (names, pictures), and that it appears whole, signed and audited or not at all.
#include <sys/stat.h>
#include <unistd.h>
#include <cstring>

#include <QCryptographicHash>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/tensors/safetensors.h"
#include "core/trust/audit_log.h"
#include "core/trust/bundle.h"
#include "core/trust/model_signature.h"

using namespace cloister;

namespace {

void put(const QString& path, const QByteArray& bytes) {
  QDir().mkpath(QFileInfo(path).absolutePath());
  QFile f(path);
  if (!f.open(QIODevice::WriteOnly)) qFatal("cannot write");
  f.write(bytes);
}
void put(const QString& path, const QJsonObject& o) { put(path, QJsonDocument(o).toJson()); }
QByteArray get(const QString& path) {
  QFile f(path);
  return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}
QJsonObject json(const QString& path) { return QJsonDocument::fromJson(get(path)).object(); }
QString sha(const QByteArray& b) { return QString::fromLatin1(QCryptographicHash::hash(b, QCryptographicHash::Sha256).toHex()); }

/// A run folder as the worker leaves it, small; the names in it must never reach a bundle.
struct FinishedRun {
  QTemporaryDir dir;
  KeyStore keys{dir.filePath("keys")};
  BundleRequest request;
  QString snapshotDigest;
  const QByteArray model = "ONNX bytes of the model";

  FinishedRun() {
    QVERIFY(bool(keys.create("k", "P-256", "p")));
    request.projectDir = dir.path();
    request.runDir = dir.filePath("runs/r-0001");
    request.snapshotDir = dir.filePath("snapshots/s");
    request.toDir = dir.filePath("bundles/chest model");
    request.key = "k";
    request.passphrase = "p";
    request.intendedUse = "Sorting | research <images>";
    writeSnapshot();
    writeRun();
  }
  void writeSnapshot() {
    const QJsonObject split{{"by", "patient"}, {"seed", 7}}, preprocessing{{"size", 64}};
    QByteArray lines;
    for (int i = 0; i < 4; ++i)
      lines += QJsonDocument(QJsonObject{{"sha256", sha(QByteArray::number(i))},
                                         {"frame", 0},
                                         {"key", QString("MUELLER^ERIKA/%1.dcm").arg(i)},
                                         {"label", i % 2 ? "sick" : "well"},
                                         {"classIndex", i % 2},
                                         {"patient", "PAT-SECRET"},
                                         {"site", "Site A"},
                                         {"split", i < 2 ? "train" : "test"}})
                   .toJson(QJsonDocument::Compact) +
               '\n';
    snapshotDigest =
        sha(lines + '\n' + QJsonDocument(QJsonObject{{"split", split}, {"preprocessing", preprocessing}}).toJson(QJsonDocument::Compact));
    put(request.snapshotDir + "/samples.jsonl", lines);
    put(request.snapshotDir + "/snapshot.json", QJsonObject{{"format", 1},
                                                            {"digest", snapshotDigest},
                                                            {"classes", QJsonArray{"well", "sick"}},
                                                            {"samples", 4},
                                                            {"groups", 3},
                                                            {"splitCounts", QJsonObject{{"train", 2}, {"test", 2}}},
                                                            {"split", split},
                                                            {"preprocessing", preprocessing}});
  }
  void writeRun() {
    const QString run = request.runDir;
    put(run + "/spec.json", QJsonObject{{"format", 1},
                                        {"run", "r-0001"},
                                        {"family", "image_classifier"},
                                        {"snapshot", snapshotDigest},
                                        {"prepared", "prepared/x"},
                                        {"preparedDigest", QString(64, u'b')},
                                        {"parameters", QJsonObject{{"epochs", 3}, {"file", "/home/erika/secret/base.safetensors"}}},
                                        {"seed", 4711},
                                        {"codeVersion", "0.1.0"}});
    put(run + "/attempt-001/rank-0.events.jsonl", "{\"type\":\"started\",\"device\":\"cpu\",\"threads\":2,\"commit\":\"abc123\"}\n");
    const QJsonObject auc{{"name", "auc_macro"}, {"value", 0.97}, {"low", 0.95}, {"high", 0.99}, {"n", 2}};
    put(run + "/evaluation/report.json",
        QJsonObject{{"format", 1},
                    {"run", "r-0001"},
                    {"snapshot", snapshotDigest},
                    {"split", "test"},
                    {"samples", 2},
                    {"groups", 2},
                    {"classes", QJsonArray{"well", "sick"}},
                    {"threshold", 0.5},
                    {"hardware", "two cores"},
                    {"headline", QJsonArray{auc}},
                    {"confusion", QJsonArray{QJsonArray{1, 0}, QJsonArray{0, 1}}},
                    {"groupsBy", QJsonObject{{"site", QJsonArray{QJsonObject{{"name", "Site A"}, {"n", 2}}}},
                                             {"patient", QJsonArray{QJsonObject{{"name", "PAT-SECRET"}}}}}},
                    {"worst", QJsonArray{QJsonObject{{"key", "MUELLER^ERIKA/1.dcm"}, {"image", "images/1.png"}}}},
                    {"best", QJsonArray{QJsonObject{{"key", "MUELLER^ERIKA/0.dcm"}}}},
                    {"attacks", QJsonArray{QJsonObject{{"name", "fgsm"},
                                                       {"norm", "linf"},
                                                       {"epsilons", QJsonArray{QJsonObject{{"epsilon", 0.01}, {"robustAccuracy", auc}}}},
                                                       {"examples", QJsonArray{QJsonObject{{"key", "MUELLER^ERIKA/1.dcm"}}}}}}}});
    put(run + "/evaluation/report.html", "<img src=data:,MUELLER>");
    put(run + "/export/fp32.onnx", model);
    put(run + "/export/bad.onnx", "x");
    put(run + "/export/preprocessing.json", QJsonObject{{"size", 64}});
    writeExport({});
    const float values[4] = {0, 1, 2, 3};
    const auto* bytes = reinterpret_cast<const std::byte*>(values);
    QVERIFY(bool(writeSafetensors(run + "/export/test_vectors.safetensors",
                                  {{"input", {DType::F32, {1, 1, 2, 2}, bytes, 16}}, {"logits", {DType::F32, {1, 2}, bytes, 8}}})));
  }
  void writeExport(const QJsonObject& change) {
    QJsonObject o{
        {"format", 1},
        {"run", "r-0001"},
        {"opset", 17},
        {"classes", QJsonArray{"well", "sick"}},
        {"outputs", QJsonArray{"logits", "probabilities"}},
        {"recommended", "fp32"},
        {"candidates",
         QJsonArray{QJsonObject{{"name", "fp32"},
                                {"file", "fp32.onnx"},
                                {"sha256", sha(model)},
                                {"parity", QJsonObject{{"passed", true}, {"maxAbs", 1e-6}}}},
                    QJsonObject{{"name", "bad"}, {"file", "bad.onnx"}, {"sha256", sha("x")}, {"parity", QJsonObject{{"passed", false}}}}}}};
    for (auto it = change.begin(); it != change.end(); ++it) o[it.key()] = it.value();
    put(request.runDir + "/export/export.json", o);
  }
  /// Nothing half or hidden may stay beside the place.
  QStringList leftovers() const { return QDir(dir.filePath("bundles")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot); }
  FailureKind kind() {
    auto r = createBundle(request, keys);
    return r ? FailureKind::Internal : r.error().kind;
  }
};

}  // namespace

class TestBundle : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void holdsWhatTheFormatSays() {
    FinishedRun f;
    f.request.auditCheckpoint = {{"size", 3}, {"head", "abc"}};
    auto made = createBundle(f.request, f.keys);
    QVERIFY2(bool(made), made ? "" : qPrintable(describe(made.error()) + made.error().detail));
    const QString dir = made->dir;
    QStringList files;
    for (QDirIterator it(dir, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories); it.hasNext();)
      files.append(QDir(dir).relativeFilePath(it.next()));
    files.sort();
    const QStringList expected{"bundle.json",        "evaluation/report.html", "evaluation/report.json",
                               "labels.json",        "lineage.jsonl",          "model.onnx",
                               "model.sig",          "model_card.json",        "model_card.md",
                               "preprocessing.json", "sbom.spdx.json",         "test_vectors.safetensors"};
    QCOMPARE(files, expected);
    QCOMPARE(get(dir + "/model.onnx"), f.model);
    const QJsonObject manifest = json(dir + "/bundle.json");
    QCOMPARE(manifest, made->manifest);
    QCOMPARE(manifest["name"].toString(), QString("chest model"));
    QCOMPARE(manifest["snapshot"].toString(), f.snapshotDigest);
    QCOMPARE(manifest["splitDigest"].toString(), sha(get(dir + "/lineage.jsonl")));
    const QJsonArray listed = manifest["files"].toArray();
    for (const QJsonValue& v : listed) QCOMPARE(sha(get(dir + "/" + v.toObject()["path"].toString())), v.toObject()["sha256"].toString());
    QCOMPARE(listed.size(), expected.size() - 2);
    QCOMPARE(get(dir + "/lineage.jsonl").count('\n'), 4);
    QCOMPARE(f.leftovers(), QStringList{"chest model"});

    VerifyPolicy policy;
    policy.trustedPublicPems = {f.keys.info("k")->publicPem};
    auto report = verifyFolder(dir, policy);
    QVERIFY(report && report->valid);
    QCOMPARE(report->rootDigest, made->rootDigest);
    QCOMPARE(report->subject, QString("chest model"));
    QCOMPARE(report->extra["auditCheckpoint"].toObject()["size"].toInt(), 3);
    QCOMPARE(report->extra["run"].toString(), QString("r-0001"));
  }

  void holdsNoNamesAndNoPictures() {
    FinishedRun f;
    auto made = createBundle(f.request, f.keys);
    QVERIFY(bool(made));
    for (QDirIterator it(made->dir, QDir::Files, QDirIterator::Subdirectories); it.hasNext();) {
      const QString path = it.next();
      QByteArray bytes = get(path);
      if (path.endsWith("model.sig"))
        bytes += QByteArray::fromBase64(json(path)["dsseEnvelope"].toObject()["payload"].toString().toLatin1());
      for (const char* secret : {"MUELLER", "ERIKA", "erika", "PAT-SECRET", "images/1.png", "/home/"})
        QVERIFY2(!bytes.contains(secret), qPrintable(path + " holds " + secret));
      QVERIFY2(!bytes.contains(f.dir.path().toUtf8()), qPrintable(path));
    }
  }

  void modelCardSaysWhatWasMeasured() {
    FinishedRun f;
    auto made = createBundle(f.request, f.keys);
    QVERIFY(bool(made));
    const QString card = QString::fromUtf8(get(made->dir + "/model_card.md"));
    QVERIFY(card.startsWith("---\nlibrary_name: onnx\n"));
    for (const char* part : {"## Model details", "## Intended use", "## Factors", "## Metrics", "## Evaluation data", "## Training data",
                             "## Quantitative analyses", "## Ethical considerations", "## Limits and caveats", "not a medical device",
                             "4711", "abc123", "two cores", "0.97 (0.95 – 0.99)", "Sorting \\| research &lt;images>"})
      QVERIFY2(card.contains(QString::fromUtf8(part)), part);
    QVERIFY(card.contains(f.snapshotDigest));
    const QJsonObject j = json(made->dir + "/model_card.json");
    QVERIFY(j["notAMedicalDevice"].toBool());
    QCOMPARE(j["modelDetails"].toObject()["seed"].toInt(), 4711);
    const QString html = QString::fromUtf8(get(made->dir + "/evaluation/report.html"));
    QVERIFY(html.contains("0.97") && !html.contains("<img") && !html.contains("<script"));
  }

  void spdxAddsUp() {
    FinishedRun f;
    auto made = createBundle(f.request, f.keys);
    QVERIFY(bool(made));
    const QJsonObject s = json(made->dir + "/sbom.spdx.json");
    QCOMPARE(s["spdxVersion"].toString(), QString("SPDX-2.3"));
    QStringList sums;
    for (const QJsonValue& v : s["files"].toArray()) {
      const QString path = made->dir + "/" + v.toObject()["fileName"].toString();
      const QString one = QString::fromLatin1(QCryptographicHash::hash(get(path), QCryptographicHash::Sha1).toHex());
      QCOMPARE(v.toObject()["checksums"].toArray()[0].toObject()["checksumValue"].toString(), one);
      sums.append(one);
    }
    QCOMPARE(sums.size(), 9);
    sums.sort();
    QCOMPARE(s["packages"].toArray()[0].toObject()["packageVerificationCode"].toObject()["packageVerificationCodeValue"].toString(),
             QString::fromLatin1(QCryptographicHash::hash(sums.join("").toLatin1(), QCryptographicHash::Sha1).toHex()));
  }

  void refusals() {
    FinishedRun f;
    const QString run = f.request.runDir;
    const QByteArray report = get(run + "/evaluation/report.json"), exported = get(run + "/export/export.json"),
                     spec = get(run + "/spec.json"), samples = get(f.request.snapshotDir + "/samples.jsonl");
    QFile::remove(run + "/evaluation/report.json");
    auto r = createBundle(f.request, f.keys);
    QVERIFY(!r && r.error().kind == FailureKind::NothingToDo);
    QVERIFY(describe(r.error()).contains("Evaluate the run first"));
    put(run + "/evaluation/report.json", report);
    QFile::remove(run + "/export/export.json");
    r = createBundle(f.request, f.keys);
    QVERIFY(!r && r.error().kind == FailureKind::NothingToDo);
    QVERIFY(describe(r.error()).contains("Export the model first"));
    put(run + "/export/export.json", exported);

    put(run + "/export/fp32.onnx", "other bytes");
    QVERIFY(f.kind() == FailureKind::CorruptFile);
    put(run + "/export/fp32.onnx", f.model);
    f.request.candidate = "bad";
    QVERIFY(f.kind() == FailureKind::PolicyRefused);
    f.request.candidate = "absent";
    QVERIFY(f.kind() == FailureKind::InvalidArgument);
    f.request.candidate.clear();
    f.writeExport({{"classes", QJsonArray{"sick", "well"}}});
    QVERIFY(f.kind() == FailureKind::IdentityChanged);
    f.writeExport({{"run", "r-0002"}});
    QVERIFY(f.kind() == FailureKind::IdentityChanged);
    f.writeExport({{"candidates", QJsonArray{QJsonObject{{"name", "fp32"}, {"file", "../../secret"}}}}});
    QVERIFY(f.kind() == FailureKind::CorruptFile);
    put(run + "/export/export.json", exported);
    put(run + "/spec.json", QByteArray(spec).replace(f.snapshotDigest.toLatin1(), QByteArray(64, 'c')));
    QVERIFY(f.kind() == FailureKind::IdentityChanged);
    put(run + "/spec.json", spec);
    put(f.request.snapshotDir + "/samples.jsonl", QByteArray(samples).replace("\"train\"", "\"test\""));
    QVERIFY(f.kind() == FailureKind::CorruptFile);
    put(f.request.snapshotDir + "/samples.jsonl", samples);
    put(run + "/export/test_vectors.safetensors", "rubbish");
    QVERIFY(f.kind() != FailureKind::Internal);
    f.writeRun();
    f.request.passphrase = "wrong";
    QVERIFY(f.kind() == FailureKind::WrongPassphrase);
    f.request.passphrase = "p";
    QVERIFY(f.leftovers().isEmpty());
    QVERIFY(bool(createBundle(f.request, f.keys)));
    QVERIFY(f.kind() == FailureKind::AlreadyExists);
  }

  void auditedOrAbsent() {
    FinishedRun f;
    auto log = AuditLog::open(f.dir.path());
    QVERIFY(bool(log));
    QVERIFY(bool((*log)->append("train", {})));
    const QJsonObject before = *(*log)->checkpoint();
    auto made = createAuditedBundle(f.request, f.keys, **log);
    QVERIFY(bool(made));
    const AuditEntry last = (*log)->latest(1)->first();
    QCOMPARE(last.body["action"].toString(), QString("sign"));
    QCOMPARE(last.body["obj"].toObject()["bundle"].toString(), made->rootDigest);
    VerifyPolicy policy;
    policy.trustedPublicPems = {f.keys.info("k")->publicPem};
    QCOMPARE(verifyFolder(made->dir, policy)->extra["auditCheckpoint"].toObject(), before);
    QVERIFY((*log)->verify(before)->anchored);
    // When the entry cannot be written the bundle does not appear.
    auto readOnly = AuditLog::open(f.dir.path(), true);
    f.request.toDir = f.dir.filePath("bundles/second");
    auto refused = createAuditedBundle(f.request, f.keys, **readOnly);
    QVERIFY(!refused && refused.error().kind == FailureKind::ReadOnly);
    QCOMPARE(f.leftovers(), QStringList{"chest model"});
  }
};

QTEST_GUILESS_MAIN(TestBundle)
#include "test_bundle.moc"
