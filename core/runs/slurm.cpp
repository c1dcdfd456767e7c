#include "core/runs/slurm.h"

#include <QRegularExpression>
#include <QStandardPaths>

namespace cloister {
namespace {

constexpr int kPatienceMs = 30'000;

struct Answer {
  int code = -1;
  QByteArray out, error;
};

Answer call(const QString& program, const QStringList& arguments, const QString& dir = {}) {
  QProcess process;
  process.setStandardInputFile(QProcess::nullDevice());
  if (!dir.isEmpty()) process.setWorkingDirectory(dir);
  process.start(program, arguments);
  if (!process.waitForFinished(kPatienceMs)) {
    process.kill();
    process.waitForFinished();
    return {-1, {}, process.errorString().toLocal8Bit()};
  }
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(),
          process.readAllStandardError()};
}

Failure slurmFailure(const QString& program, const Answer& answer) {
  if (QStandardPaths::findExecutable(program).isEmpty())
    return {FailureKind::NotFound, {{"path", program}}, QStringLiteral("Slurm's programs are not on this machine's PATH")};
  return {FailureKind::WorkerFailed,
          {{"program", program}, {"code", answer.code}},
          QString::fromLocal8Bit(answer.error + answer.out).trimmed().left(2000)};
}

SlurmState::Phase phaseOf(const QString& word) {
  static const QStringList kWaiting{"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"};
  static const QStringList kRunning{"RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "STOPPED", "RESIZING"};
  if (kWaiting.contains(word)) return SlurmState::Phase::Waiting;
  return kRunning.contains(word) ? SlurmState::Phase::Running : SlurmState::Phase::Over;
}

QStringList question(const QString& job) { return {"show", "job", "-o", job}; }

}  // namespace

SlurmState slurmStateFrom(const QByteArray& output, int exitCode, const QByteArray& error) {
  SlurmState state;
  if (exitCode != 0) {
    // Slurm forgets ended jobs after some minutes (MinJobAge): then the run's folder alone says how it went.
    if (error.contains("Invalid job id")) state.phase = SlurmState::Phase::Over;
    return state;
  }
  const QString line = QString::fromLocal8Bit(output.split('\n').value(0));
  const auto value = [&line](const char* key) {
    const auto match = QRegularExpression(QStringLiteral("(?:^|\\s)%1=(\\S*)").arg(QLatin1String(key))).match(line);
    const QString text = match.captured(1);
    return text == u"(null)" || text == u"None" ? QString() : text;
  };
  state.word = value("JobState");
  if (state.word.isEmpty()) return state;
  state.phase = phaseOf(state.word);
  state.reason = value("Reason");
  state.nodes = value("NodeList");
  state.restarts = value("Restarts").toInt();
  return state;
}

bool hasSlurm() { return !QStandardPaths::findExecutable("sbatch").isEmpty() && !QStandardPaths::findExecutable("scontrol").isEmpty(); }

Result<QString> submitToSlurm(const QString& script, const QString& dir) {
  const Answer answer = call("sbatch", {"--parsable", script}, dir);
  // "123" or "123;cluster"
  const QString job = QString::fromLocal8Bit(answer.out).trimmed().section(';', 0, 0);
  bool number = false;
  job.toLongLong(&number);
  if (answer.code != 0 || !number) return slurmFailure("sbatch", answer);
  return job;
}

Result<void> cancelInSlurm(const QString& job) {
  if (const Answer answer = call("scancel", {job}); answer.code != 0) return slurmFailure("scancel", answer);
  return {};
}

SlurmState askSlurm(const QString& job) {
  const Answer answer = call("scontrol", question(job));
  return slurmStateFrom(answer.out, answer.code, answer.error);
}

SlurmWatch::SlurmWatch(QString job, QObject* parent) : QObject(parent), job_(std::move(job)) {
  process_.setStandardInputFile(QProcess::nullDevice());
  connect(&process_, &QProcess::finished, this, [this] { take(); });
}

SlurmWatch::~SlurmWatch() {
  process_.disconnect(this);
  process_.kill();
  process_.waitForFinished(1000);
}

void SlurmWatch::refresh(int everyMs) {
  if (process_.state() != QProcess::NotRunning) {
    if (sinceAsked_.elapsed() > kPatienceMs) process_.kill();
    return;
  }
  if (sinceAsked_.isValid() && sinceAsked_.elapsed() < everyMs) return;
  sinceAsked_.start();
  process_.start("scontrol", question(job_));
}

void SlurmWatch::ask() {
  state_ = askSlurm(job_);
  answered_ = true;
}

void SlurmWatch::take() {
  const int code = process_.exitStatus() == QProcess::NormalExit ? process_.exitCode() : -1;
  state_ = slurmStateFrom(process_.readAllStandardOutput(), code, process_.readAllStandardError());
  answered_ = true;
}

}  // namespace cloister
