// model plan: whether a language model trains or runs on given cards, and which change makes it; with --gpus how it trains on 1 to 4,096
// GPUs. A model from elsewhere is read by cloister-worker; presets are known here.
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QLocale>
#include <QTemporaryDir>

#include "app/cli/scale_print.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/domain/language_plan.h"
#include "core/domain/scale_model.h"
#include "core/runs/worker_call.h"

namespace cloister::cli {
namespace {

class ModelPlan : public Verb {
 public:
  QStringList path() const override { return {"model", "plan"}; }
  QString summary() const override {
    return tr("Plan the memory of a language model: whether it fits graphics cards, and which change makes it fit.");
  }
  QStringList examples() const override {
    return {"cloister-cli model plan deepseek-llm-7b --method lora --sequence 4096",
            "cloister-cli model plan deepseek-coder-33b --cards 8 --zero 3 --checkpointing --card 80 --json",
            "cloister-cli model plan /media/stick/model --method generate --batch 16",
            "cloister-cli model plan llama-175b --gpus 1024 --machine h100",
            "cloister-cli model plan deepseek-coder-33b --gpus 64 --machine a100-80 --layout tp=4,pp=2,zero=1,recompute=selective"};
  }
  QString arguments() const override { return "PRESET|DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"method", tr("full, lora, qlora, dpo or generate."), "WORD", "full"},
            {"dpo-weights", tr("What dpo trains: lora, qlora or full."), "WORD", "lora"},
            {"precision", tr("mixed (16 bytes a parameter), autocast, bf16 (8 bytes) or fp32."), "WORD", "mixed"},
            {"rank", tr("Rank of LoRA."), "N", "16"},
            {"sequence", tr("Tokens of a sequence; with generate, of prompt and answer."), "N", "512"},
            {"batch", tr("Sequences at once on each card."), "N", "1"},
            {"checkpointing", tr("Compute activations again instead of keeping them.")},
            {"whole-loss", tr("Compute the loss of all tokens at once instead of 1,024 at a time.")},
            {"cards", tr("Number of graphics cards."), "N", "1"},
            {"zero", tr("ZeRO stage: 1 shares the optimizer, 2 gradients too, 3 weights too."), "N", "0"},
            {"card", tr("Memory of a card in GB; may be given more than once (40, 80 and 141 when left out)."), "GB"},
            {"gpus", tr("Predict a training step on so many GPUs (1 to 4,096) and propose layouts."), "N"},
            {"machine", tr("With --gpus: a100-40, a100-80, h100, h200, cpu, or a JSON file that describes nodes."), "WORD|FILE", "h100"},
            {"layout", tr("With --gpus: this layout only, for example dp=8,tp=4,pp=2,zero=1,micro=1,recompute=full."), "LAYOUT"},
            {"global-batch", tr("With --gpus: sequences of one optimizer step (4 million tokens when left out)."), "N"},
            {"compute", tr("With --gpus: bf16, fp16, fp8 or fp32."), "WORD", "bf16"}};
  }
  int execute(Context& context) override {
    if (context.isSet("gpus")) return executeScale(context);
    auto request = requestOf(context);
    if (!request) return context.fail(request.error());
    const QString model = context.arguments()[0];
    auto report = isPreset(model) ? ofPreset(model, *request) : ofFolder(model, *request);
    if (!report) return context.fail(report.error());
    report->remove("type");
    (*report)["model"] = model;
    QJsonArray cards;
    for (const QJsonValue& card : (*report)["cards"].toArray()) {
      QJsonObject worded = card.toObject();
      worded["sentence"] = describeFit(worded);
      cards.append(worded);
    }
    (*report)["cards"] = cards;
    context.emitJson(*report);
    print(context, *report);
    return 0;
  }

 private:
  static bool isPreset(const QString& model) { return planPresetNames().contains(model) || !QFileInfo::exists(model); }

  static int executeScale(Context& context) {
    auto request = scaleRequestOf(context);
    if (!request) return context.fail(request.error());
    const QString model = context.arguments()[0];
    auto report = isPreset(model) ? scaleOfPreset(model, *request) : ofFolder(model, QJsonObject{{"scale", *request}});
    if (!report) return context.fail(report.error());
    report->remove("type");
    (*report)["model"] = model;
    context.emitJson(*report);
    printScale(context, *report);
    return 0;
  }

