// Sampler, augmentation, prepared shards and the loader: the same numbers whatever the threads do.
#include <QtTest>

#include <ATen/ops/equal.h>

#include "core/domain/files.h"
#include "core/engine/data/counter_rng.h"
#include "core/engine/data/loader.h"

using namespace cloister;

namespace {

// 12 samples of 8×8, sample i filled with 20·i, three classes; written as `cloister-ingest prepare` writes it.
QString writePrepared(const QString& dir,
                      const QJsonObject& splits = {{"train", QJsonArray{0, 1, 2, 3, 4, 5, 6, 7}}, {"validation", QJsonArray{8, 9}}}) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 12; ++i) {
    pixels.insert(pixels.end(), 64, std::uint8_t(20 * i));
    labels.push_back(i % 3);
  }
  const auto bytes = [](const auto& v) { return reinterpret_cast<const std::byte*>(v.data()); };
  QJsonArray shards;
  for (int s = 0; s < 2; ++s) {  // two shards of 6
    const QString name = QString("shard-%1.safetensors").arg(s, 5, 10, QChar('0'));
    [[maybe_unused]] const auto written =
        writeSafetensors(dir + '/' + name, {{"images", {DType::U8, {6, 1, 8, 8}, bytes(pixels) + s * 6 * 64, 6 * 64}},
                                            {"labels", {DType::I64, {6}, bytes(labels) + s * 48, 48}}});
    shards.append(QJsonObject{{"file", name}, {"count", 6}, {"sha256", *sha256OfFile(dir + '/' + name)}});
  }
  QJsonObject json{{"format", 1},
                   {"snapshot", "s"},
                   {"count", 12},
                   {"channels", 1},
                   {"size", 8},
                   {"classes", QJsonArray{"a", "b", "c"}},
                   {"shards", shards},
                   {"splits", splits},
                   {"mean", QJsonArray{0.5}},
                   {"std", QJsonArray{0.25}}};
  json["digest"] = sha256Hex(canonicalJson(json));
  [[maybe_unused]] const auto marker = writeJsonAtomically(dir + "/prepared.json", json);
  return json["digest"].toString();
}

}  // namespace

