// Read and write of safetensors, and every lie a header can tell. The reference library checks the same files in tests/interop.
#include <QTemporaryDir>
#include <QTest>
#include <cstring>

#include "core/domain/files.h"
#include "core/tensors/safetensors.h"

using namespace cloister;

class TestSafetensors : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  static QByteArray file(const QByteArray& header, const QByteArray& data) {
    QByteArray all(8, 0);
    const quint64 n = quint64(header.size());
    std::memcpy(all.data(), &n, 8);
    return all + header + data;
  }
  static Result<void> parse(const QByteArray& bytes) {
    std::map<std::string, TensorView> tensors;
    QJsonObject metadata;
    return SafetensorsFile::parse(reinterpret_cast<const std::byte*>(bytes.data()), size_t(bytes.size()), "x", tensors, metadata);
  }

 private Q_SLOTS:
  void whatIsWrittenIsReadBack() {
    const float weights[6] = {1, 2, 3, 4, 5, 6};
    const std::uint8_t bytes[3] = {7, 8, 9};
    const std::int64_t step[1] = {42};
    std::map<std::string, TensorView> out;
    out["w"] = {DType::F32, {2, 3}, reinterpret_cast<const std::byte*>(weights), sizeof weights};
    out["b"] = {DType::U8, {3}, reinterpret_cast<const std::byte*>(bytes), sizeof bytes};
    out["empty"] = {DType::F16, {0, 4}, nullptr, 0};
    out["step"] = {DType::I64, {}, reinterpret_cast<const std::byte*>(step), sizeof step};
    const QString path = dir_.filePath("a.safetensors");
    QVERIFY(writeSafetensors(path, out, {{"format", "pt"}}));
    auto in = SafetensorsFile::open(path);
    QVERIFY2(in, in ? "" : qPrintable(in.error().detail));
    QCOMPARE((*in)->tensors().size(), size_t(4));
    const TensorView* w = (*in)->find("w");
    QVERIFY(w && w->shape == std::vector<std::int64_t>({2, 3}));
    QCOMPARE(std::memcmp(w->data, weights, sizeof weights), 0);
    QCOMPARE(reinterpret_cast<std::uintptr_t>(w->data) % 4, std::uintptr_t(0));
    QCOMPARE((*in)->find("step")->shape.size(), size_t(0));
    QCOMPARE((*in)->metadata()["format"].toString(), QStringLiteral("pt"));
  }

  void aHeaderThatLiesIsRefused_data() {
    QTest::addColumn<QByteArray>("bytes");
    const QByteArray four(4, 1);
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("seven bytes") << QByteArray(7, 0);
    QTest::newRow("header longer than the file") << file("{}", {}).replace(0, 1, "\x40");
    QTest::newRow("header of 2^63") << QByteArray("\0\0\0\0\0\0\0\x80{}", 10);
    QTest::newRow("not an object") << file("[]", {});
    QTest::newRow("cut json") << file("{\"a\":", {});
    QTest::newRow("unknown dtype") << file(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", four);
    QTest::newRow("negative shape") << file(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four);
    QTest::newRow("fractional shape") << file(R"({"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,4]}})", four);
    QTest::newRow("shape product overflows") << file(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", four);
    QTest::newRow("size and shape disagree") << file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four);
    QTest::newRow("reversed offsets") << file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four);
    QTest::newRow("leaves the file") << file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", four);
    QTest::newRow("overlap") << file(
        R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", four);
    QTest::newRow("hole") << file(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})", four);
    QTest::newRow("trailing bytes") << file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", four);
    QTest::newRow("twice the same name") << file(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", four);
    QTest::newRow("the same name, escaped") << file(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", four);
    QTest::newRow("metadata is not text") << file(R"({"__metadata__":{"a":1},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", four);
  }
  void aHeaderThatLiesIsRefused() {
    QFETCH(QByteArray, bytes);
    auto parsed = parse(bytes);
    QVERIFY(!parsed);
    QVERIFY(parsed.error().kind == FailureKind::CorruptFile || parsed.error().kind == FailureKind::TruncatedFile ||
            parsed.error().kind == FailureKind::TooLarge);
  }

  void everyTruncationOfAGoodFileIsRefused() {
    const QByteArray good = file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", QByteArray(4, 1));
    QVERIFY(parse(good));
    for (qsizetype n = 0; n < good.size(); ++n) QVERIFY(!parse(good.first(n)));
  }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "test_safetensors.moc"
