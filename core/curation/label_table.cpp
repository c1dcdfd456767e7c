// Labels, patients and sites from a table onto samples. The table is read by a child; only its cells come here.
#include <algorithm>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSet>
#include <QUuid>

#include "core/curation/import_job.h"
#include "core/curation/ingest_process.h"
#include "core/domain/files.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

constexpr int kListed = 100;
constexpr qint64 kLongestLine = 16 << 20;

QString normalised(QString path) {
  path = path.trimmed().replace('\\', '/');
  while (path.startsWith(u"./")) path = path.mid(2);
  return path;
}

QString withoutFrame(const QString& key) {
  static const QRegularExpression frame("#[0-9]+$");
  QString base = key;
  return base.remove(frame);
}

QString stemOf(const QString& name) {
  const qsizetype dot = name.lastIndexOf('.');
  return dot > 0 ? name.left(dot) : name;
}

/// Finds the samples a cell means. All frames of one file are one answer; two different files are none.
class SampleIndex {
 public:
  explicit SampleIndex(const QList<Sample>& samples, const QList<QPair<QString, QString>>& duplicates) : samples_(samples) {
    QHash<QString, QList<int>> byFile;
    for (int i = 0; i < samples.size(); ++i) {
      const Sample& s = samples[i];
      const QString base = withoutFrame(s.key);
      byKey_[s.key].append(i);
      if (base != s.key) byKey_[base].append(i);
      addPath(s.file.isEmpty() ? base : s.file, i);
      if (!s.instance.isEmpty()) byOther_[s.instance].append(i);
      byOther_[s.sha256].append(i);
      byFile[s.file].append(i);
      byFile[base].append(i);
    }
    // A duplicate's name means the sample that has its bytes.
    for (const auto& [file, original] : duplicates)
      for (const int i : byFile.value(original)) addPath(file, i);
  }

  /// Empty: missing or, when ambiguous is set, more than one file.
  QList<int> find(const QString& cell, bool& ambiguous) const {
    ambiguous = false;
    const QString value = normalised(cell);
    if (value.isEmpty()) return {};
    const QString name = value.section('/', -1);
    QList<int> exact = one(byKey_.value(value), ambiguous);
    if (!exact.isEmpty()) return exact;
    QList<int> found;
    const bool hasFolder = value.contains('/');
    for (const auto& [path, i] : byName_.value(name))
      if (!hasFolder || path == value || path.endsWith('/' + value)) found.append(i);
    if (found.isEmpty() && hasFolder)  // the table may have a longer path than we: /old/place/A/1.png for A/1.png
      for (const auto& [path, i] : byName_.value(name))
        if (value.endsWith('/' + withoutFrame(samples_[i].key))) found.append(i);
    if (found.isEmpty()) found = byOther_.value(value);
    if (found.isEmpty() && !hasFolder)
      for (const auto& [path, i] : byStem_.value(name)) found.append(i);
    return one(found, ambiguous);
  }

 private:
  void addPath(const QString& path, int i) {
    const QString p = normalised(path), name = p.section('/', -1);
    byName_[name].append({p, i});
    byStem_[stemOf(name)].append({p, i});
  }
  QList<int> one(const QList<int>& found, bool& ambiguous) const {
    for (const int i : found)
      if (samples_[i].sha256 != samples_[found.first()].sha256) {
        ambiguous = true;
        return {};
      }
    return found;
  }

  const QList<Sample>& samples_;
  QHash<QString, QList<int>> byKey_, byOther_;
  QHash<QString, QList<QPair<QString, int>>> byName_, byStem_;
};

struct Columns {
  int key = -1, label = -1, group = -1, site = -1;
};

Result<int> findColumn(const QStringList& names, const QString& asked, const QStringList& usual, const char* option, bool needed) {
  for (const QString& name : asked.isEmpty() ? usual : QStringList(asked))
    for (const Qt::CaseSensitivity sensitivity : {Qt::CaseSensitive, Qt::CaseInsensitive})
      for (int i = 0; i < names.size(); ++i)
        if (names[i].compare(name, sensitivity) == 0) return i;
  if (asked.isEmpty() && !needed) return -1;
  return Failure{FailureKind::InvalidArgument, {{"name", QLatin1String(option)}, {"value", asked}, {"allowed", names.join(", ")}}, {}};
}

