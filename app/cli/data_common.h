// What the verbs of data and project share: options for splits and preprocessing, and the JSON of samples and snapshots. Main thread.
#pragma once
#include <QCommandLineOption>
#include <QJsonObject>

#include "app/cli/context.h"
#include "core/curation/text_dataset.h"
#include "core/store/project.h"

namespace cloister::cli {

/// For verbs that only look. A project of an older format is brought up to date first.
Result<std::unique_ptr<Project>> openForReading(const Context&);

/// --split 70/15/15 --group patient --seed N --no-stratify --override-reason TEXT
QList<QCommandLineOption> splitOptions();
Result<SplitRequest> splitRequest(const Context&);
Result<TextSplit> textSplit(const Context&);
/// --size N --channels 1|3 --window W --fit F
QList<QCommandLineOption> preprocessingOptions();
Result<Preprocessing> preprocessing(const Context&);

QJsonObject sampleJson(const Sample&);  ///< without header and thumbnail
QJsonObject countsJson(const QMap<QString, qint64>&);
QJsonObject snapshotJson(const Snapshot&);
QJsonArray findingsJson(const QList<Finding>&);
/// One line a finding, for people.
void printFindings(Context&, const QList<Finding>&);
/// "NORMAL 486, PNEUMONIA 520"
QString countsText(const QMap<QString, qint64>&);

}  // namespace cloister::cli
