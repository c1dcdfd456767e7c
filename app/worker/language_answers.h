// Answers of a language model to the questions of its test texts, beside the answers of its base, scored against the references. Worker's
// main thread, gradients off; throws EngineFailure.
#pragma once
#include "app/worker/language_run.h"
#include "core/metrics/bootstrap.h"

namespace cloister {

struct AnswerOptions {
  int newTokens = 256;  ///< at most, of one answer
  int batch = 8;
  int seconds = 900;  ///< fewer questions are asked when more time would be needed
  int resamples = 1000;
  quint64 seed = 20;
};

struct Answered {
  QString prompt, reference, output, baseOutput;
  QString reason;  ///< why the answer ended: end, length, context
};

/// Greedy. base may be null. Both models get the same questions, batch by batch.
std::vector<Answered> answersTo(const std::vector<AskedText>&, const LanguageRun&, DecoderModel&, DecoderModel* base, const AnswerOptions&,
                                const TextTick&);

/// chrF of each answer against its reference.
std::vector<double> answerQuality(const std::vector<Answered>&);

/// [{"name":"BLEU","value","low","high","signature","base":{"value","low","high"},"difference","p"}]; p: two-sided paired approximate
/// randomisation. The tokenisation of Chinese is chosen when the references are written in it.
QJsonArray answerScores(const std::vector<Answered>&, bool withBase, const AnswerOptions&);

}  // namespace cloister
