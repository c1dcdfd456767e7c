// Which process is meant, so that it can be found again by another program and never confused with a later one of the same number.
// Reads /proc (proc(5): field 22 of stat is the start time in clock ticks since boot, untouched by a clock set back). Any thread.
#pragma once
#include <optional>

#include <QJsonObject>
#include <QString>

namespace cloister {

struct ProcessIdentity {
  int rank = 0;
  qint64 pid = 0;
  qint64 startTicks = 0;  ///< 0: was gone before it could be read
  QString host, bootId;

  QJsonObject toJson() const;
  static ProcessIdentity fromJson(const QJsonObject&);
};

QString thisHost();
QString thisBoot();  ///< /proc/sys/kernel/random/boot_id
/// Empty when there is no such process or only its zombie.
std::optional<qint64> startTicksOf(qint64 pid);
ProcessIdentity identify(int rank, qint64 pid);

enum class Liveness { Dead, Alive, Elsewhere };  ///< Elsewhere: started on another host, only its log can tell
Liveness livenessOf(const ProcessIdentity&);
/// Signals the process' group when it is still the one meant. False when it is gone.
bool signalProcess(const ProcessIdentity&, int signal);

}  // namespace cloister
