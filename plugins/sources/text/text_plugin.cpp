#include "plugins/sources/text/text_plugin.h"

#include <QFileInfo>
#include <QJsonArray>

#include "core/text/data/text_records.h"
#include "core/text/mapped_text.h"
#include "plugins/sources/text/synthetic_reports.h"

using namespace cloister;

namespace {

constexpr int kRefusalsKept = 20;

const QStringList& suffixes() {
  static const QStringList list{"txt", "text", "md", "json", "jsonl", "ndjson", "tsv"};
  return list;
}

/// "text": whoever reads the refusal is told why.
Failure unusable(const QString& why) { return {FailureKind::CorruptFile, {{"text", true}}, why}; }

/// "1,2" as columns from 0.
Result<QPair<int, int>> columnsOf(const QString& text) {
  const QStringList parts = text.split(',');
  const int source = parts.value(0).toInt(), target = parts.value(1).toInt();
  if (parts.size() != 2 || source < 1 || target < 1 || source == target || source > 1000 || target > 1000)
    return Failure{FailureKind::InvalidArgument, {{"name", "columns"}, {"value", text}, {"allowed", "N,M"}}, {}};
  return qMakePair(source - 1, target - 1);
}

/// UTF-16 and binary files are told by name instead of as a text of strange signs.
Result<void> checkBytes(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"))
    return Failure{FailureKind::UnsupportedEncoding, {{"encoding", "UTF-16"}}, QStringLiteral("save the text as UTF-8")};
  if (const std::size_t at = bytes.find('\0'); at != std::string_view::npos)
    return unusable(QStringLiteral("a zero byte at position %1: not a text").arg(at));
  return {};
}

}  // namespace

bool TextPlugin::recognises(const QString& path, const QByteArray&) const {
  return suffixes().contains(QFileInfo(path).suffix().toLower());
}

Result<QList<Sample>> TextPlugin::describe(const QString& path, const QJsonObject& options) {
  return guardedSource<QList<Sample>>([&]() -> Result<QList<Sample>> {
    const QString name = options["name"].toString(QFileInfo(path).fileName());
    if (QFileInfo(path).size() == 0) return unusable(QStringLiteral("the file is empty"));
    const auto file = MappedText::open(path);
    if (!file) return file.error();
    const std::string_view bytes = (*file)->view();
    if (auto text = checkBytes(bytes); !text) return text.error();
    const QString asked = options["kind"].toString(QStringLiteral("auto"));
    auto kind = asked == u"auto" ? guessTextKind(name, bytes) : textKindNamed(asked);
    if (!kind) return kind.error().kind == FailureKind::CorruptFile ? unusable(kind.error().detail) : kind.error();
    auto columns = columnsOf(options["columns"].toString(QStringLiteral("1,2")));
    if (!columns) return columns.error();
    const QString prompt = options["prompt"].toString();
    if (!prompt.isEmpty() && !prompt.contains(u"{source}"))
      return Failure{FailureKind::InvalidArgument, {{"name", "prompt"}, {"value", prompt}, {"allowed", "… {source} …"}}, {}};
    const RecordOptions how{*kind, options["each"].toString(QStringLiteral("file")), prompt, columns->first, columns->second};
    qint64 records = 0, refusedCount = 0;
    QJsonArray refused;
    RecordSinks sinks;
    sinks.sample = [&](TextSample) { ++records; };
    sinks.refused = [&](const QString&, qint64 line, const QString& why) {
      if (++refusedCount <= kRefusalsKept) refused.append(QJsonObject{{"line", line}, {"why", why}});
    };
    if (auto read = readRecords(name, bytes, how, sinks); !read)
      return read.error().kind == FailureKind::CorruptFile ? unusable(read.error().detail) : read.error();
    if (records == 0)
      return unusable(refused.isEmpty() ? QStringLiteral("it holds nothing but blanks")
                                        : QStringLiteral("no record can be used; line %1: %2")
                                              .arg(refused.first()["line"].toInteger())
                                              .arg(refused.first()["why"].toString()));
    Sample s;
    s.source = QStringLiteral("text");
    s.modality = textKindName(*kind);
    s.frames = int(std::min<qint64>(records, std::numeric_limits<int>::max()));
    if (refusedCount > 0) s.problem = QStringLiteral("records_refused");
    s.header = how.toJson();
    s.header["records"] = records;
    s.header["refusedCount"] = refusedCount;
    s.header["refused"] = refused;
    return QList<Sample>{s};
  });
}

Result<DecodedFrame> TextPlugin::decode(const QString&, int) { return Failure{FailureKind::NoPixelData, {}, {}}; }

Result<StoredFrame> TextPlugin::stored(const QString&, int) { return Failure{FailureKind::NoPixelData, {}, {}}; }

QJsonObject TextPlugin::header(const QString&, int) { return {}; }

Result<QJsonObject> TextPlugin::synthesize(const QString& dir, const QJsonObject& options, const ProgressFunction& progress) {
  return guardedSource<QJsonObject>([&] { return writeReports(dir, options, progress); });
}
