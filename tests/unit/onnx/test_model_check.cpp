// Foreign ONNX files: what may be run and what is refused, with the reason.
#include <unistd.h>

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/onnx/model_check.h"
#include "core/onnx/session.h"
#include "core/onnx/wire.h"

using namespace cloister;
using namespace cloister::onnx;

class TestModelCheck : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir dir_;

  static Model model(const std::string& op = "Relu", const std::string& domain = {}) {
    Model m;
    m.graphName = "m";
    m.inputs = {{"x", ElementType::Float, {{2, {}}}}};
    m.outputs = {{"y", ElementType::Float, {{2, {}}}}};
    m.nodes = {{op, {"x"}, {"y"}, {}, "n", domain}};
    return m;
  }
  QString written(const Model& m) {
    const QString path = dir_.filePath("m.onnx");
    if (!writeModel(m, path)) qFatal("cannot write");
    return path;
  }
  // The refusal's kind and detail, "" when accepted.
  QString refusal(const QString& path) {
    const auto r = checkedModel(path);
    return r ? QString() : failureKindName(r.error().kind) + ": " + r.error().detail;
  }
  // A model whose weight lies at the given place.
  QString external(const std::string& location, const std::string& offset = "0", const std::string& length = "8") {
    WireWriter tensor, graph, node, opset, whole;
    tensor.int64(1, 2);
    tensor.varint(2, 1);
    tensor.bytes(8, "w");
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location}, {"offset", offset}, {"length", length}}) {
      WireWriter entry;
      entry.bytes(1, key);
      entry.bytes(2, value);
      tensor.message(13, entry);
    }
    tensor.varint(14, 1);
    node.bytes(1, "w");
    node.bytes(2, "y");
    node.bytes(4, "Relu");
    graph.message(1, node);
    graph.bytes(2, "g");
    graph.message(5, tensor);
    opset.varint(2, 17);
    whole.varint(1, 8);
    whole.message(7, graph);
    whole.message(8, opset);
    const QString path = dir_.filePath("external.onnx");
    if (!writeFileAtomically(path, QByteArray::fromStdString(whole.data()))) qFatal("cannot write");
    return path;
  }

 private Q_SLOTS:
  void plainModelsAreAccepted() {
    QCOMPARE(refusal(written(model())), QString());
    QCOMPARE(refusal(written(model("QGemm", "com.microsoft"))), QString());
  }

  void unknownOperatorsAreNamed() {
    QCOMPARE(refusal(written(model("NoSuchOp"))), QString("unsupported_format: unknown operator NoSuchOp"));
    QCOMPARE(refusal(written(model("Relu", "evil.example"))), QString("unsupported_format: unknown operator evil.example::Relu"));
    // Every name the list must know: first, last and the usual ones.
    for (const char* op : {"Abs", "Xor", "Conv", "LayerNormalization", "QuantizeLinear", "DynamicQuantizeLinear", "Where"})
      QCOMPARE(refusal(written(model(op))), QString());
  }

  void graphsInsideOperatorsAreRefused() {
    Model m = model("Loop");
    m.nodes[0].attributes["body"] = RawAttribute{QByteArray::fromHex("0a04626f647932003a00a00105").toStdString()};
    QVERIFY(refusal(written(m)).startsWith("unsupported_format: operator Loop with a graph inside"));
  }

  void newerOpsetsAreRefused() {
    Model m = model();
    m.opsets = {{"", 99}};
    QVERIFY(refusal(written(m)).contains("opset 99"));
  }

  void externalDataMayNotLeaveTheFolder_data() {
    QTest::addColumn<QByteArray>("location");
    for (const char* l : {"/etc/hostname", "../w.bin", "sub/w.bin", "sub/../../w.bin", "..", ".", "", "C:w.bin", "..\\w.bin"})
      QTest::addRow("'%s'", l) << QByteArray(l);
  }
  void externalDataMayNotLeaveTheFolder() {
    QFETCH(QByteArray, location);
    QVERIFY(refusal(external(location.toStdString())).startsWith("policy_refused"));
  }

  void externalDataMustBeAPlainFileOfItsOwn() {
    const QString weights = dir_.filePath("w.bin"), link = dir_.filePath("link.bin"), hard = dir_.filePath("hard.bin");
    QVERIFY(writeFileAtomically(weights, QByteArray(16, '\0')));
    QCOMPARE(refusal(external("w.bin")), QString());
    QVERIFY(refusal(external("w.bin", "12")).startsWith("truncated_file"));
    QVERIFY(refusal(external("w.bin", "99999999999999999999")).startsWith("policy_refused"));
    QVERIFY(refusal(external("w.bin", "-8")).startsWith("policy_refused"));
    QVERIFY(refusal(external("absent.bin")).startsWith("not_found"));
    QVERIFY(QFile::link(weights, link));
    QVERIFY(refusal(external("link.bin")).startsWith("policy_refused"));
    QCOMPARE(::link(QFile::encodeName(weights).constData(), QFile::encodeName(hard).constData()), 0);
    QVERIFY(refusal(external("hard.bin")).startsWith("policy_refused"));
  }

  void notAModelAtAll() {
    const QString path = dir_.filePath("text.onnx");
    QVERIFY(writeFileAtomically(path, "not a protobuf at all"));
    QVERIFY(refusal(path).startsWith("corrupt_file"));
    QVERIFY(writeFileAtomically(path, QByteArray()));
    QVERIFY(refusal(path).startsWith("truncated_file"));
    QVERIFY(refusal(dir_.filePath("absent.onnx")).startsWith("not_found"));
  }

  // The runtime that is shipped must leave nothing behind, whatever it is updated to.
  void runningASessionLeavesNothingInTheHomeFolder() {
    QTemporaryDir home;
    qputenv("HOME", home.path().toUtf8());
    qputenv("XDG_CACHE_HOME", home.filePath("cache").toUtf8());
    auto session = Session::open(written(model()));
    QVERIFY(session);
    const float x[] = {-1, 2};
    const auto y = session->run({DType::F32, {2}, reinterpret_cast<const std::byte*>(x), sizeof x}, "y");
    QVERIFY(y);
    QCOMPARE(y->floats()[0], 0.0F);
    QCOMPARE(y->floats()[1], 2.0F);
    QCOMPARE(QDir(home.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList());
    QCOMPARE(qgetenv("ORT_DISABLE_TELEMETRY"), QByteArray("1"));
  }
};

QTEST_GUILESS_MAIN(TestModelCheck)
#include "test_model_check.moc"
