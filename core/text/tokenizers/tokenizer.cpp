#include "core/text/tokenizers/tokenizer.h"

#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/text/parallel.h"

namespace cloister {
namespace {

constexpr qint64 kLargestFile = 256 << 20, kLargestConfig = 16 << 20;

/// What a folder or a file offers.
struct Found {
  QString main;    ///< tokenizer.json or a SentencePiece model
  QString config;  ///< may not exist
  QString chat;    ///< chat_template.jinja, may not exist
};

Result<Found> find(const QString& path) {
  const QFileInfo given(path);
  if (!given.exists()) return Failure{FailureKind::NotFound, {{"path", path}}, {}};
  const QDir folder = given.isDir() ? QDir(path) : given.dir();
  const QString config = folder.filePath(QStringLiteral("tokenizer_config.json")),
                chat = folder.filePath(QStringLiteral("chat_template.jinja"));
  if (!given.isDir()) return Found{path, config, {}};
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (folder.exists(QLatin1String(name))) return Found{folder.filePath(QLatin1String(name)), config, chat};
  return Failure{FailureKind::NotFound, {{"path", folder.filePath(QStringLiteral("tokenizer.json"))}}, {}};
}

}  // namespace

Result<std::shared_ptr<Tokenizer>> openTokenizer(const QString& path) {
  const auto found = find(path);
  if (!found) return found.error();
  const auto bytes = readFile(found->main, kLargestFile);
  if (!bytes) return bytes.error();
  QJsonObject config;
  QByteArray digests = sha256Hex(*bytes).toLatin1();
  if (QFileInfo::exists(found->config)) {
    const auto configBytes = readFile(found->config, kLargestConfig);
    if (!configBytes) return configBytes.error();
    const auto read = readJson(found->config, kLargestConfig);
    if (!read) return read.error();
    config = *read;
    digests += '\n' + sha256Hex(*configBytes).toLatin1();
  }
  QString statedIn = found->config;
  if (!found->chat.isEmpty() && QFileInfo::exists(found->chat)) {
    const auto chat = readFile(found->chat, kLargestConfig);
    if (!chat) return chat.error();
    config["chat_template"] = QString::fromUtf8(*chat);
    digests += '\n' + sha256Hex(*chat).toLatin1();
    statedIn = found->chat;
  }
  // SentencePiece models have no magic number; JSON begins with a brace.
  const bool json = bytes->trimmed().startsWith('{');
  auto tokenizer = json ? parseTokenizerJson(*bytes, config, found->main) : parseSentencePiece(*bytes, config, found->main);
  if (!tokenizer) return tokenizer.error();
  (*tokenizer)->fingerprint_ = sha256Hex(digests);
  (*tokenizer)->templatePath_ = statedIn;
  return tokenizer;
}

Result<std::vector<std::vector<std::int32_t>>> Tokenizer::encodeBatch(std::span<const std::string_view> texts, EncodeOptions options,
                                                                      int threads) const {
  std::vector<std::vector<std::int32_t>> answers(texts.size());
  const auto done = onAllCores(texts.size(), threads, [&](std::size_t i) -> Result<void> {
    auto ids = encode(texts[i], options);
    if (!ids) return ids.error();
    answers[i] = std::move(*ids);
    return {};
  });
  if (!done) return done.error();
  return answers;
}

Result<void> checkVocabulary(const Tokenizer& tokenizer, std::int64_t embeddingRows, const QString& path) {
  if (tokenizer.vocabularySize() <= embeddingRows) return {};
  const std::int32_t id = tokenizer.vocabularySize() - 1;
  return Failure{
      FailureKind::InvalidArgument,
      {{"name", path}, {"value", tokenizer.vocabularySize()}, {"allowed", QStringLiteral("≤ %1").arg(embeddingRows)}, {"path", path}},
      QStringLiteral("token %1 \"%2\" has no row in the embedding").arg(id).arg(QString::fromStdString(tokenizer.pieceOf(id)))};
}

}  // namespace cloister
