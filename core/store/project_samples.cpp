#include <numeric>

#include <QRegularExpression>

#include "core/store/project_private.h"
#include "core/store/sample_rows.h"

namespace cloister {
namespace {

const QByteArray kInsert =
    "INSERT INTO samples (import_id,sha256,frame,key,source,file,bytes,width,height,channels,bits,frames,modality,site,patient,study,"
    "series,instance,label,label_origin,problem,excluded,perceptual_hash,thumb_offset,thumb_width,thumb_height,thumb_channels,"
    "window_center,window_width) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (sha256, frame) DO NOTHING";

Result<bool> insertSample(Database& db, qint64 importId, const Sample& s) {
  const QByteArray digest = QByteArray::fromHex(s.sha256.toLatin1());
  if (digest.size() != 32)
    return Failure{FailureKind::InvalidArgument, {{"name", "sha256"}, {"value", s.sha256}, {"allowed", "64 hexadecimal digits"}}, s.key};
  auto done = db.run(kInsert, importId, digest, s.frame, s.key, s.source, s.file, s.bytes, s.width, s.height, s.channels, s.bits, s.frames,
                     s.modality, s.site, s.patient, s.study, s.series, s.instance, s.label, s.labelOrigin, s.problem, s.excluded,
                     qint64(s.perceptualHash), s.thumbOffset, s.thumbWidth, s.thumbHeight, s.thumbChannels, s.windowCenter, s.windowWidth);
  if (!done) return done.error();
  if (db.changes() == 0) return false;
  if (!s.header.isEmpty()) {
    const QString header = QString::fromUtf8(jsonText(s.header));
    if (auto stored = db.run("INSERT INTO sample_headers VALUES (?, ?)", db.lastInsertId(), header); !stored) return stored.error();
  }
  return true;
}

Result<void> insertDuplicate(Database& db, qint64 importId, const QString& file, const QString& original) {
  return db.run("INSERT INTO duplicates (import_id, file, original) VALUES (?, ?, ?)", importId, file, original);
}

Result<QString> originalOf(Database& db, const Sample& s) {
  auto row = db.query("SELECT file FROM samples WHERE sha256 = ? AND frame = ?", QByteArray::fromHex(s.sha256.toLatin1()), s.frame);
  if (!row) return row.error();
  const auto found = row->step();
  if (!found) return found.error();
  return *found ? row->text(0) : QString();
}

}  // namespace

Result<SampleCounts> Project::counts() const {
  SampleCounts c;
  auto read = d->db->each("SELECT kind, value, n FROM tallies", [&](Statement& row) {
    const QString kind = row.text(0), value = row.text(1);
    const qint64 n = row.integer(2);
    if (kind == u"total") c.samples = n;
    else if (kind == u"labelled") c.labelled = n;
    else if (kind == u"excluded") c.excluded = n;
    else if (kind == u"patients") c.patients = n;
    else if (kind == u"problem") c.problems = n;
    else if (kind == u"refused") c.refused = n;
    else if (kind == u"duplicate") c.duplicates = n;
    else if (kind == u"label") c.byLabel[value] = n;
    else if (kind == u"site") c.bySite[value] = n;
    else if (kind == u"modality") c.byModality[value] = n;
  });
  if (!read) return read.error();
  return c;
}

Result<qint64> Project::countSamples(const SampleFilter& filter) const {
  const FilterSql sql = filterSql(filter);
  if (sql.where == "1") return d->db->number("SELECT n FROM tallies WHERE kind = 'total' AND value = ''");
  auto statement = queryFiltered(*d->db, "SELECT count(*) FROM samples s", sql, {});
  if (!statement) return statement.error();
  const auto row = statement->step();
  if (!row) return row.error();
  return statement->integer(0);
}

Result<QList<Sample>> Project::samples(const SampleFilter& filter, qint64 afterId, int limit) const {
  auto statement = queryFiltered(*d->db, "SELECT " + sampleColumns() + " FROM samples s", filterSql(filter),
                                 " AND s.id > ? ORDER BY s.id LIMIT ?", {afterId, limit});
  if (!statement) return statement.error();
  QList<Sample> page;
  SampleReader reader;
  for (;;) {
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return page;
    page.append(reader.read(*statement));
  }
}

Result<QList<qint64>> Project::sampleIds(const SampleFilter& filter) const {
  if (filterSql(filter).where == "1") {
    // Samples are never removed, so that all ids are usually 1 … n: no need to read a million rows for that.
    auto count = countSamples(filter);
    if (!count) return count.error();
    auto highest = d->db->number("SELECT max(id) FROM samples");
    if (!highest) return highest.error();
    if (*count == *highest) {
      QList<qint64> ids(*count);
      std::iota(ids.begin(), ids.end(), 1);
      return ids;
    }
  }
  auto statement = queryFiltered(*d->db, "SELECT s.id FROM samples s", filterSql(filter), " ORDER BY s.id");
  if (!statement) return statement.error();
  QList<qint64> ids;
  for (;;) {
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return ids;
    ids.append(statement->integer(0));
  }
}

Result<QList<Sample>> Project::samplesById(const QList<qint64>& ids) const {
  const QByteArray sql =
      "SELECT " + sampleColumns() + ", h.header FROM samples s LEFT JOIN sample_headers h ON h.sample_id = s.id WHERE s.id = ?";
  QList<Sample> found;
  found.reserve(ids.size());
  SampleReader reader;
  for (const qint64 id : ids) {
    auto statement = d->db->query(sql, id);
    if (!statement) return statement.error();
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return Failure{FailureKind::NotFound, {{"path", QStringLiteral("sample %1").arg(id)}}, {}};
    found.append(reader.read(*statement));
    found.last().header = jsonObject(statement->bytes(30));
  }
  return found;
}

Result<Sample> Project::sampleByKey(const QString& key) const {
  auto id = d->db->number("SELECT id FROM samples WHERE key = ? ORDER BY id LIMIT 1", key);
  if (!id) return id.error();
  if (*id == 0) return Failure{FailureKind::NotFound, {{"path", key}}, "no sample with this key"};
  auto found = samplesById({*id});
  if (!found) return found.error();
  return found->first();
}

Result<Sample> Project::sampleByDigest(const QString& digestOrPrefix) const {
  const Failure missing{FailureKind::NotFound, {{"path", digestOrPrefix}}, "no sample with this key or digest"};
  static const QRegularExpression hex("^[0-9a-f]{8,64}$");
  if (!hex.match(digestOrPrefix).hasMatch()) return missing;
  // A range over the unique index: the prefix filled up with 0 and with f.
  const QByteArray low = QByteArray::fromHex(digestOrPrefix.leftJustified(64, '0').toLatin1());
  const QByteArray high = QByteArray::fromHex(digestOrPrefix.leftJustified(64, 'f').toLatin1());
  auto id = d->db->number("SELECT id FROM samples WHERE sha256 BETWEEN ? AND ? ORDER BY sha256, frame LIMIT 1", low, high);
  if (!id) return id.error();
  if (*id == 0) return missing;
  auto found = samplesById({*id});
  if (!found) return found.error();
  return found->first();
}

Result<qint64> Project::addSamples(qint64 importId, const QList<Sample>& samples) {
  qint64 inserted = 0;
  auto done = d->db->transaction([&]() -> Result<void> {
    for (const Sample& sample : samples) {
      auto fresh = insertSample(*d->db, importId, sample);
      if (!fresh) return fresh.error();
      if (*fresh) {
        ++inserted;
        continue;
      }
      auto original = originalOf(*d->db, sample);
      if (!original) return original.error();
      if (auto noted = insertDuplicate(*d->db, importId, sample.file, *original); !noted) return noted;
    }
    return {};
  });
  if (!done) return done.error();
  return inserted;
}

Result<void> Project::addRefusals(qint64 importId, const QList<RefusedFile>& files) {
  return d->db->transaction([&]() -> Result<void> {
    for (const RefusedFile& f : files) {
      auto added =
          d->db->run("INSERT INTO refusals (import_id, file, kind, message) VALUES (?, ?, ?, ?)", importId, f.file, f.kind, f.message);
      if (!added) return added;
    }
    return {};
  });
}

Result<void> Project::addDuplicates(qint64 importId, const QList<QPair<QString, QString>>& fileAndOriginal) {
  return d->db->transaction([&]() -> Result<void> {
    for (const auto& [file, original] : fileAndOriginal)
      if (auto added = insertDuplicate(*d->db, importId, file, original); !added) return added;
    return {};
  });
}

Result<QList<RefusedFile>> Project::refusals(qint64 importId) const {
  QList<RefusedFile> all;
  auto read = d->db->each(
      "SELECT file, kind, message FROM refusals WHERE ?1 < 0 OR import_id = ?1 ORDER BY id",
      [&](Statement& row) {
        all.append({row.text(0), row.text(1), row.text(2)});
      },
      importId);
  if (!read) return read.error();
  return all;
}

Result<QList<QPair<QString, QString>>> Project::duplicates(qint64 importId) const {
  QList<QPair<QString, QString>> all;
  auto read = d->db->each(
      "SELECT file, original FROM duplicates WHERE ?1 < 0 OR import_id = ?1 ORDER BY id",
      [&](Statement& row) {
        all.append({row.text(0), row.text(1)});
      },
      importId);
  if (!read) return read.error();
  return all;
}

}  // namespace cloister
