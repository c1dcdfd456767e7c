// model-evaluate: a language model judged on texts as token numbers: perplexity with an interval, against a base model, choices by
// likelihood, attacks in embedding space, what it repeats by heart, and how fast it is.
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <QDateTime>
#include <QJsonArray>

#include "app/worker/evaluate_job.h"
#include "app/worker/judged_texts.h"
#include "app/worker/language_run.h"
#include "app/worker/language_sections.h"
#include "app/worker/training_curve.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/onnx/decoder_session.h"
#include "core/report/report_html.h"

namespace cloister {
namespace {

using Tokens = std::vector<std::int64_t>;

constexpr std::int64_t kJudgedTexts = 2000;

[[noreturn]] void refuse(const QString& path, const QString& why) {
  throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
}

Tokens tokensOf(const QJsonValue& list, const QString& path, const QString& where) {
  Tokens ids;
  for (const QJsonValue& v : list.toArray()) {
    if (!v.isDouble() || v.toDouble() != std::floor(v.toDouble()) || v.toDouble() < 0 || v.toDouble() > 1e9)
      refuse(path, where + " is not a list of token numbers");
    ids.push_back(v.toInteger());
  }
  if (ids.empty()) refuse(path, where + " has no tokens");
  return ids;
}

class Evaluation {
 public:
  Evaluation(const QJsonObject& request, const Say& say) : request_(request), say_(say) {
    bootstrap_.resamples = request["resamples"].toInt(1000);
    bootstrap_.seed = quint64(request["seed"].toInteger(20));
  }

