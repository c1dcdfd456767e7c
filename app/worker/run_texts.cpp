#include "app/worker/run_texts.h"

#include <algorithm>
#include <cstring>

#include <QFileInfo>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

const QString kAbout = QStringLiteral("/texts.json");

/// A stream opened for its documents. Tokens are I32 and starts I64, as `model train` writes them; others are widened or refused.
class Documents {
 public:
  explicit Documents(const QString& path) : file_(orThrow(SafetensorsFile::open(path))) {
    const TensorView *tokens = file_->find("tokens"), *loss = file_->find("loss"), *starts = file_->find("starts");
    const auto list = [](const TensorView* t) { return t && t->shape.size() == 1; };
    if (!list(tokens)) refuse(path, "no list named tokens");
    readTokens(*tokens, path);
    const std::size_t n = tokens_.size();
    learnt_.assign(n, 1);
    if (loss) {
      if (loss->shape != tokens->shape || (loss->dtype != DType::U8 && loss->dtype != DType::Bool))
        refuse(path, "loss is not one byte a token");
      std::memcpy(learnt_.data(), loss->data, n);
    }
    bounds_ = {0};
    if (starts) {
      if (!list(starts) || starts->dtype != DType::I64) refuse(path, "starts is not a list of I64");
      bounds_.resize(std::size_t(starts->shape[0]));
      std::memcpy(bounds_.data(), starts->data, bounds_.size() * sizeof(std::int64_t));
    }
    bounds_.push_back(std::int64_t(n));
    if (bounds_.front() != 0 || std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) != bounds_.end())
      refuse(path, "starts does not begin at 0 and rise within the tokens");
    dropFilling();
  }

  std::int64_t count() const { return std::int64_t(wanted_.size()); }
  TextRow document(std::int64_t i) const {
    const auto d = wanted_[std::size_t(i)];
    const auto from = std::size_t(bounds_[d]), n = std::size_t(bounds_[d + 1]) - from;
    begun_.assign(n, 0);
    begun_[0] = 1;
    return {std::span(tokens_).subspan(from, n), std::span(learnt_).subspan(from, n), begun_};
  }
  /// Whether something inside a document is only read, not learnt: a question.
  bool hasQuestions() const {
    for (const std::size_t d : wanted_)
      if (std::find(learnt_.begin() + bounds_[d] + 1, learnt_.begin() + bounds_[d + 1], 0) != learnt_.begin() + bounds_[d + 1]) return true;
    return false;
  }

 private:
  [[noreturn]] static void refuse(const QString& path, const QString& why) {
    throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
  }
  template <typename T>
  void widen(const TensorView& t) {
    for (std::int64_t i = 0; i < t.shape[0]; ++i) {
      T value;
      std::memcpy(&value, t.data + i * std::int64_t(sizeof(T)), sizeof(T));
      tokens_.push_back(std::int32_t(value));
    }
  }
  void readTokens(const TensorView& t, const QString& path) {
    tokens_.reserve(std::size_t(t.shape[0]));
    switch (t.dtype) {
      case DType::U16:
        return widen<std::uint16_t>(t);
      case DType::I32:
        return widen<std::int32_t>(t);
      case DType::U32:
        return widen<std::uint32_t>(t);
      case DType::I64:
        return widen<std::int64_t>(t);
      default:
        refuse(path, "no list of whole numbers named tokens");
    }
  }
  // What fills a sequence up is a document of which nothing is learnt.
  void dropFilling() {
    for (std::size_t d = 0; d + 1 < bounds_.size(); ++d)
      if (std::find(learnt_.begin() + bounds_[d], learnt_.begin() + bounds_[d + 1], 1) != learnt_.begin() + bounds_[d + 1])
        wanted_.push_back(d);
  }

  std::shared_ptr<SafetensorsFile> file_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::uint8_t> learnt_;
  std::vector<std::int64_t> bounds_;  ///< where each document begins, and the end
  std::vector<std::size_t> wanted_;
  mutable std::vector<std::uint8_t> begun_;
};

QString streamOf(const QString& dir, const QString& part) { return dir + '/' + part + ".safetensors"; }

}  // namespace

RunTexts::RunTexts(const QString& dir) : dir_(dir) {
  if (QFileInfo::exists(dir + "/index.json") || !QFileInfo::exists(streamOf(dir, "train"))) {
    rows_ = orThrow(TextData::open(dir));
    const QJsonObject& index = rows_->index();
    kind_ = index["kind"].toString();
    template_ = index["template"].toString();
    fingerprint_ = rows_->fingerprint();
    tokenizer_ = index["tokenizer"].toString();
  } else {
    readAbout();
  }
}

void RunTexts::readAbout() {
  if (!QFileInfo::exists(dir_ + kAbout)) {
    kind_ = Documents(streamOf(dir_, "train")).hasQuestions() ? QStringLiteral("instructions") : QStringLiteral("plain");
    return;
  }
  const QJsonObject about = orThrow(readJson(dir_ + kAbout));
  kind_ = about["kind"].toString();
  template_ = about["template"].toString();
  fingerprint_ = about["fingerprint"].toString();
  tokenizer_ = about["tokenizer"].toString();
}

bool RunTexts::has(const QString& part) const { return rows_ ? rows_->rows(part) > 0 : QFileInfo::exists(streamOf(dir_, part)); }

void RunTexts::forEach(const QString& part, std::int64_t most, const std::function<void(const TextRow&)>& take) const {
  if (!has(part)) return;
  const auto spread = [&](std::int64_t rows, const auto& row) {
    const std::int64_t n = std::min(rows, most);
    for (std::int64_t i = 0; i < n; ++i) take(row(i * rows / n));
  };
  if (rows_) {
    const std::int64_t step = kind_ == u"preferences" ? 2 : 1;
    return spread(rows_->rows(part) / step, [&](std::int64_t i) { return rows_->row(part, i * step); });
  }
  const Documents documents(streamOf(dir_, part));
  spread(documents.count(), [&](std::int64_t i) { return documents.document(i); });
}

void checkRunTexts(const QString& dir, const QString& tokenizerFingerprint) {
  const auto same = [&dir](const QString& what, const QString& expected, const QString& found) {
    if (expected != found)
      throw EngineFailure({FailureKind::IdentityChanged, {{"what", what}, {"expected", expected}, {"found", found}}, dir});
  };
  const QString index = dir + "/index.json", path = QFileInfo::exists(index) ? index : dir + kAbout;
  if (!QFileInfo::exists(path)) return;
  const QJsonObject about = orThrow(readJson(path, 256 << 20));
  same("tokenizer", about["tokenizer"].toString(), tokenizerFingerprint);
  for (const QJsonValue& part : about["parts"].toObject())
    for (const QJsonValue& v : part["shards"].toArray())
      same("prepared data", v["sha256"].toString(), orThrow(sha256OfFile(dir + '/' + v["file"].toString())));
}

void writeStreamsAbout(const TextData& texts, const QString& dir) {
  QJsonObject about{{"format", 1}, {"fingerprint", texts.fingerprint()}};
  for (const char* key : {"kind", "template", "tokenizer", "vocabularySize"}) about[QLatin1String(key)] = texts.index()[QLatin1String(key)];
  orThrow(writeJsonAtomically(dir + kAbout, about));
}

}  // namespace cloister
