#include "core/engine/evaluate/language_quality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ops/argmax.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

// Logits of so many tokens at once: with 100,000 words to choose from they take 100 MB, whatever the length of the text.
constexpr std::int64_t kRowsAtOnce = 256;

void tell(const TextTick& tick, std::size_t done, std::size_t total) {
  if (tick && !tick(std::int64_t(done), std::int64_t(total))) throw EngineFailure({FailureKind::Stopped, {}, {}});
}

at::Tensor row(const std::vector<std::int64_t>& ids) { return at::tensor(ids, at::kLong).unsqueeze(0); }

/// ln p of each token from `first` on, and whether it was the first choice.
TextLoss lossFrom(DecoderModel& model, const std::vector<std::int64_t>& ids, std::int64_t first,
                  const std::vector<std::uint8_t>& counts = {}) {
  TextLoss loss;
  const auto n = std::int64_t(ids.size());
  if (first < 1 || first >= n) return loss;
  const at::Tensor tokens = row(ids), hidden = model.hidden({.ids = tokens.narrow(1, 0, n - 1)});
  for (std::int64_t from = first; from < n; from += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, n - from);
    const at::Tensor targets = tokens[0].narrow(0, from, count);
    const at::Tensor logits = model.logits(hidden[0].narrow(0, from - 1, count)).to(at::kFloat);
    at::Tensor chosen = at::log_softmax(logits, -1).gather(1, targets.unsqueeze(1)).squeeze(1).to(at::kDouble);
    at::Tensor right = logits.argmax(-1) == targets;
    loss.tokens += count;
    if (!counts.empty()) {
      const auto from8 = counts.begin() + from;
      const at::Tensor counted = at::tensor(std::vector<std::int64_t>(from8, from8 + count), at::kLong) != 0;
      chosen = chosen.masked_select(counted);
      right = right.masked_select(counted);
      loss.tokens += counted.sum().item<std::int64_t>() - count;
    }
    loss.nats -= chosen.sum().item<double>();
    loss.greedy += right.sum().item<std::int64_t>();
  }
  return loss;
}

std::int64_t largestAt(const std::vector<double>& values) { return std::max_element(values.begin(), values.end()) - values.begin(); }

Recall recallOne(DecoderModel& model, const std::vector<std::int64_t>& text, std::int64_t prompt, std::int64_t length) {
  Recall r{prompt, std::min(length, std::int64_t(text.size()) - prompt), 0};
  if (r.expected <= 0) return {prompt, 0, 0};
  DecoderCache cache(model.config().layers);
  std::vector<std::int64_t> next(text.begin(), text.begin() + prompt);
  // The first token that differs ends it: what follows a wrong one says nothing about the text.
  for (; r.verbatim < r.expected; ++r.verbatim) {
    const at::Tensor hidden = model.hidden({.ids = row(next)}, &cache);
    const auto said = model.logits(hidden[0][-1]).argmax().item<std::int64_t>();
    if (said != text[std::size_t(prompt + r.verbatim)]) break;
    next = {said};
  }
  return r;
}

}  // namespace

std::vector<TextLoss> textLosses(DecoderModel& model, const std::vector<TokenText>& texts, const TextTick& tick) {
  std::vector<TextLoss> losses;
  for (const TokenText& t : texts) {
    losses.push_back(lossFrom(model, t.ids, t.answer, t.counts));
    tell(tick, losses.size(), texts.size());
  }
  return losses;
}

double perplexity(const std::vector<TextLoss>& losses) {
  double nats = 0;
  std::int64_t tokens = 0;
  for (const TextLoss& l : losses) nats += l.nats, tokens += l.tokens;
  return tokens > 0 ? std::exp(nats / double(tokens)) : std::numeric_limits<double>::quiet_NaN();
}

std::vector<ChoiceOutcome> chooseByLikelihood(DecoderModel& model, const std::vector<TokenChoice>& choices, const TextTick& tick) {
  std::vector<ChoiceOutcome> outcomes;
  for (const TokenChoice& c : choices) {
    ChoiceOutcome o;
    std::vector<double> perToken;
    for (const auto& answer : c.answers) {
      std::vector<std::int64_t> ids = c.question;
      ids.insert(ids.end(), answer.begin(), answer.end());
      const TextLoss l = lossFrom(model, ids, std::int64_t(c.question.size()));
      o.logLikelihood.push_back(-l.nats);
      perToken.push_back(-l.nats / double(std::max<std::int64_t>(1, l.tokens)));
    }
    o.chosen = largestAt(o.logLikelihood);
    o.chosenPerToken = largestAt(perToken);
    outcomes.push_back(std::move(o));
    tell(tick, outcomes.size(), choices.size());
  }
  return outcomes;
}

std::vector<Recall> recallOf(DecoderModel& model, const std::vector<std::vector<std::int64_t>>& texts, std::int64_t prompt,
                             std::int64_t length, const TextTick& tick) {
  std::vector<Recall> recalls;
  for (const auto& text : texts) {
    recalls.push_back(recallOne(model, text, prompt, length));
    tell(tick, recalls.size(), texts.size());
  }
  return recalls;
}

}  // namespace cloister
