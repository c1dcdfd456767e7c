// Scores of texts: any bytes cut to valid text, through every metric and tokenizer. Scores stay in their range, and a text equals itself.
#include <cmath>
#include <cstdlib>

#include "core/text/scores/metric.h"
#include "core/text/scores/python_text.h"

using namespace cloister;
using namespace cloister::scores;

namespace {

std::vector<std::unique_ptr<Metric>> allMetrics() {
  std::vector<std::unique_ptr<Metric>> all;
  const auto add = [&all](const char* name, const QJsonObject& options) {
    auto metric = makeMetric(QLatin1String(name), options);
    if (!metric) std::abort();
    all.push_back(std::move(*metric));
  };
  for (const char* tokenize : {"none", "13a", "zh", "intl", "char"})
    for (const bool lowercase : {false, true}) add("bleu", {{"tokenize", tokenize}, {"lowercase", lowercase}});
  add("chrf", {{"wordOrder", 2}, {"lowercase", true}});
  add("chrf", {{"whitespace", true}, {"epsilonSmoothing", true}});
  add("ter", {});
  add("ter", {{"normalized", true}, {"asianSupport", true}, {"noPunctuation", true}});
  for (const char* tokenize : {"rouge", "zh", "char"}) add("rouge", {{"tokenize", tokenize}, {"stemmer", true}});
  add("exact", {{"lowercase", true}});
  return all;
}

/// The valid beginning of each piece; pieces end at 0xFF, which no text holds.
std::vector<std::string_view> texts(std::string_view bytes) {
  std::vector<std::string_view> all;
  while (all.size() < 4) {
    const std::string_view piece = bytes.substr(0, bytes.find('\xFF'));
    all.push_back(piece.substr(0, validText(piece)));
    if (piece.size() == bytes.size()) break;
    bytes.remove_prefix(piece.size() + 1);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::unique_ptr<Metric>> metrics = allMetrics();
  static std::vector<std::unique_ptr<SegmentScorer>> scorers;  // kept: what one text leaves behind must not show in the next
  if (scorers.empty())
    for (const auto& metric : metrics) scorers.push_back(metric->scorer());
  if (size > 4096) return -1;
  std::vector<std::string_view> all = texts({reinterpret_cast<const char*>(data), size});
  const std::string_view hypothesis = all.front();
  if (all.size() > 1) all.erase(all.begin());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<double> row(std::size_t(metrics[m]->width())), again(row.size());
    scorers[m]->score(hypothesis, all, row);
    for (const std::vector<double>& scores : {metrics[m]->scores(row), metrics[m]->segmentScores(row)})
      for (const double score : scores)
        if (!std::isfinite(score) || score < 0 || (score > 100.0001 && metrics[m]->names().first() != u"TER")) std::abort();
    metrics[m]->scorer()->score(hypothesis, all, again);
    if (again != row) std::abort();
  }
  return 0;
}
