#include "core/runs/worker_launch.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <optional>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QProcess>
#include <QThread>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/extension/plugin_catalogue.h"

namespace cloister {
namespace {

/// Ranks wait at its reading end until worker.json names them: whoever dies before that closes the writing end, and they end too. Without
/// it a starter killed in between would leave workers that nobody can find or stop.
class StartGate {
 public:
  StartGate() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read_ = ends[0], write_ = ends[1];
    ::fcntl(read_, F_SETFD, 0);  // inherited by the ranks; the writing end is not
  }
  ~StartGate() {
    if (read_ >= 0) ::close(read_), ::close(write_);
  }
  StartGate(const StartGate&) = delete;
  StartGate& operator=(const StartGate&) = delete;
  int readingEnd() const { return read_; }
  Result<void> open(int ranks) {
    const QByteArray tokens(ranks, '\n');
    if (::write(write_, tokens.constData(), size_t(ranks)) != ranks) return failureFromErrno(errno, QStringLiteral("pipe"));
    return {};
  }

 private:
  int read_ = -1, write_ = -1;
};

/// A port nobody listens on now. Another program could take it before rank 0 does; then the attempt fails and can be started again.
Result<int> freePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failureFromErrno(errno, QStringLiteral("127.0.0.1"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound =
      ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const int error = errno;
  ::close(fd);
  if (!bound) return failureFromErrno(error, QStringLiteral("127.0.0.1"));
  return int(ntohs(address.sin_port));
}

QProcessEnvironment rankEnvironment(int rank, int processes, int port, int gate) {
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  const QString size = QString::number(processes);
  environment.insert("RANK", QString::number(rank));
  environment.insert("LOCAL_RANK", QString::number(rank));
  environment.insert("WORLD_SIZE", size);
  environment.insert("LOCAL_WORLD_SIZE", size);
  environment.insert("GROUP_RANK", "0");
  environment.insert("MASTER_ADDR", "127.0.0.1");
  environment.insert("MASTER_PORT", QString::number(port));
  environment.insert(kStartGateVariable, QString::number(gate));
  // Ranks on one machine share its processors; without this each takes all of them.
  if (processes > 1 && !environment.contains("OMP_NUM_THREADS"))
    environment.insert("OMP_NUM_THREADS", QString::number(std::max(1, QThread::idealThreadCount() / processes)));
  return environment;
}

Result<qint64> startRank(const WorkerLaunch& launch, int rank, int port, int gate) {
  QProcess process;
  process.setProgram(workerProgram());
  process.setArguments(launch.arguments);
  process.setProcessEnvironment(rankEnvironment(rank, launch.processes, port, gate));
  process.setWorkingDirectory(launch.folder);
  process.setStandardInputFile(QProcess::nullDevice());
  process.setStandardOutputFile(workerLogFile(launch.folder, rank), QIODevice::Append);
  process.setStandardErrorFile(workerLogFile(launch.folder, rank), QIODevice::Append);
  qint64 pid = 0;
  // startDetached forks twice and calls setsid: the worker belongs to no terminal and to no parent that could take it down.
  if (!process.startDetached(&pid)) return Failure{FailureKind::IoError, {{"path", process.program()}}, process.errorString()};
  return pid;
}

/// proc(5), /proc/vmstat: counted since boot.
std::optional<qint64> memoryKills() {
  QFile file(qEnvironmentVariable("CLOISTER_VMSTAT", "/proc/vmstat"));
  if (!file.open(QIODevice::ReadOnly)) return std::nullopt;
  for (const QByteArray& line : file.readAll().split('\n'))
    if (line.startsWith("oom_kill ")) return line.mid(9).trimmed().toLongLong();
  return std::nullopt;
}

}  // namespace

QString workerProgram() {
  const QString override = qEnvironmentVariable("CLOISTER_WORKER");
  return override.isEmpty() ? siblingProgram(QStringLiteral("cloister-worker")) : override;
}

QString workerLogFile(const QString& folder, int rank) {
  return folder + (rank == 0 ? QStringLiteral("/worker.log") : QStringLiteral("/worker-%1.log").arg(rank));
}

QString exitFile(const QString& folder, int rank) {
  return folder + (rank == 0 ? QStringLiteral("/exit.json") : QStringLiteral("/exit-%1.json").arg(rank));
}

Result<QList<ProcessIdentity>> launchWorkers(const WorkerLaunch& launch) {
  if (!QFileInfo(workerProgram()).isExecutable())
    return Failure{FailureKind::NotFound, {{"path", workerProgram()}}, QStringLiteral("the worker program is missing or not executable")};
  auto port = freePort();
  if (!port) return port.error();
  StartGate gate;
  if (gate.readingEnd() < 0) return failureFromErrno(errno, QStringLiteral("pipe"));
  QList<ProcessIdentity> ranks;
  const auto giveUp = [&ranks](const Failure& failure) {
    for (const ProcessIdentity& p : ranks) signalProcess(p, SIGKILL);
    return failure;
  };
  for (int rank = 0; rank < launch.processes; ++rank) {
    auto pid = startRank(launch, rank, *port, gate.readingEnd());
    if (!pid) return giveUp(pid.error());
    ranks << identify(rank, *pid);
  }
  QJsonObject file = ranks.first().toJson();
  QJsonArray all;
  for (const ProcessIdentity& p : ranks) all << p.toJson();
  file["ranks"] = all;
  if (const auto kills = memoryKills()) file["memoryKills"] = *kills;
  if (auto written = writeJsonAtomically(launch.folder + "/worker.json", file); !written) return giveUp(written.error());
  if (auto opened = gate.open(launch.processes); !opened) return giveUp(opened.error());
  return ranks;
}

QList<ProcessIdentity> readWorkerFile(const QString& folder) {
  QList<ProcessIdentity> ranks;
  if (const auto file = readJson(folder + "/worker.json", 1 << 20)) {
    for (const QJsonValue& v : (*file)["ranks"].toArray()) ranks << ProcessIdentity::fromJson(v.toObject());
    if (ranks.isEmpty()) ranks << ProcessIdentity::fromJson(*file);
    return ranks;
  }
  for (const QString& name : QDir(folder).entryList({"worker-*.json"}, QDir::Files))
    if (const auto file = readJson(folder + '/' + name, 1 << 16)) ranks << ProcessIdentity::fromJson(*file);
  std::sort(ranks.begin(), ranks.end(), [](const ProcessIdentity& a, const ProcessIdentity& b) { return a.rank < b.rank; });
  return ranks;
}

qint64 memoryKillsSinceStart(const QString& folder) {
  const auto file = readJson(folder + "/worker.json", 1 << 20);
  if (!file || !(*file)["memoryKills"].isDouble() || (*file)["bootId"].toString() != thisBoot()) return 0;
  return std::max<qint64>(0, memoryKills().value_or(0) - (*file)["memoryKills"].toInteger());
}

}  // namespace cloister
