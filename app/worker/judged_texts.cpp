#include "app/worker/judged_texts.h"

#include <algorithm>

#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/token_ids.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

constexpr qint64 kMaxText = 256 << 20;
constexpr std::int64_t kPiece = 512;

[[noreturn]] void refuse(const QString& path, const QString& why) {
  throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
}

std::vector<TokenText> fromNumbers(const QString& path) {
  const auto rows = readTokenIds(path);
  // A list stands for itself; only an object can say where the judged part begins.
  const auto json = readJson(path);
  const QJsonArray starts = json ? (*json)["answer_start"].toArray() : QJsonArray();
  if (!starts.isEmpty() && starts.size() != qsizetype(rows.size())) refuse(path, "answer_start has another length than input_ids");
  std::vector<TokenText> texts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const qint64 start = starts.isEmpty() ? 1 : starts[qsizetype(i)].toInteger(-1);
    if (start < 1 || start > qint64(rows[i].size())) refuse(path, QString("answer_start of text %1 is outside of it").arg(i));
    texts.push_back({rows[i], start});
  }
  return texts;
}

class Cutter {
 public:
  Cutter(const QString& path, const QString& modelDir, const DecoderConfig& config)
      : path_(path), config_(config), tokenizer_(orThrow(openTokenizer(modelDir))) {
    orThrow(checkVocabulary(*tokenizer_, config.vocabulary, modelDir));
  }

  std::vector<TokenText> lines(const QByteArray& bytes) const {
    std::vector<TokenText> texts;
    qint64 number = 0;
    for (const QByteArray& line : bytes.split('\n')) {
      ++number;
      if (line.trimmed().isEmpty()) continue;
      QJsonParseError error;
      const QJsonObject o = QJsonDocument::fromJson(line, &error).object();
      if (error.error != QJsonParseError::NoError) refuse(path_, QString("line %1: %2").arg(number).arg(error.errorString()));
      if (o["text"].isString()) {
        texts.push_back({cut(o["text"].toString(), true), 1});
      } else if (o["prompt"].isString() && o["completion"].isString()) {
        TokenText t{cut(o["prompt"].toString(), true), 0};
        const auto rest = cut(o["completion"].toString(), false);
        t.answer = std::max<std::int64_t>(1, std::int64_t(t.ids.size()));
        t.ids.insert(t.ids.end(), rest.begin(), rest.end());
        texts.push_back(std::move(t));
      } else {
        refuse(path_, QString("line %1 has neither \"text\" nor \"prompt\" and \"completion\"").arg(number));
      }
      if (texts.back().ids.size() < 2) texts.pop_back();  // nothing to judge
    }
    return texts;
  }

  std::vector<TokenText> plain(const QByteArray& bytes) const {
    const auto all = cut(QString::fromUtf8(bytes), false);
    const auto piece = std::size_t(std::min(kPiece, config_.context));
    std::vector<TokenText> texts;
    for (std::size_t from = 0; from + 1 < all.size(); from += piece)
      texts.push_back({{all.begin() + std::ptrdiff_t(from), all.begin() + std::ptrdiff_t(std::min(from + piece, all.size()))}, 1});
    return texts;
  }

 private:
  std::vector<std::int64_t> cut(const QString& text, bool special) const {
    const auto ids = orThrow(tokenizer_->encode(text.toStdString(), {special}));
    return {ids.begin(), ids.end()};
  }

  const QString& path_;
  const DecoderConfig& config_;
  std::shared_ptr<Tokenizer> tokenizer_;
};

}  // namespace

std::vector<TokenText> readJudgedTexts(const QString& path, const QString& modelDir, const DecoderConfig& config) {
  std::vector<TokenText> texts;
  if (path.endsWith(u".json", Qt::CaseInsensitive)) {
    texts = fromNumbers(path);
  } else {
    const QByteArray bytes = orThrow(readFile(path, kMaxText));
    const Cutter cutter(path, modelDir, config);
    texts = path.endsWith(u".jsonl", Qt::CaseInsensitive) ? cutter.lines(bytes) : cutter.plain(bytes);
  }
  if (texts.empty()) refuse(path, "no text with two tokens or more");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const std::int64_t id : texts[i].ids)
      if (id < 0 || id >= config.vocabulary)
        refuse(path, QString("text %1: token %2 is outside the vocabulary of %3").arg(i).arg(id).arg(config.vocabulary));
    if (std::int64_t(texts[i].ids.size()) > config.context)
      refuse(path, QString("text %1 has %2 tokens; the model reads %3").arg(i).arg(texts[i].ids.size()).arg(config.context));
  }
  return texts;
}

}  // namespace cloister
