// Calibration and quantization: ranges against an independent implementation, numerics of quantized graphs against the float model and
// against sums done by hand, and the search for layers that must stay in float.
#include <cmath>
#include <numeric>

#include <QTest>

#include "core/onnx/accuracy_search.h"
#include "core/onnx/quantize.h"

using namespace cloister;
using namespace cloister::onnx;

namespace {

std::vector<float> ramp(std::size_t n, float from, float to) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = from + (to - from) * float((i * 7919) % n) / float(n - 1);
  return v;
}

// image [N,2,6,6] → Conv 3×3 (padding) → Relu → MaxPool → Conv 1×1 → Add with a shortcut → Relu → GlobalAveragePool → Flatten → Gemm
Model smallNet() {
  Model m;
  m.graphName = "small";
  m.inputs = {{"image", ElementType::Float, {{-1, "N"}, {2, {}}, {6, {}}, {6, {}}}}};
  m.outputs = {{"logits", ElementType::Float, {{-1, "N"}, {3, {}}}}};
  m.initializers = {Tensor::floats("w1", {4, 2, 3, 3}, ramp(72, -0.5F, 0.7F)), Tensor::floats("b1", {4}, ramp(4, -0.3F, 0.2F)),
                    Tensor::floats("w2", {4, 4, 1, 1}, ramp(16, -1.0F, 0.8F)), Tensor::floats("b2", {4}, ramp(4, -0.1F, 0.1F)),
                    Tensor::floats("w3", {3, 4}, ramp(12, -2.0F, 1.5F)),       Tensor::floats("b3", {3}, ramp(3, -0.5F, 0.5F))};
  using Ints = std::vector<std::int64_t>;
  m.nodes = {
      {"Conv", {"image", "w1", "b1"}, {"c1"}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}, "conv1", {}},
      {"Relu", {"c1"}, {"r1"}, {}, "relu1", {}},
      {"MaxPool", {"r1"}, {"p1"}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, "pool", {}},
      {"Conv", {"p1", "w2", "b2"}, {"c2"}, {{"kernel_shape", Ints{1, 1}}}, "conv2", {}},
      {"Add", {"c2", "p1"}, {"a"}, {}, "add", {}},
      {"Relu", {"a"}, {"r2"}, {}, "relu2", {}},
      {"GlobalAveragePool", {"r2"}, {"g"}, {}, "gap", {}},
      {"Flatten", {"g"}, {"f"}, {{"axis", std::int64_t(1)}}, "flatten", {}},
      {"Gemm", {"f", "w3", "b3"}, {"logits"}, {{"transB", std::int64_t(1)}}, "fc", {}},
  };
  return m;
}

// image [N,1,1,2] → two linear layers. The first reads a value of 1000 that its weights ignore beside one of 0 or 1 that decides.
Model sensitiveNet() {
  Model m;
  m.graphName = "sensitive";
  m.inputs = {{"image", ElementType::Float, {{-1, "N"}, {1, {}}, {1, {}}, {2, {}}}}};
  m.outputs = {{"logits", ElementType::Float, {{-1, "N"}, {2, {}}}}};
  m.initializers = {Tensor::floats("w1", {2, 2}, std::vector<float>{-1, 0, 1, 0}), Tensor::floats("b1", {2}, std::vector<float>{1, 0}),
                    Tensor::floats("w2", {2, 2}, std::vector<float>{1, 0, 0, 1}), Tensor::floats("b2", {2}, std::vector<float>{0, 0})};
  m.nodes = {{"Flatten", {"image"}, {"x"}, {{"axis", std::int64_t(1)}}, "flatten", {}},
             {"Gemm", {"x", "w1", "b1"}, {"h"}, {{"transB", std::int64_t(1)}}, "first", {}},
             {"Gemm", {"h", "w2", "b2"}, {"logits"}, {{"transB", std::int64_t(1)}}, "second", {}}};
  return m;
}

