// A language model's run opened to be judged or handed out: its best weights, what they were made from, and its prepared texts. Worker's
// main thread; throws EngineFailure: NothingToDo without weights, IdentityChanged when tokenizer or texts are not those of the spec.
#pragma once
#include <memory>
#include <optional>

#include "app/worker/run_texts.h"
#include "core/domain/run_spec.h"
#include "core/engine/evaluate/language_quality.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

/// A question and the answer that the data has for it.
struct AskedText {
  std::vector<std::int64_t> prompt, answer;
};

class LanguageRun {
 public:
  explicit LanguageRun(const QString& runDir);

  const QString& folder() const { return runDir_; }
  const RunSpec& spec() const { return spec_; }
  const QString& tokenizerDir() const { return tokenizerDir_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  /// plain, instructions, pairs or preferences.
  QString kind() const { return texts_->kind(); }
  bool hasAnswers() const { return kind() != u"plain"; }
  QString promptTemplate() const { return texts_->promptTemplate(); }

  /// The best weights; adapters are added into the base.
  DecoderFolder weights(WeightsAs) const;
  bool adapted() const { return adapted_; }
  /// SHA-256 of the file of weights or adapters in best/.
  QString weightsDigest() const;
  /// Folder of the model that training began with; empty: from scratch.
  const QString& base() const { return base_; }

  /// test, or validation where no part is called test.
  QString judgedPart() const;
  /// Documents of plain texts; otherwise conversations, of preferences the chosen ones. At most `most`, spread evenly over the part; each
  /// cut to the model's context, those with nothing to judge left out.
  std::vector<TokenText> texts(const QString& part, const DecoderConfig&, std::int64_t most) const;
  /// The first answer of each, and what stands before it; of a plain text its beginning (32 tokens) and what follows.
  std::vector<AskedText> questions(const QString& part, const DecoderConfig&, std::int64_t most) const;
  /// Tokens that end an answer: the model's own, the tokenizer's and the one that closes the answers of these texts.
  std::vector<std::int64_t> ends(const DecoderConfig&) const;
  QString decode(const std::vector<std::int64_t>&) const;

 private:
  QString runDir_, base_, tokenizerDir_;
  bool adapted_ = false;
  RunSpec spec_;
  std::shared_ptr<RunTexts> texts_;
  std::shared_ptr<Tokenizer> tokenizer_;
};

/// The run in a folder that was named to a verb: a run's own, or the folder of `model train`. Empty: neither (a model folder, say).
QString runFolderAt(const QString& dir);

/// Whether the run's family makes language models.
bool isLanguageRun(const RunSpec&);

}  // namespace cloister
