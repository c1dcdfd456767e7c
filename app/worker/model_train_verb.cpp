// model-train: a language model from prepared texts without a project: a folder with the data, one run of the family decoder_lm and, at the
// end, the model with its tokenizer. The same request on the same folder goes on where it was killed.
#include <atomic>
#include <cerrno>
#include <thread>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

#include "app/worker/run_texts.h"
#include "app/worker/text_stream_data.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"
#include "core/domain/staged_folder.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/tensors/model_folder.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

const QString kRun = QStringLiteral("r-0001");

class Training {
 public:
  explicit Training(const QJsonObject& request)
      : request_(request), to_(QDir(request["to"].toString()).absolutePath()), run_(to_ + "/runs/" + kRun) {}

  /// The number of the attempt to make.
  int prepare() {
    if (QFileInfo::exists(to_ + "/model") || QFileInfo::exists(to_ + "/adapter"))
      throw EngineFailure({FailureKind::AlreadyExists, {{"path", to_}}, "the training in this folder is finished"});
    const QString said = to_ + "/request.json";
    if (!QFileInfo::exists(said)) {
      begin();
      orThrow(writeJsonAtomically(said, request_));  // last: a folder without it is begun anew
      return 1;
    }
    if (canonicalJson(orThrow(readJson(said))) != canonicalJson(request_))
      throw EngineFailure({FailureKind::IdentityChanged, {{"what", to_}}, "the folder holds a training with other settings"});
    int attempt = 1;
    while (QFileInfo::exists(attemptFolder(attempt))) ++attempt;
    return attempt;
  }

  QString attemptFolder(int attempt) const { return QString("%1/attempt-%2").arg(run_).arg(attempt, 3, 10, QChar('0')); }
  const QString& run() const { return run_; }

  /// The finished model beside its tokenizer, or the adapter.
  QString deliver() const {
    const QString best = run_ + "/best";
    const bool adapter = QFileInfo::exists(best + "/adapter_config.json");
    StagedFolder staged = orThrow(StagedFolder::begin(to_ + (adapter ? "/adapter" : "/model")));
    for (const QFileInfo& file : QDir(best).entryInfoList(QDir::Files))
      if (file.fileName() != u"state.json" && !QFile::copy(file.filePath(), staged.path() + '/' + file.fileName()))
        throw EngineFailure({FailureKind::IoError, {{"path", staged.path()}}, file.fileName()});
    if (!adapter) copyCompanionFiles(request_["tokenizer"].toString(), staged.path());
    const QString path = to_ + (adapter ? "/adapter" : "/model");
    orThrow(staged.publish());
    return path;
  }

 private:
  void begin() {
    const QString data = request_["data"].toString(), base = request_["base"].toString();
    const auto texts = orThrow(TextData::open(data));
    const QString method = request_["parameters"].toObject()["method"].toString("full"), kind = texts->index()["kind"].toString();
    const bool pairs = kind == u"preferences";
    if (pairs != (method == u"dpo"))
      throw EngineFailure({FailureKind::InvalidArgument,
                           {{"name", "method"}, {"value", method}, {"allowed", pairs ? "dpo" : "full, lora, qlora"}},
                           pairs ? "the texts are preferences" : "the texts are " + kind + ", and DPO learns from preferences"});
    // The tokenizer goes along with the model: another one than cut the texts would make nonsense of it.
    const QString tokenizer = request_["tokenizer"].toString();
    const QString cutBy = texts->index()["tokenizer"].toString(), given = orThrow(openTokenizer(tokenizer))->fingerprint();
    if (cutBy != given)
      throw EngineFailure({FailureKind::IdentityChanged, {{"what", "tokenizer"}, {"expected", cutBy}, {"found", given}}, tokenizer});
    QJsonObject parameters = request_["parameters"].toObject();
    if (!parameters.contains("sequence_length")) parameters["sequence_length"] = texts->length();
    const qint64 words = texts->index()["vocabularySize"].toInteger();
    if (base.isEmpty()) {
      if (!parameters.contains("vocabulary")) parameters["vocabulary"] = words;
    } else if (const DecoderConfig config = readDecoderConfig(base); config.vocabulary < words) {
      throw EngineFailure(
          {FailureKind::InvalidArgument,
           {{"name", "base"}, {"value", base}, {"allowed", QString("a model with %1 tokens or more, as the texts have").arg(words)}},
           {}});
    }
    if (!QDir().mkpath(run_)) throw EngineFailure(failureFromErrno(errno ? errno : EIO, to_));
    if (pairs) copyPrepared(data);
    else packTexts(*texts, parameters["sequence_length"].toInteger());
    RunSpec spec;
    spec.run = kRun;
    spec.family = "decoder_lm";
    spec.snapshot = spec.preparedDigest = texts->fingerprint();
    spec.prepared = "data";
    spec.baseWeights = base;
    if (!base.isEmpty()) spec.baseWeightsSha256 = orThrow(modelFolderDigest(base));
    spec.tokenizer = tokenizer;
    spec.parameters = parameters;
    spec.seed = request_["seed"].toInteger(1);
    spec.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
    spec.codeVersion = programVersion();
    orThrow(writeJsonAtomically(run_ + "/spec.json", spec.toJson()));
  }

