#include "core/store/sample_rows.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace cloister {
namespace {

constexpr int kPoolLimit = 4096;

int splitNumber(const QString& name) {
  if (name == u"train") return 0;
  if (name == u"validation") return 1;
  return name == u"test" ? 2 : -1;
}

}  // namespace

QByteArray sampleColumns() {
  return "s.id,s.import_id,s.sha256,s.frame,s.key,s.source,s.file,s.bytes,s.width,s.height,s.channels,s.bits,s.frames,s.modality,"
         "s.site,s.patient,s.study,s.series,s.instance,s.label,s.label_origin,s.problem,s.excluded,s.perceptual_hash,s.thumb_offset,"
         "s.thumb_width,s.thumb_height,s.thumb_channels,s.window_center,s.window_width";
}

QString SampleReader::shared(QByteArrayView utf8) {
  if (utf8.isEmpty()) return {};
  const QByteArray key = QByteArray::fromRawData(utf8.data(), utf8.size());
  if (const auto found = pool_.constFind(key); found != pool_.cend()) return *found;
  const QString text = QString::fromUtf8(utf8);
  if (pool_.size() < kPoolLimit) pool_.insert(utf8.toByteArray(), text);
  return text;
}

Sample SampleReader::read(const Statement& row) {
  Sample s;
  s.id = row.integer(0);
  s.importId = row.integer(1);
  s.sha256 = QString::fromLatin1(row.blob(2).toHex());
  s.frame = int(row.integer(3));
  s.key = row.text(4);
  s.source = shared(row.bytes(5));
  s.file = row.text(6);
  s.bytes = row.integer(7);
  s.width = int(row.integer(8));
  s.height = int(row.integer(9));
  s.channels = int(row.integer(10));
  s.bits = int(row.integer(11));
  s.frames = int(row.integer(12));
  s.modality = shared(row.bytes(13));
  s.site = shared(row.bytes(14));
  s.patient = shared(row.bytes(15));
  s.study = shared(row.bytes(16));
  s.series = shared(row.bytes(17));
  s.instance = row.text(18);
  s.label = shared(row.bytes(19));
  s.labelOrigin = shared(row.bytes(20));
  s.problem = shared(row.bytes(21));
  s.excluded = row.integer(22) != 0;
  s.perceptualHash = quint64(row.integer(23));
  s.thumbOffset = row.integer(24);
  s.thumbWidth = int(row.integer(25));
  s.thumbHeight = int(row.integer(26));
  s.thumbChannels = int(row.integer(27));
  s.windowCenter = row.real(28);
  s.windowWidth = row.real(29);
  return s;
}

FilterSql filterSql(const SampleFilter& filter) {
  FilterSql sql{"1", {}};
  const auto add = [&](const char* condition, const QVariantList& arguments) {
    sql.where += " AND " + QByteArray(condition);
    sql.arguments += arguments;
  };
  if (!filter.text.isEmpty()) {
    QString like = filter.text;
    like.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    like = '%' + like + '%';
    add("(s.key LIKE ? ESCAPE '\\' OR s.patient LIKE ? ESCAPE '\\' OR s.label LIKE ? ESCAPE '\\')", {like, like, like});
  }
  if (filter.label == u"\x01unlabelled") add("s.label = ''", {});
  else if (!filter.label.isEmpty()) add("s.label = ?", {filter.label});
  if (!filter.patient.isEmpty()) add("s.patient = ?", {filter.patient});
  if (!filter.site.isEmpty()) add("s.site = ? AND s.site <> ''", {filter.site});
  if (!filter.modality.isEmpty()) add("s.modality = ? AND s.modality <> ''", {filter.modality});
  if (filter.problem == u"*") add("s.problem <> ''", {});
  else if (!filter.problem.isEmpty()) add("s.problem = ? AND s.problem <> ''", {filter.problem});
  if (!filter.split.isEmpty())
    add("s.id IN (SELECT sample_id FROM snapshot_samples WHERE split = ? AND snapshot_id = (SELECT id FROM snapshots "
        "WHERE substr(digest, 1, length(?)) = ? ORDER BY id DESC LIMIT 1))",
        {splitNumber(filter.split), filter.snapshot, filter.snapshot});
  else if (!filter.snapshot.isEmpty())
    add("s.id IN (SELECT sample_id FROM snapshot_samples WHERE snapshot_id = (SELECT id FROM snapshots "
        "WHERE substr(digest, 1, length(?)) = ? ORDER BY id DESC LIMIT 1))",
        {filter.snapshot, filter.snapshot});
  if (!filter.keys.isEmpty())
    add("s.key IN (SELECT value FROM json_each(?))",
        {QString::fromUtf8(QJsonDocument(QJsonArray::fromStringList(filter.keys)).toJson(QJsonDocument::Compact))});
  if (!filter.includeExcluded) add("s.excluded = 0", {});
  return sql;
}

Result<Statement> queryFiltered(Database& db, const QByteArray& head, const FilterSql& filter, const QByteArray& tail,
                                const QVariantList& more) {
  auto statement = db.prepare(head + " WHERE " + filter.where + tail);
  if (!statement) return statement;
  int index = 0;
  for (const QVariant& value : filter.arguments + more) {
    if (value.typeId() == QMetaType::QString) statement->bind(++index, value.toString());
    else statement->bind(++index, value.toLongLong());
  }
  return statement;
}

}  // namespace cloister
