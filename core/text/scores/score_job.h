// Scores of a whole set of texts, with intervals and tests: `cloister-ingest score` inside its decode child (files in, answer out;
// docs/formats.md, "score") and evaluation, which has its texts in memory. Blocking; uses all cores and gives the same on any number of
// them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/domain/result.h"

namespace cloister::scores {

/// progress: now and then, from one thread. The answer holds scores, parts, signature, intervals and tests; scores of segments go into the
/// file that the request names.
Result<QJsonObject> runScoreJob(const QJsonObject& request, const std::function<void(qint64 done, qint64 total)>& progress);

/// Texts that this program made itself: what a model has generated. references: one list for each reference, as long as the hypotheses.
struct TextSet {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
  std::vector<std::string> baseline;  ///< of the model compared with; empty: none
};

/// request: metric, options, bootstrap, trials, seed and threads as for files; its file names are not looked at. sentences: receives the
/// scores of each segment when given, in the order of the metric's names.
Result<QJsonObject> scoreTexts(const QJsonObject& request, TextSet texts, std::vector<std::vector<double>>* sentences = nullptr,
                               const std::function<void(qint64 done, qint64 total)>& progress = {});

}  // namespace cloister::scores
