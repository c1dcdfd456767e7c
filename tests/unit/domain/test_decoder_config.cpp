// DecoderConfig: parameter counts of the published models, cache sizes, config.json in both spellings and every refusal.
// The counts are those of the model cards and of meta-device instances in transformers.
#include <cmath>

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include "core/domain/decoder_config.h"

using namespace cloister;

class TestDecoderConfig : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void counts_data();
  void counts();
  void activeAndCache();
  void roundTrip();
  void bothRopeSpellings();
  void ropeValues();
  void refusals_data();
  void refusals();
};

void TestDecoderConfig::counts_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<qint64>("count");
  QTest::addColumn<double>("cacheKiB");  // bf16
  const auto row = [](const char* name, qint64 n, double kib) { QTest::newRow(name) << QString(name) << n << kib; };
  row("deepseek-llm-7b", 6'910'365'696, 480);
  row("deepseek-llm-67b", 67'425'001'472, 380);
  row("deepseek-coder-1.3b", 1'346'471'936, 192);
  row("deepseek-coder-6.7b", 6'740'512'768, 512);
  row("deepseek-coder-33b", 33'342'991'360, 248);
  row("deepseek-r1-distill-qwen-1.5b", 1'777'088'000, 28);
  row("deepseek-r1-distill-qwen-7b", 7'615'616'512, 56);
  row("deepseek-r1-distill-qwen-14b", 14'770'033'664, 192);
  row("deepseek-r1-distill-qwen-32b", 32'763'876'352, 256);
  row("deepseek-r1-distill-llama-8b", 8'030'261'248, 128);
  row("deepseek-r1-distill-llama-70b", 70'553'706'496, 320);
  row("deepseek-v2-lite", 15'706'484'224, 30.375);
  row("deepseek-v2", 235'741'434'880, 67.5);
  row("deepseek-v3", 671'026'404'352, 68.625);
}

void TestDecoderConfig::counts() {
  QFETCH(QString, name);
  QFETCH(qint64, count);
  QFETCH(double, cacheKiB);
  const auto c = decoderPreset(name);
  QVERIFY(c);
  QCOMPARE(qint64(c->parameterCount()), count);
  QCOMPARE(double(c->cacheElementsPerToken()) * 2 / 1024, cacheKiB);
}

void TestDecoderConfig::activeAndCache() {
  QCOMPARE(qRound(decoderPreset("deepseek-v2-lite")->activeParameterCount() / 1e7), 266);
  QCOMPARE(qRound(decoderPreset("deepseek-v2")->activeParameterCount() / 1e8), 214);
  QCOMPARE(qRound(decoderPreset("deepseek-v3")->activeParameterCount() / 1e7), 3755);
  const auto dense = decoderPreset("deepseek-llm-7b");
  QCOMPARE(dense->activeParameterCount(), dense->parameterCount());
  // 6 N + 12 L d s of training is three forward passes; N without the embedding table, which is only looked up.
  const double n = double(dense->parameterCount()) - 102400.0 * 4096;
  QCOMPARE(3 * dense->forwardFlopsPerToken(2048), 6 * n + 12.0 * 30 * 4096 * 2048);
  // The prediction layer of V3: 11.5 B parameters of its own beside a copy of embedding and head.
  double own = 0;
  for (const DecoderTensor& t : decoderPreset("deepseek-v3")->mtpTensors(0)) {
    QVERIFY(t.name.starts_with("model.layers.61."));
    if (t.role != TensorRole::Embedding && t.role != TensorRole::Head && t.role != TensorRole::RouterBias) own += double(t.elements());
  }
  QVERIFY2(own > 11.5e9 && own < 11.7e9, qPrintable(QString::number(own)));
  for (const DecoderPreset& p : decoderPresets())
    if (p.fromScratch) QVERIFY2(p.config.validate(p.name), qPrintable(p.name));
}

void TestDecoderConfig::roundTrip() {
  for (const DecoderPreset& p : decoderPresets()) {
    const QJsonObject json = p.config.toJson();
    const auto again = DecoderConfig::fromJson(json, p.name);
    QVERIFY2(again, qPrintable(p.name + (again ? QString() : again.error().detail)));
    QCOMPARE(again->toJson(), json);
    QCOMPARE(again->parameterCount(), p.config.parameterCount());
    QCOMPARE(again->attentionScale(), p.config.attentionScale());
    QVERIFY(again->rope.inverseFrequencies(64) == p.config.rope.inverseFrequencies(64));
  }
}

QJsonObject tiny() {
  return {{"model_type", "llama"},    {"vocab_size", 100},      {"hidden_size", 64},
          {"intermediate_size", 128}, {"num_hidden_layers", 2}, {"num_attention_heads", 4},
          {"num_key_value_heads", 2}, {"rms_norm_eps", 1e-5},   {"max_position_embeddings", 4096}};
}

QJsonObject tinyV3() {
  QJsonObject o = decoderPreset("deepseek-v3-30m")->toJson();
  o.remove("tie_word_embeddings");
  return o;
}

void TestDecoderConfig::bothRopeSpellings() {
  QJsonObject old = tiny(), fresh = tiny();
  old["rope_theta"] = 5e5;
  old["rope_scaling"] = QJsonObject{{"type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 1024}};
  fresh["rope_parameters"] =
      QJsonObject{{"rope_type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 1024}, {"rope_theta", 5e5}};
  const auto a = DecoderConfig::fromJson(old, "a"), b = DecoderConfig::fromJson(fresh, "b");
  QVERIFY(a && b);
  QCOMPARE(a->toJson(), b->toJson());
  QCOMPARE(a->rope.theta, 5e5);
  QVERIFY(a->rope.kind == RopeKind::Yarn);
}

// Values computed by transformers.modeling_rope_utils (5.24) for these settings.
void TestDecoderConfig::ropeValues() {
  RopeSettings r;
  r.kind = RopeKind::Yarn;
  r.factor = 40;
  r.originalContext = 4096;
  QVERIFY(std::abs(r.rotationScale() - 1.3688879454113936) < 1e-12);
  r.mscale = r.mscaleAllDim = 0.707;
  QCOMPARE(r.rotationScale(), 1.0);
  const auto near = [](const RopeSettings& rope, std::int64_t dimensions, std::vector<std::pair<int, double>> wanted, double sum) {
    const std::vector<float> f = rope.inverseFrequencies(dimensions);
    double total = 0;
    for (float x : f) total += x;
    for (auto [i, value] : wanted)
      if (std::abs(f.at(std::size_t(i)) / value - 1) > 3e-7) return false;
    return std::abs(total / sum - 1) < 3e-7 && f[0] == 1.0f / float(rope.kind == RopeKind::Linear ? rope.factor : 1);
  };
  QVERIFY(near(r, 64, {{1, 0.749894202}, {10, 0.0562341288}, {14, 0.012447956}, {16, 0.00550000044}, {31, 3.33380353e-06}}, 3.94893627));
  const RopeSettings llama3 = decoderPreset("deepseek-r1-distill-llama-8b")->rope;
  QVERIFY(near(llama3, 128, {{1, 0.814617217}, {21, 0.0134904198}, {30, 0.00137189368}, {35, 9.55621217e-05}, {63, 3.06892588e-07}},
               5.38605826));
  const RopeSettings linear = decoderPreset("deepseek-coder-6.7b")->rope;
  QVERIFY(near(linear, 128, {{1, 0.208840638}, {32, 0.000790569466}, {63, 2.99271255e-06}}, 1.51847282));
  const auto lite = decoderPreset("deepseek-v2-lite");
  const double m = 0.1 * 0.707 * std::log(40.0) + 1;
  QVERIFY(std::abs(lite->attentionScale() - m * m / std::sqrt(192.0)) < 1e-12);
}

void TestDecoderConfig::refusals_data() {
  QTest::addColumn<QJsonObject>("config");
  QTest::addColumn<QString>("kind");
  QTest::addColumn<QString>("named");
  const auto with = [](QJsonObject o, const char* key, const QJsonValue& v) {
    if (v.isUndefined()) o.remove(QLatin1String(key));
    else o[QLatin1String(key)] = v;
    return o;
  };
  const auto row = [&](const char* key, const QJsonValue& v, const char* kind, bool v3 = false) {
    const QByteArray text = QByteArray(key) + '=' + QJsonDocument(QJsonArray{v}).toJson(QJsonDocument::Compact) + (v3 ? " v3" : "");
    QTest::newRow(text.constData()) << with(v3 ? tinyV3() : tiny(), key, v) << QString(kind) << QString(key);
  };
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"}) {
    row(key, QJsonValue(QJsonValue::Undefined), "corrupt_file");
    row(key, 0, "corrupt_file");
    row(key, -4, "corrupt_file");
    row(key, 2.5, "corrupt_file");
    row(key, 1e300, "corrupt_file");
    row(key, "64", "corrupt_file");
    row(key, QJsonArray{64}, "corrupt_file");
  }
  row("model_type", "mistral", "unsupported_format");
  row("model_type", QJsonValue(QJsonValue::Undefined), "corrupt_file");
  row("hidden_act", "gelu", "unsupported_format");
  row("use_sliding_window", true, "unsupported_format");
  row("num_key_value_heads", 3, "corrupt_file");
  row("head_dim", 15, "corrupt_file");
  row("hidden_size", 66, "corrupt_file");
  row("rms_norm_eps", 0, "corrupt_file");
  row("rope_theta", 0, "corrupt_file");
  row("torch_dtype", "int8", "unsupported_format");
  row("eos_token_id", QJsonArray{1, "x"}, "corrupt_file");
  row("tie_word_embeddings", "yes", "corrupt_file");
  row("rope_scaling", QJsonObject{{"type", "dynamic"}, {"factor", 2}}, "unsupported_format");
  row("rope_scaling", QJsonObject{{"type", "linear"}}, "corrupt_file");
  row("rope_scaling", QJsonObject{{"type", "linear"}, {"factor", -1}}, "corrupt_file");
  row("rope_scaling", "linear", "corrupt_file");
  row("quantization_config", QJsonObject{{"quant_method", "gptq"}}, "unsupported_format");
  row("kv_lora_rank", 0, "corrupt_file", true);
  row("n_group", 3, "corrupt_file", true);
  row("topk_group", 5, "corrupt_file", true);
  row("num_experts_per_tok", 17, "corrupt_file", true);
  row("topk_method", "greedy", "unsupported_format", true);
  row("qk_rope_head_dim", 15, "corrupt_file", true);
  row("first_k_dense_replace", 9, "corrupt_file", true);
  QJsonObject huge = tiny();
  huge["hidden_size"] = 1 << 20;
  huge["intermediate_size"] = 1 << 20;
  huge["num_hidden_layers"] = 10000;
  QTest::newRow("huge") << huge << "too_large"
                        << "sizes";
}

void TestDecoderConfig::refusals() {
  QFETCH(QJsonObject, config);
  QFETCH(QString, kind);
  QFETCH(QString, named);
  const auto c = DecoderConfig::fromJson(config, "folder/config.json");
  QVERIFY(!c);
  QCOMPARE(failureKindName(c.error().kind), kind);
  if (named != u"rope_scaling" && named != u"quantization_config" && named != u"head_dim")
    QVERIFY2(c.error().detail.contains(named), qPrintable(c.error().detail));
  QCOMPARE(c.error().args["path"].toString(), QString("folder/config.json"));
}

QTEST_MAIN(TestDecoderConfig)
#include "test_decoder_config.moc"
