#include "app/worker/language_sections.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "core/engine/engine_failure.h"
#include "core/engine/evaluate/embedding_attack.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

void tell(const TextTick& tick, std::int64_t done, std::int64_t total) {
  if (tick && !tick(done, total)) throw EngineFailure({FailureKind::Stopped, {}, {}});
}

double weightOf(Weights w, std::size_t i) { return w.empty() ? 1 : w[i]; }

std::pair<double, double> sums(const std::vector<TextLoss>& losses, Weights w) {
  double nats = 0, tokens = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    nats += weightOf(w, i) * losses[i].nats;
    tokens += weightOf(w, i) * double(losses[i].tokens);
  }
  return {nats, tokens};
}

double perplexityOf(const std::vector<TextLoss>& losses, Weights w) {
  const auto [nats, tokens] = sums(losses, w);
  return tokens > 0 ? std::exp(nats / tokens) : std::numeric_limits<double>::quiet_NaN();
}

EmbeddingAttack attackFrom(const QJsonObject& o) {
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

using Decode = std::function<QString(const Tokens&)>;

QJsonObject attackAt(DecoderModel& model, const EmbeddingAttack& a, const std::vector<TokenText>& texts, const Decode& decode,
                     const std::function<void()>& done) {
  std::vector<TextLoss> clean, attacked;
  std::int64_t flipped = 0, right = 0, perturbed = 0, same = 0;
  QJsonArray readings;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const AttackedText t = attackText(model, texts[i], a, std::int64_t(i));
    clean.push_back(t.clean);
    attacked.push_back(t.attacked);
    flipped += t.flipped;
    right += t.clean.greedy;
    perturbed += t.perturbed;
    same += t.readTheSame;
    if (i < 3) {
      QJsonArray read;
      for (const std::int64_t id : t.reading) read.append(qint64(id));
      QJsonObject reading{{"text", qint64(i)}, {"reading", read}};
      if (decode) {
        reading["before"] = decode({texts[i].ids.begin(), texts[i].ids.begin() + std::ptrdiff_t(t.reading.size())});
        reading["after"] = decode(t.reading);
      }
      readings.append(reading);
    }
    done();
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

using Clock = std::chrono::steady_clock;
double millisecondsSince(Clock::time_point t) { return std::chrono::duration<double, std::milli>(Clock::now() - t).count(); }

}  // namespace

QJsonObject textInterval(const Interval& i) {
  QJsonObject o{{"value", i.value}};
  if (std::isfinite(i.low)) o["low"] = i.low, o["high"] = i.high;
  return o;
}

std::vector<Interval> intervalsOverTexts(std::size_t n, const Statistics& statistics, const BootstrapOptions& options) {
  std::vector<int> groups(n);
  std::iota(groups.begin(), groups.end(), 0);
  return bootstrapIntervals(groups, statistics, options);
}

QJsonObject perplexitySection(const std::vector<TextLoss>& losses, const BootstrapOptions& options) {
  const auto i = intervalsOverTexts(
      losses.size(),
      [&](Weights w) {
        double greedy = 0;
        for (std::size_t k = 0; k < losses.size(); ++k) greedy += weightOf(w, k) * double(losses[k].greedy);
        const auto [nats, tokens] = sums(losses, w);
        return std::vector<double>{perplexityOf(losses, w), greedy / tokens, nats / tokens};
      },
      options);
  QJsonObject o = textInterval(i[0]);
  o["tokens"] = qint64(sums(losses, {}).second);
  o["nats"] = sums(losses, {}).first;
  o["nextTokenAccuracy"] = textInterval(i[1]);
  o["loss"] = textInterval(i[2]);
  return o;
}

// The same texts under both models: their difference is known far better than either of the two.
QJsonObject baseSection(const std::vector<TextLoss>& ours, const std::vector<TextLoss>& theirs, const BootstrapOptions& options) {
  const auto ratio = intervalsOverTexts(
      ours.size(), [&](Weights w) { return std::vector<double>{perplexityOf(ours, w) / perplexityOf(theirs, w)}; }, options)[0];
  int notBetter = 0;
  for (int r = 0; r < options.resamples; ++r) {
    const std::vector<double> w = drawnGroups(int(ours.size()), r, options.seed);
    notBetter += perplexityOf(ours, w) >= perplexityOf(theirs, w);
  }
  QJsonObject o = perplexitySection(theirs, options);
  o["ratio"] = textInterval(ratio);
  // One-sided paired bootstrap: how often the tuned model would not be better.
  if (options.resamples > 0) o["p"] = double(notBetter + 1) / double(options.resamples + 1);
  return o;
}

QJsonObject memorisationSection(DecoderModel& model, const std::vector<Tokens>& texts, std::int64_t prompt, std::int64_t length,
                                const TextTick& tick) {
  const auto recalls = recallOf(model, texts, prompt, length, tick);
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
          {"tooShort", qint64(texts.size()) - qint64(usable)}};
}

