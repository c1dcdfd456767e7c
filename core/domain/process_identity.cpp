#include "core/domain/process_identity.h"

#include <signal.h>
#include <unistd.h>

#include <QFile>
#include <QSysInfo>

namespace cloister {

QJsonObject ProcessIdentity::toJson() const {
  return {{"rank", rank}, {"pid", pid}, {"startTicks", startTicks}, {"host", host}, {"bootId", bootId}};
}

ProcessIdentity ProcessIdentity::fromJson(const QJsonObject& o) {
  return {o["rank"].toInt(), o["pid"].toInteger(), o["startTicks"].toInteger(), o["host"].toString(), o["bootId"].toString()};
}

QString thisHost() { return QSysInfo::machineHostName(); }

QString thisBoot() {
  QFile file(QStringLiteral("/proc/sys/kernel/random/boot_id"));
  return file.open(QIODevice::ReadOnly) ? QString::fromLatin1(file.readAll().trimmed()) : QString();
}

std::optional<qint64> startTicksOf(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
  if (pid <= 0 || !file.open(QIODevice::ReadOnly)) return std::nullopt;
  const QByteArray stat = file.readAll();
  // The second field is the program's name in parentheses and may hold blanks and parentheses itself: count from the last one.
  const QList<QByteArray> fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  return fields[19].toLongLong();
}

ProcessIdentity identify(int rank, qint64 pid) { return {rank, pid, startTicksOf(pid).value_or(0), thisHost(), thisBoot()}; }

Liveness livenessOf(const ProcessIdentity& process) {
  if (!process.host.isEmpty() && process.host != thisHost()) return Liveness::Elsewhere;
  if (!process.bootId.isEmpty() && process.bootId != thisBoot()) return Liveness::Dead;
  const auto ticks = startTicksOf(process.pid);
  return ticks && *ticks == process.startTicks ? Liveness::Alive : Liveness::Dead;
}

bool signalProcess(const ProcessIdentity& process, int signal) {
  if (livenessOf(process) != Liveness::Alive) return false;
  const pid_t group = ::getpgid(pid_t(process.pid));
  // A worker leads or shares a group of its own session; never signal our own group by mistake.
  if (group > 1 && group != ::getpgrp()) return ::kill(-group, signal) == 0;
  return ::kill(pid_t(process.pid), signal) == 0;
}

}  // namespace cloister
