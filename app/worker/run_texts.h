// The texts of a language model's run, whichever way they are kept: prepared rows with their index, or streams of tokens as `model train`
// packs them. Worker only; one thread; throws EngineFailure: NotFound for neither, CorruptFile for streams that do not hold together.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include <QString>

#include "core/text/data/text_shards.h"

namespace cloister {

class RunTexts {
 public:
  explicit RunTexts(const QString& dir);

  /// plain, instructions, pairs or preferences.
  const QString& kind() const { return kind_; }
  const QString& promptTemplate() const { return template_; }
  /// Of the prepared texts, and of the tokenizer that cut them; empty for streams from elsewhere, which do not say.
  const QString& fingerprint() const { return fingerprint_; }
  const QString& tokenizer() const { return tokenizer_; }

  bool has(const QString& part) const;
  /// At most `most` rows (of streams: documents) spread evenly over the part; of preferences the chosen ones.
  void forEach(const QString& part, std::int64_t most, const std::function<void(const TextRow&)>& take) const;

 private:
  void readAbout();

  QString dir_, kind_, template_, fingerprint_, tokenizer_;
  std::shared_ptr<TextData> rows_;  ///< null: streams
};

/// Before anything is learnt or gone on with: the tokenizer is the one that cut the texts in `dir`, and every shard is the file its index
/// speaks of. IdentityChanged otherwise; streams from elsewhere, which say neither, pass.
void checkRunTexts(const QString& dir, const QString& tokenizerFingerprint);

/// Says beside the streams of `dir` what texts they were packed from.
void writeStreamsAbout(const TextData&, const QString& dir);

}  // namespace cloister
