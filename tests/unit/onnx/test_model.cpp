// The wire format, the model file and half precision, against bytes that the onnx Python package and numpy made.
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/onnx/model.h"
#include "core/onnx/session.h"
#include "core/onnx/wire.h"
#include "core/tensors/half.h"

using namespace cloister;
using namespace cloister::onnx;

namespace {
// onnx 1.21 helper.make_model: Conv and LeakyRelu; initializers as float_data, raw_data, int64_data, int32_data (uint8, float16).
const char* const kTiny =
    "080812046f6e6e783aed010a3e0a01780a01770a01621201791a01632204436f6e762a150a0c6b65726e656c5f736861706540014001a001072a100a07737472696465"
    "7340024002a001070a220a017912017a22094c65616b7952656c752a0f0a05616c706861150000803ea00101120474696e792a130801080108010801100122040000c0"
    "3f4201772a0d080110014201624a04000000c02a16080310073a0d01feffffffffffffffff01ac024201692a0c080210022a0307ff014201752a0e0802100a2a058078"
    "80f0024201685a1c0a017812170a15080112110a0312014e0a0208010a0208040a02080462090a017a12040a02080142040a00101172060a016b120176";

Model tiny() {
  const QByteArray bytes = QByteArray::fromHex(kTiny);
  return *parseModel({bytes.constData(), std::size_t(bytes.size())}, "tiny.onnx");
}

Model addOne(std::int64_t elements) {
  Model m;
  m.graphName = "add";
  m.inputs = {{"x", ElementType::Float, {{elements, {}}}}};
  m.outputs = {{"y", ElementType::Float, {{elements, {}}}}};
  m.initializers = {Tensor::floats("one", {elements}, std::vector<float>(std::size_t(elements), 1.0F)),
                    Tensor::floats("two", {elements}, std::vector<float>(std::size_t(elements), 2.0F))};
  m.nodes = {{"Add", {"x", "one"}, {"t"}, {}, "a", {}}, {"Mul", {"t", "two"}, {"y"}, {}, "b", {}}};
  return m;
}
}  // namespace

