#include "app/worker/language_run.h"

#include <algorithm>

#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/adapter.h"
#include "core/extension/plugin_catalogue.h"

namespace cloister {
namespace {

constexpr std::int64_t kBeginning = 32;

/// [from, to) of each document of a row.
std::vector<std::pair<std::size_t, std::size_t>> documentsOf(const TextRow& row) {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  for (std::size_t i = 0; i < row.tokens.size(); ++i)
    if (i == 0 || row.starts[i]) all.emplace_back(i, row.tokens.size());
  for (std::size_t d = 0; d + 1 < all.size(); ++d) all[d].second = all[d + 1].first;
  return all;
}

}  // namespace

LanguageRun::LanguageRun(const QString& runDir)
    : runDir_(runDir), spec_(orThrow(RunSpec::fromJson(orThrow(readJson(runDir + "/spec.json"))))) {
  adapted_ = QFileInfo::exists(runDir_ + "/best/adapter_config.json");
  if (!adapted_ && !QFileInfo::exists(runDir_ + "/best/config.json"))
    throw EngineFailure({FailureKind::NothingToDo, {{"what", "trained model"}, {"next", "Let the run reach its first validation."}}, {}});
  if (!spec_.baseWeights.isEmpty()) base_ = RunSpec::resolved(runDir_, spec_.baseWeights);
  tokenizerDir_ = spec_.tokenizer.isEmpty() ? base_ : RunSpec::resolved(runDir_, spec_.tokenizer);
  tokenizer_ = orThrow(openTokenizer(tokenizerDir_));
  texts_ = std::make_shared<RunTexts>(RunSpec::resolved(runDir_, spec_.prepared));
  const auto same = [](const char* what, const QString& expected, const QString& found) {
    if (!expected.isEmpty() && !found.isEmpty() && expected != found)
      throw EngineFailure({FailureKind::IdentityChanged, {{"what", what}, {"expected", expected}, {"found", found}}, {}});
  };
  same("data", spec_.preparedDigest, texts_->fingerprint());
  same("tokenizer", texts_->tokenizer(), tokenizer_->fingerprint());
}

DecoderFolder LanguageRun::weights(WeightsAs as) const {
  if (!adapted_) return readDecoderFolder(runDir_ + "/best", as);
  DecoderFolder folder = readDecoderFolder(base_, as);
  DecoderModel model(folder.config, folder.tensors);
  readAdapter(runDir_ + "/best", model);
  folder.tensors = mergedState(model);
  return folder;
}

QString LanguageRun::weightsDigest() const {
  for (const char* name : {"/best/adapter_model.safetensors", "/best/model.safetensors", "/best/model.safetensors.index.json"})
    if (const QString path = runDir_ + QLatin1String(name); QFileInfo::exists(path)) return orThrow(sha256OfFile(path));
  return {};
}

QString LanguageRun::judgedPart() const {
  for (const char* part : {"test", "validation"})
    if (texts_->has(QLatin1String(part))) return QLatin1String(part);
  throw EngineFailure(
      {FailureKind::NothingToDo, {{"what", "text to judge by"}, {"next", "Freeze a snapshot with a test or validation split."}}, {}});
}

std::vector<TokenText> LanguageRun::texts(const QString& part, const DecoderConfig& config, std::int64_t most) const {
  std::vector<TokenText> out;
  const auto context = std::size_t(config.context);
  texts_->forEach(part, most, [&](const TextRow& row) {
    for (const auto& [from, end] : documentsOf(row)) {
      const std::size_t to = std::min(end, from + context);
      const auto counted = row.mask.subspan(from, to - from);
      const auto first = std::find(counted.begin() + (counted.empty() ? 0 : 1), counted.end(), 1);
      if (first == counted.end()) continue;
      TokenText t{{row.tokens.begin() + std::ptrdiff_t(from), row.tokens.begin() + std::ptrdiff_t(to)}, first - counted.begin(), {}};
      // What is behind the last counted token (padding) is not read at all.
      std::size_t length = counted.size();
      while (counted[length - 1] == 0) --length;
      t.ids.resize(length);
      t.counts.assign(counted.begin(), counted.begin() + std::ptrdiff_t(length));
      out.push_back(std::move(t));
    }
  });
  return out;
}

std::vector<AskedText> LanguageRun::questions(const QString& part, const DecoderConfig& config, std::int64_t most) const {
  std::vector<AskedText> out;
  for (const TokenText& t : texts(part, config, most)) {
    if (std::int64_t(out.size()) == most) break;
    const auto from = hasAnswers() ? t.answer : kBeginning;
    if (from >= std::int64_t(t.ids.size())) continue;
    auto to = from;
    while (to < std::int64_t(t.ids.size()) && t.counts[std::size_t(to)]) ++to;
    out.push_back({{t.ids.begin(), t.ids.begin() + from}, {t.ids.begin() + from, t.ids.begin() + to}});
  }
  return out;
}

std::vector<std::int64_t> LanguageRun::ends(const DecoderConfig& config) const {
  std::vector<std::int64_t> all = config.eos;
  all.push_back(tokenizer_->special().end);
  if (hasAnswers()) {
    const auto special = tokenizer_->specialTokens();
    for (const AskedText& q : questions(judgedPart(), config, 100))
      if (std::any_of(special.begin(), special.end(), [&](const SpecialToken& s) { return s.id == q.answer.back(); }))
        all.push_back(q.answer.back());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase_if(all, [&](std::int64_t id) { return id < 0 || id >= config.vocabulary; });
  return all;
}

QString LanguageRun::decode(const std::vector<std::int64_t>& ids) const {
  const std::vector<std::int32_t> small(ids.begin(), ids.end());
  return QString::fromStdString(tokenizer_->decode(small));
}

QString runFolderAt(const QString& dir) {
  if (QFileInfo::exists(dir + "/config.json")) return {};
  for (const QString& run : {dir, dir + "/runs/r-0001"})
    if (QFileInfo::exists(run + "/spec.json")) return run;
  return {};
}

bool isLanguageRun(const RunSpec& spec) {
  const auto family = PluginCatalogue::scan().find(QStringLiteral("family"), spec.family);
  return family && isLanguageTask(family->json["task"].toString());
}

}  // namespace cloister
