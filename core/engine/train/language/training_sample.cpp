#include "core/engine/train/language/training_sample.h"

#include <algorithm>
#include <chrono>

#include "core/engine/generate/generator.h"
#include "core/engine/train/language/chunked_loss.h"

namespace cloister {
namespace {

constexpr std::int64_t kPromptOfRunningText = 16;
constexpr auto kLongest = std::chrono::seconds(10);

/// What stands before the first token that is learnt; of running text, where that is the second, its first words.
TokenIds promptOf(const TokenData& data) {
  const TokenBatch b = data.batch({0}, true);
  const std::int64_t *ids = b.ids.const_data_ptr<std::int64_t>(), *labels = b.labels.const_data_ptr<std::int64_t>(), all = b.ids.size(1);
  std::int64_t learnt = 0;
  while (learnt < all && labels[learnt] == kIgnoredLabel) ++learnt;
  const std::int64_t count = learnt > 0 ? std::min(learnt + 1, all) : std::min(kPromptOfRunningText, all);
  return TokenIds(ids, ids + count);
}

}  // namespace

QJsonObject trainingSample(DecoderModel& model, const TokenData& data, const TrainJob& job, std::int64_t tokens, std::uint64_t seed) {
  const TokenIds prompt = promptOf(data);
  if (std::int64_t(prompt.size()) + 1 >= model.config().context) return {};
  GenerateSettings s;
  s.newTokens = tokens;
  s.ends = job.ends;
  s.sampling = {.sample = true, .temperature = 0.8, .topP = 0.95, .seed = seed};
  const auto until = std::chrono::steady_clock::now() + kLongest;
  const auto written = generate(model, {prompt}, s, [&](std::int64_t, std::int64_t) { return std::chrono::steady_clock::now() < until; });
  return {{"prompt", job.words(prompt)}, {"text", job.words(written[0].tokens)}};
}

}  // namespace cloister
