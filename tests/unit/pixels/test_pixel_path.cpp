// The pixel path against values computed by hand and by numpy/Pillow (numbers below; recipes in the comments).
#include <cmath>

#include <QTest>

#include "core/pixels/pixel_path.h"

using namespace cloister;

namespace {

DecodedFrame greyFrame(int width, int height, std::vector<float> values) {
  DecodedFrame f;
  f.width = width;
  f.height = height;
  f.grey = std::move(values);
  return f;
}

}  // namespace

class TestPixelPath : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // PS3.3 C.11.2.1.2.1, the standard's own example: c = 2048, w = 4096 maps 0…4095 linearly.
  void linearWindow() {
    const DecodedFrame f = greyFrame(4, 1, {-1, 0, 4095, 2047.5});
    const UnitImage u = toUnit(f, {2048, 4096, VoiFunction::Linear, false});
    QCOMPARE(u.values[0], 0.f);
    QCOMPARE(u.values[1], 0.f);
    QCOMPARE(u.values[2], 1.f);
    QVERIFY(std::abs(u.values[3] - 0.5f) < 1e-6f);
  }

  // c = 0, w = 1: x <= -0.5 is black, everything above is white.
  void windowOfWidthOne() {
    const UnitImage u = toUnit(greyFrame(3, 1, {-1, -0.5, 0}), {0, 1, VoiFunction::Linear, false});
    QCOMPARE(u.values, (std::vector<float>{0, 0, 1}));
  }

  void exactAndSigmoid() {
    const UnitImage exact = toUnit(greyFrame(3, 1, {0, 50, 100}), {50, 100, VoiFunction::LinearExact, false});
    QCOMPARE(exact.values, (std::vector<float>{0, 0.5, 1}));
    const UnitImage sigmoid = toUnit(greyFrame(2, 1, {50, 75}), {50, 100, VoiFunction::Sigmoid, false});
    QCOMPARE(sigmoid.values[0], 0.5f);
    QVERIFY(std::abs(sigmoid.values[1] - 1.f / (1.f + std::exp(-1.f))) < 1e-6f);
  }

  void monochrome1IsTurnedRound() {
    DecodedFrame f = greyFrame(2, 1, {0, 100});
    f.inverted = true;
    QCOMPARE(toUnit(f, {50, 100, VoiFunction::LinearExact, false}).values, (std::vector<float>{1, 0}));
  }

  void notANumberIsBlack() {
    const UnitImage u = toUnit(greyFrame(2, 1, {NAN, 100}), {50, 100, VoiFunction::LinearExact, false});
    QCOMPARE(u.values, (std::vector<float>{0, 1}));
  }

  // numpy.percentile(numpy.arange(1000)**2, [0.5, 99.5]) = 24.95499…, 988036.00…: 4.995 → 16 + 0.995·9, 994.005 → 994² + 0.005·1989
  void percentileAsNumpy() {
    std::vector<float> values(1000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(i * i);
    const GreyWindow w = chooseWindow(greyFrame(1000, 1, values), "percentile");
    const double low = w.center - w.width / 2, high = w.center + w.width / 2;
    QVERIFY(std::abs(low - (16 + 0.995 * 9)) < 1e-3);
    QVERIFY(std::abs(high - (994.0 * 994.0 + 0.005 * 1989)) < 1e-1);
    QCOMPARE(int(w.function), int(VoiFunction::LinearExact));
  }

  void theStoredWindowComesFirst() {
    DecodedFrame f = greyFrame(2, 1, {0, 10});
    f.voiLut = {0, 1};
    QVERIFY(chooseWindow(f, "voi").lut);
    f.windowCenter = 5;
    f.windowWidth = 3;
    QCOMPARE(chooseWindow(f, "voi").center, 5.0);
    QCOMPARE(chooseWindow(f, "40,80").width, 80.0);
    QCOMPARE(chooseWindow(f, "minmax").width, 10.0);
  }

  void areaAveragingShrinks() {
    const UnitImage in{4, 2, 1, {0, 1, 2, 3, 4, 5, 6, 7}};
    QCOMPARE(resized(in, 2, 1).values, (std::vector<float>{2.5, 4.5}));
    // 3 → 2: each output covers one and a half inputs.
    const UnitImage odd{3, 1, 1, {0, 3, 6}};
    const UnitImage half = resized(odd, 2, 1);
    QVERIFY(std::abs(half.values[0] - 1.f) < 1e-6f);
    QVERIFY(std::abs(half.values[1] - 5.f) < 1e-6f);
  }

  // Half-pixel centres: 2 → 4 gives 0, ¼, ¾, 1 of the way.
  void bilinearGrows() {
    const UnitImage in{2, 1, 1, {0, 1}};
    QCOMPARE(resized(in, 4, 1).values, (std::vector<float>{0, 0.25, 0.75, 1}));
  }

  void letterboxHasBlackBorders() {
    const UnitImage in{4, 2, 1, std::vector<float>(8, 1.f)};
    const UnitImage out = fitted(in, 4, "letterbox", 1);
    QCOMPARE(out.values, (std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}));
    QCOMPARE(fitted(in, 4, "stretch", 1).values, std::vector<float>(16, 1.f));
    QCOMPARE(fitted(in, 2, "crop", 1).values, std::vector<float>(4, 1.f));
  }

  void channels() {
    const UnitImage colour{1, 1, 3, {1, 0.5, 0}};
    QVERIFY(std::abs(fitted(colour, 1, "stretch", 1).values[0] - (0.299f + 0.2935f)) < 1e-6f);
    QCOMPARE(fitted({1, 1, 1, {0.5}}, 1, "stretch", 3).values, (std::vector<float>{0.5, 0.5, 0.5}));
  }

  void roundingAndHash() {
    QCOMPARE(toBytes({4, 1, 1, {0, 0.5f, 1, 2}}), (std::vector<std::uint8_t>{0, 128, 255, 255}));
    // Rising to the right: every bit set. Falling: none.
    UnitImage rising{9, 8, 1, {}};
    for (int i = 0; i < 72; ++i) rising.values.push_back(float(i % 9));
    QCOMPARE(differenceHash(rising), ~quint64(0));
    for (float& v : rising.values) v = 8 - v;
    QCOMPARE(differenceHash(rising), quint64(0));
  }
};

QTEST_GUILESS_MAIN(TestPixelPath)
#include "test_pixel_path.moc"
