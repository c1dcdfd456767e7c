// The shared description of the architectures and the model that walks it. Parameter counts are torchvision's.
#include <QtTest>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>

#include "core/engine/engine_failure.h"
#include "core/engine/models/model.h"

using namespace cloister;

class TestModelGraph : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void parameterCountsAreTorchvisions_data() {
    QTest::addColumn<QString>("architecture");
    QTest::addColumn<qint64>("parameters");
    QTest::newRow("resnet18") << "resnet18" << qint64(11689512);
    QTest::newRow("resnet34") << "resnet34" << qint64(21797672);
    QTest::newRow("resnet50") << "resnet50" << qint64(25557032);
    QTest::newRow("vit_s_16") << "vit_s_16" << qint64(22050664);
  }
  void parameterCountsAreTorchvisions() {
    QFETCH(QString, architecture);
    QFETCH(qint64, parameters);
    const auto graph = buildGraph(architecture, {}, 3, 224, 1000);
    QVERIFY(bool(graph));
    QCOMPARE(qint64(graph->parameterCount()), parameters);
  }

  void everyOpReadsEarlierOpsAndNamesAreUnique() {
    for (const QString& architecture : knownArchitectures()) {
      const auto graph = buildGraph(architecture, {}, 1, 64, 3);
      QVERIFY(bool(graph));
      std::set<std::string> ops, tensors;
      for (std::size_t i = 0; i < graph->ops.size(); ++i) {
        QVERIFY(ops.insert(graph->ops[i].name).second);
        for (int input : graph->ops[i].inputs) QVERIFY(input >= -1 && input < int(i));
      }
      for (const TensorSpec& t : graph->tensors()) QVERIFY2(tensors.insert(t.name).second, t.name.c_str());
      QCOMPARE(graph->ops.back().shape, (std::vector<std::int64_t>{3}));
    }
  }

  void statedShapesAreTheComputedOnes_data() {
    QTest::addColumn<QString>("architecture");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("size");
    QTest::newRow("small 64") << "small_cnn" << 1 << 64;
    QTest::newRow("small 97 colour") << "small_cnn" << 3 << 97;
    QTest::newRow("resnet18 50") << "resnet18" << 1 << 50;
    QTest::newRow("resnet50 32") << "resnet50" << 3 << 32;
    QTest::newRow("vit 48") << "vit_s_16" << 1 << 48;
  }
  // Every architecture runs for odd sizes, and the shapes the graph states (which the ONNX writer relies on) lead to these logits.
  void statedShapesAreTheComputedOnes() {
    QFETCH(QString, architecture);
    QFETCH(int, channels);
    QFETCH(int, size);
    ClassifierModel model(*buildGraph(architecture, {}, channels, size, 4), 7);
    at::NoGradGuard noGrad;
    QCOMPARE(model.forward(at::rand({2, channels, size, size})).sizes().vec(), (std::vector<std::int64_t>{2, 4}));
    for (const TensorSpec& spec : model.graph().tensors()) QCOMPARE(model.state().at(spec.name).sizes().vec(), spec.shape);
  }

  void recipeTextMakesTheSameGraph() {
    const auto graph = buildGraph("small_cnn", {{"dropout", 0.25}}, 1, 96, 3, {0.4812345678901234}, {0.2}, {"a", "b", "肺"});
    const auto again = ModelGraph::fromMetadata(graph->metadata(), "x");
    QVERIFY(bool(again));
    QCOMPARE(again->recipe(), graph->recipe());
    QCOMPARE(again->ops.size(), graph->ops.size());
    QCOMPARE(again->mean, graph->mean);
    QCOMPARE(again->classNames.last(), QString("肺"));
  }

  void impossibleGraphsAreRefused() {
    QCOMPARE(buildGraph("alexnet", {}, 1, 64, 2).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(buildGraph("resnet18", {}, 2, 64, 2).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(buildGraph("resnet18", {}, 1, 16, 2).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(buildGraph("vit_s_16", {}, 1, 100, 2).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(buildGraph("small_cnn", {}, 1, 64, 1).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(buildGraph("small_cnn", {{"dropout", 1.0}}, 1, 64, 2).error().kind, FailureKind::InvalidArgument);
  }

  void sharedWeightsHaveGradientsAndStatisticsOfTheirOwn() {
    ClassifierModel model(*buildGraph("small_cnn", {}, 1, 32, 2), 1);
    model.setTraining(true);
    model.setGradients(true);
    const auto other = model.sharingWeights();
    other->forward(at::rand({4, 1, 32, 32})).sum().backward();
    QVERIFY(other->parameters()[0].grad().defined());
    QVERIFY(!model.parameters()[0].grad().defined());
    QCOMPARE(other->parameters()[0].data_ptr(), model.parameters()[0].data_ptr());
    QCOMPARE(model.statistics()[0].abs().sum().item<double>(), 0.0);
    QVERIFY(other->statistics()[0].abs().sum().item<double>() > 0);
  }

  void dropoutFollowsItsKeyOnly() {
    ClassifierModel model(*buildGraph("small_cnn", {{"dropout", 0.5}}, 1, 32, 2), 1);
    model.setTraining(true);
    at::NoGradGuard noGrad;
    const at::Tensor x = at::rand({4, 1, 32, 32});
    model.setDropoutKey(5);
    const at::Tensor a = model.forward(x);
    QVERIFY(a.equal(model.forward(x)));
    model.setDropoutKey(6);
    const at::Tensor other = model.forward(x);
    QVERIFY(!a.equal(other));
  }

  void weightsSurviveTheFile() {
    QTemporaryDir dir;
    ClassifierModel model(*buildGraph("resnet18", {}, 3, 32, 5, {0.1, 0.2, 0.3}, {0.5, 0.6, 0.7}), 3);
    saveTensors(dir.filePath("w.safetensors"), model.state(), model.graph().metadata());
    const auto back = loadModel(dir.filePath("w.safetensors"));
    at::NoGradGuard noGrad;
    const at::Tensor x = at::rand({2, 3, 32, 32});
    QVERIFY(model.forward(x).equal(back->forward(x)));
    QVERIFY_EXCEPTION_THROWN(loadBest(dir.path()), EngineFailure);
  }

  void foreignWeightsThatAreNotFiniteAreRefused() {
    QTemporaryDir dir;
    ClassifierModel model(*buildGraph("small_cnn", {}, 1, 32, 2), 3);
    NamedTensors state;
    for (const auto& [name, t] : model.state()) state[name] = t.clone();
    state.at("stem.conv.weight").view({-1})[0] = std::numeric_limits<float>::infinity();
    saveTensors(dir.filePath("w.safetensors"), state);
    try {
      loadBaseWeights(model, dir.filePath("w.safetensors"));
      QFAIL("accepted");
    } catch (const EngineFailure& e) {
      QCOMPARE(e.failure().kind, FailureKind::CorruptFile);
      QVERIFY(e.failure().detail.contains("stem.conv.weight"));
    }
  }
};

QTEST_GUILESS_MAIN(TestModelGraph)
#include "test_model_graph.moc"
