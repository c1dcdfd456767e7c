// The sections of report.html, each from report.json to HTML text. Used by report_html.cpp only. Any thread.
#pragma once
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/report/report_texts.h"

namespace cloister::report {

struct Context {
  const QJsonObject& json;
  QString folder;
  ReportTexts text;

  QStringList classes() const;
  /// "patient", "group" or "sample": what was resampled.
  QString unit() const;
};

QString headline(const Context&);
QString classTable(const Context&);
QString quality(const Context&);
QString groups(const Context&);
QString attacks(const Context&);
QString latency(const Context&);
QString samples(const Context&, const QString& which);
QString method(const Context&);
/// Header and all sections for a language model (report_language.cpp).
QString languageReport(const Context&);

/// What it was measured on, as the report's language counts processors.
QString machine(const Context&);
/// "1,006 samples from 630 patients".
QString basis(const Context&);
/// "0.941"; "–" for null.
QString figure(const QJsonValue& value);
/// "0.94 (0.91–0.96)", without brackets when there is no interval.
QString withInterval(const QJsonValue& object);
QString section(const QString& title, const QString& note, const QString& body);
/// header and rows are plain text and get escaped; the columns from firstNumber on are right-aligned.
QString table(const QStringList& header, const QList<QStringList>& rows, int firstNumber = 1);

}  // namespace cloister::report
