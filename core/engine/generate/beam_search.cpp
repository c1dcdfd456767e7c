// Beam search with the decisions of transformers' generate: twice as many candidates as beams (more with several end tokens), only the
// first of them may finish, finished ones compete by score / length^penalty, and the search ends when no running beam can still win at its
// present length. Sums of log probabilities are float32 there and here, so that ties fall alike.
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>

#include "core/engine/generate/generator.h"

namespace cloister {
namespace {

constexpr float kNever = -1e9f;

struct Beam {
  TokenIds tokens;
  float score = kNever;
  const char* reason = nullptr;  ///< null: not finished
};

struct Candidate {
  std::int64_t beam, token;
  float score;
  const char* reason;
};

/// The search for one prompt.
class Search {
 public:
  Search(const GenerateSettings& s, std::int64_t sequence, std::int64_t limit)
      : s_(s), sequence_(sequence), limit_(limit), running_(std::size_t(s.beams)), finished_(std::size_t(s.beams)) {
    running_[0].score = 0;  // the others start out of reach, so that the first step does not choose the same tokens several times
  }

  const std::vector<Beam>& running() const { return running_; }
  const Beam& best() const { return finished_[0]; }
  bool canImprove() const { return canImprove_; }
  bool allFinished() const {
    for (const Beam& b : finished_)
      if (!b.reason) return false;
    return true;
  }

  /// Candidates in falling order. Returns the beams that the new running ones continue; stuck: every candidate is at its end.
  std::vector<std::int64_t> step(std::vector<Candidate> candidates, const char* atLimit, bool& stuck) {
    const std::int64_t length = std::int64_t(running_[0].tokens.size()) + 1;
    for (Candidate& c : candidates) {
      TokenIds tokens = running_[std::size_t(c.beam)].tokens;
      tokens.push_back(c.token);
      c.reason = reasonToEnd(s_, sequence_, tokens);
      if (!c.reason && length == limit_) c.reason = atLimit;
      stuck = stuck && c.reason;
    }
    finish(candidates, length);
    const std::vector<std::int64_t> parents = goOn(candidates);
    judge(length);
    return parents;
  }

 private:
  void finish(const std::vector<Candidate>& candidates, std::int64_t length) {
    if (!canImprove_ || (s_.earlyStopping && allFinished())) return;
    for (std::size_t i = 0; i < std::size_t(s_.beams); ++i) {
      const Candidate& c = candidates[i];
      if (!c.reason) continue;
      Beam b{running_[std::size_t(c.beam)].tokens, c.score / float(std::pow(double(length), s_.lengthPenalty)), c.reason};
      b.tokens.push_back(c.token);
      const auto place = std::find_if(finished_.begin(), finished_.end(), [&](const Beam& f) { return f.score < b.score; });
      if (place == finished_.end()) continue;
      finished_.insert(place, std::move(b));
      finished_.pop_back();
    }
  }

  std::vector<std::int64_t> goOn(const std::vector<Candidate>& candidates) {
    std::vector<Beam> next;
    std::vector<std::int64_t> parents;
    for (const bool ended : {false, true})
      for (const Candidate& c : candidates) {
        if (bool(c.reason) != ended || next.size() == std::size_t(s_.beams)) continue;
        Beam b{running_[std::size_t(c.beam)].tokens, ended ? c.score + kNever : c.score, nullptr};
        b.tokens.push_back(c.token);
        next.push_back(std::move(b));
        parents.push_back(c.beam);
      }
    running_ = std::move(next);
    return parents;
  }

  void judge(std::int64_t length) {
    const float possible = running_[0].score / float(std::pow(double(length), s_.lengthPenalty));
    const float worst = allFinished() ? finished_.back().score : kNever;
    canImprove_ = canImprove_ && possible > worst;
  }

  const GenerateSettings& s_;
  std::int64_t sequence_, limit_;
  std::vector<Beam> running_, finished_;
  bool canImprove_ = true;
};

}  // namespace

std::vector<Generated> beamSearch(DecoderModel& model, const std::vector<TokenIds>& prompts, const GenerateSettings& s, std::int64_t limit,
                                  const OnToken& onToken) {
  const std::int64_t beams = s.beams, count = std::int64_t(prompts.size()), vocabulary = model.config().vocabulary;
  const std::int64_t candidates = std::min(std::max<std::int64_t>(2, 1 + std::int64_t(s.ends.size())) * beams, beams * vocabulary);
  const char* atLimit = limit < s.newTokens ? "context" : "length";
  std::vector<Search> searches;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    searches.emplace_back(s, i, limit);
    rows.insert(rows.end(), std::size_t(beams), i);
  }
  PromptBatch batch(model, prompts);
  at::Tensor logits = batch.prefill().index_select(0, at::tensor(rows, at::kLong));
  batch.select(rows);
  bool asked = false;
  for (std::int64_t step = 0; step < limit; ++step) {
    std::vector<TokenIds> history;
    std::vector<float> scores;
    for (std::int64_t i = 0; i < count; ++i)
      for (const Beam& b : searches[std::size_t(i)].running()) {
        history.push_back(prompts[std::size_t(i)]);
        history.back().insert(history.back().end(), b.tokens.begin(), b.tokens.end());
        scores.push_back(b.score);
      }
    const at::Tensor sums = processedLogits(at::log_softmax(logits, -1), history, s.sampling) + at::tensor(scores).unsqueeze(1);
    const auto [best, place] = at::topk(sums.view({count, beams * vocabulary}), candidates, -1);
    bool stuck = true, open = false, allDone = true;
    TokenIds tokens;
    rows.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<Candidate> list;
      for (std::int64_t k = 0; k < candidates; ++k) {
        const std::int64_t at = place.const_data_ptr<std::int64_t>()[i * candidates + k];
        list.push_back({at / vocabulary, at % vocabulary, best.const_data_ptr<float>()[i * candidates + k], nullptr});
      }
      Search& search = searches[std::size_t(i)];
      for (std::int64_t parent : search.step(std::move(list), atLimit, stuck)) rows.push_back(i * beams + parent);
      for (const Beam& b : search.running()) tokens.push_back(b.tokens.back());
      open = open || search.canImprove();
      allDone = allDone && search.allFinished();
    }
    asked = onToken && !onToken(0, -1);
    if (asked || !open || stuck || (s.earlyStopping && allDone)) break;
    batch.select(rows);
    logits = batch.next(tokens);
  }
  std::vector<Generated> all;
  for (const Search& search : searches) {
    const Beam& b = search.best().reason ? search.best() : search.running()[0];
    all.push_back({b.tokens, asked && !b.reason ? "asked" : b.reason ? b.reason : atLimit, b.score});
  }
  return all;
}

}  // namespace cloister
