// The cost model against values worked out by hand from the papers' formulas, its bounds and directions. Published runs are in
// test_scale_published.cpp.
#include <QtTest>

#include <QJsonArray>

#include "core/domain/scale_model.h"

using namespace cloister;

class TestScaleModel : public QObject {
  Q_OBJECT

  static ScaleMachine machine(const char* id = "h100") { return scaleMachine(QLatin1String(id)).value(); }
  static ScaleShape shape(const char* preset) { return ScaleShape::of(planPreset(QLatin1String(preset)).value()); }
  static ScaleLayout layout(const char* text, int gpus) { return ScaleLayout::fromText(QLatin1String(text), gpus).value(); }
  static bool near(double a, double b, double relative = 1e-12) { return std::abs(a - b) <= relative * std::abs(b); }
  static double step(const ScaleShape& s, const ScaleLayout& l, const ScaleWorkload& w, const ScaleMachine& m) {
    return predictStep(s, l, w, m).seconds.total();
  }

 private Q_SLOTS:
  void machinesNameTheirSources() {
    QCOMPARE(int(scaleMachines().size()), 5);
    for (const ScaleMachine& m : scaleMachines()) {
      const QJsonObject sources = m.json["sources"].toObject();
      for (const char* key : {"memory", "peak", "productFraction", "memoryBandwidth", "memoryFraction", "kernelSeconds", "node", "network"})
        QVERIFY2(!sources[QLatin1String(key)].toString().isEmpty(), qPrintable(m.id + ' ' + key));
      QVERIFY(m.network.bandwidth < m.node.bandwidth);
    }
    QCOMPARE(machine("a100-80").node.bandwidth, 2.4e11);
    const auto none = scaleMachine("abacus");
    QVERIFY(!none && none.error().kind == FailureKind::InvalidArgument && none.error().args["allowed"].toString().contains("h200"));
  }