  static Result<QJsonObject> scaleRequestOf(Context& context) {
    QJsonObject request{{"compute", context.value("compute")}, {"layout", context.value("layout")}};
    const std::pair<const char*, const char*> numbers[] = {{"gpus", "gpus"}, {"sequence", "sequence"}, {"global-batch", "globalBatch"}};
    for (const auto& [name, member] : numbers) {
      if (!context.isSet(QLatin1String(name))) continue;
      auto number = context.integer(QLatin1String(name), 1, 1 << 30);
      if (!number) return number.error();
      request[QLatin1String(member)] = *number;
    }
    const QString machine = context.value("machine");
    request["machine"] = machine;
    if (scaleMachine(machine) || !QFileInfo(machine).isFile()) return request;
    auto described = readJson(machine, 1 << 20);  // what the user wrote about their own nodes
    if (!described) return described.error();
    if (auto checked = ScaleMachine::fromJson(*described, machine); !checked) return checked.error();
    request["machine"] = *described;
    return request;
  }

  static Result<QJsonObject> scaleOfPreset(const QString& name, const QJsonObject& request) {
    auto config = planPreset(name);
    return config ? scaleReport(*config, request) : Result<QJsonObject>(config.error());
  }

  /// {"options", "cards"}: checked here, so that a folder need not be opened to learn of a wrong option.
  static Result<QJsonObject> requestOf(Context& context) {
    QJsonObject options{{"method", context.value("method")},
                        {"dpoWeights", context.value("dpo-weights")},
                        {"precision", context.value("precision")},
                        {"checkpointing", context.isSet("checkpointing")},
                        {"chunkedLoss", !context.isSet("whole-loss")}};
    for (const char* name : {"rank", "sequence", "batch", "cards", "zero"}) {
      auto number = context.integer(QLatin1String(name), 0, 1 << 30);
      if (!number) return number.error();
      options[QLatin1String(name)] = *number;
    }
    if (auto checked = LanguagePlanOptions::fromJson(options); !checked) return checked.error();
    QJsonArray cards;
    QStringList sizes = context.values("card");
    if (sizes.isEmpty()) sizes = QStringList{"40", "80", "141"};
    for (const QString& size : sizes) {
      bool ok = false;
      const double gigabytes = size.toDouble(&ok);
      if (!ok || !(gigabytes >= 0.1) || gigabytes > 100'000)
        return Failure{FailureKind::InvalidArgument, {{"name", "--card"}, {"value", size}, {"allowed", "0.1 … 100000"}}, {}};
      cards.append(qint64(gigabytes * 1e9));
    }
    return QJsonObject{{"options", options}, {"cards", cards}};
  }

  static Result<QJsonObject> ofPreset(const QString& name, const QJsonObject& request) {
    auto config = planPreset(name);
    if (!config) return config.error();
    auto options = LanguagePlanOptions::fromJson(request["options"].toObject());
    if (!options) return options.error();
    std::vector<std::int64_t> cards;
    for (const QJsonValue& bytes : request["cards"].toArray()) cards.push_back(bytes.toInteger());
    return languagePlanReport(*config, *options, cards);
  }

  static Result<QJsonObject> ofFolder(const QString& folder, const QJsonObject& request) {
    QTemporaryDir room;
    const QString file = room.filePath("request.json");
    if (auto written = writeJsonAtomically(file, request); !written) return written.error();
    return callWorker({"model-plan", "--model", QDir::current().absoluteFilePath(folder), "--request", file}, {},
                      [] { return Context::stopRequested(); });
  }

  static void print(Context& context, const QJsonObject& report) {
    const QLocale locale;
    const auto size = [&locale](const QJsonValue& bytes) { return locale.toString(double(bytes.toInteger()) / 1e9, 'f', 2) + " GB"; };
    const QJsonObject parts = report["parts"].toObject();
    context.print(tr("Parameters: %1, trained: %2")
                      .arg(locale.toString(report["parameters"].toInteger()), locale.toString(report["trained"].toInteger())));
    context.print(tr("On each card: weights %1, gradients %2, optimizer %3, activations %4, logits %5, cache %6, overhead %7; together %8")
                      .arg(size(parts["weights"]), size(parts["gradients"]), size(parts["optimizer"]), size(parts["activations"]),
                           size(parts["logits"]), size(parts["cache"]), size(parts["overhead"]), size(parts["total"])));
    for (const QJsonValue& card : report["cards"].toArray()) context.print(card["sentence"].toString());
  }
};

VerbRegistration<ModelPlan> plan;

}  // namespace
}  // namespace cloister::cli