class TestModel : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsWhatTheOnnxPackageWrote() {
    const Model m = tiny();
    QCOMPARE(m.irVersion, 8);
    QCOMPARE(m.producer, std::string("onnx"));
    QCOMPARE(m.opsets, (std::vector<std::pair<std::string, std::int64_t>>{{"", 17}}));
    QCOMPARE(m.metadata.at("k"), std::string("v"));
    QCOMPARE(m.nodes.size(), std::size_t(2));
    QCOMPARE(m.nodes[0].inputs, (std::vector<std::string>{"x", "w", "b"}));
    QCOMPARE(std::get<std::vector<std::int64_t>>(m.nodes[0].attributes.at("strides")), (std::vector<std::int64_t>{2, 2}));
    QCOMPARE(std::get<float>(m.nodes[1].attributes.at("alpha")), 0.25F);
    QCOMPARE(m.inputs[0].shape[0].name, std::string("N"));
    QCOMPARE(m.inputs[0].shape[2].value, 4);
    QCOMPARE(m.initializer("w")->as<float>()[0], 1.5F);
    QCOMPARE(m.initializer("b")->as<float>()[0], -2.0F);
    QCOMPARE(m.initializer("i")->as<std::int64_t>()[1], -2);
    QCOMPARE(m.initializer("i")->as<std::int64_t>()[2], 300);
    QCOMPARE(m.initializer("u")->as<std::uint8_t>()[1], 255);
    QCOMPARE(fromHalf(m.initializer("h")->as<std::uint16_t>()[1]), -0.5F);
    QVERIFY(!m.initializer("absent"));
  }

  void writesANodeAsProtobufDoes() {
    Model m;
    m.nodes = {{"Relu", {"a"}, {"b"}, {}, "r", {}}};
    // NodeProto of the onnx package, as field 1 of a graph.
    const QByteArray node = QByteArray::fromHex("0a0f0a01611201621a0172220452656c75");
    QVERIFY(QByteArray::fromStdString(serialize(m)).contains(node));
  }

  void writingIsDeterministicAndLosesNothing() {
    const std::string once = serialize(tiny());
    const auto again = parseModel(once, "again");
    QVERIFY(again);
    QCOMPARE(serialize(*again), once);
    QCOMPARE(again->nodes[1].attributes, tiny().nodes[1].attributes);
    QCOMPARE(*again->initializer("i")->data, *tiny().initializer("i")->data);
  }

  void damagedFilesAreRefused_data() {
    QTest::addColumn<int>("cut");
    for (const int cut : {0, 1, 7, 60, 150, 261}) QTest::addRow("%d bytes", cut) << cut;
  }
  void damagedFilesAreRefused() {
    QFETCH(int, cut);
    const QByteArray bytes = QByteArray::fromHex(kTiny).first(cut);
    const auto m = parseModel({bytes.constData(), std::size_t(bytes.size())}, "cut.onnx");
    QVERIFY(!m);
    QCOMPARE(m.error().args["path"].toString(), QString("cut.onnx"));
  }

  void aTensorThatClaimsAnotherSizeIsRefused() {
    Model m = addOne(4);
    m.initializers[0].dims = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
    const auto read = parseModel(serialize(m), "huge.onnx");
    QVERIFY(!read);
    QCOMPARE(failureKindName(read.error().kind), QString("corrupt_file"));
  }

  void everyFlippedByteIsSurvived() {
    QByteArray bytes = QByteArray::fromHex(kTiny);
    int refused = 0;
    for (qsizetype i = 0; i < bytes.size(); ++i) {
      bytes[i] = char(bytes[i] ^ 0xff);
      refused += !parseModel({bytes.constData(), std::size_t(bytes.size())}, "flip.onnx");
      bytes[i] = char(bytes[i] ^ 0xff);
    }
    QVERIFY(refused > bytes.size() / 4);
  }

  void weightsBesideTheFileRunTheSame() {
    QTemporaryDir dir;
    const QString path = dir.filePath("m.onnx");
    const Model m = addOne(2000);
    QVERIFY(writeModel(m, path, {.externalAbove = 100}));
    QVERIFY(QFile::exists(path + ".data"));
    QVERIFY(QFileInfo(path).size() < 1000);
    const auto read = readModel(path);
    QVERIFY(read);
    QCOMPARE(read->initializers[1].external[0].second, std::string("m.onnx.data"));
    QCOMPARE(read->initializers[1].external[1].second, std::string("8192"));  // 8000 bytes, then the next page
    auto session = Session::open(path);
    QVERIFY(session);
    const std::vector<float> x(2000, 3.0F);
    const auto y = session->run({DType::F32, {2000}, reinterpret_cast<const std::byte*>(x.data()), 8000}, "y");
    QVERIFY(y);
    QCOMPARE(y->floats()[0], 8.0F);
    QCOMPARE(y->floats()[1999], 8.0F);
  }

  void halfPrecisionRoundsAsNumpy_data() {
    QTest::addColumn<float>("value");
    QTest::addColumn<int>("bits");
    const std::pair<float, int> rows[] = {{0.0F, 0},
                                          {1.0F, 0x3c00},
                                          {-1.0F, 0xbc00},
                                          {65504.0F, 0x7bff},
                                          {65519.98828125F, 0x7bff},
                                          {65520.0F, 0x7c00},
                                          {1e9F, 0x7c00},
                                          {6.1035e-5F, 0x400},
                                          {6e-8F, 0x1},
                                          {2.98023223876953125e-8F, 0},
                                          {2.98023259404e-8F, 1},
                                          {1.0F / 3, 0x3555},
                                          {2049.0F, 0x6800},
                                          {2051.0F, 0x6802},
                                          {-0.0F, 0x8000},
                                          {INFINITY, 0x7c00},
                                          {1e-10F, 0},
                                          {0.1F, 0x2e66},
                                          {3.14159274F, 0x4248},
                                          {-1234.5677490234375F, 0xe4d3}};
    for (const auto& [value, bits] : rows) QTest::addRow("%g", double(value)) << value << bits;
  }
  void halfPrecisionRoundsAsNumpy() {
    QFETCH(float, value);
    QFETCH(int, bits);
    QCOMPARE(int(toHalf(value)), bits);
  }

  void halfPrecisionRoundTrips() {
    for (int bits = 0; bits < 0x10000; ++bits) {
      if ((bits & 0x7c00) == 0x7c00 && bits & 0x3ff) continue;  // NaN payloads are not kept
      QCOMPARE(int(toHalf(fromHalf(std::uint16_t(bits)))), bits);
    }
  }

  void percentilesAreNumpys() {
    // numpy.percentile([4, 1, 3, 2, 10], [50, 95, 99])
    QCOMPARE(percentile({4, 1, 3, 2, 10}, 50), 3.0);
    QCOMPARE(percentile({4, 1, 3, 2, 10}, 95), 8.8);
    QCOMPARE(percentile({4, 1, 3, 2, 10}, 99), 9.76);
  }
};

QTEST_GUILESS_MAIN(TestModel)
#include "test_model.moc"
