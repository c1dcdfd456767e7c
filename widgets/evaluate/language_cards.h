// Pieces of the evaluation page for language models, each drawn from one part of report.json (task language-model): figures beside those of
// the base, answers side by side, attacks, speed, memory. Values in, widgets out. Main thread.
#pragma once
#include <QJsonObject>
#include <QWidget>

class QCustomPlot;

namespace cloister::report {

/// Title of a figure of the headline: perplexity → "Perplexity".
QString languageMetricTitle(const QString& name);
/// "p < 0.001", "p = 0.034".
QString significance(double p);

/// Perplexity, loss and scores as cards: the value, its interval, the base model's value and whether the difference is chance.
QWidget* languageHeadline(const QJsonObject& report, QWidget* parent);
/// Question, answer of the data, this model's and the base model's.
QWidget* answersTable(const QJsonObject& report, QWidget* parent);
/// Share of right tokens that a change of at most ε turns, over ε. Null without attacks.
QCustomPlot* embeddingAttackPlot(const QJsonObject& report, QWidget* parent);
/// The same as a table, with what the changed vectors read as.
QWidget* embeddingAttackTable(const QJsonObject& report, QWidget* parent);
QWidget* languageLatencyTable(const QJsonArray& rows, QWidget* parent);
/// A sentence on texts of the training that come back word for word.
QString memorisationText(const QJsonObject& report);
/// A sentence on what was judged.
QString judgedText(const QJsonObject& report);

}  // namespace cloister::report
