// Runs an exported decoder (decoder_graph.h, either variant) token by token with its cache: one sequence. Used by export for parity and
// perplexity. One thread.
#pragma once
#include <span>
#include <vector>

#include "core/domain/decoder_config.h"
#include "core/domain/result.h"
#include "core/onnx/session.h"

namespace cloister::onnx {

class DecoderSession {
 public:
  static Result<DecoderSession> open(const QString& path, const DecoderConfig&, const SessionOptions& = {});

  /// Reads on: logits [tokens, vocabulary], one row after each token. Failures as Session.
  Result<std::vector<float>> feed(std::span<const std::int64_t> tokens);
  /// Forgets the text.
  void reset();
  std::int64_t length() const { return length_; }

 private:
  DecoderSession(Session session, const DecoderConfig& config);

  Session session_;
  std::map<std::string, HostTensor> cache_;  ///< by the name of the input
  std::vector<std::string> outputs_;
  std::int64_t vocabulary_, length_ = 0;
  bool positions_ = false;
};

/// Mean negative logarithm of the probability of each token after the first, in nats, and how many there were. rows: one for each token.
struct TokenLoss {
  double sum = 0;
  std::int64_t tokens = 0;
  double mean() const { return tokens > 0 ? sum / double(tokens) : 0; }
  void add(std::span<const float> logits, std::span<const std::int64_t> tokens, std::int64_t vocabulary);
};

/// Index of the largest value, the first of equals.
std::int64_t largest(std::span<const float> logits);

}  // namespace cloister::onnx
