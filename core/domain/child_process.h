// Programs of ours that work beside this one and answer on standard output, one JSON object a line: what starting them, reading them and
// judging their end have in common. Called by whoever starts cloister-ingest or cloister-worker. Any thread; runChild waits (never on the
// GUI thread).
#pragma once
#include <functional>

#include <QJsonObject>
#include <QList>
#include <QProcess>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

/// The child dies with this process (a resumed job never meets its former self) and does not get the terminal's Ctrl-C: stopping is this
/// process's business. It reads nothing from standard input.
void setUpChild(QProcess&, const QString& program, const QStringList& arguments);

/// The JSON lines a child prints: whole lines only, a bounded memory of what is not one.
class JsonLines {
 public:
  QList<QJsonObject> add(const QByteArray& bytes);

 private:
  QByteArray rest_;
};

/// How a child that has ended did: NotFound when it never ran, Crashed with the signal, the failure it said last, WorkerFailed with the
/// code.
Result<void> childOutcome(const QProcess&, const QString& name, const QJsonObject& last, const QByteArray& errorText);

struct ChildTalk {
  std::function<bool(const QJsonObject& line)> line;  ///< gets every object as it comes; false stops
  std::function<bool()> stop;                         ///< asked ten times a second; true stops
  int graceMilliseconds = 0;                          ///< 0: killed at once; else asked to end first, and killed after so long
};
/// Runs a child that was set up, to its end. Returns its last object; Stopped when it was stopped.
Result<QJsonObject> runChild(QProcess&, const QString& name, const ChildTalk&);

}  // namespace cloister