QJsonArray attackSection(DecoderModel& model, const std::vector<TokenText>& all, const QJsonArray& attacks, std::int64_t limit,
                         const TextTick& tick, const std::function<QString(const Tokens&)>& decode) {
  // A text without a stated answer is asked for its last quarter.
  std::vector<TokenText> texts;
  for (const TokenText& t : all) {
    if (std::int64_t(texts.size()) >= limit) break;
    const auto n = std::int64_t(t.ids.size());
    if (n < 4) continue;
    texts.push_back({t.ids, t.answer > 1 ? t.answer : n - std::max<std::int64_t>(1, n / 4)});
  }
  std::int64_t done = 0, total = 0;
  for (const QJsonValue& v : attacks) total += qint64(texts.size()) * v["epsilons"].toArray().size();
  QJsonArray out;
  for (const QJsonValue& v : attacks) {
    EmbeddingAttack a = attackFrom(v.toObject());
    QJsonArray points;
    for (const QJsonValue& e : v["epsilons"].toArray()) {
      a.epsilon = e.toDouble();
      points.append(attackAt(model, a, texts, decode, [&] { tell(tick, ++done, total); }));
    }
    out.append(QJsonObject{{"kind", a.kind == AttackKind::Fgsm ? "fgsm" : "pgd"},
                           {"norm", a.norm == AttackNorm::Linf ? "linf" : "l2"},
                           {"steps", a.kind == AttackKind::Fgsm ? 1 : a.steps},
                           {"texts", qint64(texts.size())},
                           {"epsilons", points}});
  }
  return out;
}

TimedModel timedEngine(std::shared_ptr<DecoderModel> model, const QString& precision, int batch) {
  auto cache = std::make_shared<DecoderCache>(model->config().layers);
  return {"libtorch", precision, batch, [cache, model] { *cache = DecoderCache(model->config().layers); },
          [cache, model, batch](const Tokens& ids) {
            const at::NoGradGuard off;
            const at::Tensor rows = at::tensor(ids, at::kLong).unsqueeze(0).repeat({batch, 1});
            const at::Tensor hidden = model->hidden({.ids = rows}, cache.get());
            return model->logits(hidden.select(1, -1)).argmax(-1)[0].item<std::int64_t>();
          }};
}

TimedModel timedSession(std::shared_ptr<onnx::DecoderSession> session, const QString& precision, std::int64_t vocabulary) {
  return {"onnxruntime", precision, 1, [session] { session->reset(); },
          [session, vocabulary](const Tokens& ids) {
            const std::vector<float> logits = orThrow(session->feed(ids));
            return onnx::largest(std::span(logits).subspan(logits.size() - std::size_t(vocabulary)));
          }};
}

QJsonArray latencySection(std::vector<TimedModel> all, const Tokens& text, std::int64_t context, int rounds, const TextTick& tick) {
  const std::int64_t prompt = std::min<std::int64_t>(128, context / 2), next = std::min<std::int64_t>(32, context - prompt);
  Tokens start;
  for (std::size_t i = 0; std::int64_t(start.size()) < prompt; ++i) start.push_back(text[i % text.size()]);
  std::vector<std::vector<double>> first(all.size()), each(all.size());
  rounds = std::clamp(rounds, 1, 1000);
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t c = 0; c < all.size(); ++c) {
      all[c].reset();
      auto begin = Clock::now();
      std::int64_t token = all[c].feed(start);
      const double firstToken = millisecondsSince(begin);
      begin = Clock::now();
      for (std::int64_t i = 0; i < next; ++i) token = all[c].feed({token});
      if (round >= 0) first[c].push_back(firstToken), each[c].push_back(millisecondsSince(begin) / double(next));
      all[c].reset();
    }
    tell(tick, round + 2, rounds + 1);
  }
  QJsonArray out;
  for (std::size_t c = 0; c < all.size(); ++c) {
    const double one = onnx::latencyOf(each[c]).p50;
    out.append(QJsonObject{{"runtime", all[c].runtime},
                           {"precision", all[c].precision},
                           {"batch", all[c].batch},
                           {"threads", at::get_num_threads()},
                           {"promptTokens", qint64(prompt)},
                           {"generatedTokens", qint64(next)},
                           {"firstTokenMs", onnx::latencyOf(first[c]).p50},
                           {"perTokenMs", one},
                           {"tokensPerSecond", 1000 * all[c].batch / one},
                           {"rounds", rounds}});
  }
  return out;
}

}  // namespace cloister
