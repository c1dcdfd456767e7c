#include "core/engine/generate/generator.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <QJsonArray>

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

at::Tensor column(const TokenIds& values) { return at::tensor(values, at::kLong).unsqueeze(1); }

void checkPrompts(const DecoderModel& model, const std::vector<TokenIds>& prompts) {
  const auto refuse = [](const QString& value, const QString& allowed, const QString& why) {
    throw EngineFailure({FailureKind::InvalidArgument, {{"name", "prompt"}, {"value", value}, {"allowed", allowed}}, why});
  };
  if (prompts.empty()) refuse("", "at least one prompt", {});
  for (const TokenIds& p : prompts) {
    if (p.empty()) refuse("", "at least one token", {});
    model.checkIds(at::tensor(p, at::kLong));
    if (std::int64_t(p.size()) >= model.config().context)
      refuse(QString("%1 tokens").arg(p.size()), QString("fewer than the context of %1").arg(model.config().context), {});
  }
}

std::vector<Generated> oneByOne(DecoderModel& model, const std::vector<TokenIds>& prompts, const GenerateSettings& s, std::int64_t limit,
                                const OnToken& onToken) {
  std::vector<Generated> all(prompts.size(), Generated{{}, limit < s.newTokens ? "context" : "length", 0});
  std::vector<TokenIds> history = prompts;
  std::vector<std::int64_t> open;
  for (std::size_t i = 0; i < prompts.size(); ++i) open.push_back(std::int64_t(i));
  PromptBatch batch(model, prompts);
  at::Tensor logits = batch.prefill();
  for (std::int64_t step = 0; step < limit; ++step) {
    std::vector<TokenIds> seen;
    for (auto i : open) seen.push_back(history[std::size_t(i)]);
    const TokenIds chosen = chooseTokens(processedLogits(logits, seen, s.sampling), s.sampling, open, step);
    std::vector<std::int64_t> stay, rows;
    TokenIds going;
    for (std::size_t row = 0; row < open.size(); ++row) {
      const std::int64_t i = open[row];
      Generated& g = all[std::size_t(i)];
      g.tokens.push_back(chosen[row]);
      history[std::size_t(i)].push_back(chosen[row]);
      if (onToken && !onToken(i, chosen[row])) {
        for (auto k : open) all[std::size_t(k)].reason = "asked";
        return all;
      }
      if (const char* reason = reasonToEnd(s, i, g.tokens)) {
        g.reason = reason;
        continue;
      }
      stay.push_back(i);
      rows.push_back(std::int64_t(row));
      going.push_back(chosen[row]);
    }
    if (stay.empty() || step + 1 == limit) break;
    if (stay.size() < open.size()) batch.select(rows);
    open = stay;
    logits = batch.next(going);
  }
  return all;
}

}  // namespace

Result<GenerateSettings> GenerateSettings::fromJson(const QJsonObject& o) {
  GenerateSettings s;
  auto sampling = SamplingSettings::fromJson(o);
  if (!sampling) return sampling.error();
  s.sampling = *sampling;
  const auto bad = [&](const char* name, const QString& allowed) {
    return Failure{
        FailureKind::InvalidArgument, {{"name", name}, {"value", o[QLatin1String(name)].toVariant().toString()}, {"allowed", allowed}}, {}};
  };
  s.newTokens = o["new_tokens"].toInteger(s.newTokens);
  s.beams = o["beams"].toInteger(1);
  s.lengthPenalty = o["length_penalty"].toDouble(1);
  s.earlyStopping = o["early_stopping"].toBool(false);
  if (s.newTokens < 1 || s.newTokens > (1 << 24)) return bad("new_tokens", "1 – 16777216");
  if (s.beams < 1 || s.beams > 256) return bad("beams", "1 – 256");
  if (!(s.lengthPenalty >= -100 && s.lengthPenalty <= 100)) return bad("length_penalty", "-100 – 100");
  if (s.beams > 1 && s.sampling.sample) return bad("beams", "1 together with sampling");
  for (const QJsonValue& v : o["stop_ids"].toArray()) {
    TokenIds stop;
    for (const QJsonValue& t : v.toArray()) stop.push_back(t.toInteger(-1));
    if (stop.empty()) return bad("stop_ids", "lists of token numbers");
    s.stops.push_back(stop);
  }
  return s;
}

