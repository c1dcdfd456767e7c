// demo: the whole way from files to a verified bundle, each step by the verb a person would type, printed before it runs. Used by
// ./dev run without a display. The steps are children of this program, so that what is shown is what anyone can repeat.
#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QRandomGenerator>

#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/extension/plugin_catalogue.h"

namespace cloister::cli {
namespace {

struct Step {
  QString title;
  QString program;        ///< cloister-cli or cloister-ingest
  QStringList arguments;  ///< without --json, which is added for cloister-cli
  QString resultKey;      ///< where its JSON goes
};

struct DemoFolder {
  QString root, samples, project, bundle, passphrase, publicKey;
};

/// A folder that did not exist: DIR, or DIR-2, DIR-3 … so that the demo can be repeated.
Result<DemoFolder> makeFolder(const QString& wanted) {
  const QString base = QDir::cleanPath(QDir::current().absoluteFilePath(wanted));
  QString root = base;
  for (int n = 2; QFileInfo::exists(root); ++n) root = QStringLiteral("%1-%2").arg(base).arg(n);
  if (!QDir().mkpath(root)) return failureFromErrno(errno ? errno : EACCES, root);
  return DemoFolder{root, root + "/sample-files", root + "/project", root + "/bundle", root + "/passphrase.txt", root + "/demo-key.pem"};
}

Result<void> writePassphrase(const QString& path) {
  QByteArray secret;
  for (int i = 0; i < 8; ++i) secret += QByteArray::number(QRandomGenerator::system()->bounded(100'000, 1'000'000));
  if (auto written = writeFileAtomically(path, secret + '\n'); !written) return written;
  if (!QFile::setPermissions(path, QFile::ReadOwner | QFile::WriteOwner))
    return Failure{FailureKind::PermissionDenied, {{"path", path}}, {}};
  return {};
}

/// Synthetic phantoms, or the derived chest radiographs below dataDir.
QList<Step> dataSteps(const DemoFolder& folder, const QString& dataDir, int patients) {
  QList<Step> steps;
  QString files = folder.samples, group = "patient_id";
  if (dataDir.isEmpty())
    steps << Step{tr("Make synthetic chest radiographs as DICOM files"),
                  "cloister-ingest",
                  {"synthesize", "--to", files, "--patients", QString::number(patients), "--seed", "1"},
                  "synthesize"};
  else files = dataDir + "/dicom-cxr-derived-dev";
  const QStringList on{"--project", folder.project};
  steps << Step{tr("Create a project"), "cloister-cli", QStringList{"project", "create", "--task", "image-classification"} + on, "project"}
        << Step{tr("Import the files with their labels and patients"), "cloister-cli",
                QStringList{"data", "import", "--source", "dicom", "--labels", files + "/labels.csv", "--key", "file", "--label", "label",
                            "--group", group, "--site", "site", files} +
                    on,
                "import"}
        << Step{tr("Check the data"), "cloister-cli", QStringList{"data", "check"} + on, "check"}
        << Step{tr("Freeze a snapshot, split by patient"), "cloister-cli",
                QStringList{"data", "snapshot", "--split", "70/15/15", "--group", "patient", "--seed", "1", "--size", "128"} + on,
                "snapshot"};
  return steps;
}

QList<Step> modelSteps(const DemoFolder& folder, int epochs) {
  const QStringList on{"--project", folder.project};
  return {{tr("Train the small network"), "cloister-cli",
           QStringList{"train", "--family", "image_classifier", "--set", "architecture=small_cnn", "--set",
                       "epochs=" + QString::number(epochs), "--seed", "1"} +
               on,
           "train"},
          {tr("Evaluate on the frozen test split"), "cloister-cli", QStringList{"evaluate"} + on, "evaluate"},
          {tr("Export as ONNX and quantize"), "cloister-cli", QStringList{"export", "--target", "onnx"} + on, "export"}};
}

QList<Step> bundleSteps(const DemoFolder& folder) {
  const QStringList on{"--project", folder.project};
  return {{tr("Make a key for practice"),
           "cloister-cli",
           {"keys", "create", "--name", "demo", "--curve", "P-256", "--passphrase-file", folder.passphrase},
           "key"},
          {tr("Write its public half"), "cloister-cli", {"keys", "export-public", "--name", "demo", "--to", folder.publicKey}, "publicKey"},
          {tr("Sign a bundle"), "cloister-cli",
           QStringList{"bundle", "create", "--key", "demo", "--passphrase-file", folder.passphrase, "--to", folder.bundle} + on, "bundle"},
          {tr("Verify it as the receiver does"),
           "cloister-cli",
           {"bundle", "verify", folder.bundle, "--public-key", folder.publicKey},
           "verify"}};
}

/// Synthetic reports for a language model.
QList<Step> textSteps(const DemoFolder& folder, int records) {
  const QStringList on{"--project", folder.project};
  return {{tr("Make up synthetic reports with questions and answers"),
           "cloister-ingest",
           {"synthesize", "--source", "text", "--to", folder.samples, "--records", QString::number(records), "--seed", "1"},
           "synthesize"},
          {tr("Create a project"), "cloister-cli", QStringList{"project", "create", "--task", Task::of(Task::Kind::LanguageModel).id} + on,
           "project"},
          {tr("Import the texts"), "cloister-cli", QStringList{"data", "import", "--source", "text", folder.samples} + on, "import"},
          {tr("Check the data"), "cloister-cli", QStringList{"data", "check"} + on, "check"},
          {tr("Freeze a snapshot; equal texts stay on one side"), "cloister-cli", QStringList{"data", "snapshot"} + on, "snapshot"},
          {tr("Learn a tokenizer from the training texts"), "cloister-cli", QStringList{"tokenizer", "add", "--vocab-size", "600"} + on,
           "tokenizer"}};
}

QList<Step> languageSteps(const DemoFolder& folder, int epochs) {
  const QStringList on{"--project", folder.project};
  return {{tr("Train a small language model from scratch"), "cloister-cli",
           QStringList{"train", "--family", "decoder_lm", "--set", "architecture=llama-1m", "--set", "sequence_length=256", "--set",
                       "epochs=" + QString::number(epochs), "--seed", "1"} +
               on,
           "train"},
          {tr("Evaluate on the frozen test split"), "cloister-cli", QStringList{"evaluate", "--answers", "100", "--new-tokens", "64"} + on,
           "evaluate"},
          {tr("Export as ONNX and quantize"), "cloister-cli", QStringList{"export", "--target", "onnx"} + on, "export"}};
}

/// Runs steps one after the other on the event loop.
class Demo : public QObject {
 public:
  Demo(Context& context, QList<Step> steps, const DemoFolder& folder) : context_(context), steps_(std::move(steps)) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("CLOISTER_KEYS", folder.root + "/keys");  // never among the user's own keys
    process_.setProcessEnvironment(environment);
    process_.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    connect(&process_, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) { ended(code, status); });
    connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
      if (error == QProcess::FailedToStart) stop({FailureKind::NotFound, {{"path", process_.program()}}, process_.errorString()});
    });
    connect(&context_, &Context::stopAsked, this, [this] { process_.terminate(); });
  }

