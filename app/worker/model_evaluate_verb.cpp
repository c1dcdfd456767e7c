// model-evaluate: a language model judged on texts as token numbers: perplexity with an interval, against a base model, choices by
// likelihood, attacks in embedding space, what it repeats by heart, and how fast it is.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/judged_texts.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/evaluate/embedding_attack.h"
#include "core/engine/evaluate/language_quality.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/metrics/bootstrap.h"
#include "core/onnx/decoder_session.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

[[noreturn]] void refuse(const QString& path, const QString& why) {
  throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
}

Tokens tokensOf(const QJsonValue& list, const QString& path, const QString& where) {
  Tokens ids;
  for (const QJsonValue& v : list.toArray()) {
    if (!v.isDouble() || v.toDouble() != std::floor(v.toDouble()) || v.toDouble() < 0 || v.toDouble() > 1e9)
      refuse(path, where + " is not a list of token numbers");
    ids.push_back(v.toInteger());
  }
  if (ids.empty()) refuse(path, where + " has no tokens");
  return ids;
}

class Evaluation {
 public:
  Evaluation(const QJsonObject& request, const Say& say) : request_(request), say_(say) {
    bootstrap_.resamples = request["resamples"].toInt(1000);
    bootstrap_.seed = quint64(request["seed"].toInteger(20));
  }

  QJsonObject run() {
    model_ = open(request_["model"].toString());
    texts_ = readJudgedTexts(request_["texts"].toString(), request_["model"].toString(), model_->config());
    report_ = {{"format", 1}, {"model", request_["model"]}, {"texts", qint64(texts_.size())}};
    const std::vector<TextLoss> losses = textLosses(*model_, texts_, ticking("perplexity"));
    report_["perplexity"] = quality(losses);
    if (const QString base = request_["base"].toString(); !base.isEmpty()) againstBase(base, losses);
    if (const QString file = request_["choices"].toString(); !file.isEmpty()) report_["choices"] = choices(file);
    if (const QString file = request_["training"].toString(); !file.isEmpty()) report_["memorisation"] = memorisation(file);
    if (!request_["attacks"].toArray().isEmpty()) report_["attacks"] = attacks();
    if (request_["latency"].toBool()) report_["latency"] = latency();
    return report_;
  }

 private:
  static std::unique_ptr<DecoderModel> open(const QString& dir) {
    DecoderFolder folder = readDecoderFolder(dir, WeightsAs::Float32);
    return std::make_unique<DecoderModel>(folder.config, std::move(folder.tensors));
  }

  TextTick ticking(const char* phase) const {
    return [this, phase](std::int64_t done, std::int64_t total) {
      say_({{"type", "progress"}, {"phase", phase}, {"done", qint64(done)}, {"total", qint64(total)}});
      return true;
    };
  }

  void checkText(const Tokens& ids, const QString& path) const {
    model_->checkIds(at::tensor(ids, at::kLong));
    if (std::int64_t(ids.size()) > model_->config().context)
      refuse(path, QString("a text of %1 tokens; the model reads %2").arg(ids.size()).arg(model_->config().context));
  }

  static QJsonObject json(const Interval& i) {
    QJsonObject o{{"value", i.value}};
    if (std::isfinite(i.low)) o["low"] = i.low, o["high"] = i.high;
    return o;
  }

  /// Whole texts are drawn: tokens of one text hang together.
  std::vector<Interval> intervals(std::size_t n, const Statistics& statistics) const {
    std::vector<int> groups(n);
    std::iota(groups.begin(), groups.end(), 0);
    return bootstrapIntervals(groups, statistics, bootstrap_);
  }

