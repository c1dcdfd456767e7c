#include "plugins/sources/table/table_plugin.h"

#include <chrono>

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

#include "core/domain/files.h"
#include "core/extension/source_plugin.h"
#include "plugins/sources/table/csv_parser.h"
#include "plugins/sources/table/text_input.h"

using namespace cloister;
using namespace cloister::table;

namespace {

constexpr qint64 kMaxFile = qint64(2) << 30;
constexpr qint64 kPiece = 1 << 20;

/// One character of the request, 0 for null, "" and "auto". "tab" and "\t" are the tabulator.
char characterOf(const QJsonValue& value, const char* name) {
  const QString text = value.toString();
  if (text.isEmpty() || text == u"auto") return 0;
  if (text == u"tab" || text == u"\\t") return '\t';
  if (text.size() != 1 || text[0].unicode() > 0x7E || text[0] == '"' || text[0] == '\n' || text[0] == '\r')
    throw SourceError(FailureKind::InvalidArgument, {},
                      {{"name", QString::fromLatin1(name)}, {"value", text}, {"allowed", "one ASCII character"}});
  return text[0].toLatin1();
}

int headerOf(const QJsonValue& value) {
  if (value.isBool()) return value.toBool() ? 1 : 0;
  const QString text = value.toString();
  return text == u"yes" ? 1 : text == u"no" ? 0 : -1;
}

QJsonObject describeDialect(const Dialect& d, const QString& encoding) {
  QJsonArray columns;
  const size_t count = d.rows.empty() ? 0 : d.rows[0].size();
  for (size_t c = 0; c < count; ++c) {
    const QString name = d.header ? QString::fromUtf8(d.rows[0][c]).trimmed() : QString();
    columns.append(
        QJsonObject{{"name", name.isEmpty() ? QStringLiteral("column %1").arg(c + 1) : name}, {"type", d.types.value(qsizetype(c))}});
  }
  return {{"separator", QString(QLatin1Char(d.separator))},
          {"encoding", encoding},
          {"decimal", QString(QLatin1Char(d.decimal))},
          {"header", d.header},
          {"columns", columns}};
}

/// Rows → lines of out.
class RowWriter {
 public:
  RowWriter(QIODevice& out, const Dialect& dialect, qint64 maxRows, const std::function<bool(qint64)>& alive)
      : out_(out), skip_(dialect.header), columns_(dialect.types.size()), maxRows_(maxRows), alive_(alive) {}

  bool operator()(const std::vector<QByteArray>& row) {
    if (skip_) {
      skip_ = false;
      return true;
    }
    QJsonArray cells;
    for (const QByteArray& cell : row) cells.append(QString::fromUtf8(cell));
    ++rows;
    if (qsizetype(row.size()) != columns_) ++ragged;
    const QByteArray line = QJsonDocument(QJsonObject{{"row", rows}, {"cells", cells}}).toJson(QJsonDocument::Compact) + '\n';
    if (out_.write(line) != line.size()) throw SourceError(FailureKind::DiskFull, out_.errorString());
    if (maxRows_ > 0 && rows >= maxRows_) return false;
    if (rows % 4096 == 0 && std::chrono::steady_clock::now() - said_ > std::chrono::milliseconds(250)) {
      said_ = std::chrono::steady_clock::now();
      if (!alive_(rows)) throw SourceError(FailureKind::Stopped, {});
    }
    return true;
  }

  qint64 rows = 0, ragged = 0;

 private:
  QIODevice& out_;
  bool skip_;
  qsizetype columns_;
  qint64 maxRows_;
  const std::function<bool(qint64)>& alive_;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

QJsonObject readTable(const QJsonObject& request, const std::function<bool(qint64)>& alive) {
  QFile in(request["file"].toString());
  if (!QFileInfo(in.fileName()).isFile())
    throw SourceError(QFileInfo::exists(in.fileName()) ? FailureKind::UnsupportedFormat : FailureKind::NotFound, {});
  if (!in.open(QIODevice::ReadOnly)) throw SourceError(FailureKind::PermissionDenied, in.errorString());
  if (in.size() > kMaxFile) throw SourceError(FailureKind::TooLarge, {}, {{"limit", kMaxFile}});
  const QByteArray start = in.read(kPiece);
  if (start.isEmpty()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the file is empty"));

  QString encoding = request["encoding"].toString();
  if (encoding.isEmpty() || encoding == u"auto") encoding = detectEncoding(start);
  ToUtf8 convert(encoding);
  const QByteArray text = convert.convert(start, in.atEnd());
  const Dialect dialect = detectDialect(text, in.atEnd(), characterOf(request["separator"], "separator"),
                                        characterOf(request["decimal"], "decimal"), headerOf(request["header"]));
  QJsonObject description = describeDialect(dialect, encoding);
  QSaveFile out(request["out"].toString());
  if (!out.open(QIODevice::WriteOnly)) throw SourceError(FailureKind::IoError, out.errorString());
  out.write(QJsonDocument(description).toJson(QJsonDocument::Compact) + '\n');

  RowWriter writer(out, dialect, request["maxRows"].toInteger(), alive);
  CsvParser parser(dialect.separator, [&](const std::vector<QByteArray>& row) { return writer(row); });
  bool more = parser.feed(text);
  while (more && !in.atEnd()) {
    const QByteArray piece = in.read(kPiece);
    if (piece.isEmpty()) throw SourceError(FailureKind::IoError, in.errorString());
    more = parser.feed(convert.convert(piece, in.atEnd()));
  }
  parser.end();
  if (!out.commit()) throw SourceError(FailureKind::DiskFull, out.errorString());
  description["rows"] = writer.rows;
  description["ragged"] = writer.ragged;
  return description;
}

}  // namespace

Result<QJsonObject> TablePlugin::read(const QJsonObject& request, const std::function<bool(qint64)>& alive) {
  return guardedSource<QJsonObject>([&]() -> Result<QJsonObject> { return readTable(request, alive); });
}
