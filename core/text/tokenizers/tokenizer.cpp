#include "core/text/tokenizers/tokenizer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>

#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr qint64 kLargestFile = 256 << 20, kLargestConfig = 16 << 20;
constexpr std::size_t kMostAtOnce = 64;

/// What a folder or a file offers.
struct Found {
  QString main;    ///< tokenizer.json or a SentencePiece model
  QString config;  ///< may not exist
};

Result<Found> find(const QString& path) {
  const QFileInfo given(path);
  if (!given.exists()) return Failure{FailureKind::NotFound, {{"path", path}}, {}};
  const QDir folder = given.isDir() ? QDir(path) : given.dir();
  const QString config = folder.filePath(QStringLiteral("tokenizer_config.json"));
  if (!given.isDir()) return Found{path, config};
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (folder.exists(QLatin1String(name))) return Found{folder.filePath(QLatin1String(name)), config};
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
  // SentencePiece models have no magic number; JSON begins with a brace.
  const bool json = bytes->trimmed().startsWith('{');
  auto tokenizer = json ? parseTokenizerJson(*bytes, config, found->main) : parseSentencePiece(*bytes, config, found->main);
  if (!tokenizer) return tokenizer.error();
  (*tokenizer)->fingerprint_ = sha256Hex(digests);
  return tokenizer;
}

Result<std::vector<std::vector<std::int32_t>>> Tokenizer::encodeBatch(std::span<const std::string_view> texts, EncodeOptions options,
                                                                      int threads) const {
  std::vector<std::vector<std::int32_t>> answers(texts.size());
  const auto cores = threads > 0 ? std::size_t(threads) : std::size_t(std::max(1u, std::thread::hardware_concurrency()));
  const std::size_t atOnce = std::clamp<std::size_t>(texts.size() / (cores * 8), 1, kMostAtOnce);  // few long texts are shared as well
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Failure failure;
  const auto fail = [&](const Failure& why) {
    const std::lock_guard lock(mutex);
    if (!failed.exchange(true)) failure = why;
  };
  const auto work = [&] {
    try {
      for (std::size_t from = next.fetch_add(atOnce); from < texts.size() && !failed; from = next.fetch_add(atOnce))
        for (std::size_t i = from; i < std::min(from + atOnce, texts.size()); ++i) {
          auto ids = encode(texts[i], options);
          if (!ids) return fail(ids.error());
          answers[i] = std::move(*ids);
        }
    } catch (const std::bad_alloc&) {
      fail({FailureKind::OutOfMemory, {}, QStringLiteral("std::bad_alloc")});
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(cores, (texts.size() + atOnce - 1) / atOnce); ++i) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  if (failed) return failure;
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
