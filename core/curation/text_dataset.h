// The dataset of a project for a language model: its text files divided into training, validation and test, frozen, and made into tokens.
// Texts are read by children of cloister-ingest; here are only names, digests and counts. Any thread with its own Project; blocking.
#pragma once
#include "core/curation/dataset.h"

namespace cloister {

struct TextSplit {
  double train = 0.90, validation = 0.05, test = 0.05;  ///< shares of the texts, sum 1
  qint64 seed = 1;
  QString kind;                ///< only texts of this kind (plain, instructions, pairs, preferences); empty: all, which must then be of one
  QJsonObject toJson() const;  ///< without the kind, which the texts themselves say
};

using TextProgress = std::function<bool(qint64 done, qint64 total)>;  ///< bytes; false stops

/// What each part would get, {"parts": {name: {"records","bytes"}}, "repeated"}, and what to know before training.
struct TextCheck {
  QString kind;  ///< plain, instructions, pairs, preferences
  QJsonObject division;
  QList<Finding> findings;
  qint64 files = 0, records = 0;
  QString digest;  ///< of the texts and the shares: what was checked
};
Result<TextCheck> checkTexts(const Project&, const TextSplit&, const TextProgress&);

/// Freezes all included texts. The same files, kinds and shares give the same digest and folder. Snapshot: samples are records, groups
/// are files, classes are empty, json["task"] is language-model and json["kind"] their kind. NothingToDo without a text;
/// PolicyRefused for several kinds with none chosen. Audit entry "snapshot".
Result<Snapshot> freezeTexts(Project&, const TextSplit&, const TextProgress&);
/// The same without looking into the texts once more, for who has checked them elsewhere and waits for nothing long: IdentityChanged when
/// texts or shares are no longer those that were checked.
Result<Snapshot> freezeChecked(Project&, const TextSplit&, const TextCheck&);

struct TextPreparation {
  QString tokenizer;                      ///< folder
  int length = 512;                       ///< tokens of a sequence
  QString chat = QStringLiteral("auto");  ///< template of conversations (core/text/data/chat_template.h)
};
/// snapshots/<12hex>/prepared/<12hex>/ with token shards (docs/formats.md, "Prepared texts"): digest is their fingerprint. Whole or absent;
/// reused when already there, so that nothing is cut into tokens twice.
Result<PreparedData> prepareTexts(const Project&, const Snapshot&, const TextPreparation&, const TextProgress&);
/// Whether prepared texts are still those with this fingerprint and whole; IdentityChanged, CorruptFile.
Result<void> checkPreparedTexts(const QString& dir, const QString& fingerprint);

/// A SentencePiece tokenizer learnt from the training part of a snapshot (empty: the newest) into a new folder with its about.json
/// (core/runs/base_models.h), whole or absent. kind: bpe or unigram. Returns what `tokenizer inspect` says of it.
struct TokenizerTraining {
  QString snapshot;
  QString to;
  QString kind = QStringLiteral("bpe");
  int vocabularySize = 8000;
  bool atMost = false;  ///< fewer pieces where the texts hold no more; else they are refused
};
Result<QJsonObject> trainTokenizer(const Project&, const TokenizerTraining&, const TextProgress&);

}  // namespace cloister
