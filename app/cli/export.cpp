// export: the trained model as ONNX in the asked precisions, with parity, accuracy, size and latency of each.
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QLocale>
#include <QUuid>

#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"

namespace cloister::cli {
namespace {

const QStringList kQuantize{"none", "fp16", "dynamic-int8", "static-int8"};
const QStringList kCalibrations{"minmax", "entropy", "percentile"};

Failure notAllowed(const QString& option, const QString& value, const QStringList& allowed) {
  return {FailureKind::InvalidArgument, {{"name", option}, {"value", value}, {"allowed", allowed.join(", ")}}, {}};
}

Result<QJsonObject> optionsFrom(const Context& context) {
  if (context.value("target") != u"onnx") return notAllowed("--target", context.value("target"), {"onnx"});
  QStringList quantize;
  for (const QString& given : context.values("quantize"))
    for (const QString& word : given.split(',', Qt::SkipEmptyParts)) {
      if (!kQuantize.contains(word)) return notAllowed("--quantize", word, kQuantize);
      if (!quantize.contains(word)) quantize << word;
    }
  if (quantize.isEmpty()) quantize = kQuantize;
  QJsonObject options{{"target", "onnx"}, {"quantize", QJsonArray::fromStringList(quantize)}};
  if (const QString calibration = context.value("calibration"); !calibration.isEmpty()) {
    if (!kCalibrations.contains(calibration)) return notAllowed("--calibration", calibration, kCalibrations);
    options["calibration"] = calibration;
  }
  if (const QString drop = context.value("maximum-accuracy-drop"); !drop.isEmpty()) {
    bool ok = false;
    const double value = drop.toDouble(&ok);
    if (!ok || value < 0 || value > 1) return notAllowed("--maximum-accuracy-drop", drop, {"0 … 1"});
    options["maximumAccuracyDrop"] = value;
  }
  return options;
}

Result<void> copyFile(const QString& from, const QString& to) {
  auto bytes = readFile(from, qint64(8) << 30);
  if (!bytes) return bytes.error();
  return writeFileAtomically(to, *bytes);
}

/// The exported files into a folder that is new or empty, whole or absent.
Result<void> copyExport(const QString& folder, const QString& toDir) {
  const QString target = QDir::cleanPath(QDir::current().absoluteFilePath(toDir));
  if (QFileInfo::exists(target) && !QDir(target).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot))
    return Failure{FailureKind::AlreadyExists, {{"path", target}}, {}};
  const QString staged = target + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (!QDir().mkpath(staged)) return failureFromErrno(errno ? errno : EACCES, target);
  Result<void> copied;
  for (const QString& name : QDir(folder).entryList({"*.onnx", "*.safetensors", "preprocessing.json", "export.json"}, QDir::Files))
    if (copied = copyFile(folder + '/' + name, staged + '/' + name); !copied) break;
  if (copied) QDir().rmdir(target);
  if (copied && !QDir().rename(staged, target)) copied = failureFromErrno(errno ? errno : EACCES, target);
  if (!copied) QDir(staged).removeRecursively();
  return copied;
}

class Export : public Verb {
 public:
  QStringList path() const override { return {"export"}; }
  QString summary() const override { return tr("Write a trained model as ONNX, quantized as asked, and compare the candidates."); }
  QStringList examples() const override {
    return {"cloister-cli export --project chest --target onnx --quantize static-int8 --to out",
            "cloister-cli export --project chest --quantize none --quantize dynamic-int8 --json"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"run", tr("The run; otherwise the newest trained one."), "RUN"},
            {"target", tr("What the model is for: onnx."), "TARGET", "onnx"},
            {"quantize", tr("none, fp16, dynamic-int8 or static-int8; may be given again, all by default."), "KIND"},
            {"calibration", tr("How static-int8 chooses ranges: minmax, entropy or percentile."), "WAY"},
            {"maximum-accuracy-drop", tr("Layers stay in float where the accuracy would fall by more than this."), "D"},
            {"to", tr("Also copy the files into this new or empty folder."), "DIR"}};
  }
  int execute(Context& context) override {
    auto options = optionsFrom(context);
    if (!options) return context.fail(options.error());
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    QJsonObject summary;
    if (const int code = runJob(context, **session, context.value("run"), QStringLiteral("export"), *options, &summary); code != 0)
      return code;
    if (const QString to = context.value("to"); !to.isEmpty()) {
      if (auto copied = copyExport(summary["dir"].toString(), to); !copied) return context.fail(copied.error(), summary);
      summary["dir"] = QDir::cleanPath(QDir::current().absoluteFilePath(to));
    }
    context.emitJson(summary);
    const QLocale locale;
    for (const QJsonValue& v : summary["candidates"].toArray())
      context.print(QStringLiteral("%1 %2  %3 %4  %5 %6")
                        .arg(v["name"].toString().leftJustified(14), locale.formattedDataSize(v["bytes"].toInteger()).leftJustified(10),
                             tr("accuracy"), shortNumber(v["accuracy"]["value"].toDouble()), tr("largest difference"),
                             shortNumber(v["parity"]["maxAbs"].toDouble())));
    context.print(tr("Recommended: %1. %2").arg(summary["recommended"].toString(), summary["why"].toString()));
    context.print(tr("Files: %1").arg(summary["dir"].toString()));
    return 0;
  }
};

VerbRegistration<Export> exportVerb;

}  // namespace

}  // namespace cloister::cli