  void next() {
    if (index_ == steps_.size()) return context_.quit(0);
    const Step& step = steps_[index_];
    QStringList arguments = step.arguments;
    context_.note(QStringLiteral("[%1/%2] %3").arg(index_ + 1).arg(steps_.size()).arg(step.title));
    context_.note("      " + step.program + ' ' + arguments.join(' '));
    if (step.program == u"cloister-cli") arguments << "--json";
    timer_.start();
    process_.start(step.program == u"cloister-cli" ? QCoreApplication::applicationFilePath() : siblingProgram(step.program), arguments,
                   QIODevice::ReadOnly);
  }

  const QJsonObject& results() const { return results_; }
  const QJsonArray& timings() const { return timings_; }

 private:
  void ended(int code, QProcess::ExitStatus status) {
    const Step& step = steps_[index_];
    // cloister-ingest prints a line per progress report; its last one is the result.
    const QList<QByteArray> lines = process_.readAllStandardOutput().trimmed().split('\n');
    const QJsonObject result = QJsonDocument::fromJson(lines.last()).object();
    timings_ << QJsonObject{{"step", step.resultKey}, {"seconds", double(timer_.elapsed()) / 1000}, {"exitCode", code}};
    results_[step.resultKey] = result;
    if (status == QProcess::CrashExit) return stop({FailureKind::Crashed, {{"program", step.program}, {"signal", code}}, {}});
    if (code != 0) {
      Failure failure{code == 130 ? FailureKind::Stopped : FailureKind::WorkerFailed, {{"program", step.program}, {"code", code}}, {}};
      if (result.contains("error")) failure = Failure::fromJson(result["error"].toObject());
      if (result.contains("failure")) failure = Failure::fromJson(result["failure"].toObject());
      return stop(failure);
    }
    ++index_;
    next();
  }

