// evaluation/report.html: one file with everything in it (styles, drawings, pictures as data URIs), no script, nothing loaded from
// elsewhere; light and dark by the reader's setting, printable, English or Chinese. Made from report.json alone, so it can be written again
// in another language. Called by the worker's evaluate verb and by whoever hands a report on. Any thread.
#pragma once
#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace cloister {

/// report: as docs/formats.md (evaluation/report.json). folder: where its pictures lie; one that is missing is left out.
/// Class names, keys and sites come from files: everything is escaped, and the page forbids scripts and loading.
QByteArray reportHtml(const QJsonObject& report, const QString& folder, const QString& language);

}  // namespace cloister