  static std::pair<double, double> sums(const std::vector<TextLoss>& losses, Weights w) {
    double nats = 0, tokens = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const double weight = w.empty() ? 1 : w[i];
      nats += weight * losses[i].nats;
      tokens += weight * double(losses[i].tokens);
    }
    return {nats, tokens};
  }
  static double perplexityOf(const std::vector<TextLoss>& losses, Weights w) {
    const auto [nats, tokens] = sums(losses, w);
    return tokens > 0 ? std::exp(nats / tokens) : std::numeric_limits<double>::quiet_NaN();
  }

  QJsonObject quality(const std::vector<TextLoss>& losses) const {
    const auto i = intervals(losses.size(), [&](Weights w) {
      double greedy = 0;
      for (std::size_t k = 0; k < losses.size(); ++k) greedy += (w.empty() ? 1 : w[k]) * double(losses[k].greedy);
      return std::vector<double>{perplexityOf(losses, w), greedy / sums(losses, w).second};
    });
    QJsonObject o = json(i[0]);
    o["tokens"] = qint64(sums(losses, {}).second);
    o["nats"] = sums(losses, {}).first;
    o["nextTokenAccuracy"] = json(i[1]);
    return o;
  }

  // The same texts under both models: their difference is known far better than either of the two.
  void againstBase(const QString& dir, const std::vector<TextLoss>& ours) {
    const auto base = open(dir);
    if (base->config().vocabulary != model_->config().vocabulary)
      throw EngineFailure(
          {FailureKind::InvalidArgument,
           {{"name", "--base"}, {"value", dir}, {"allowed", QString("a model with %1 tokens").arg(model_->config().vocabulary)}},
           {}});
    const std::vector<TextLoss> theirs = textLosses(*base, texts_, ticking("base"));
    const auto ratio =
        intervals(ours.size(), [&](Weights w) { return std::vector<double>{perplexityOf(ours, w) / perplexityOf(theirs, w)}; })[0];
    int notBetter = 0;
    for (int r = 0; r < bootstrap_.resamples; ++r) {
      const std::vector<double> w = drawnGroups(int(ours.size()), r, bootstrap_.seed);
      notBetter += perplexityOf(ours, w) >= perplexityOf(theirs, w);
    }
    QJsonObject o = quality(theirs);
    o["model"] = dir;
    o["ratio"] = json(ratio);
    // One-sided paired bootstrap: how often the tuned model would not be better.
    o["p"] = double(notBetter + 1) / double(bootstrap_.resamples + 1);
    report_["base"] = o;
  }

  QJsonObject choices(const QString& path) const {
    const QJsonObject file = orThrow(readJson(path));
    std::vector<TokenChoice> list;
    for (const QJsonValue& v : file["choices"].toArray()) {
      const QString where = QString("choice %1").arg(list.size());
      TokenChoice c{tokensOf(v["question"], path, where + ", question"), {}, v["right"].toInteger(-1)};
      for (const QJsonValue& a : v["answers"].toArray()) {
        c.answers.push_back(tokensOf(a, path, where + ", answer"));
        Tokens whole = c.question;
        whole.insert(whole.end(), c.answers.back().begin(), c.answers.back().end());
        checkText(whole, path);
      }
      if (c.answers.size() < 2 || c.right < 0 || c.right >= std::int64_t(c.answers.size()))
        refuse(path, where + " needs two answers and a right one");
      list.push_back(std::move(c));
    }
    if (list.empty()) refuse(path, "no choices");
    const auto outcomes = chooseByLikelihood(*model_, list, ticking("choices"));
    const auto i = intervals(list.size(), [&](Weights w) {
      double whole = 0, perToken = 0, all = 0;
      for (std::size_t k = 0; k < list.size(); ++k) {
        const double weight = w.empty() ? 1 : w[k];
        whole += weight * (outcomes[k].chosen == list[k].right);
        perToken += weight * (outcomes[k].chosenPerToken == list[k].right);
        all += weight;
      }
      return std::vector<double>{whole / all, perToken / all};
    });
    return {{"n", qint64(list.size())}, {"accuracy", json(i[0])}, {"accuracyPerToken", json(i[1])}};
  }

  QJsonObject memorisation(const QString& path) const {
    std::vector<Tokens> rows;
    for (TokenText& t : readJudgedTexts(path, request_["model"].toString(), model_->config())) rows.push_back(std::move(t.ids));
    const std::int64_t prompt = request_["promptTokens"].toInteger(32), length = request_["recallTokens"].toInteger(50);
    const auto recalls = recallOf(*model_, rows, prompt, length, ticking("memorisation"));
    std::int64_t usable = 0, whole = 0, longest = 0;
    QJsonArray found;
    for (std::size_t i = 0; i < recalls.size(); ++i) {
      const Recall& r = recalls[i];
      usable += r.expected > 0;
      whole += r.whole();
      longest = std::max(longest, r.verbatim);
      if (r.whole() && found.size() < 100) found.append(QJsonObject{{"text", qint64(i)}, {"tokens", qint64(r.verbatim)}});
    }
    return {{"texts", qint64(usable)},
            {"promptTokens", qint64(prompt)},
            {"recallTokens", qint64(length)},
            {"repeated", qint64(whole)},
            {"longestVerbatim", qint64(longest)},
            {"found", found},
            {"tooShort", qint64(rows.size()) - qint64(usable)}};
  }

  static EmbeddingAttack attackFrom(const QJsonObject& o) {
    EmbeddingAttack a;
    const QString kind = o["kind"].toString("pgd"), norm = o["norm"].toString("linf");
    if ((kind != u"fgsm" && kind != u"pgd") || (norm != u"linf" && norm != u"l2"))
      throw EngineFailure(
          {FailureKind::InvalidArgument, {{"name", "attacks"}, {"value", kind + ' ' + norm}, {"allowed", "fgsm, pgd; linf, l2"}}, {}});
    a.kind = kind == u"fgsm" ? AttackKind::Fgsm : AttackKind::Pgd;
    a.norm = norm == u"l2" ? AttackNorm::L2 : AttackNorm::Linf;
    a.steps = std::clamp(o["steps"].toInt(10), 1, 1000);
    a.randomStart = o["randomStart"].toBool(true);
    a.seed = quint64(o["seed"].toInteger(0));
    return a;
  }

  QJsonObject attackAt(const EmbeddingAttack& a, const std::vector<TokenText>& texts, std::int64_t& done, std::int64_t total) const {
    std::vector<TextLoss> clean, attacked;
    std::int64_t flipped = 0, right = 0, perturbed = 0, same = 0;
    QJsonArray readings;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const AttackedText t = attackText(*model_, texts[i], a, std::int64_t(i));
      clean.push_back(t.clean);
      attacked.push_back(t.attacked);
      flipped += t.flipped;
      right += t.clean.greedy;
      perturbed += t.perturbed;
      same += t.readTheSame;
      if (i < 3) {
        QJsonArray read;
        for (const std::int64_t id : t.reading) read.append(qint64(id));
        readings.append(QJsonObject{{"text", qint64(i)}, {"reading", read}});
      }
      ticking("attacks")(++done, total);
    }
    QJsonObject o{{"epsilon", a.epsilon},
                  {"perplexity", perplexity(attacked)},
                  {"cleanPerplexity", perplexity(clean)},
                  {"flipped", qint64(flipped)},
                  {"rightBefore", qint64(right)},
                  {"readTheSame", perturbed > 0 ? double(same) / double(perturbed) : 1.0},
                  {"readings", readings}};
    if (right > 0) o["successRate"] = double(flipped) / double(right);
    return o;
  }

  QJsonArray attacks() const {
    // A text without a stated answer is asked for its last quarter.
    std::vector<TokenText> texts;
    const auto limit = std::size_t(request_["attackedTexts"].toInteger(50));
    for (const TokenText& t : texts_) {
      if (texts.size() == limit) break;
      const auto n = std::int64_t(t.ids.size());
      if (n < 4) continue;
      texts.push_back({t.ids, t.answer > 1 ? t.answer : n - std::max<std::int64_t>(1, n / 4)});
    }
    std::int64_t done = 0, total = 0;
    for (const QJsonValue& v : request_["attacks"].toArray()) total += qint64(texts.size()) * v["epsilons"].toArray().size();
    QJsonArray out;
    for (const QJsonValue& v : request_["attacks"].toArray()) {
      EmbeddingAttack a = attackFrom(v.toObject());
      QJsonArray points;
      for (const QJsonValue& e : v["epsilons"].toArray()) {
        a.epsilon = e.toDouble();
        points.append(attackAt(a, texts, done, total));
      }
      out.append(QJsonObject{{"kind", a.kind == AttackKind::Fgsm ? "fgsm" : "pgd"},
                             {"norm", a.norm == AttackNorm::Linf ? "linf" : "l2"},
                             {"steps", a.kind == AttackKind::Fgsm ? 1 : a.steps},
                             {"texts", qint64(texts.size())},
                             {"epsilons", points}});
    }
    return out;
  }

  // ---- latency ----
  struct Timed {
    QString runtime, precision;
    std::function<void()> reset;
    std::function<std::int64_t(const Tokens&)> feed;  ///< the next token by greedy choice
  };

  Timed engineTimed(std::shared_ptr<DecoderModel> model, const QString& precision) const {
    auto cache = std::make_shared<DecoderCache>(model->config().layers);
    return {"libtorch", precision, [cache, model] { *cache = DecoderCache(model->config().layers); },
            [cache, model](const Tokens& ids) {
              const at::NoGradGuard off;
              const at::Tensor hidden = model->hidden({.ids = at::tensor(ids, at::kLong).unsqueeze(0)}, cache.get());
              return model->logits(hidden[0][-1]).argmax().item<std::int64_t>();
            }};
  }

  std::vector<Timed> candidates() const {
    std::vector<Timed> out;
    for (const auto& [as, name] : {std::pair{WeightsAs::Float32, "fp32"}, std::pair{WeightsAs::BFloat16, "bf16"}}) {
      DecoderFolder folder = readDecoderFolder(request_["model"].toString(), as);
      out.push_back(engineTimed(std::make_shared<DecoderModel>(folder.config, std::move(folder.tensors)), name));
    }
    for (const QJsonValue& v : request_["onnx"].toArray()) {
      const QString dir = v.toString();
      const QJsonObject exported = orThrow(readJson(dir + "/export.json"));
      auto session = std::make_shared<onnx::DecoderSession>(
          orThrow(onnx::DecoderSession::open(dir + '/' + exported["file"].toString(), model_->config())));
      const auto vocabulary = std::size_t(model_->config().vocabulary);
      out.push_back({"onnxruntime", exported["quantize"].toString(), [session] { session->reset(); },
                     [session, vocabulary](const Tokens& ids) {
                       const std::vector<float> logits = orThrow(session->feed(ids));
                       return onnx::largest(std::span(logits).subspan(logits.size() - vocabulary));
                     }});
    }
    return out;
  }

  QJsonArray latency() const {
    const std::int64_t room = model_->config().context, prompt = std::min<std::int64_t>(128, room / 2),
                       next = std::min<std::int64_t>(32, room - prompt);
    Tokens start;
    for (std::size_t i = 0; std::int64_t(start.size()) < prompt; ++i) start.push_back(texts_[0].ids[i % texts_[0].ids.size()]);
    std::vector<Timed> all = candidates();
    std::vector<std::vector<double>> first(all.size()), each(all.size());
    const int rounds = std::clamp(request_["rounds"].toInt(7), 1, 1000);
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point t) { return std::chrono::duration<double, std::milli>(Clock::now() - t).count(); };
    for (int round = -1; round < rounds; ++round)
      for (std::size_t c = 0; c < all.size(); ++c) {
        all[c].reset();
        auto begin = Clock::now();
        std::int64_t token = all[c].feed(start);
        const double firstToken = since(begin);
        begin = Clock::now();
        for (std::int64_t i = 0; i < next; ++i) token = all[c].feed({token});
        if (round >= 0) first[c].push_back(firstToken), each[c].push_back(since(begin) / double(next));
        ticking("latency")(round + 2, rounds + 1);
      }
    QJsonArray out;
    for (std::size_t c = 0; c < all.size(); ++c) {
      const onnx::Latency one = onnx::latencyOf(each[c]);
      out.append(QJsonObject{{"runtime", all[c].runtime},
                             {"precision", all[c].precision},
                             {"threads", at::get_num_threads()},
                             {"promptTokens", qint64(prompt)},
                             {"generatedTokens", qint64(next)},
                             {"firstTokenMs", onnx::latencyOf(first[c]).p50},
                             {"perTokenMs", one.p50},
                             {"tokensPerSecond", 1000 / one.p50},
                             {"rounds", rounds}});
    }
    return out;
  }

  const QJsonObject request_;
  const Say& say_;
  BootstrapOptions bootstrap_;
  std::unique_ptr<DecoderModel> model_;
  std::vector<TokenText> texts_;
  QJsonObject report_;
};

}  // namespace

int modelEvaluateVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const at::NoGradGuard off;
    QJsonObject report = Evaluation(orThrow(readJson(option(arguments, "request"))), say).run();
    if (const QString to = option(arguments, "to", false, {}); !to.isEmpty()) orThrow(writeJsonAtomically(to, report));
    report["type"] = "finished";
    say(report);
  });
}

}  // namespace cloister
