// Schedule, recipe, validation numbers, optimizer, averaging and checkpoints, each against values worked out elsewhere.
#include <QtTest>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/train/checkpoint.h"
#include "core/engine/train/optimizer.h"
#include "core/engine/train/team.h"
#include "core/engine/train/validation_metrics.h"

using namespace cloister;

namespace {
RunSpec someSpec() {
  RunSpec s;
  s.run = "r-0001";
  s.family = "image_classifier";
  s.snapshot = "snap";
  s.prepared = "p";
  s.preparedDigest = "digest";
  s.parameters = {{"epochs", 3}};
  s.seed = 4;
  return s;
}
std::unique_ptr<ClassifierModel> someModel(std::uint64_t seed) {
  return std::make_unique<ClassifierModel>(*buildGraph("small_cnn", {}, 1, 32, 2), seed);
}
}  // namespace

class TestTrainingParts : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void warmUpThenCosine() {
    TrainRecipe r;
    r.learningRate = 0.8;
    QCOMPARE(learningRateAt(r, 0, 4, 12), 0.2);
    QCOMPARE(learningRateAt(r, 3, 4, 12), 0.8);
    QCOMPARE(learningRateAt(r, 4, 4, 12), 0.8);
    QCOMPARE(learningRateAt(r, 8, 4, 12), 0.4);                                           // half of the cosine
    QVERIFY(std::abs(learningRateAt(r, 10, 4, 12) - 0.8 * 0.14644660940672624) < 1e-12);  // (1 + cos 3π/4)/2
    r.cosine = false;
    QCOMPARE(learningRateAt(r, 11, 4, 12), 0.8);
  }

  void automaticValuesFollowTheContext() {
    const auto scratch = makeRecipe({}, {.trainSamples = 700, .processors = 2});
    QVERIFY(bool(scratch));
    QCOMPARE(scratch->batchSize, 8);
    QCOMPARE(scratch->learningRate, 1e-3);
    QCOMPARE(scratch->replicas, 2);
    QCOMPARE(scratch->microBatch, 4);
    const auto tuned = makeRecipe({{"architecture", "resnet18"}, {"micro_batch", 8}},
                                  {.baseWeights = true, .trainSamples = 700, .processors = 2, .fastBf16 = true});
    QCOMPARE(tuned->learningRate, 3e-5);
    QCOMPARE(tuned->replicas, 1);
    QVERIFY(tuned->bf16);
    QCOMPARE(makeRecipe({{"batch_size", 7}}, {.worldSize = 2}).error().kind, FailureKind::InvalidArgument);
  }

  void areaUnderCurveCountsTiesHalf() {
    // sklearn.metrics.roc_auc_score([0,0,1,1,1,0],[.1,.4,.35,.8,.4,.4]) = 0.6666…
    QVERIFY(std::abs(areaUnderCurve({.1, .4, .35, .8, .4, .4}, {0, 0, 1, 1, 1, 0}) - 6.0 / 9) < 1e-12);
    QCOMPARE(areaUnderCurve({.1, .9}, {1, 1}), 0.5);
  }

  void validationNumbersByHand() {
    const auto m = validationMetrics({.8, .2, .4, .6, .7, .3, .1, .9}, {0, 1, 1, 1}, 2);
    QCOMPARE(m.accuracy, 0.75);
    QVERIFY(std::abs(m.balancedAccuracy - (1.0 + 2.0 / 3) / 2) < 1e-12);
    QCOMPARE(m.auc, 1.0);
    QVERIFY(std::abs(m.loss + (std::log(.8) + std::log(.6) + std::log(.3) + std::log(.9)) / 4) < 1e-12);
  }

  void aCardsKernelsDoWhatOursDo_data() {
    QTest::addColumn<bool>("adamw");
    QTest::newRow("adamw") << true;
    QTest::newRow("sgd") << false;
  }
  void aCardsKernelsDoWhatOursDo() {
    QFETCH(bool, adamw);
    TrainRecipe r;
    r.adamw = adamw;
    r.weightDecay = 0.1;
    struct Side {
      std::unique_ptr<ClassifierModel> model = someModel(1), average = someModel(1);
      std::unique_ptr<Optimizer> optimizer;
      double norm = 0;
    };
    Side own, library;
    for (Side* s : {&own, &library}) {
      s->model->setGradients(true);
      s->optimizer =
          std::make_unique<Optimizer>(r, *s->model, s->average.get(), s == &own ? Optimizer::Kernels::Own : Optimizer::Kernels::Library);
    }
    for (int t = 0; t < 4; ++t)
      for (std::size_t i = 0; i < own.model->parameters().size(); ++i) {
        const at::Tensor g = at::rand(own.model->parameters()[i].sizes()).sub(0.5);
        for (Side* s : {&own, &library}) at::Tensor(s->model->parameters()[i]).mutable_grad() = g.clone();
        if (i + 1 < own.model->parameters().size()) continue;
        for (Side* s : {&own, &library}) {
          // Two replicas with the same gradients: they are summed.
          s->norm = s->optimizer->collect({s->model->gradients(), s->model->gradients()});
          s->optimizer->step(0.01, 0.7, 0.3);
        }
      }
    QVERIFY(own.norm > 0 && std::abs(own.norm - library.norm) < 1e-5 * own.norm);
    const auto close = [](const NamedTensors& a, const NamedTensors& b) {
      for (const auto& [name, tensor] : a)
        if ((tensor.detach() - b.at(name).detach()).abs().max().item<double>() > 2e-6) return false;
      return true;
    };
    QVERIFY(close(own.model->state(), library.model->state()));
    QVERIFY(close(own.average->state(), library.average->state()));
    QVERIFY(close(own.optimizer->state(), library.optimizer->state()));
    QVERIFY(!close(own.model->state(), own.average->state()));
  }

  void adamWFirstStepsByTheFormula() {
    auto model = someModel(1);
    model->setGradients(true);
    TrainRecipe r;
    r.weightDecay = 0.1;
    Optimizer optimizer(r, *model);
    const at::Tensor& weight = model->parameters()[0];  // convolution: decays
    const at::Tensor& bias = model->parameters()[2];    // norm bias: does not
    const double w = weight.detach().view({-1})[5].item<double>(), b = bias[1].item<double>();
    double m = 0, v = 0, wNow = w, bNow = b;
    for (int t = 1; t <= 3; ++t) {
      for (const at::Tensor& p : model->parameters()) at::Tensor(p).mutable_grad() = at::ones_like(p).mul(0.1 * t);
      optimizer.collect({model->gradients()});
      optimizer.step(0.01);
      const double g = 0.1 * t;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const double move = 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
      wNow = wNow * (1 - 0.01 * 0.1) - move;
      bNow -= move;
    }
    QVERIFY(std::abs(weight.detach().view({-1})[5].item<double>() - wNow) < 1e-6);
    QVERIFY(std::abs(bias[1].item<double>() - bNow) < 1e-6);
  }

  void averageFollowsItsDecay() {
    auto model = someModel(1), average = someModel(1);
    model->setGradients(true);
    Optimizer optimizer(TrainRecipe{}, *model, average.get());
    for (const at::Tensor& p : model->parameters()) at::Tensor(p).mutable_grad() = at::ones_like(p);
    optimizer.collect({model->gradients()});
    const at::Tensor before = average->parameters()[0].clone();
    QVERIFY(std::abs(averageShare(0.9, 1000) - 0.1) < 1e-12);
    QVERIFY(std::abs(averageShare(0.9, 0) - 0.9) < 1e-12);  // the first steps follow faster: decay 1/10
    optimizer.step(0.01, 1, 0.25);
    at::NoGradGuard noGrad;
    const at::Tensor wanted = before + 0.25 * (model->parameters()[0] - before);
    QVERIFY((average->parameters()[0] - wanted).abs().max().item<double>() < 1e-6);
    at::Tensor(model->statistics()[0]).add_(1);
    averageStatistics(*average, *model, 0.25);
    QVERIFY((average->statistics()[0] - 0.25).abs().max().item<double>() < 1e-6);
  }

  void normIsEuclideanOverTheSumOfReplicas() {
    auto model = someModel(1);
    model->setGradients(true);
    std::int64_t n = 0;
    std::vector<at::Tensor> ones, halves;
    for (const at::Tensor& p : model->parameters()) {
      ones.push_back(at::ones_like(p));
      halves.push_back(at::ones_like(p).to(at::kBFloat16));
      n += p.numel();
    }
    Optimizer optimizer(TrainRecipe{}, *model);
    QVERIFY(std::abs(optimizer.collect({ones, ones}) / (2 * std::sqrt(double(n))) - 1) < 1e-9);
    QVERIFY(std::abs(optimizer.collect({halves, halves, halves}) / (3 * std::sqrt(double(n))) - 1) < 1e-9);
    std::vector<at::Tensor> none(ones.size());
    QVERIFY(std::abs(optimizer.collect({ones, none}) / std::sqrt(double(n)) - 1) < 1e-9);
    QVERIFY_EXCEPTION_THROWN(optimizer.collect({none}), EngineFailure);
  }

  void teamRunsEveryMemberAndPassesErrorsOn() {
    Team team(3);
    std::atomic<int> sum = 0;
    for (int i = 0; i < 200; ++i) team.run([&](int member) { sum += 1 << member; });
    QCOMPARE(sum.load(), 200 * 7);
    QVERIFY_EXCEPTION_THROWN(team.run([](int member) {
      if (member == 2) throw EngineFailure({FailureKind::Stopped, {}, {}});
    }),
                             EngineFailure);
    team.run([&](int) { ++sum; });
    QCOMPARE(sum.load(), 1403);
  }

  void checkpointComesBackBitForBitAndOnlyTwoStay() {
    QTemporaryDir dir;
    auto model = someModel(5), average = someModel(6);
    model->setGradients(true);
    Optimizer optimizer(TrainRecipe{}, *model);
    for (const at::Tensor& p : model->parameters()) at::Tensor(p).mutable_grad() = at::rand(p.sizes());
    optimizer.collect({model->gradients()});
    optimizer.step(0.01);
    TrainState state;
    state.bestValue = 0.123456789012345678;
    state.bestStep = 7;
    for (std::int64_t step : {10, 20, 30}) {
      state.step = step;
      writeCheckpoint(dir.path(), someSpec(), state, {model->state(), average->state(), optimizer.state()}, model->graph().metadata());
    }
    QCOMPARE(QDir(dir.filePath("checkpoints")).entryList(QDir::Dirs | QDir::NoDotAndDotDot | QDir::Hidden),
             (QStringList{"step-00000020", "step-00000030"}));
    QStringList skipped;
    const auto found = newestCheckpoint(dir.path(), skipped);
    QVERIFY(found && skipped.isEmpty());
    QCOMPARE(found->state.toJson(), state.toJson());
    for (const auto& [name, tensor] : readTensors(found->dir + "/model.safetensors")) QVERIFY(tensor.equal(model->state().at(name)));
    auto other = someModel(9);
    other->setGradients(true);
    Optimizer restored(TrainRecipe{}, *other);
    restored.loadState(readTensors(found->dir + "/optimizer.safetensors"), "x");
    const NamedTensors wanted = optimizer.state();
    for (const auto& [name, tensor] : restored.state()) QVERIFY(tensor.equal(wanted.at(name)));
  }

  void damagedCheckpointIsPassedOver() {
    QTemporaryDir dir;
    auto model = someModel(5);
    TrainState state;
    for (std::int64_t step : {1, 2}) {
      state.step = step;
      writeCheckpoint(dir.path(), someSpec(), state, {model->state(), {}, {}}, {});
    }
    QFile file(dir.filePath("checkpoints/step-00000002/model.safetensors"));
    QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(file.size() / 2) && file.write("damage") == 6);
    file.close();
    QDir(dir.path()).mkpath("checkpoints/.part-step-00000003");
    QStringList skipped;
    const auto found = newestCheckpoint(dir.path(), skipped);
    QVERIFY(found.has_value());
    QCOMPARE(found->state.step, std::int64_t(1));
    QCOMPARE(skipped, QStringList{"step-00000002"});
    removeLeftovers(dir.path());
    QVERIFY(!QFileInfo::exists(dir.filePath("checkpoints/.part-step-00000003")));
  }

  void identityNamesWhatChanged() {
    RunSpec other = someSpec();
    other.preparedDigest = "another";
    const auto result = compareIdentity(identityOf(someSpec()), identityOf(other));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, FailureKind::IdentityChanged);
    QCOMPARE(result.error().args["what"].toString(), QString("prepared data"));
    QVERIFY(bool(compareIdentity(identityOf(someSpec()), identityOf(someSpec()))));
  }

  void bestIsReplacedWhole() {
    QTemporaryDir dir;
    auto a = someModel(1), b = someModel(2);
    writeBest(dir.path(), a->state(), a->graph().metadata(), {{"step", 1}});
    writeBest(dir.path(), b->state(), b->graph().metadata(), {{"step", 2}});
    QVERIFY(loadBest(dir.path())->parameters()[0].equal(b->parameters()[0]));
    QCOMPARE((*readJson(dir.filePath("best/state.json")))["step"].toInt(), 2);
    QVERIFY(!QFileInfo::exists(dir.filePath(".part-best")));
  }
};

QTEST_GUILESS_MAIN(TestTrainingParts)
#include "test_training_parts.moc"