  void packTexts(const TextData& texts, std::int64_t length) {
    if (!QDir().mkpath(to_ + "/data")) throw EngineFailure(failureFromErrno(errno ? errno : EIO, to_));
    if (writeTokenStream(texts, "train", length, to_ + "/data/train.safetensors") == 0)
      throw EngineFailure({FailureKind::NothingToDo, {{"what", request_["data"].toString()}}, "no row to train on"});
    for (const char* part : {"validation", "test"})
      writeTokenStream(texts, QLatin1String(part), length, QString("%1/data/%2.safetensors").arg(to_, QLatin1String(part)));
    writeStreamsAbout(texts, to_ + "/data");
  }

  // Pairs stay the rows they are.
  void copyPrepared(const QString& data) {
    const QString to = to_ + "/data";
    QDir(to).removeRecursively();
    StagedFolder staged = orThrow(StagedFolder::begin(to));
    for (const QFileInfo& file : QDir(data).entryInfoList({"index.json", "*.safetensors"}, QDir::Files))
      if (!QFile::copy(file.filePath(), staged.path() + '/' + file.fileName()))
        throw EngineFailure({FailureKind::IoError, {{"path", to}}, file.fileName()});
    orThrow(staged.publish());
  }

  const QJsonObject request_;
  const QString to_, run_;
};

/// Says what the run's log says, while another function writes it.
class LogTeller {
 public:
  LogTeller(const QString& path, const Say& say) : reader_(path), say_(say), thread_([this] { follow(); }) {}
  ~LogTeller() {
    if (thread_.joinable()) finish();
  }
  void finish() {
    ended_ = true;
    thread_.join();
    tell();
  }
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  void follow() {
    while (!ended_) {
      tell();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  void tell() {
    auto events = reader_.readNew();
    if (!events) return;
    for (const RunEvent& e : *events) {
      if (e.type == u"failed") failure_ = Failure::fromJson(e.body["failure"].toObject());
      if (e.type == u"metric" || e.type == u"warning" || e.type == u"phase") say_(e.body);
    }
  }

  EventReader reader_;
  const Say& say_;
  std::atomic<bool> ended_ = false;
  std::optional<Failure> failure_;
  std::thread thread_;
};

}  // namespace

int modelTrainVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    Training training(orThrow(readJson(option(arguments, "request"))));
    const int attempt = training.prepare();
    LogTeller log(training.attemptFolder(attempt) + "/rank-0.events.jsonl", say);
    const int code = trainVerb({"--run", training.run(), "--attempt", QString::number(attempt)});
    log.finish();
    if (log.failure()) throw EngineFailure(*log.failure());
    if (code == int(WorkerExit::StoppedAsAsked)) throw EngineFailure({FailureKind::Stopped, {}, {}});
    if (code != 0)
      throw EngineFailure({FailureKind::WorkerFailed, {{"program", "cloister-worker train"}}, QString("exit code %1").arg(code)});
    say({{"type", "finished"}, {"attempt", attempt}, {"run", training.run()}, {"model", training.deliver()}});
  });
}

}  // namespace cloister
