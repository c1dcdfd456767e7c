// Makes up short reports of chest examinations with questions and answers, for the sample project: sentences of our own put together by
// chance, "Synthetic report" before each. What is asked follows from what stands in the report, so that a small model can learn it and its
// answers can be judged. Decode child only.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/extension/source_plugin.h"

namespace cloister {

/// options: {"records":6000,"seed":1}. Writes dir/synthetic-reports.jsonl ({"instruction","input","output"} a line), whole or not at all.
/// Returns {"records","file"}; Stopped.
Result<QJsonObject> writeReports(const QString& dir, const QJsonObject& options, const ProgressFunction& progress);

}  // namespace cloister