Result<Columns> findColumns(const QStringList& names, const QString& key, const QString& label, const QString& group, const QString& site,
                            QMap<QString, QString>& used) {
  Columns columns;
  struct Row {
    const char* word;
    const QString& asked;
    QStringList usual;
    bool needed;
    int& place;
  };
  for (const Row& row : {Row{"key", key, {"file", "filename", "path", "key", "image", "image_path", "SOPInstanceUID"}, true, columns.key},
                         Row{"label", label, {"label", "class", "target", "diagnosis"}, true, columns.label},
                         Row{"group", group, {"patient_id", "patient", "PatientID", "group"}, false, columns.group},
                         Row{"site", site, {"site", "hospital", "InstitutionName"}, false, columns.site}}) {
    auto found = findColumn(names, row.asked, row.usual, row.word, row.needed);
    if (!found) return found.error();
    row.place = *found;
    if (*found >= 0) used[QLatin1String(row.word)] = names[*found];
  }
  return columns;
}

struct Wanted {
  QString label, patient, site;
  QJsonArray rows;
  QStringList labels;  // more than one: conflict
};

/// Reads the child's output row by row; perRow gets the row's number and cells.
Result<void> readRows(QFile& file, const std::function<void(qint64, const QJsonArray&)>& perRow) {
  while (!file.atEnd()) {
    const QByteArray line = file.readLine(kLongestLine);
    const QJsonObject o = QJsonDocument::fromJson(line).object();
    if (!o.contains("cells")) return Failure{FailureKind::CorruptFile, {{"path", file.fileName()}}, "a line without cells"};
    perRow(o["row"].toInteger(), o["cells"].toArray());
  }
  return {};
}

QList<Project::SampleChange> changesFor(const QList<Sample>& samples, const QMap<int, Wanted>& wanted, LabelTableResult& result) {
  QList<Project::SampleChange> changes;
  for (auto it = wanted.begin(); it != wanted.end(); ++it) {
    const Sample& s = samples[it.key()];
    if (it->labels.size() > 1) {
      result.conflicts.append(QJsonObject{{"key", s.key}, {"labels", QJsonArray::fromStringList(it->labels)}, {"rows", it->rows}});
      continue;
    }
    Project::SampleChange change;
    change.id = s.id;
    change.labelOrigin = QStringLiteral("csv");
    if (!it->label.isEmpty()) change.label = it->label;
    if (!it->patient.isEmpty()) change.patient = it->patient;
    if (!it->site.isEmpty()) change.site = it->site;
    const bool differs = (change.label && *change.label != s.label) || (change.patient && *change.patient != s.patient) ||
                         (change.site && *change.site != s.site);
    result.changed += differs;
    changes.append(change);
  }
  return changes;
}

Result<void> audit(const Project& project, const QString& csv, const LabelTableResult& result) {
  auto digest = sha256OfFile(csv);
  if (!digest) return digest.error();
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  auto entry =
      (*log)->append("label", {{"table", *digest}, {"rows", result.rows}, {"matched", result.matched}, {"changed", result.changed}});
  if (!entry) return entry.error();
  return {};
}

Result<LabelTableResult> applyRows(Project& project, const QString& csv, QFile& table, const Columns& columns, LabelTableResult result) {
  auto samples = project.samples({}, 0, std::numeric_limits<int>::max());
  if (!samples) return samples.error();
  auto duplicates = project.duplicates();
  if (!duplicates) return duplicates.error();
  const SampleIndex index(*samples, *duplicates);
  QMap<int, Wanted> wanted;
  auto read = readRows(table, [&](qint64 row, const QJsonArray& cells) {
    const auto cell = [&](int column) { return column < 0 ? QString() : cells.at(column).toString().trimmed(); };
    ++result.rows;
    bool ambiguous = false;
    const QList<int> found = index.find(cell(columns.key), ambiguous);
    if (found.isEmpty()) {
      ++result.unmatchedRows;
      if (result.unmatched.size() < kListed)
        result.unmatched.append(QJsonObject{{"row", row}, {"key", cell(columns.key)}, {"reason", ambiguous ? "ambiguous" : "missing"}});
      return;
    }
    ++result.matched;
    for (const int i : found) {
      Wanted& w = wanted[i];
      w.rows.append(row);
      const QString label = cell(columns.label);
      if (!label.isEmpty() && !w.labels.contains(label)) w.labels.append(label);
      if (!label.isEmpty()) w.label = label;
      if (const QString patient = cell(columns.group); !patient.isEmpty()) w.patient = patient;
      if (const QString site = cell(columns.site); !site.isEmpty()) w.site = site;
    }
  });
  if (!read) return read.error();
  const QList<Project::SampleChange> changes = changesFor(*samples, wanted, result);
  if (auto audited = audit(project, csv, result); !audited) return audited.error();
  auto applied = project.inTransaction([&]() -> Result<void> {
    auto changed = project.changeSamples(changes, "labels from " + QFileInfo(csv).fileName());
    if (!changed) return changed;
    return project.setSetting("labels.conflicts", result.conflicts);
  });
  if (!applied) return applied.error();
  auto counts = project.counts();
  if (!counts) return counts.error();
  result.unlabelledSamples = counts->samples - counts->labelled;
  return result;
}

