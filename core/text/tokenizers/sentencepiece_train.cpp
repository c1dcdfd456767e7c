#include "core/text/tokenizers/sentencepiece_train.h"

#include <sentencepiece_trainer.h>
#include <charconv>
#include <iostream>
#include <mutex>
#include <streambuf>
#include <unordered_map>

#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

constexpr std::size_t kLongestLine = 4096;  // the library leaves longer ones out; they are cut at a space

/// Hands out the lines.
class Lines : public sentencepiece::SentenceIterator {
 public:
  Lines(const std::vector<std::string_view>& lines, const TrainTokenizerProgress& progress) : lines_(lines), progress_(progress) { read(); }
  bool done() const override { return at_ >= lines_.size(); }
  void Next() override {
    if (rest_.empty()) {
      ++at_;
      if (at_ % 65536 == 0) progress_("lines", std::int64_t(at_), std::int64_t(lines_.size()));
      read();
    } else {
      cut();
    }
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void read() {
    value_.clear();
    if (done()) return;
    if (isValidUtf8(lines_[at_])) {
      rest_ = lines_[at_];
    } else {
      repaired_ = repairedUtf8(lines_[at_]);
      rest_ = repaired_;
    }
    cut();
  }
  void cut() {
    std::size_t to = rest_.size();
    if (to > kLongestLine) {
      to = rest_.rfind(' ', kLongestLine);
      if (to == std::string_view::npos || to == 0) to = previousCodePoint(rest_, kLongestLine);
    }
    value_ = rest_.substr(0, to);
    rest_.remove_prefix(to);
  }

  const std::vector<std::string_view>& lines_;
  const TrainTokenizerProgress& progress_;
  std::size_t at_ = 0;
  std::string_view rest_;
  std::string repaired_, value_;
};

/// The library tells how far it is only in its log, "Added: freq=… size=40 …" and "EM sub_iter=0 size=1000 …", on std::cerr.
class LogReader : public std::streambuf {
 public:
  LogReader(int total, const TrainTokenizerProgress& progress) : total_(total), progress_(progress), before_(std::cerr.rdbuf(this)) {}
  ~LogReader() override { std::cerr.rdbuf(before_); }

 protected:
  int_type overflow(int_type c) override {
    const std::lock_guard lock(mutex_);
    if (c == traits_type::eof()) return 0;
    if (c == '\n') take();
    else if (line_.size() < 4096) line_ += char(c);
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    for (std::streamsize i = 0; i < size; ++i) overflow(static_cast<unsigned char>(text[i]));
    return size;
  }

 private:
  void take() {
    const bool bpe = line_.find("Added: freq=") != std::string::npos, em = line_.find("EM sub_iter=") != std::string::npos;
    const std::size_t size = line_.find(" size=");
    if ((bpe || em) && size != std::string::npos) {
      std::int64_t pieces = 0;
      std::from_chars(line_.data() + size + 6, line_.data() + line_.size(), pieces);
      progress_(bpe ? "pieces" : "candidates", pieces, total_);
    }
    line_.clear();
  }
  int total_;
  const TrainTokenizerProgress& progress_;
  std::streambuf* before_;
  std::mutex mutex_;
  std::string line_;
};

std::unordered_map<std::string, std::string> settings(const TrainTokenizerOptions& o) {
  const auto flag = [](bool on) { return std::string(on ? "true" : "false"); };
  return {{"model_type", o.unigram ? "unigram" : "bpe"},
          {"vocab_size", std::to_string(o.vocabularySize)},
          {"character_coverage", std::to_string(o.characterCoverage)},
          {"byte_fallback", flag(o.byteFallback)},
          {"normalization_rule_name", o.identity ? "identity" : "nmt_nfkc"},
          {"remove_extra_whitespaces", flag(!o.identity)},
          {"allow_whitespace_only_pieces", flag(o.identity)},
          {"split_digits", "true"},
          {"num_threads", std::to_string(o.threads)},
          {"max_sentence_length", std::to_string(4 * kLongestLine)}};
}

/// "… set it to a value <= 3456." → 3456; 0 when the message is another.
int limitIn(const std::string& message) {
  const std::size_t at = message.find("<= ");
  int limit = 0;
  if (at != std::string::npos) std::from_chars(message.data() + at + 3, message.data() + message.size(), limit);
  return limit;
}

}  // namespace

Result<std::string> trainSentencePiece(const std::vector<std::string_view>& lines, const TrainTokenizerOptions& options,
                                       const TrainTokenizerProgress& progress) {
  Lines iterator(lines, progress);
  std::string model;
  sentencepiece::util::Status status;
  {
    const LogReader log(options.vocabularySize, progress);
    status = sentencepiece::SentencePieceTrainer::Train(settings(options), &iterator, &model);
  }
  if (status.ok()) return model;
  const std::string message = status.error_message();
  const int limit = limitIn(message);
  return Failure{FailureKind::InvalidArgument,
                 {{"limit", limit},
                  {"name", "--vocab-size"},
                  {"value", options.vocabularySize},
                  {"allowed", limit > 0 ? QStringLiteral("≤ %1").arg(limit) : QStringLiteral("what the text holds; see the details")}},
                 QString::fromStdString(message)};
}

}  // namespace cloister
