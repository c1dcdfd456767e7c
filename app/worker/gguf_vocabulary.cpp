#include "app/worker/gguf_vocabulary.h"

#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/text/data/chat_template.h"
#include "core/text/tokenizers/sentencepiece_model.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

constexpr qint64 kMaxTokenizer = 256 << 20;
// Numbers of llama.cpp's token types, which SentencePiece's are too.
enum : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct Vocabulary {
  std::string model, pre;
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;  ///< empty: none
  std::vector<std::int32_t> types;
};

Vocabulary fromSentencePiece(const QString& path) {
  const QByteArray bytes = orThrow(readFile(path, kMaxTokenizer));
  const SentencePieceModel model = orThrow(SentencePieceModel::read({bytes.constData(), std::size_t(bytes.size())}, path));
  Vocabulary v{"llama", "default", {}, {}, {}, {}};
  for (const auto& e : model.pieces) {
    v.tokens.emplace_back(e.piece);
    v.scores.push_back(e.score);
    v.types.push_back(std::int32_t(e.type));
  }
  return v;
}

/// llama.cpp names pre-tokenizers; what it has no name for cuts words another way there.
std::string preTokenizerName(const QJsonValue& preTokenizer) {
  const QString text = QString::fromUtf8(canonicalJson(QJsonObject{{"p", preTokenizer}}));
  const auto has = [&](const char* part) { return text.contains(QString::fromUtf8(part)); };
  if (has("[一-龥぀-ゟ゠-ヿ]+")) return "deepseek-v3";
  if (has("µÀ-ÖØ")) return "deepseek-llm";
  if (has("ࠀ-一")) return "deepseek-coder";
  if (has("(?i:'s|'t|'re|'ve|'m|'ll|'d)")) return has("\\\\p{N}{1,3}") ? "llama-bpe" : "qwen2";
  return "gpt-2";
}

Vocabulary fromJson(const QString& path) {
  const QJsonObject file = orThrow(readJson(path, kMaxTokenizer)), model = file["model"].toObject();
  const auto tokenizer = orThrow(openTokenizer(path));  // every part was checked by whoever reads it
  const QJsonObject pieces = model["vocab"].toObject();
  if (model["type"].toString() != u"BPE" || !QString::fromUtf8(canonicalJson(file)).contains(u"ByteLevel"))
    throw EngineFailure({FailureKind::UnsupportedFormat, {{"path", path}}, "GGUF takes byte-level BPE or a SentencePiece tokenizer.model"});
  Vocabulary v{"gpt2", preTokenizerName(file["pre_tokenizer"]), {}, {}, {}, {}};
  for (std::int32_t id = 0; id < tokenizer->vocabularySize(); ++id) {
    v.tokens.push_back(tokenizer->pieceOf(id));
    v.types.push_back(v.tokens.back().empty() ? kUnused : kNormal);
  }
  for (const SpecialToken& t : tokenizer->specialTokens()) {
    v.tokens[std::size_t(t.id)] = t.text;
    v.types[std::size_t(t.id)] = t.special ? kControl : kUserDefined;
  }
  for (const QJsonValue& m : model["merges"].toArray()) {
    const QJsonArray pair = m.toArray();
    v.merges.push_back(m.isString() ? m.toString().toStdString() : (pair[0].toString() + ' ' + pair[1].toString()).toStdString());
  }
  return v;
}

// Rows of the embedding that no token has.
void fill(Vocabulary& v, std::int64_t rows, const QString& path) {
  if (std::int64_t(v.tokens.size()) > rows)
    throw EngineFailure({FailureKind::TooLarge, {{"path", path}, {"limit", QString("%1 tokens, as the model has").arg(rows)}}, {}});
  for (std::size_t i = 0; i < v.tokens.size(); ++i)
    if (v.tokens[i].empty()) v.tokens[i] = "[PAD" + std::to_string(i) + "]";
  while (std::int64_t(v.tokens.size()) < rows) {
    v.tokens.push_back("[PAD" + std::to_string(v.tokens.size()) + "]");
    v.types.push_back(kUnused);
    if (!v.scores.empty()) v.scores.push_back(-1000.0F);
  }
}

}  // namespace

GgufMetadata ggufVocabulary(const QString& dir, const DecoderConfig& config) {
  const QString sentencePiece = dir + "/tokenizer.model", json = dir + "/tokenizer.json";
  const bool hasPieces = QFileInfo(sentencePiece).isFile(), hasJson = QFileInfo(json).isFile();
  if (!hasPieces && !hasJson) return {{"tokenizer.ggml.model", std::string("none")}};
  Vocabulary v = hasPieces ? fromSentencePiece(sentencePiece) : fromJson(json);
  fill(v, config.vocabulary, hasPieces ? sentencePiece : json);
  const auto tokenizer = orThrow(openTokenizer(dir));
  GgufMetadata m{{"tokenizer.ggml.model", v.model}, {"tokenizer.ggml.pre", v.pre}, {"tokenizer.ggml.tokens", std::move(v.tokens)}};
  if (!v.scores.empty()) m.emplace_back("tokenizer.ggml.scores", std::move(v.scores));
  m.emplace_back("tokenizer.ggml.token_type", std::move(v.types));
  if (!v.merges.empty()) m.emplace_back("tokenizer.ggml.merges", std::move(v.merges));
  const SpecialIds special = tokenizer->special();
  const auto id = [&](const char* key, std::int64_t fallback, std::int64_t given) {
    if (const std::int64_t value = given >= 0 ? given : fallback; value >= 0) m.emplace_back(key, std::uint32_t(value));
  };
  id("tokenizer.ggml.bos_token_id", config.bos.value_or(-1), special.begin);
  id("tokenizer.ggml.eos_token_id", config.eos.empty() ? -1 : config.eos.front(), special.end);
  id("tokenizer.ggml.padding_token_id", config.pad.value_or(-1), special.pad);
  id("tokenizer.ggml.unknown_token_id", -1, special.unknown);
  const QJsonObject words = tokenizer->config();
  if (words.contains("add_bos_token")) m.emplace_back("tokenizer.ggml.add_bos_token", words["add_bos_token"].toBool());
  if (words.contains("add_eos_token")) m.emplace_back("tokenizer.ggml.add_eos_token", words["add_eos_token"].toBool());
  // Newer folders keep the template in a file of its own.
  const QString file = dir + "/chat_template.jinja";
  if (const QString form = ChatTemplate::statedIn(words); !form.isEmpty()) m.emplace_back("tokenizer.chat_template", form.toStdString());
  else if (QFileInfo(file).isFile()) m.emplace_back("tokenizer.chat_template", orThrow(readFile(file, 4 << 20)).toStdString());
  return m;
}

}  // namespace cloister