  void stop(const Failure& failure) {
    const int code = context_.fail(failure, {{"steps", timings_}, {"failedStep", steps_[index_].resultKey}});
    context_.quit(code == 0 ? 1 : code);
  }

  Context& context_;
  QList<Step> steps_;
  qsizetype index_ = 0;
  QProcess process_;
  QElapsedTimer timer_;
  QJsonObject results_;
  QJsonArray timings_;
};

class DemoVerb : public Verb {
 public:
  QStringList path() const override { return {"demo"}; }
  QString summary() const override { return tr("Go the whole way once, from sample files to a verified bundle."); }
  QStringList examples() const override {
    return {"cloister-cli demo --to demo", "cloister-cli demo --to demo --task language-model",
            "cloister-cli demo --to demo --data ../shared/data"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("Folder to make; a number is added when it is there already."), "DIR", "cloister-demo"},
            {"data", tr("Folder with the test data sets: use real radiographs instead of synthetic ones."), "DIR"},
            {"task", tr("What to build: image-classification or language-model."), "TASK", "image-classification"},
            {"records", tr("Synthetic texts of a language model."), "N", "6000"},
            {"patients", tr("Synthetic patients."), "N", "60"},
            {"epochs", tr("Passes over the training split: 30 for images, 2 for texts when not given."), "N"}};
  }
  int execute(Context& context) override {
    auto patients = context.integer("patients", 6, 100'000);
    auto records = context.integer("records", 200, 1'000'000);
    if (!records) return context.fail(records.error());
    const bool texts = isLanguageTask(context.value("task"));
    if (Task::named(context.value("task")).id != context.value("task"))
      return context.fail({FailureKind::InvalidArgument,
                           {{"name", "--task"}, {"value", context.value("task")}, {"allowed", "image-classification, language-model"}},
                           {}});
    auto epochs = context.isSet("epochs") ? context.integer("epochs", 1, 100'000) : Result<qint64>(texts ? 2 : 30);
    if (!patients) return context.fail(patients.error());
    if (!epochs) return context.fail(epochs.error());
    QString data = context.value("data");
    if (!data.isEmpty()) {
      data = QDir::cleanPath(QDir::current().absoluteFilePath(data));
      if (const QString table = data + "/dicom-cxr-derived-dev/labels.csv"; !QFileInfo::exists(table))
        return context.fail({FailureKind::NotFound, {{"path", table}}, {}});
    }
    auto folder = makeFolder(context.value("to"));
    if (!folder) return context.fail(folder.error());
    if (auto written = writePassphrase(folder->passphrase); !written) return context.fail(written.error());
    const QList<Step> steps = texts ? textSteps(*folder, int(*records)) + languageSteps(*folder, int(*epochs))
                                    : dataSteps(*folder, data, int(*patients)) + modelSteps(*folder, int(*epochs));
    Demo demo(context, steps + bundleSteps(*folder), *folder);
    QMetaObject::invokeMethod(
        &demo, [&demo] { demo.next(); }, Qt::QueuedConnection);
    if (const int code = context.runEventLoop(); code != 0) return code;
    return report(context, *folder, demo);
  }

 private:
  static int report(Context& context, const DemoFolder& folder, const Demo& demo) {
    const QJsonObject evaluation = demo.results()["evaluate"].toObject();
    const QJsonObject verified = demo.results()["verify"].toObject();
    context.emitJson({{"project", folder.project},
                      {"run", demo.results()["train"].toObject()["run"]},
                      {"report", evaluation["html"]},
                      {"bundle", folder.bundle},
                      {"publicKey", folder.publicKey},
                      {"headline", evaluation["headline"]},
                      {"recommended", demo.results()["export"].toObject()["recommended"]},
                      {"verified", verified},
                      {"steps", demo.timings()}});
    printHeadline(context, evaluation["headline"].toArray());
    context.print(tr("Project: %1").arg(folder.project));
    context.print(tr("Report:  %1").arg(evaluation["html"].toString()));
    context.print(tr("Bundle:  %1 (signed, verified)").arg(folder.bundle));
    return 0;
  }
};

VerbRegistration<DemoVerb> demo;

}  // namespace
}  // namespace cloister::cli