struct Data {
  std::shared_ptr<std::vector<float>> values;
  Samples samples;
};

Data images(int n, int c, int side, float from = 0, float to = 1) {
  Data d;
  d.values = std::make_shared<std::vector<float>>(ramp(std::size_t(n * c * side * side), from, to));
  d.samples = Samples(d.values, c, side, side);
  for (int i = 0; i < n; ++i) d.samples.add(d.values->data() + i * c * side * side, i % 3);
  return d;
}

Statistics statisticsOf(const Model& m, const Samples& s, Calibration c = Calibration::MinMax) {
  CalibrationOptions o;
  o.methods = {c};
  auto r = calibrate(m, valuesToCalibrate(m), s, o);
  return r ? r->front() : Statistics();
}

std::vector<float> logitsOf(const Model& m, const Samples& s) {
  auto session = Session::fromModel(m);
  if (!session) {
    qWarning("%s", qUtf8Printable(session.error().detail));
    return {};
  }
  auto scores = score(*session, s);
  return scores ? scores->logits : std::vector<float>();
}

int countOf(const Model& m, const std::string& op) {
  return int(std::count_if(m.nodes.begin(), m.nodes.end(), [&](const Node& n) { return n.op == op; }));
}

}  // namespace

class TestQuantize : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Kept bins as a numpy implementation of the same definition finds them.
  void entropyFindsTheSameThresholdAsNumpy() {
    Histogram one{0, 2048, std::vector<double>(2048)}, two{-1024, 1024, std::vector<double>(2048)};
    for (int i = 0; i < 2048; ++i) {
      const double d = std::abs(i - 1024);
      one.counts[std::size_t(i)] = i == 0 ? 5e7 : i < 1500 ? std::floor(1e6 / (1 + double(i) * i / 400)) : i == 2047 ? 3 : 0;
      two.counts[std::size_t(i)] = i == 5 ? 2 : i == 2040 ? 1 : d < 300 ? std::floor(1e6 / (1 + d * d / 900)) : 0;
    }
    QCOMPARE(entropyRange(one), (Range{0, 1496}));
    QCOMPARE(entropyRange(two), (Range{-304, 304}));
    QCOMPARE(entropyRange({0, 2048, std::vector<double>(2048, 7.0)}), (Range{0, 2048}));
  }

  void percentileLeavesTheStatedShareOutside() {
    std::vector<float> values(100000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = -1 + 4 * float(i) / 99999;  // even over -1…3
    Histogram h{-3, 3, std::vector<double>(2048)};
    h.add(values);
    const Range r = percentileRange(h, 98);
    QVERIFY2(std::abs(r.minimum - -0.96F) < 0.003F, qPrintable(QString::number(r.minimum)));  // 1 % on either side
    QVERIFY2(std::abs(r.maximum - 2.96F) < 0.003F, qPrintable(QString::number(r.maximum)));
    Histogram positive{0, 3, std::vector<double>(2048)};
    for (float& v : values) v = std::max(v, 0.0F);
    positive.add(values);
    QCOMPARE(percentileRange(positive, 98).minimum, 0.0F);
    QVERIFY(std::abs(percentileRange(positive, 98).maximum - 2.92F) < 0.003F);  // 2 % above
  }

  void activationScaleHoldsZero() {
    QCOMPARE(activationScale({-1, 3}).scale, 4.0F / 255);
    QCOMPARE(int(activationScale({-1, 3}).zeroPoint), 64);
    QCOMPARE(int(activationScale({0.5F, 3}).zeroPoint), 0);
    QCOMPARE(activationScale({0.5F, 3}).scale, 3.0F / 255);
    QCOMPARE(int(activationScale({-2, -1}).zeroPoint), 255);
    QCOMPARE(activationScale({0, 0}).scale, 1.0F);
  }

  void weightsAreSymmetricPerChannel() {
    const std::vector<float> w{1, -2, 0.5F, 0, 0, 0, 254, -127, 1};
    const QuantizedWeights q = quantizeWeights(w, {3, 3}, 0);
    QCOMPARE(q.scales, (std::vector<float>{2.0F / 127, 1.0F, 2.0F}));
    QCOMPARE(q.values, (std::vector<std::int8_t>{64, -127, 32, 0, 0, 0, 127, -64, 0}));  // halves to even: 63.5 → 64, 63.5 → 64, 0.5 → 0
    const QuantizedWeights columns = quantizeWeights(w, {3, 3}, 1);
    QCOMPARE(columns.scales, (std::vector<float>{2.0F, 1.0F, 1.0F / 127}));
    QCOMPARE(quantizeWeights(w, {3, 3}, 0, {10, 0, 0}).scales[0], 10.0F);
  }

  void statisticsAreThoseOfTheValues() {
    const Data d = images(5, 2, 6, -1, 2);
    const Statistics s = statisticsOf(smallNet(), d.samples);
    QCOMPARE(s.at("image").range, (Range{-1, 2}));
    double sum = 0;
    for (int i = 0; i < 5; ++i)
      for (int k = 0; k < 36; ++k) sum += double((*d.values)[std::size_t(i * 72 + 36 + k)]);
    QVERIFY(std::abs(s.at("image").channelMean[1] - sum / 180) < 1e-9);
    QCOMPARE(s.at("r1").range.minimum, 0.0F);
  }

  void staticModelStaysCloseAndIsWholeInInt8() {
    const Model m = smallNet();
    const Data d = images(24, 2, 6);
    const Model q = quantizeStatic(m, statisticsOf(m, d.samples));
    QCOMPARE(countOf(q, "Relu"), 0);            // both became the lower end of a range
    QCOMPARE(countOf(q, "QuantizeLinear"), 7);  // image, conv1, pool, conv2, add, gap, flatten
    for (const char* w : {"w1", "w2", "w3"}) QVERIFY(!q.initializer(w));
    const std::vector<float> a = logitsOf(m, d.samples), b = logitsOf(q, d.samples);
    QCOMPARE(a.size(), std::size_t(72));
    const double error = relativeError(b, a);
    QVERIFY2(error > 0 && error < 0.03, qPrintable(QString::number(error)));
  }

  void biasCorrectionTakesTheMeanErrorOff() {
    const Model m = smallNet();
    const Data d = images(24, 2, 6);
    const Statistics s = statisticsOf(m, d.samples);
    const auto bias = [&](bool corrected) {
      double sum = 0;
      const std::vector<float> a = logitsOf(m, d.samples), b = logitsOf(quantizeStatic(m, s, {{}, corrected}), d.samples);
      for (std::size_t i = 0; i < a.size(); ++i) sum += double(b[i] - a[i]);
      return std::abs(sum / double(a.size()));
    };
    QVERIFY2(bias(true) < bias(false), qPrintable(QString("%1 %2").arg(bias(true)).arg(bias(false))));
  }

  void layersKeptInFloatHaveTheirWeights() {
    const Model m = smallNet();
    const Data d = images(24, 2, 6);
    const Statistics s = statisticsOf(m, d.samples);
    const Model none = quantizeStatic(m, s, {{"conv1", "conv2", "fc"}, true});
    QCOMPARE(logitsOf(none, d.samples), logitsOf(m, d.samples));
    QCOMPARE(countOf(none, "QuantizeLinear"), 0);
    const Model some = quantizeStatic(m, s, {{"conv2"}, true});
    QVERIFY(some.initializer("w2") && !some.initializer("w1"));
    QVERIFY(relativeError(logitsOf(some, d.samples), logitsOf(m, d.samples)) < 0.03);
  }

  void aHugeBiasDoesNotOverflow() {
    Model m = smallNet();
    m.initializers[1] = Tensor::floats("b1", {4}, std::vector<float>{1e6F, -1e6F, 0, 0});
    m.initializers[0] = Tensor::floats("w1", {4, 2, 3, 3}, ramp(72, -1e-6F, 1e-6F));
    const Data d = images(12, 2, 6);
    QVERIFY(relativeError(logitsOf(quantizeStatic(m, statisticsOf(m, d.samples)), d.samples), logitsOf(m, d.samples)) < 0.05);
  }

  void dynamicModelStaysClose() {
    const Model m = smallNet();
    const Data d = images(24, 2, 6);
    const Model q = quantizeDynamic(m);
    QCOMPARE(countOf(q, "MatMulInteger"), 1);
    QCOMPARE(countOf(q, "DynamicQuantizeLinear"), 1);
    QCOMPARE(countOf(q, "Conv"), 2);
    QVERIFY(q.initializer("w1/int8") && !q.initializer("w1"));
    const double error = relativeError(logitsOf(q, d.samples), logitsOf(m, d.samples));
    QVERIFY2(error > 0 && error < 0.03, qPrintable(QString::number(error)));
    QCOMPARE(logitsOf(quantizeDynamic(m, {"conv1", "conv2", "fc"}), d.samples), logitsOf(m, d.samples));
  }

  void halfPrecisionModelKeepsItsFloatInterface() {
    const Model m = smallNet();
    const Data d = images(24, 2, 6);
    const Model h = toHalfPrecision(m);
    QCOMPARE(int(h.initializer("w1")->type), int(ElementType::Float16));
    QCOMPARE(int(h.inputs[0].type), int(ElementType::Float));
    const double error = relativeError(logitsOf(h, d.samples), logitsOf(m, d.samples));
    QVERIFY2(error > 0 && error < 3e-3, qPrintable(QString::number(error)));
  }

  void theSearchLeavesTheSensitiveLayerInFloat() {
    const Model m = sensitiveNet();
    auto values = std::make_shared<std::vector<float>>();
    for (int i = 0; i < 40; ++i) values->insert(values->end(), {float(i % 2), 1000.0F});
    Samples s(values, 1, 1, 2);
    for (int i = 0; i < 40; ++i) s.add(values->data() + 2 * i, i % 2);
    const Statistics statistics = statisticsOf(m, s);
    const auto found = quantizeWithinLimit(m, statistics, s, {});
    QVERIFY(found);
    QCOMPARE(found->floatAccuracy, 1.0);
    QCOMPARE(found->accuracy, 1.0);
    QCOMPARE(found->floatLayers, (std::vector<std::string>{"first"}));
    // A limit that allows everything leaves nothing in float.
    const auto loose =
        quantizeWithinLimit(m, statistics, s, {.maximumDrop = 1.0, .threads = 0, .sensitivitySamples = 8, .staticModel = true, .note = {}});
    QVERIFY(loose && loose->floatLayers.empty() && loose->accuracy < 1.0);
  }

  void stoppingEndsACalibration() {
    const Data d = images(24, 2, 6);
    CalibrationOptions o;
    o.progress = [](int, int) { return false; };
    const auto r = calibrate(smallNet(), {"r1"}, d.samples, o);
    QVERIFY(!r);
    QCOMPARE(failureKindName(r.error().kind), QString("stopped"));
  }

  void samplesAreSpreadAndScaled() {
    const std::vector<std::uint8_t> pixels{0, 51, 102, 153, 204, 255};
    Samples s(nullptr, 1, 1, 1);
    for (const std::uint8_t& p : pixels) s.add(&p, p);
    QCOMPARE(s.spread(3).batch(0, 3), (std::vector<float>{0, 102 / 255.0F, 204 / 255.0F}));
    QCOMPARE(s.batch(4, 8).size(), std::size_t(2));
    QCOMPARE(s.spread(3).label(2), 204);
  }
};

QTEST_GUILESS_MAIN(TestQuantize)
#include "test_quantize.moc"