  void brokenDescriptionsNameTheKey_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<QJsonValue>("value");
    QTest::newRow("missing") << "memory" << QJsonValue();
    QTest::newRow("text") << "gpusPerNode" << QJsonValue("eight");
    QTest::newRow("too many") << "gpusPerNode" << QJsonValue(1e9);
    QTest::newRow("negative") << "memoryBandwidth" << QJsonValue(-1);
    QTest::newRow("fraction") << "productFraction" << QJsonValue(1.5);
  }
  void brokenDescriptionsNameTheKey() {
    QFETCH(QString, key);
    QFETCH(QJsonValue, value);
    QJsonObject o = machine().json;
    o[key] = value;
    const auto read = ScaleMachine::fromJson(o, "mine.json");
    QVERIFY(!read);
    QCOMPARE(failureKindName(read.error().kind), QStringLiteral("corrupt_file"));
    QCOMPARE(read.error().args["position"].toString(), key);
  }

  void collectivesByHand() {
    const ScaleLink link{1e11, 1e-6};
    QVERIFY(near(ringSeconds(Collective::AllReduce, 1e9, 8, link), 0.0175 + 14e-6));
    QVERIFY(near(ringSeconds(Collective::ReduceScatter, 1e9, 8, link), 0.00875 + 7e-6));
    QVERIFY(near(ringSeconds(Collective::AllGather, 1e9, 8, link), 0.00875 + 7e-6));
    QVERIFY(near(treeAllReduceSeconds(1e9, 8, link), 0.02 + 6e-6));
    QCOMPARE(ringSeconds(Collective::AllReduce, 1e9, 1, link), 0.0);
    ScaleMachine m = machine();
    m.node = {1e11, 1e-6}, m.network = {1e10, 1e-5};
    // Two nodes of 8: within 2 · (7/8 · 1e6 / 1e11 + 7e-6), between a ring of two for an eighth: 1.25e5 / 1e10 + 2e-5.
    const CollectiveCost staged = collectiveCost(Collective::AllReduce, 1e6, {16, 8}, m);
    QCOMPARE(QByteArray(staged.algorithm), QByteArray("hierarchical"));
    QVERIFY(near(staged.seconds, 2 * (8.75e-6 + 7e-6) + 1.25e-5 + 2e-5));
    // Long vectors: rings through all 16, one for each of the 8 ports, 30 steps: 30/16 · 1e9 / 8e10 + 30e-5.
    const CollectiveCost rings = collectiveCost(Collective::AllReduce, 1e9, {16, 8}, m);
    QCOMPARE(QByteArray(rings.algorithm), QByteArray("ring"));
    QVERIFY(near(rings.seconds, 30. / 16 / 80 + 30e-5));
    // Half of what each rank holds leaves the node: 5e8 / 1e10 + 1e-5.
    QVERIFY(near(collectiveCost(Collective::AllToAll, 1e9, {16, 8}, m).seconds, 0.05 + 1e-5));
    QCOMPARE(QByteArray(collectiveCost(Collective::AllReduce, 1e3, {8, 8}, m).algorithm), QByteArray("tree"));
    QCOMPARE(QByteArray(collectiveCost(Collective::AllReduce, 1e9, {8, 8}, m).algorithm), QByteArray("ring"));
  }

  void gptCountsAreThoseOfThePaper() {
    const double l = 96, h = 12288, V = 51200, s = 2048;  // 2104.04473, equations 2 and 3
    const ScaleShape gpt = ScaleShape::gpt(96, 12288, 96, 51200, 2048);
    QVERIFY(near(double(gpt.parameters() - 2 * 12288), 12 * l * h * h * (1 + 13 / (12 * h) + (V + s) / (12 * l * h))));
    QVERIFY(near(4 * gpt.forwardFlops(2048) - 2 * s * h * V, 96 * s * l * h * h * (1 + s / (6 * h) + V / (16 * l * h))));
    QVERIFY(near(gpt.forwardFlops(2048), 24 * s * l * h * h * (1 + s / (6 * h)) + 2 * s * h * V));
  }

  void decodersAreCountedWhole_data() {
    QTest::addColumn<QString>("preset");
    for (const QString& name : planPresetNames()) QTest::newRow(qPrintable(name)) << name;
  }
  void decodersAreCountedWhole() {
    QFETCH(QString, preset);
    const DecoderConfig config = planPreset(preset).value();
    const ScaleShape s = ScaleShape::of(config);
    // The cost model counts no biases of the router; norms are parameters, but no products.
    QVERIFY(near(double(s.parameters()), double(config.parameterCount()), 1e-9));
    QVERIFY(near(s.forwardFlops(1024), 1024 * config.forwardFlopsPerToken(1024), 1e-3));
  }

  void keptBytesAreThoseOfThePaper() {
    // 2205.05198, table 2: s b h (34 + 5 a s / h) and its divisions by t = 8.
    const double s = 2048, b = 4, h = 6144, a = 64, sbh = s * b * h, scores = 5 * a * s / h;
    const ScaleShape gpt = ScaleShape::gpt(48, 6144, 64, 51200, 2048);
    ScaleWorkload w;
    w.sequence = 2048;
    const auto kept = [&](const char* text) { return keptByLayer(gpt, gpt.dense, layout(text, 8), w); };
    QVERIFY(near(kept("tp=1,micro=4"), sbh * (34 + scores)));
    QVERIFY(near(kept("tp=8,micro=4,sp=off"), sbh * (10 + 24. / 8 + scores / 8)));
    QVERIFY(near(kept("tp=8,micro=4"), sbh / 8 * (34 + scores)));
    QVERIFY(near(kept("tp=8,micro=4,sp=off,recompute=selective"), sbh * (10 + 24. / 8)));
    QVERIFY(near(kept("tp=8,micro=4,recompute=selective"), sbh * 34 / 8));
    QVERIFY(near(kept("tp=1,micro=4,recompute=full"), 2 * sbh));
  }

  void gatedLayersKeepWhatThePlannerSays() {
    // facts of a LLaMA layer with flash attention: 16 d + 8 ff bytes a token.
    const ScaleShape s = shape("deepseek-llm-7b");
    ScaleWorkload w;
    w.sequence = 1024;
    QVERIFY(near(keptByLayer(s, s.dense, ScaleLayout{}, w), 1024. * (16 * 4096 + 8 * 11008)));
  }

  void statesAreThoseOfZero_data() {
    QTest::addColumn<QString>("preset");
    QTest::addColumn<QList<double>>("gb");  // stages 0 to 3 on 8 ranks
    QTest::newRow("7b") << "deepseek-llm-7b" << QList<double>{110.6, 38.0, 25.9, 13.8};
    QTest::newRow("33b") << "deepseek-coder-33b" << QList<double>{533.5, 183.4, 125.0, 66.7};
    QTest::newRow("67b") << "deepseek-llm-67b" << QList<double>{1078.8, 370.8, 252.8, 134.9};
  }
  void statesAreThoseOfZero() {
    QFETCH(QString, preset);
    QFETCH(QList<double>, gb);
    const ScaleShape s = shape(preset.toLatin1());
    for (int stage = 0; stage <= 3; ++stage) {
      ScaleLayout l;
      l.data = 8, l.zero = stage;
      QVERIFY(std::abs(double(scaleMemory(s, l, {}, machine()).states()) / 1e9 - gb[stage]) < 0.051);
    }
  }

  void oneGpuIsWhatTheMemoryPlannerSays() {
    const DecoderConfig config = planPreset("deepseek-coder-33b").value();
    const ScaleShape s = ScaleShape::of(config);
    for (const bool checkpointing : {false, true})
      for (const int stage : {0, 3}) {
        LanguagePlanOptions o;
        o.cards = 8, o.zeroStage = stage, o.checkpointing = checkpointing, o.sequence = 2048, o.batch = 2;
        const LanguageMemory planned = languageMemory(LanguageSizes::of(config), o);
        ScaleWorkload w;
        w.sequence = 2048;
        ScaleLayout l;
        l.data = 8, l.zero = stage, l.microBatch = 2, l.recompute = checkpointing ? Recompute::Full : Recompute::None;
        const LanguageMemory m = scaleMemory(s, l, w, machine());
        QVERIFY(std::abs(m.states() - planned.states()) <= 3);  // rounding
        QCOMPARE(m.activations, planned.activations);
        QCOMPARE(m.logits, planned.logits);
      }
  }

  void pipelineWaitsForItsRanks() {
    const ScaleShape s = ScaleShape::gpt(96, 12288, 96, 51200, 2048);
    ScaleWorkload w;
    w.sequence = 2048, w.globalBatch = 64;
    for (const int pieces : {1, 3}) {
      ScaleLayout l = layout("tp=8,pp=8,dp=1", 64);
      l.interleave = pieces;
      const ScaleSeconds t = predictStep(s, l, w, machine()).seconds;
      // 2104.04473, section 2.2: the bubble is (p − 1) / (v m) of the rest.
      const double ideal = t.compute + t.recompute + t.tensor + t.pipeline;
      QVERIFY(near(t.bubble / ideal, 7. / pieces / 64, 1e-9));
    }
  }

  void directions() {
    const ScaleShape s = shape("deepseek-coder-33b");
    ScaleWorkload w;
    for (const char* text :
         {"tp=8,pp=1,zero=3,recompute=full", "tp=4,pp=2,zero=1", "tp=2,pp=2,zero=2,micro=2", "tp=8,pp=4,zero=0,sp=off"}) {
      const ScaleLayout l = layout(text, 64);
      QVERIFY2(!layoutReason(s, l, w, machine(), 64), text);
      const double usual = step(s, l, w, machine());
      const auto changed = [&](auto change) {
        ScaleMachine m = machine();
        change(m);
        return step(s, l, w, m);
      };
      QVERIFY(changed([](ScaleMachine& m) { m.network.bandwidth /= 4; }) >= usual);
      QVERIFY(changed([](ScaleMachine& m) { m.node.bandwidth /= 4; }) > usual);
      QVERIFY(changed([](ScaleMachine& m) { m.network.latency *= 100; }) >= usual);
      QVERIFY(changed([](ScaleMachine& m) { m.node.latency *= 100; }) > usual);
      QVERIFY(changed([](ScaleMachine& m) { m.memoryBandwidth /= 2; }) > usual);
      QVERIFY(changed([](ScaleMachine& m) { m.peak[0] /= 2; }) > usual);
      const ScalePrediction p = predictStep(s, l, w, machine());
      QVERIFY(p.mfu > 0 && p.mfu <= p.hfu && p.hfu < machine().productFraction);
      ScaleLayout more = l;
      std::int64_t before = scaleMemory(s, l, w, machine()).states();
      for (more.zero = l.zero + 1; more.zero <= 3; ++more.zero) {
        const std::int64_t now = scaleMemory(s, more, w, machine()).states();
        QVERIFY(now < before);
        before = now;
      }
      ScaleLayout again = l;
      again.recompute = Recompute::None;
      const double kept = double(scaleMemory(s, again, w, machine()).activations), quick = step(s, again, w, machine());
      again.recompute = Recompute::Full;
      QVERIFY(double(scaleMemory(s, again, w, machine()).activations) < kept && step(s, again, w, machine()) > quick);
    }
  }

  void computationNeverBeatsThePeak() {
    for (const ScaleMachine& m : scaleMachines())
      for (const char* preset : {"deepseek-llm-7b", "llama-10m", "deepseek-v3"}) {
        const ScaleShape s = shape(preset);
        ScaleWorkload w;
        w.sequence = 512, w.globalBatch = 8;
        const ScalePrediction p = predictStep(s, ScaleLayout{}, w, m);
        QVERIFY(p.seconds.compute >= 3 * 8 * (s.forwardFlops(512) - s.forwardAttentionFlops(512)) / (m.peak[0] * m.productFraction));
      }
  }

  void reasons_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("word");
    QTest::newRow("heads") << "dp=1,tp=8"
                           << "heads";  // R1-Distill-Qwen-1.5B: 12 heads
    QTest::newRow("kv") << "dp=1,tp=4,pp=2"
                        << "kvHeads";  // and 2 key/value heads
    QTest::newRow("gpus") << "dp=2,tp=2"
                          << "gpus";
    QTest::newRow("batch") << "dp=8,micro=3"
                           << "batch";
    QTest::newRow("experts") << "dp=8,ep=2"
                             << "experts";
    QTest::newRow("pieces") << "dp=2,pp=4,interleave=2"
                            << "interleave";
    QTest::newRow("fits") << "dp=8"
                          << "";
  }
  void reasons() {
    QFETCH(QString, text);
    QFETCH(QString, word);
    const auto reason = layoutReason(shape("deepseek-r1-distill-qwen-1.5b"), ScaleLayout::fromText(text, 8).value(), {}, machine(), 8);
    QCOMPARE(reason ? reason->word : QString(), word);
    if (reason) QVERIFY(!describeScaleReason(*reason).contains('%') && describeScaleReason(*reason).size() > 10);
  }

  void layoutsAreReadBack() {
    for (const char* text :
         {"dp=8,tp=4,pp=2,zero=1,micro=2,recompute=full", "dp=16,tp=2,pp=4,ep=8,zero=3,micro=1,interleave=2,recompute=selective,sp=off"})
      QCOMPARE(layout(text, 64).toText(), QLatin1String(text));
    QCOMPARE(layout("tp=4,pp=2", 64).data, 8);
    for (const char* text : {"tp=0", "tp=x", "zero=4", "recompute=some", "cards=3", "tp=4096,pp=4096", "dp=99999999999"})
      QVERIFY2(!ScaleLayout::fromText(QLatin1String(text), 8), text);
  }

  void proposalsFitAndAreSorted_data() {
    QTest::addColumn<QString>("preset");
    QTest::addColumn<int>("gpus");
    QTest::newRow("7b on 8") << "deepseek-llm-7b" << 8;
    QTest::newRow("33b on 64") << "deepseek-coder-33b" << 64;
    QTest::newRow("175b on 1024") << "llama-175b" << 1024;
    QTest::newRow("175b on 4096") << "llama-175b" << 4096;
    QTest::newRow("V3 on 2048") << "deepseek-v3" << 2048;
  }
  void proposalsFitAndAreSorted() {
    QFETCH(QString, preset);
    QFETCH(int, gpus);
    const ScaleShape s = shape(preset.toLatin1());
    const ScaleWorkload w;
    const ScaleSearch found = searchLayouts(s, w, machine(), gpus);
    QVERIFY(!found.best.empty() && !found.others.empty());
    double before = 0;
    for (const ScaleProposal& p : found.best) {
      QVERIFY(!layoutReason(s, p.layout, w, machine(), gpus));
      QVERIFY(p.prediction.memory.total() <= usableMemory(machine()));
      QVERIFY(p.prediction.seconds.total() >= before);
      before = p.prediction.seconds.total();
    }
    for (const ScaleOther& o : found.others) {
      QVERIFY(!describeScaleReason(o.reason).isEmpty());
      if (o.slower > 0) QVERIFY(o.slower >= 1);
      else if (o.reason.word == u"memory") QVERIFY(o.reason.found > o.reason.limit);
    }
    // Twice the memory never makes the best slower.
    ScaleMachine larger = machine();
    larger.memory *= 2;
    QVERIFY(searchLayouts(s, w, larger, gpus).best.front().prediction.seconds.total() <= found.best.front().prediction.seconds.total());
  }

  void smallestNumbers_data() {
    QTest::addColumn<QString>("preset");
    QTest::addColumn<QString>("card");
    QTest::addColumn<int>("gpus");
    // 7B: 110.6 GB of states do not fit 80 GB, halves do; quarters fit 40 GB. 33B: 533 GB need eighths of 80 GB.
    QTest::newRow("7b 80") << "deepseek-llm-7b"
                           << "a100-80" << 2;
    QTest::newRow("7b 40") << "deepseek-llm-7b"
                           << "a100-40" << 4;
    QTest::newRow("7b 141") << "deepseek-llm-7b"
                            << "h200" << 1;
    QTest::newRow("33b 80") << "deepseek-coder-33b"
                            << "h100" << 8;
    // V3: 10.74 TB of states in 74 GB each need 146; its 256 experts divide 160, not 152.
    QTest::newRow("V3 80") << "deepseek-v3"
                           << "h100" << 160;
  }
  void smallestNumbers() {
    QFETCH(QString, preset);
    QFETCH(QString, card);
    QFETCH(int, gpus);
    const ScaleShape s = shape(preset.toLatin1());
    const auto found = smallestScale(s, {}, machine(card.toLatin1()));
    QVERIFY(found);
    QCOMPARE(found->layout.gpus(), gpus);
    if (gpus > 8) {
      ScaleWorkload fewer;  // a batch that any number of ranks divides
      fewer.globalBatch = 16 * 9 * 5 * 7 * 11 * 19;
      QVERIFY(searchLayouts(s, fewer, machine(card.toLatin1()), gpus - 8).best.empty());
    } else if (gpus > 1) {
      QVERIFY(searchLayouts(s, {}, machine(card.toLatin1()), gpus / 2).best.empty());
    }
  }

  void reportsSayWhatTheyRestOn() {
    const DecoderConfig config = planPreset("deepseek-coder-33b").value();
    const QJsonObject report = scaleReport(config, {{"gpus", 8}, {"machine", "a100-40"}}).value();
    QVERIFY(report["best"].toArray().isEmpty());
    QVERIFY(report["changes"].toArray().size() >= 2);  // cards with more memory
    QCOMPARE(report["changes"].toArray()[0].toObject()["machine"].toString(), QStringLiteral("a100-80"));
    QCOMPARE(report["smallest"].toObject()["gpus"].toInt(), 16);
    QVERIFY(report["assumptions"].toArray().size() >= 15);
    for (const QJsonValue& a : report["assumptions"].toArray()) QVERIFY(!a.toObject()["text"].toString().contains("%1"));
    const QJsonObject given = scaleReport(config, {{"gpus", 8}, {"layout", "tp=1"}}).value()["given"].toObject();
    QVERIFY(!given["fits"].toBool() && given["reason"] == "memory" && !given["changes"].toArray().isEmpty());
    for (const QJsonValue& c : given["changes"].toArray())
      QVERIFY(c.toObject()["memory"].toObject()["total"].toInteger() <= usableMemory(machine()));
    for (const QJsonObject& wrong : {QJsonObject{{"gpus", 0}}, QJsonObject{{"gpus", 5000}}, QJsonObject{{"machine", "x"}},
                                     QJsonObject{{"compute", "fp4"}}, QJsonObject{{"sequence", 1 << 22}}, QJsonObject{{"layout", "tp=-1"}}})
      QVERIFY(!scaleReport(config, wrong));
  }
};

QTEST_GUILESS_MAIN(TestScaleModel)
#include "test_scale_model.moc"