const char* reasonToEnd(const GenerateSettings& s, std::int64_t sequence, const TokenIds& tokens) {
  if (std::find(s.ends.begin(), s.ends.end(), tokens.back()) != s.ends.end()) return "end";
  for (const TokenIds& stop : s.stops)
    if (tokens.size() >= stop.size() && std::equal(stop.rbegin(), stop.rend(), tokens.rbegin())) return "stop";
  return s.stopsHere && s.stopsHere(sequence, tokens) ? "stop" : nullptr;
}

PromptBatch::PromptBatch(DecoderModel& model, const std::vector<TokenIds>& prompts) : model_(model), cache_(model.config().layers) {
  std::size_t longest = 0, shortest = prompts[0].size();
  for (const TokenIds& p : prompts) {
    longest = std::max(longest, p.size());
    shortest = std::min(shortest, p.size());
  }
  const std::int64_t b = std::int64_t(prompts.size()), t = std::int64_t(longest);
  ids_ = at::zeros({b, t}, at::kLong);
  lengths_ = at::zeros({b}, at::kLong);
  if (shortest < longest) valid_ = at::zeros({b, t}, at::kBool);
  for (std::int64_t i = 0; i < b; ++i) {
    const TokenIds& p = prompts[std::size_t(i)];
    std::copy(p.begin(), p.end(), ids_.mutable_data_ptr<std::int64_t>() + i * t + (t - std::int64_t(p.size())));
    lengths_.mutable_data_ptr<std::int64_t>()[i] = std::int64_t(p.size());
    if (valid_.defined()) valid_.select(0, i).narrow(0, t - std::int64_t(p.size()), std::int64_t(p.size())).fill_(true);
  }
}

at::Tensor PromptBatch::read(const at::Tensor& ids, const at::Tensor& positions) {
  const auto device = model_.state().at("model.embed_tokens.weight").device();
  const at::Tensor hidden = model_.hidden(
      {.ids = ids.to(device), .positions = positions.to(device), .valid = valid_.defined() ? valid_.to(device) : valid_}, &cache_);
  return model_.logits(hidden.select(1, hidden.size(1) - 1)).to(at::kCPU, at::kFloat);
}

at::Tensor PromptBatch::prefill() {
  const at::Tensor mask = valid_.defined() ? valid_.to(at::kLong) : at::ones_like(ids_);
  return read(ids_, (mask.cumsum(1) - 1).clamp_min(0));
}

at::Tensor PromptBatch::next(const TokenIds& tokens) {
  if (valid_.defined()) valid_ = at::cat({valid_, at::ones({valid_.size(0), 1}, at::kBool)}, 1);
  const at::Tensor positions = lengths_.unsqueeze(1);
  const at::Tensor logits = read(column(tokens), positions);
  lengths_ = lengths_ + 1;
  return logits;
}

void PromptBatch::select(const std::vector<std::int64_t>& rows) {
  const at::Tensor index = at::tensor(rows, at::kLong);
  cache_.reorder(index.to(model_.state().at("model.embed_tokens.weight").device()));
  lengths_ = lengths_.index_select(0, index);
  if (valid_.defined()) valid_ = valid_.index_select(0, index);
}

std::vector<Generated> generate(DecoderModel& model, const std::vector<TokenIds>& prompts, const GenerateSettings& s,
                                const OnToken& onToken) {
  at::NoGradGuard noGrad;
  checkPrompts(model, prompts);
  std::size_t longest = 0;
  for (const TokenIds& p : prompts) longest = std::max(longest, p.size());
  const std::int64_t limit = std::min(s.newTokens, model.config().context - std::int64_t(longest));
  return s.beams > 1 ? beamSearch(model, prompts, s, limit, onToken) : oneByOne(model, prompts, s, limit, onToken);
}

}  // namespace cloister