  QJsonObject run() {
    const QString dir = request_["model"].toString();
    if (const QString run = runFolderAt(dir); !run.isEmpty()) run_.emplace(run);
    model_ = own(WeightsAs::Float32);
    texts_ = judged();
    report_ = {{"format", 1},
               {"model", request_["model"]},
               {"architecture", decoderModelType(model_->config().architecture)},
               {"parameters", qint64(model_->config().parameterCount())},
               {"texts", qint64(texts_.size())},
               {"createdAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
               {"version", programVersion()},
               {"commit", codeCommit()},
               {"hardware", hardwareLine()},
               {"bootstrap", QJsonObject{{"resamples", bootstrap_.resamples}, {"by", "text"}, {"seed", qint64(bootstrap_.seed)}}}};
    if (run_) report_["curve"] = trainingCurve(run_->folder());
    const std::vector<TextLoss> losses = textLosses(*model_, texts_, ticking("perplexity"));
    report_["perplexity"] = perplexitySection(losses, bootstrap_);
    QString base = request_["base"].toString();
    if (base.isEmpty() && run_) base = run_->base();
    if (!base.isEmpty()) report_["base"] = againstBase(base, losses);
    if (const QString file = request_["choices"].toString(); !file.isEmpty()) report_["choices"] = choices(file);
    if (const QString file = request_["training"].toString(); !file.isEmpty()) report_["memorisation"] = memorisation(file);
    if (const QJsonArray attacks = request_["attacks"].toArray(); !attacks.isEmpty())
      report_["attacks"] = attackSection(*model_, texts_, attacks, request_["attackedTexts"].toInteger(50), ticking("attacks"));
    if (request_["latency"].toBool()) report_["latency"] = latency();
    return report_;
  }

 private:
  static std::unique_ptr<DecoderModel> open(const QString& dir) {
    DecoderFolder folder = readDecoderFolder(dir, WeightsAs::Float32);
    return std::make_unique<DecoderModel>(folder.config, std::move(folder.tensors));
  }

  std::unique_ptr<DecoderModel> own(WeightsAs as) const {
    DecoderFolder folder = run_ ? run_->weights(as) : readDecoderFolder(request_["model"].toString(), as);
    return std::make_unique<DecoderModel>(folder.config, std::move(folder.tensors));
  }

  QString tokenizerDir() const { return run_ ? run_->tokenizerDir() : request_["model"].toString(); }

  /// A run has texts of its own that it did not learn from.
  std::vector<TokenText> judged() const {
    const QString file = request_["texts"].toString();
    if (!file.isEmpty()) return readJudgedTexts(file, tokenizerDir(), model_->config());
    if (!run_) throw EngineFailure({FailureKind::InvalidArgument, {{"name", "--texts"}, {"value", ""}, {"allowed", "a file"}}, {}});
    return run_->texts(run_->judgedPart(), model_->config(), kJudgedTexts);
  }

  TextTick ticking(const char* phase) const {
    return [this, phase](std::int64_t done, std::int64_t total) {
      say_({{"type", "progress"}, {"phase", phase}, {"done", qint64(done)}, {"total", qint64(total)}});
      return true;
    };
  }

  void checkText(const Tokens& ids, const QString& path) const {
    model_->checkIds(at::tensor(ids, at::kLong));
    if (std::int64_t(ids.size()) > model_->config().context)
      refuse(path, QString("a text of %1 tokens; the model reads %2").arg(ids.size()).arg(model_->config().context));
  }

  QJsonObject choices(const QString& path) const {
    const QJsonObject file = orThrow(readJson(path));
    std::vector<TokenChoice> list;
    for (const QJsonValue& v : file["choices"].toArray()) {
      const QString where = QString("choice %1").arg(list.size());
      TokenChoice c{tokensOf(v["question"], path, where + ", question"), {}, v["right"].toInteger(-1)};
      for (const QJsonValue& a : v["answers"].toArray()) {
        c.answers.push_back(tokensOf(a, path, where + ", answer"));
        Tokens whole = c.question;
        whole.insert(whole.end(), c.answers.back().begin(), c.answers.back().end());
        checkText(whole, path);
      }
      if (c.answers.size() < 2 || c.right < 0 || c.right >= std::int64_t(c.answers.size()))
        refuse(path, where + " needs two answers and a right one");
      list.push_back(std::move(c));
    }
    if (list.empty()) refuse(path, "no choices");
    const auto outcomes = chooseByLikelihood(*model_, list, ticking("choices"));
    const auto i = intervalsOverTexts(
        list.size(),
        [&](Weights w) {
          double whole = 0, perToken = 0, all = 0;
          for (std::size_t k = 0; k < list.size(); ++k) {
            const double weight = w.empty() ? 1 : w[k];
            whole += weight * (outcomes[k].chosen == list[k].right);
            perToken += weight * (outcomes[k].chosenPerToken == list[k].right);
            all += weight;
          }
          return std::vector<double>{whole / all, perToken / all};
        },
        bootstrap_);
    return {{"n", qint64(list.size())}, {"accuracy", textInterval(i[0])}, {"accuracyPerToken", textInterval(i[1])}};
  }

  QJsonObject againstBase(const QString& dir, const std::vector<TextLoss>& ours) const {
    const auto base = open(dir);
    if (base->config().vocabulary != model_->config().vocabulary)
      throw EngineFailure(
          {FailureKind::InvalidArgument,
           {{"name", "--base"}, {"value", dir}, {"allowed", QString("a model with %1 tokens").arg(model_->config().vocabulary)}},
           {}});
    QJsonObject o = baseSection(ours, textLosses(*base, texts_, ticking("base")), bootstrap_);
    o["model"] = dir;
    return o;
  }

  QJsonObject memorisation(const QString& path) const {
    std::vector<Tokens> rows;
    for (TokenText& t : readJudgedTexts(path, tokenizerDir(), model_->config())) rows.push_back(std::move(t.ids));
    return memorisationSection(*model_, rows, request_["promptTokens"].toInteger(32), request_["recallTokens"].toInteger(50),
                               ticking("memorisation"));
  }

  QJsonArray latency() const {
    std::vector<TimedModel> all;
    for (const auto& [as, name] : {std::pair{WeightsAs::Float32, "fp32"}, std::pair{WeightsAs::BFloat16, "bf16"}})
      all.push_back(timedEngine(own(as), name, 1));
    for (const QJsonValue& v : request_["onnx"].toArray()) {
      const QJsonObject exported = orThrow(readJson(v.toString() + "/export.json"));
      auto session = std::make_shared<onnx::DecoderSession>(
          orThrow(onnx::DecoderSession::open(v.toString() + '/' + exported["file"].toString(), model_->config())));
      all.push_back(timedSession(std::move(session), exported["quantize"].toString(), model_->config().vocabulary));
    }
    return latencySection(std::move(all), texts_[0].ids, model_->config().context, request_["rounds"].toInt(7), ticking("latency"));
  }

  const QJsonObject request_;
  const Say& say_;
  BootstrapOptions bootstrap_;
  std::optional<LanguageRun> run_;
  std::unique_ptr<DecoderModel> model_;
  std::vector<TokenText> texts_;
  QJsonObject report_;
};

}  // namespace

int modelEvaluateVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const at::NoGradGuard off;
    QJsonObject report = Evaluation(orThrow(readJson(option(arguments, "request"))), say).run();
    if (const QString to = option(arguments, "to", false, {}); !to.isEmpty()) orThrow(writeJsonAtomically(to, report));
    if (const QString page = option(arguments, "html", false, {}); !page.isEmpty()) {
      QJsonObject whole = report;
      whole["task"] = "language-model";
      orThrow(writeFileAtomically(page, reportHtml(whole, {}, option(arguments, "language", false, "en"))));
    }
    report["type"] = "finished";
    say(report);
  });
}

}  // namespace cloister
