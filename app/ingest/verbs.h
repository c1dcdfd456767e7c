// The verbs of cloister-ingest, supervisor side: each returns what the "finished" line holds. Main thread.
#pragma once
#include <QJsonObject>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

Result<QJsonObject> importVerb(const QJsonObject& request);
Result<QJsonObject> prepareVerb(const QJsonObject& request);
/// render and table: one job for one child.
Result<QJsonObject> renderVerb(const QJsonObject& request);
Result<QJsonObject> tableVerb(const QJsonObject& request);
/// Scores of text files (core/text/scores).
Result<QJsonObject> scoreVerb(const QJsonObject& request);
/// Tokenizers and texts: {"action": train | inspect | encode | decode | prepare …} (docs/formats.md).
Result<QJsonObject> tokenizerVerb(const QJsonObject& request);
Result<QJsonObject> synthesizeVerb(const QJsonObject& options);
/// One line a file on stdout: {"type":"probe","file","sample"|"failure"}.
Result<QJsonObject> probeVerb(const QStringList& files);
/// What a decoder that was taken over could do on this machine: {"sandbox":{landlock, seccomp, reason}, "tried":{what: how it ended}}.
Result<QJsonObject> selfTestVerb();

/// Progress lines on stdout, at most four a second.
class ProgressLine {
 public:
  ProgressLine();
  void report(qint64 done, qint64 total, bool now = false);

 private:
  qint64 start_, last_ = 0, first_ = -1;
};

/// One JSON line on stdout.
void printLine(const QJsonObject&);

}  // namespace cloister