class TestTrainingData : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void splitMixGivesThePublishedNumbers() {
    // First outputs of SplitMix64 for seed 1234567 (Vigna's splitmix64.c).
    CounterRng rng(1234567);
    QCOMPARE(rng.next(), std::uint64_t(6457827717110365317ULL));
    QCOMPARE(rng.next(), std::uint64_t(3203168211198807973ULL));
    QCOMPARE(rng.next(), std::uint64_t(9817491932198370423ULL));
  }

  void permutationHoldsEachIndexOnce() {
    auto p = permutation(1000, 42);
    QVERIFY(p != permutation(1000, 43));
    QCOMPARE(p, permutation(1000, 42));
    std::sort(p.begin(), p.end());
    for (int i = 0; i < 1000; ++i) QCOMPARE(p[std::size_t(i)], std::int64_t(i));
  }

  void ranksShareAStepWithoutOverlap() {
    std::vector<std::int64_t> samples;
    for (int i = 0; i < 50; ++i) samples.push_back(100 + i);
    const Sampler whole(samples, 8, 9), first(samples, 8, 9, 0, 2), second(samples, 8, 9, 1, 2);
    QCOMPARE(whole.stepsPerEpoch(), std::int64_t(6));
    for (std::int64_t step : {0, 5, 6, 13}) {
      auto both = first.samplesOf(step);
      const auto rest = second.samplesOf(step);
      both.insert(both.end(), rest.begin(), rest.end());
      QCOMPARE(both, whole.samplesOf(step));
    }
    std::set<std::int64_t> seen;
    for (std::int64_t step = 6; step < 12; ++step)
      for (std::int64_t i : whole.samplesOf(step)) QVERIFY(seen.insert(i).second);
    QCOMPARE(seen.size(), std::size_t(48));
  }

  void batchLargerThanTheSplitIsOneStep() { QCOMPARE(Sampler({1, 2, 3}, 8, 1).stepsPerEpoch(), std::int64_t(1)); }

  void augmentationOffIsPixelBy255() {
    std::vector<std::uint8_t> image{0, 51, 102, 255};
    std::vector<float> a(4), b(4);
    AugmentScratch scratch;
    plainSample(image.data(), 4, a.data());
    augmentSample({}, image.data(), 1, 2, 7, b.data(), scratch);
    for (std::size_t i = 0; i < 4; ++i) {
      QCOMPARE(a[i], float(image[i]) / 255.0f);
      QVERIFY(std::abs(b[i] - a[i]) < 1e-6f);
    }
  }

  void quarterTurnMovesPixelsAsGeometrySays() {
    // With a rotation range of ±180° some key gives nearly each angle; compare one draw with bilinear sampling written out here.
    constexpr int n = 9;
    std::vector<std::uint8_t> image(n * n, 0);
    image[2 * n + 6] = 200;
    std::vector<float> out(n * n);
    AugmentScratch scratch;
    AugmentRecipe recipe;
    recipe.rotationDegrees = 180;
    augmentSample(recipe, image.data(), 1, n, 11, out.data(), scratch);
    CounterRng rng(11);
    const double angle = rng.between(-180, 180) * M_PI / 180;
    double worst = 0;
    const auto at = [&](int y, int x) { return x < 0 || y < 0 || x >= n || y >= n ? 0.0 : image[std::size_t(y * n + x)] / 255.0; };
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x) {
        const double sx = 4 + std::cos(angle) * (x - 4) + std::sin(angle) * (y - 4),
                     sy = 4 - std::sin(angle) * (x - 4) + std::cos(angle) * (y - 4);
        const int ix = int(std::floor(sx)), iy = int(std::floor(sy));
        const double fx = sx - ix, fy = sy - iy;
        const double expected =
            (1 - fy) * ((1 - fx) * at(iy, ix) + fx * at(iy, ix + 1)) + fy * ((1 - fx) * at(iy + 1, ix) + fx * at(iy + 1, ix + 1));
        worst = std::max(worst, std::abs(expected - double(out[std::size_t(y * n + x)])));
      }
    QVERIFY2(worst < 1e-4, qPrintable(QString::number(worst)));
    QVERIFY(*std::max_element(out.begin(), out.end()) > 0.1f);
  }

  void drawsStayInTheirRangesAndDifferByKey() {
    const AugmentRecipe strong = augmentPreset("strong", {});
    std::vector<std::uint8_t> image(32 * 32, 128);
    std::vector<float> a(32 * 32), b(32 * 32), again(32 * 32);
    AugmentScratch scratch;
    augmentSample(strong, image.data(), 1, 32, 1, a.data(), scratch);
    augmentSample(strong, image.data(), 1, 32, 2, b.data(), scratch);
    augmentSample(strong, image.data(), 1, 32, 1, again.data(), scratch);
    QCOMPARE(a, again);
    QVERIFY(a != b);
  }

  void noiseHasTheStatedDeviation() {
    AugmentRecipe recipe;
    recipe.noise = 0.1;
    constexpr int n = 128;
    std::vector<std::uint8_t> image(n * n, 128);
    std::vector<float> out(n * n);
    AugmentScratch scratch;
    augmentSample(recipe, image.data(), 1, n, 3, out.data(), scratch);
    CounterRng rng(3);  // the draws before the noise: angle, zoom, two shifts, gamma, contrast, brightness
    for (int i = 0; i < 7; ++i) rng.next();
    const double stated = rng.between(0, 0.1);
    double sum = 0, squares = 0;
    for (float v : out) {
      sum += v - 128.0f / 255.0f;
      squares += std::pow(double(v) - 128.0 / 255.0, 2);
    }
    const double mean = sum / (n * n), deviation = std::sqrt(squares / (n * n) - mean * mean);
    QVERIFY2(std::abs(mean) < 4 * stated / n, qPrintable(QString::number(mean)));
    QVERIFY2(std::abs(deviation / stated - 1) < 0.03, qPrintable(QString::number(deviation / stated)));
  }

  void presetsYieldToOverrides() {
    const AugmentRecipe r = augmentPreset("standard", {{"noise", 0.0}, {"horizontal_flip", true}, {"gamma", QJsonValue()}});
    QCOMPARE(r.noise, 0.0);
    QVERIFY(r.horizontalFlip);
    QCOMPARE(r.gamma, augmentPreset("standard", {}).gamma);
    QVERIFY(!augmentPreset("none", {}).any());
  }

  void shardsAreOneRow() {
    QTemporaryDir dir;
    const QString digest = writePrepared(dir.path());
    const auto data = PreparedData::open(dir.path(), digest);
    QVERIFY(bool(data));
    QCOMPARE((*data)->count(), std::int64_t(12));
    for (std::int64_t i = 0; i < 12; ++i) {
      QCOMPARE(int((*data)->pixels(i)[63]), int(20 * i));
      QCOMPARE((*data)->label(i), i % 3);
    }
    QCOMPARE((*data)->classCounts("train"), (std::vector<std::int64_t>{3, 3, 2}));
    QCOMPARE((*data)->keys({3}), QStringList{"#3"});
  }

  void otherDataIsNoticed() {
    QTemporaryDir dir;
    const QString digest = writePrepared(dir.path());
    QCOMPARE(PreparedData::open(dir.path(), QString(64, '0')).error().kind, FailureKind::IdentityChanged);
    QFile shard(dir.filePath("shard-00001.safetensors"));
    QVERIFY(shard.open(QIODevice::ReadWrite) && shard.seek(shard.size() - 60) && shard.write("x") == 1);
    shard.close();
    const auto changed = PreparedData::open(dir.path(), digest);
    QVERIFY(!changed);
    QCOMPARE(changed.error().kind, FailureKind::IdentityChanged);
    QCOMPARE(changed.error().args["what"].toString(), QString("shard-00001.safetensors"));
  }

  void impossibleSplitsAreRefused() {
    for (const QJsonArray& bad : {QJsonArray{0, 0}, QJsonArray{12}, QJsonArray{-1}}) {
      QTemporaryDir dir;
      writePrepared(dir.path(), {{"train", bad}});
      QCOMPARE(PreparedData::open(dir.path()).error().kind, FailureKind::CorruptFile);
    }
  }

  void loaderGivesTheSameForAnyNumberOfThreadsAndAnyStart() {
    QTemporaryDir dir;
    writePrepared(dir.path());
    const auto data = *PreparedData::open(dir.path());
    const auto sampler = std::make_shared<Sampler>(data->split("train"), 3, 5);
    const AugmentRecipe recipe = augmentPreset("strong", {});
    std::vector<Batch> reference;
    Loader one(data, sampler, recipe, 5, 0, 9, 1);
    for (int i = 0; i < 9; ++i) reference.push_back(one.next());
    Loader four(data, sampler, recipe, 5, 4, 9, 4);
    for (std::size_t i = 4; i < 9; ++i) {
      const Batch b = four.next();
      QCOMPARE(b.indices, reference[i].indices);
      QVERIFY(at::equal(b.images, reference[i].images));
      QVERIFY(at::equal(b.labels, reference[i].labels));
    }
  }
};

QTEST_GUILESS_MAIN(TestTrainingData)
#include "test_training_data.moc"
