#include "core/engine/data/token_data.h"

#include <algorithm>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/engine/data/token_stream.h"
#include "core/engine/engine_failure.h"
#include "core/engine/train/language/chunked_loss.h"
#include "core/text/data/text_shards.h"

namespace cloister {
namespace {

constexpr const char* kIndex = "/index.json";

/// Rows of prepared texts, filled up on the right to the longest of a batch.
class TokenRows : public TokenData {
 public:
  TokenRows(std::shared_ptr<TextData> data, QString part, bool pairs)
      : data_(std::move(data)), part_(std::move(part)), each_(pairs ? 2 : 1) {
    for (std::int64_t r = 0; r < data_->rows(part_); ++r) tokens_ += std::int64_t(data_->row(part_, r).tokens.size());
  }
  std::int64_t tokens() const override { return tokens_; }
  std::int64_t sequences() const override { return data_->rows(part_) / each_; }
  std::int64_t length() const override { return data_->length(); }

  TokenBatch batch(const std::vector<std::int64_t>& indices, bool separate) const override {
    std::size_t longest = 2;
    bool several = false;
    std::vector<std::int64_t> rows;
    for (std::int64_t half = 0; half < each_; ++half)
      for (std::int64_t i : indices) rows.push_back(i * each_ + half);
    for (std::int64_t i : rows) {
      const TextRow row = data_->row(part_, i);
      longest = std::max(longest, row.tokens.size());
      several = several || std::count(row.starts.begin(), row.starts.end(), 1) > 1;
    }
    // The last token of a row has no label, so that it need not be read.
    const std::int64_t n = std::int64_t(rows.size()), t = std::int64_t(longest) - 1;
    TokenBatch b{at::zeros({n, t}, at::kLong), at::full({n, t}, kIgnoredLabel, at::kLong), {}, {}};
    if (separate && several) {
      b.positions = at::zeros({n, t}, at::kLong);
      b.documents = at::full({n, t}, -1, at::kLong);  // padding is a document of its own
    }
    for (std::int64_t i = 0; i < n; ++i) fill(b, i, t, data_->row(part_, rows[std::size_t(i)]));
    return b;
  }

 private:
  static void fill(TokenBatch& b, std::int64_t i, std::int64_t width, const TextRow& row) {
    std::int64_t* ids = b.ids.mutable_data_ptr<std::int64_t>() + i * width;
    std::int64_t* labels = b.labels.mutable_data_ptr<std::int64_t>() + i * width;
    std::int64_t document = 0, position = 0;
    for (std::int64_t p = 0; p + 1 < std::int64_t(row.tokens.size()); ++p) {
      const auto at = std::size_t(p);
      ids[p] = row.tokens[at];
      if (row.mask[at + 1] == 1) labels[p] = row.tokens[at + 1];
      if (!b.documents.defined()) continue;
      if (row.starts[at] == 1) {
        ++document;
        position = 0;
      }
      b.positions.mutable_data_ptr<std::int64_t>()[i * width + p] = position++;
      b.documents.mutable_data_ptr<std::int64_t>()[i * width + p] = document;
    }
  }

  std::shared_ptr<TextData> data_;
  QString part_;
  std::int64_t each_, tokens_ = 0;
};

}  // namespace

TokenSource tokenSourceOf(const QString& dir) {
  if (!QFileInfo::exists(dir + kIndex)) return {};
  const QJsonObject index = orThrow(readJson(dir + kIndex));
  return {index["fingerprint"].toString(), index["vocabularySize"].toInteger(), index["length"].toInteger()};
}

std::shared_ptr<TokenData> openTokens(const QString& dir, const QString& part, std::int64_t vocabulary, std::int64_t length,
                                      TokenRowsAre rowsAre) {
  const bool pairs = rowsAre == TokenRowsAre::Pairs;
  const auto refuse = [pairs](const QString& kind) {
    throw EngineFailure({FailureKind::InvalidArgument,
                         {{"name", "data"}, {"value", kind}, {"allowed", pairs ? "preferences" : "plain, instructions, pairs"}},
                         pairs ? "DPO learns from pairs of a chosen and a rejected answer"
                               : "chosen and rejected answers are learnt with the method dpo, not as texts"});
  };
  if (const QString path = dir + '/' + part + ".safetensors"; !QFileInfo::exists(dir + kIndex)) {
    if (pairs) refuse("plain");
    if (part != u"train" && !QFileInfo::exists(path)) return nullptr;
    return std::make_shared<TokenStream>(path, vocabulary, length, part != u"train");
  }
  const auto data = orThrow(TextData::open(dir));
  const QString kind = data->index()["kind"].toString();
  if ((kind == u"preferences") != pairs) refuse(kind);
  if (pairs && data->rows(part) % 2 != 0)
    throw EngineFailure({FailureKind::CorruptFile, {{"path", dir + kIndex}}, "an odd number of rows in " + part + ", which are pairs"});
  if (const std::int64_t found = data->index()["vocabularySize"].toInteger(); found > vocabulary)
    throw EngineFailure({FailureKind::InvalidArgument,
                         {{"name", "vocabulary"}, {"value", qint64(found)}, {"allowed", QString("at most the model's %1").arg(vocabulary)}},
                         "the texts were prepared with another model's tokenizer"});
  if (part != u"train" && data->rows(part) == 0) return nullptr;
  return std::make_shared<TokenRows>(data, part, pairs);
}

}  // namespace cloister
