// Pieces of the evaluation page, each drawn from one part of report.json: headline cards, confusion table, plots, attack examples, tables.
// Values in, widgets out; texts again on a change of language because the page rebuilds them. Main thread.
#pragma once
#include <QJsonObject>
#include <QWidget>

class QCustomPlot;
class QGridLayout;

namespace cloister::report {

/// "0.94 (0.91–0.96)" from {"value","low","high"}; "–" when there is no value.
QString intervalText(const QJsonValue&);
/// Title of a metric word of report.json: auc_macro → "AUC".
QString metricTitle(const QString& name);

QWidget* headlineCards(const QJsonObject& report, QWidget* parent);
QWidget* confusionTable(const QJsonObject& report, QWidget* parent);
QCustomPlot* rocPlot(const QJsonObject& report, QWidget* parent);
QCustomPlot* precisionRecallPlot(const QJsonObject& report, QWidget* parent);
QCustomPlot* calibrationPlot(const QJsonObject& report, QWidget* parent);
/// Success rate over ε of the attacks of one norm ("linf", "l2"): in L∞ ε is a grey level, in L2 the length of the whole change. Null
/// without any.
QCustomPlot* attackPlot(const QJsonObject& report, const QString& norm, QWidget* parent);
/// What speaks against believing the attack figures (AutoAttack's signs of masked gradients), worded from "signs"; empty when nothing does.
QString maskingSigns(const QJsonObject& report);
/// Triplets original, difference × 10, attacked; folder holds images/.
QWidget* attackExamples(const QJsonObject& report, const QString& folder, QWidget* parent);
QWidget* latencyTable(const QJsonArray& rows, QWidget* parent);
QWidget* perClassTable(const QJsonObject& report, QWidget* parent);
QWidget* groupsTable(const QJsonObject& report, QWidget* parent);
/// Worst or best samples with their pictures. which: "worst" or "best".
QWidget* sampleStrip(const QJsonObject& report, const QString& which, const QString& folder, QWidget* parent);

}  // namespace cloister::report
