// The memory planner against a table worked out by hand from the published formulas (LLaMA parameter count, ZeRO, LoRA, QLoRA), and the
// changes it proposes.
#include <QtTest>

#include <QJsonArray>

#include "core/domain/language_plan.h"

using namespace cloister;

namespace {
constexpr std::int64_t GB = 1'000'000'000;
}

class TestLanguagePlan : public QObject {
  Q_OBJECT

  static LanguageSizes sizes(const QString& preset) { return LanguageSizes::of(planPreset(preset).value()); }
  static double inGb(std::int64_t bytes) { return double(bytes) / 1e9; }
  static LanguagePlanOptions full(int cards, int zero, bool checkpointing, LanguagePrecision precision = LanguagePrecision::Mixed) {
    LanguagePlanOptions o;
    o.cards = cards, o.zeroStage = zero, o.checkpointing = checkpointing, o.precision = precision;
    o.sequence = 4096;
    return o;
  }
  static LanguagePlanOptions adapters(LanguageMethod method) {
    LanguagePlanOptions o = full(1, 0, true);
    o.method = method;
    return o;
  }
  static std::int64_t states(const LanguageSizes& s, const LanguagePlanOptions& o) { return languageMemory(s, o).states(); }

 private Q_SLOTS:
  void states_data() {
    QTest::addColumn<QString>("preset");
    QTest::addColumn<qint64>("parameters");
    QTest::addColumn<QList<double>>("gb");  // mixed, bf16, ZeRO-1/2/3 of 8, ZeRO-3 of 2 and 4, LoRA, QLoRA (NF4, doubly quantised)
    QTest::addColumn<double>("loraMillions");
    QTest::addColumn<int>("cacheKib");
    const auto row = [](const char* name, qint64 parameters, QList<double> gb, double lora, int kib) {
      QTest::newRow(name) << name << parameters << gb << lora << kib;
    };
    row("deepseek-llm-7b", 6'910'365'696, {110.6, 55.3, 38.0, 25.9, 13.8, 55.3, 27.6, 14.4, 5.4}, 37.5, 480);
    row("deepseek-llm-67b", 67'425'001'472, {1078.8, 539.4, 370.8, 252.8, 134.9, 539.4, 269.7, 138.3, 40.7}, 215.6, 380);
    row("deepseek-coder-1.3b", 1'346'471'936, {21.5, 10.8, 7.4, 5.0, 2.7, 10.8, 5.4, 2.9, 1.1}, 15.0, 192);
    row("deepseek-coder-6.7b", 6'740'512'768, {107.8, 53.9, 37.1, 25.3, 13.5, 53.9, 27.0, 14.1, 4.5}, 40.0, 512);
    row("deepseek-coder-33b", 33'342'991'360, {533.5, 266.7, 183.4, 125.0, 66.7, 266.7, 133.4, 68.7, 19.9}, 123.2, 248);
    row("deepseek-r1-distill-qwen-1.5b", 1'777'088'000, {28.4, 14.2, 9.8, 6.7, 3.6, 14.2, 7.1, 3.8, 1.9}, 18.5, 28);
    row("deepseek-r1-distill-qwen-7b", 7'615'616'512, {121.8, 60.9, 41.9, 28.6, 15.2, 60.9, 30.5, 15.9, 6.2}, 40.4, 56);
    row("deepseek-r1-distill-qwen-14b", 14'770'033'664, {236.3, 118.2, 81.2, 55.4, 29.5, 118.2, 59.1, 30.6, 11.0}, 68.8, 192);
    row("deepseek-r1-distill-qwen-32b", 32'763'876'352, {524.2, 262.1, 180.2, 122.9, 65.5, 262.1, 131.1, 67.7, 21.4}, 134.2, 256);
    row("deepseek-r1-distill-llama-8b", 8'030'261'248, {128.5, 64.2, 44.2, 30.1, 16.1, 64.2, 32.1, 16.7, 6.4}, 41.9, 128);
    row("deepseek-r1-distill-llama-70b", 70'553'706'496, {1128.9, 564.4, 388.0, 264.6, 141.1, 564.4, 282.2, 144.4, 42.8}, 207.1, 320);
  }
  void states() {
    QFETCH(QString, preset);
    QFETCH(qint64, parameters);
    QFETCH(QList<double>, gb);
    QFETCH(double, loraMillions);
    QFETCH(int, cacheKib);
    const LanguageSizes s = sizes(preset);
    QCOMPARE(qint64(s.parameters), parameters);
    QCOMPARE(qint64(s.cachePerToken) * 2, qint64(cacheKib) * 1024);
    const QList<LanguagePlanOptions> settings{full(1, 0, false),
                                              full(1, 0, false, LanguagePrecision::Bf16),
                                              full(8, 1, false),
                                              full(8, 2, false),
                                              full(8, 3, false),
                                              full(2, 3, false),
                                              full(4, 3, false),
                                              adapters(LanguageMethod::Lora),
                                              adapters(LanguageMethod::Qlora)};
    QCOMPARE(settings.size(), gb.size());
    for (qsizetype i = 0; i < gb.size(); ++i)  // the table is rounded to 0.1
      QVERIFY2(std::abs(inGb(states(s, settings[i])) - gb[i]) <= 0.0501,
               qPrintable(QStringLiteral("%1: %2").arg(i).arg(inGb(states(s, settings[i])))));
    QVERIFY(std::abs(double(trainedParameters(s, settings[7])) / 1e6 - loraMillions) <= 0.0501);
  }

  void activationsOfLlama() {
    const LanguageSizes s = sizes("deepseek-llm-7b");
    LanguagePlanOptions o = full(1, 0, false);
    const std::int64_t layer = 4096LL * (16 * 4096 + 8 * 11008);
    QCOMPARE(qint64(languageMemory(s, o).activations), qint64(30 * layer));
    o.checkpointing = true;
    QCOMPARE(qint64(languageMemory(s, o).activations), qint64(30 * 2LL * 4096 * 4096 + layer));
    o.chunkedLoss = false;
    QCOMPARE(qint64(languageMemory(s, o).logits), qint64(3 * 4096LL * 102400 * 4));
    o.chunkedLoss = true;
    QCOMPARE(qint64(languageMemory(s, o).logits), qint64(3 * 1024LL * 102400 * 4));
  }

  void partsAddUp() {
    for (const char* preset : {"deepseek-llm-7b", "deepseek-v3", "llama-10m"})
      for (const LanguageMethod method : {LanguageMethod::Full, LanguageMethod::Lora, LanguageMethod::Qlora, LanguageMethod::Generate}) {
        LanguagePlanOptions o = full(4, 2, true);
        o.method = method;
        const LanguageMemory m = languageMemory(sizes(preset), o);
        const QJsonObject json = m.toJson();
        qint64 sum = 0;
        for (auto it = json.begin(); it != json.end(); ++it) sum += it.key() == "total" ? 0 : it->toInteger();
        QCOMPARE(sum, json["total"].toInteger());
        QVERIFY(m.weights > 0 && m.overhead > 0);
        QCOMPARE(m.cache > 0, method == LanguageMethod::Generate);
        QCOMPARE(m.optimizer > 0, method != LanguageMethod::Generate);
      }
  }

  void expertsCountWhatATokenUses() {
    const DecoderConfig v3 = planPreset("deepseek-v3").value();
    const LanguageSizes s = LanguageSizes::of(v3);
    QCOMPARE(qint64(s.parameters), qint64(671'026'404'352));
    // Three dense layers of 18432, 58 of nine experts of 2048: the dense ones are as wide.
    const std::int64_t attention = 4 * 7168 + 1536 + 512 + 64 + 2 * 128 * 192 + 2 * 128 * 128;
    QCOMPARE(qint64(s.keptPerToken), qint64(3 * (attention + 4 * 18432) + 58 * (attention + 4 * 9 * 2048 + 2 * 256)));
    QCOMPARE(qint64(s.cachePerToken), qint64(61 * 576));
    // Its prediction layer: attention, 257 experts, router, projection and norms, without the copies of embedding and head. LoRA's base
    // stays in float8, a float for 128 × 128.
    QCOMPARE(qint64(LanguageSizes::of(v3, true).parameters - s.parameters), qint64(v3.predictionParameterCount()));
    QCOMPARE(qint64(v3.predictionParameterCount()),
             qint64(187'105'280 + 257ll * 3 * 7168 * 2048 + 256 * 7168 + 7168 * 14336 + 5 * 7168 + 1536 + 512));
    QVERIFY(std::abs(double(s.storedBytes) / double(s.linear) - (1 + 4.0 / 16384)) < 1e-4);
  }

  void whatFits_data() {
    QTest::addColumn<QString>("preset");
    QTest::addColumn<LanguagePlanOptions>("options");
    QTest::addColumn<int>("card");
    QTest::addColumn<bool>("fits");
    const auto row = [](const char* name, const char* preset, const LanguagePlanOptions& o, int card, bool fits) {
      QTest::newRow(name) << preset << o << card << fits;
    };
    const auto bf16 = LanguagePrecision::Bf16;
    row("7B on 40", "deepseek-llm-7b", full(1, 0, true), 40, false);
    row("7B on 80", "deepseek-llm-7b", full(1, 0, true), 80, false);
    row("7B bf16 on 80", "deepseek-llm-7b", full(1, 0, true, bf16), 80, true);
    row("7B on 141", "deepseek-llm-7b", full(1, 0, true), 141, true);
    row("7B on 2x80 ZeRO-3", "deepseek-llm-7b", full(2, 3, true), 80, true);
    row("7B on 4x40 ZeRO-3", "deepseek-llm-7b", full(4, 3, true), 40, true);
    row("7B on 4x40 ZeRO-3 keeping all", "deepseek-llm-7b", full(4, 3, false), 40, false);
    row("7B on 8x40 ZeRO-1", "deepseek-llm-7b", full(8, 1, true), 40, false);
    row("7B on 8x40 ZeRO-2", "deepseek-llm-7b", full(8, 2, true), 40, true);
    row("7B on 8x80 ZeRO-1", "deepseek-llm-7b", full(8, 1, true), 80, true);
    row("33B on 8x80 ZeRO-3", "deepseek-coder-33b", full(8, 3, true), 80, true);
    row("33B on 4x141 ZeRO-3", "deepseek-coder-33b", full(4, 3, true), 141, false);
    row("33B on 8x141 ZeRO-3", "deepseek-coder-33b", full(8, 3, true), 141, true);
    row("33B LoRA on 80", "deepseek-coder-33b", adapters(LanguageMethod::Lora), 80, true);
    row("33B QLoRA on 40", "deepseek-coder-33b", adapters(LanguageMethod::Qlora), 40, true);
    row("175B QLoRA on 80", "llama-175b", adapters(LanguageMethod::Qlora), 80, false);
    row("175B QLoRA on 141", "llama-175b", adapters(LanguageMethod::Qlora), 141, true);
  }
  void whatFits() {
    QFETCH(QString, preset);
    QFETCH(LanguagePlanOptions, options);
    QFETCH(int, card);
    QFETCH(bool, fits);
    QCOMPARE(fitLanguageModel(sizes(preset), options, card * GB).fits, fits);
  }

  /// Every proposal is tried: it must be enough, and no change of it may be left out.
  void proposalsHold() {
    int singles = 0, several = 0, hopeless = 0;
    for (const char* preset : {"llama-1b", "deepseek-coder-1.3b", "deepseek-llm-7b", "deepseek-coder-33b", "llama-175b", "deepseek-v3"})
      for (const LanguageMethod method : {LanguageMethod::Full, LanguageMethod::Lora, LanguageMethod::Qlora, LanguageMethod::Generate})
        for (const int cards : {1, 8})
          for (const std::int64_t batch : {1, 8})
            for (const std::int64_t card : {8, 40, 80, 141}) {
              LanguagePlanOptions o = full(cards, 0, false);
              o.method = method, o.batch = batch, o.sequence = 2048, o.chunkedLoss = false;
              const LanguageSizes s = sizes(preset);
              const LanguageFit fit = fitLanguageModel(s, o, card * GB);
              QCOMPARE(fit.fits, languageMemory(s, o).total() <= card * GB);
              if (fit.fits) continue;
              singles += fit.changes.size() == 1;
              several += fit.changes.size() > 1;
              hopeless += fit.changes.empty();
              if (fit.changes.empty()) continue;
              QVERIFY(enough(s, o, card * GB, fit.changes));
              for (std::size_t without = 0; without < fit.changes.size(); ++without) {
                std::vector<PlanChange> fewer = fit.changes;
                fewer.erase(fewer.begin() + std::ptrdiff_t(without));
                QVERIFY(!enough(s, o, card * GB, fewer));
              }
              for (const PlanChange& other : fit.alternatives) QVERIFY(enough(s, o, card * GB, {other}));
            }
    QVERIFY2(singles > 20 && several > 20 && hopeless > 0, qPrintable(QStringLiteral("%1 %2 %3").arg(singles).arg(several).arg(hopeless)));
  }

  void theCheapestChangeComesFirst() {
    const LanguageSizes s = sizes("deepseek-llm-7b");
    LanguagePlanOptions o = full(4, 3, false);
    QCOMPARE(fitLanguageModel(s, o, 40 * GB).changes.front().knob, QString("checkpointing"));
    o = full(8, 1, true);
    QCOMPARE(fitLanguageModel(s, o, 40 * GB).changes.front().knob, QString("zero"));
    QCOMPARE(fitLanguageModel(s, o, 40 * GB).changes.front().value.toInt(), 2);
    o = full(1, 0, true);
    QCOMPARE(fitLanguageModel(s, o, 80 * GB).changes.front().knob, QString("precision"));
    QCOMPARE(fitLanguageModel(s, o, 40 * GB).changes.front().knob, QString("method"));
    QCOMPARE(fitLanguageModel(s, o, 40 * GB).changes.front().value.toString(), QString("lora"));
    // Settings rather than 64 more cards, which would be enough alone and are named beside them.
    const LanguageFit large = fitLanguageModel(sizes("deepseek-coder-33b"), full(1, 0, false), 80 * GB);
    QCOMPARE(large.changes.size(), std::size_t(2));
    QCOMPARE(large.changes[0].knob, QString("checkpointing"));
    QCOMPARE(large.changes[1].value.toString(), QString("lora"));
    QCOMPARE(large.alternatives.front().knob, QString("cards"));
  }

  /// Several changes go no further than they must: the next smaller value of one is not enough.
  void severalChangesAreNoLargerThanNeeded() {
    const LanguageSizes s = sizes("deepseek-llm-7b");
    LanguagePlanOptions o = full(8, 0, false);
    o.batch = 64;
    const LanguageFit fit = fitLanguageModel(s, o, 80 * GB);
    QVERIFY(fit.changes.size() > 1);
    for (const PlanChange& c : fit.changes) {
      std::vector<PlanChange> less = fit.changes;
      for (PlanChange& l : less) {
        if (l.knob != c.knob) continue;
        if (l.knob == "zero") l.value = l.value.toInt() - 1;
        else if (l.knob == "batch") l.value = l.value.toInteger() * 2;
      }
      if (c.knob == "zero" || c.knob == "batch") QVERIFY(!enough(s, o, 80 * GB, less));
    }
  }

  void reportAndSentences() {
    const auto report = languagePlanReport(planPreset("deepseek-llm-7b").value(), full(1, 0, true), {40 * GB, 80 * GB, 141 * GB, 2 * GB});
    QVERIFY(bool(report));
    const QJsonArray cards = (*report)["cards"].toArray();
    QCOMPARE(cards.size(), 4);
    QCOMPARE((*report)["parameters"].toInteger(), qint64(6'910'365'696));
    QVERIFY(describeFit(cards[0].toObject()).contains("LoRA"));
    QVERIFY(describeFit(cards[1].toObject()).contains("bfloat16"));
    QVERIFY(describeFit(cards[2].toObject()).contains("it fits"));
    for (const QJsonValue& card : cards) QVERIFY(!describeFit(card.toObject()).contains('%'));
  }

  void optionsOutOfRange_data() {
    QTest::addColumn<QJsonObject>("options");
    QTest::addColumn<QString>("name");
    QTest::newRow("method") << QJsonObject{{"method", "prefix"}} << "method";
    QTest::newRow("precision") << QJsonObject{{"precision", "int3"}} << "precision";
    QTest::newRow("batch") << QJsonObject{{"batch", 0}} << "batch";
    QTest::newRow("rank") << QJsonObject{{"rank", 1e9}} << "rank";
    QTest::newRow("zero") << QJsonObject{{"zero", 4}} << "zero";
    QTest::newRow("cards") << QJsonObject{{"cards", -1}} << "cards";
    QTest::newRow("a fraction") << QJsonObject{{"sequence", 2.5}} << "sequence";
  }
  void optionsOutOfRange() {
    QFETCH(QJsonObject, options);
    QFETCH(QString, name);
    const auto parsed = LanguagePlanOptions::fromJson(options);
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().kind, FailureKind::InvalidArgument);
    QCOMPARE(parsed.error().args["name"].toString(), name);
  }

  void optionsSurviveJson() {
    LanguagePlanOptions o = full(8, 2, true, LanguagePrecision::Autocast);
    o.method = LanguageMethod::Lora, o.loraRank = 64, o.batch = 3, o.chunkedLoss = false;
    QCOMPARE(LanguagePlanOptions::fromJson(o.toJson()).value().toJson(), o.toJson());
    QCOMPARE(LanguagePlanOptions::fromJson({}).value().toJson(), LanguagePlanOptions{}.toJson());
  }

  void aSequenceBeyondTheContextIsRefused() {
    LanguagePlanOptions o;
    o.sequence = 8192;
    QCOMPARE(languagePlanReport(planPreset("deepseek-llm-7b").value(), o, {GB}).error().args["name"].toString(), QString("sequence"));
    QVERIFY(!planPreset("gpt-5"));
  }

 private:
  static bool enough(const LanguageSizes& s, const LanguagePlanOptions& from, std::int64_t card, const std::vector<PlanChange>& changes) {
    QJsonObject o = from.toJson();
    for (const PlanChange& c : changes) {
      if (c.knob == "cardBytes") {
        card = c.value.toInteger();
        continue;
      }
      o[c.knob] = c.value;
      if (c.knob == "cards") o["zero"] = 3;
    }
    return languageMemory(s, LanguagePlanOptions::fromJson(o).value()).total() <= card;
  }
};

QTEST_APPLESS_MAIN(TestLanguagePlan)
#include "test_language_plan.moc"