/// The request and the rows of one reading, removed afterwards.
struct TableFiles {
  QString request, out;
  explicit TableFiles(const Project& project) {
    const QString base = project.dir() + "/imports/.table-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
    request = base + ".request.json";
    out = base + ".jsonl";
  }
  TableFiles(const TableFiles&) = delete;
  TableFiles& operator=(const TableFiles&) = delete;
  ~TableFiles() {
    QFile::remove(request);
    QFile::remove(out);
  }
};

/// Has the child read the table; returns the names of its columns. format: what a person chose, the rest is detected. maxRows 0: all rows.
Result<QStringList> readHead(const TableFiles& files, const QString& csv, const QJsonObject& format, int maxRows) {
  if (!QFileInfo::exists(csv)) return Failure{FailureKind::NotFound, {{"path", csv}}, {}};
  const auto chosen = [&format](const char* key) {
    return format.value(QLatin1String(key)).isUndefined() ? QJsonValue() : format[QLatin1String(key)];
  };
  const QJsonObject request{{"format", 1},
                            {"file", QFileInfo(csv).absoluteFilePath()},
                            {"separator", chosen("separator")},
                            {"encoding", chosen("encoding")},
                            {"decimal", chosen("decimal")},
                            {"header", chosen("header")},
                            {"maxRows", maxRows},
                            {"out", files.out}};
  auto ran = runIngest("table", request, files.request, {});
  if (!ran) return ran.error();
  QFile table(files.out);
  if (!table.open(QIODevice::ReadOnly)) return Failure{FailureKind::IoError, {{"path", table.fileName()}}, table.errorString()};
  const QJsonObject head = QJsonDocument::fromJson(table.readLine(kLongestLine)).object();
  QStringList names;
  for (const QJsonValue& column : head["columns"].toArray()) names.append(column["name"].toString().trimmed());
  return names;
}

}  // namespace

QJsonObject LabelTableResult::toJson() const {
  QJsonObject used;
  for (auto it = columns.begin(); it != columns.end(); ++it) used[it.key()] = it.value();
  return {{"rows", rows},       {"matched", matched},     {"unmatchedRows", unmatchedRows}, {"unlabelledSamples", unlabelledSamples},
          {"changed", changed}, {"conflicts", conflicts}, {"unmatched", unmatched},         {"columns", used}};
}

Result<LabelTableResult> applyLabelTable(Project& project, const QString& csv, const QString& key, const QString& label,
                                         const QString& group, const QString& site, const QJsonObject& format) {
  const TableFiles files(project);
  auto names = readHead(files, csv, format, 0);
  if (!names) return names.error();
  LabelTableResult result;
  auto columns = findColumns(*names, key, label, group, site, result.columns);
  if (!columns) return columns.error();
  QFile table(files.out);
  if (!table.open(QIODevice::ReadOnly)) return Failure{FailureKind::IoError, {{"path", table.fileName()}}, table.errorString()};
  table.readLine(kLongestLine);
  return applyRows(project, csv, table, *columns, std::move(result));
}

Result<void> checkLabelTable(const Project& project, const QString& csv, const QString& key, const QString& label, const QString& group,
                             const QString& site, const QJsonObject& format) {
  const TableFiles files(project);
  auto names = readHead(files, csv, format, 1);
  if (!names) return names.error();
  QMap<QString, QString> used;
  auto columns = findColumns(*names, key, label, group, site, used);
  if (!columns) return columns.error();
  return {};
}

}  // namespace cloister
