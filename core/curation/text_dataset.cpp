#include "core/curation/text_dataset.h"

#include <cerrno>
#include <cstdio>
#include <tuple>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QSet>
#include <QTemporaryDir>
#include <QUuid>

#include "core/curation/ingest_process.h"
#include "core/curation/snapshot_files.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/store/project.h"
#include "core/text/data/row_version.h"

namespace cloister {
namespace {

constexpr int kKeyLimit = 1000;

/// How a text's records are read: what a snapshot keeps of a sample's header.
QJsonObject readingOf(const Sample& s) {
  QJsonObject how;
  for (const char* name : {"kind", "each", "prompt", "sourceColumn", "targetColumn"})
    how[QLatin1String(name)] = s.header[QLatin1String(name)];
  return how;
}

/// As the jobs of cloister-ingest take them.
QJsonArray inputsOf(const Project& project, const QList<Sample>& texts) {
  QJsonArray inputs;
  for (const Sample& s : texts) {
    QJsonObject input = readingOf(s);
    input["path"] = project.objectPath(s.sha256);
    input["name"] = s.key;
    inputs.append(input);
  }
  return inputs;
}

Result<QJsonObject> callTokenizer(const QJsonObject& request, const TextProgress& progress) {
  const QTemporaryDir scratch;
  if (!scratch.isValid()) return Failure{FailureKind::IoError, {{"path", scratch.path()}}, scratch.errorString()};
  return runIngest(QStringLiteral("tokenizer"), request, scratch.filePath(QStringLiteral("request.json")), progress);
}

/// With their headers, by digest: the order of a snapshot.
Result<QList<Sample>> includedTexts(const Project& project, const QString& kind) {
  SampleFilter included;
  included.includeExcluded = false;
  auto ids = project.sampleIds(included);
  if (!ids) return ids.error();
  if (ids->isEmpty()) return Failure{FailureKind::NothingToDo, {{"what", "text"}, {"next", "Import texts first."}}, {}};
  auto texts = project.samplesById(*ids);
  if (!texts) return texts.error();
  if (!kind.isEmpty()) texts->removeIf([&](const Sample& s) { return s.modality != kind; });
  if (texts->isEmpty())
    return Failure{
        FailureKind::NothingToDo, {{"what", "text"}, {"next", QStringLiteral("No included text is of the kind \"%1\".").arg(kind)}}, {}};
  std::sort(texts->begin(), texts->end(), [](const Sample& a, const Sample& b) { return a.sha256 < b.sha256; });
  return texts;
}

/// Kinds that are trained in different ways do not go into one snapshot.
void checkKinds(const QList<Sample>& texts, QList<Finding>& findings) {
  QMap<QString, qint64> files;
  for (const Sample& s : texts) ++files[s.modality];
  if (files.size() < 2) return;
  QJsonObject counts;
  QStringList words;
  for (auto it = files.begin(); it != files.end(); ++it) {
    counts[it.key()] = it.value();
    words << QStringLiteral("%1 %2").arg(it.key()).arg(it.value());
  }
  findings.append({"semantic",
                   "mixed_kinds",
                   "blocking",
                   QStringLiteral("The texts are of different kinds (%1), which are trained in different ways: choose one with --kind, or "
                                  "exclude those that do not belong here")
                       .arg(words.join(", ")),
                   {{"counts", counts}},
                   {}});
}

void checkRecords(const QList<Sample>& texts, QList<Finding>& findings) {
  qint64 refused = 0;
  QStringList keys;
  for (const Sample& s : texts) {
    if (s.header["refusedCount"].toInteger() == 0) continue;
    refused += s.header["refusedCount"].toInteger();
    if (keys.size() < kKeyLimit) keys << s.key;
  }
  if (refused > 0)
    findings.append({"format",
                     "records_refused",
                     "info",
                     QStringLiteral("%1 records could not be used and are left out.").arg(refused),
                     {{"count", refused}},
                     keys});
}

void checkDivision(const QJsonObject& division, const TextSplit& split, QList<Finding>& findings) {
  const QJsonObject parts = division["parts"].toObject();
  const auto records = [&](const char* part) { return parts[QLatin1String(part)]["records"].toInteger(); };
  if (const qint64 repeated = division["repeated"].toInteger(); repeated > 0)
    findings.append({"distribution",
                     "repeated_texts",
                     "info",
                     QStringLiteral("%1 texts are there more than once. Equal texts are always in the same part.").arg(repeated),
                     {{"count", repeated}},
                     {}});
  for (const auto& [part, share] : {std::pair{"validation", split.validation}, std::pair{"test", split.test}})
    if (share > 0 && records(part) == 0)
      findings.append({"distribution",
                       "empty_part",
                       "warning",
                       QStringLiteral("No text falls into the part \"%1\": there are too few.").arg(QLatin1String(part)),
                       {{"part", QLatin1String(part)}},
                       {}});
}

/// Texts of validation or test that stand in another part as well, up to case and marks or nearly.
void checkAcross(const QJsonObject& across, QList<Finding>& findings) {
  for (const auto& [name, kind, words] :
       {std::tuple{"equal", "same_text_across_parts", "the same but for case, spaces and marks"},
        std::tuple{"near", "near_text_across_parts", "almost the same (four fifths of their shingles)"}}) {
    const qint64 count = across[QLatin1String(name)].toInteger();
    if (count == 0) continue;
    QStringList places;
    QJsonArray pairs;
    for (const QJsonValue& p : across["pairs"].toArray()) {
      if ((p["similarity"].toDouble() == 1) != (name == QLatin1String("equal"))) continue;
      pairs.append(p);
      places << QStringLiteral("%1:%2").arg(p["file"].toString()).arg(p["line"].toInteger());
    }
    findings.append(
        {"distribution",
         kind,
         "warning",
         QStringLiteral("%1 texts of validation and test stand in another part as well, %2: the result would look better than it is.")
             .arg(count)
             .arg(QLatin1String(words)),
         {{"count", count}, {"complete", across["complete"]}, {"pairs", pairs}},
         places});
  }
}

/// Which texts, read how, divided how.
QString checkedDigest(const QList<Sample>& texts, const TextSplit& split) {
  QByteArray all = canonicalJson(split.toJson());
  for (const Sample& s : texts) all += '\n' + s.sha256.toUtf8() + ' ' + canonicalJson(readingOf(s));
  return sha256Hex(all);
}

Result<TextCheck> checkThese(const Project& project, const QList<Sample>& texts, const TextSplit& split, const TextProgress& progress) {
  TextCheck check;
  check.kind = texts.first().modality;
  check.digest = checkedDigest(texts, split);
  check.files = texts.size();
  auto files = checkFiles(project);
  if (!files) return files.error();
  check.findings = *files;
  checkKinds(texts, check.findings);
  checkRecords(texts, check.findings);
  auto division = callTokenizer({{"action", "divide"},
                                 {"kind", check.kind},
                                 {"inputs", inputsOf(project, texts)},
                                 {"seed", split.seed},
                                 {"validation", split.validation},
                                 {"test", split.test}},
                                progress);
  if (!division) return division.error();
  check.division = {{"parts", (*division)["parts"]}, {"repeated", (*division)["repeated"]}};
  checkDivision(check.division, split, check.findings);
  checkAcross((*division)["across"].toObject(), check.findings);
  for (const QJsonValue& part : check.division["parts"].toObject()) check.records += part["records"].toInteger();
  return check;
}

Result<QString> writeTexts(const QList<Sample>& texts, const TextSplit& split, const QString& path) {
  SnapshotWriter writer;
  if (auto opened = writer.open(path); !opened) return opened.error();
  for (const Sample& s : texts)
    if (auto written = writer.write(textLine(s, readingOf(s))); !written) return written.error();
  if (auto closed = writer.close(); !closed) return closed.error();
  return writer.digest().finish(split.toJson(), {});
}

QJsonObject jsonOf(const Project& project, const TextCheck& check, const TextSplit& split, const QString& digest) {
  QJsonArray findings;
  for (const Finding& f : check.findings) findings.append(f.toJson());
  QJsonObject counts;
  const QJsonObject parts = check.division["parts"].toObject();
  for (auto it = parts.begin(); it != parts.end(); ++it) counts[it.key()] = it.value().toObject()["records"];
  return {{"format", 1},
          {"digest", digest},
          {"createdAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
          {"project", project.info().id},
          {"task", Task::of(Task::Kind::LanguageModel).id},
          {"kind", check.kind},
          {"classes", QJsonArray()},
          {"samples", check.records},
          {"groups", check.files},
          {"splitCounts", counts},
          {"bytes", QJsonObject{{"train", parts["train"].toObject()["bytes"]},
                                {"validation", parts["validation"].toObject()["bytes"]},
                                {"test", parts["test"].toObject()["bytes"]}}},
          {"split", split.toJson()},
          {"preprocessing", QJsonObject()},
          {"overrideReason", QString()},
          {"findings", findings}};
}

Result<Snapshot> freezeThese(Project& project, const QList<Sample>& texts, const TextSplit& split, const TextCheck& check) {
  for (const Finding& f : check.findings)
    if (f.severity == u"blocking") return Failure{FailureKind::PolicyRefused, {{"rule", f.message}, {"finding", f.kind}}, {}};
  const QString staged = project.dir() + "/snapshots/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (!QDir().mkpath(staged)) return Failure{FailureKind::IoError, {{"path", staged}}, "the folder could not be made"};
  auto digest = writeTexts(texts, split, staged + "/samples.jsonl");
  auto snapshot = digest ? settleSnapshot(project, staged, jsonOf(project, check, split, *digest),
                                          [&] {
                                            QList<SnapshotMember> members;
                                            const QJsonObject parts = check.division["parts"].toObject();
                                            QMap<QString, qint64> counts;
                                            for (auto it = parts.begin(); it != parts.end(); ++it)
                                              counts[it.key()] = it.value().toObject()["records"].toInteger();
                                            for (const Sample& s : texts) members += textMembers(s.id, counts);
                                            return members;
                                          }())
                         : Result<Snapshot>(digest.error());
  QDir(staged).removeRecursively();
  return snapshot;
}

/// The files a tokenizer is made of, unparsed.
Result<QString> tokenizerDigest(const QString& dir) {
  QJsonObject digests;
  const QStringList names = QDir(dir).entryList(
      {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"},
      QDir::Files, QDir::Name);
  for (const QString& name : names) {
    auto sha = sha256OfFile(dir + '/' + name);
    if (!sha) return sha.error();
    digests[name] = *sha;
  }
  if (!digests.contains("tokenizer.json") && !digests.contains("tokenizer.model"))
    return Failure{
        FailureKind::NotFound, {{"path", dir + "/tokenizer.json"}}, QStringLiteral("neither tokenizer.json nor tokenizer.model")};
  return sha256Hex(canonicalJson(digests));
}

Result<PreparedData> openPrepared(const QString& dir) {
  auto index = readJson(dir + "/index.json", 256 << 20);
  if (!index) return index.error();
  PreparedData data{dir, (*index)["fingerprint"].toString(), *index};
  if (auto whole = checkPreparedTexts(dir, data.digest); !whole) return whole.error();
  return data;
}

Result<QList<Sample>> textsOf(const Snapshot& snapshot) {
  auto content = readSnapshotFolder(snapshot.dir);
  if (!content) return content.error();
  QList<Sample> texts;
  for (const auto& [sample, split] : content->samples) texts << sample;
  return texts;
}

}  // namespace

QJsonObject TextSplit::toJson() const {
  return {{"train", train}, {"validation", validation}, {"test", test}, {"groupBy", "text"}, {"seed", seed}};
}

Result<TextCheck> checkTexts(const Project& project, const TextSplit& split, const TextProgress& progress) {
  auto texts = includedTexts(project, split.kind);
  if (!texts) return texts.error();
  return checkThese(project, *texts, split, progress);
}

Result<Snapshot> freezeTexts(Project& project, const TextSplit& split, const TextProgress& progress) {
  auto texts = includedTexts(project, split.kind);
  if (!texts) return texts.error();
  auto check = checkThese(project, *texts, split, progress);
  if (!check) return check.error();
  return freezeThese(project, *texts, split, *check);
}

Result<Snapshot> freezeChecked(Project& project, const TextSplit& split, const TextCheck& check) {
  auto texts = includedTexts(project, split.kind);
  if (!texts) return texts.error();
  if (const QString now = checkedDigest(*texts, split); now != check.digest)
    return Failure{FailureKind::IdentityChanged, {{"what", "texts"}, {"expected", check.digest}, {"found", now}}, {}};
  return freezeThese(project, *texts, split, check);
}

Result<PreparedData> prepareTexts(const Project& project, const Snapshot& snapshot, const TextPreparation& how,
                                  const TextProgress& progress) {
  auto tokenizer = tokenizerDigest(how.tokenizer);
  if (!tokenizer) return tokenizer.error();
  const QString folder = snapshot.dir + "/prepared";
  const QJsonObject identity{{"tokenizer", *tokenizer}, {"length", how.length}, {"template", how.chat}, {"rowVersion", kTextRowVersion}};
  const QString dir = folder + '/' + sha256Hex(canonicalJson(identity)).left(12);
  if (auto there = openPrepared(dir)) return there;
  QDir(dir).removeRecursively();
  if (!QDir().mkpath(folder)) return Failure{FailureKind::IoError, {{"path", folder}}, "the folder could not be made"};
  auto texts = textsOf(snapshot);
  if (!texts) return texts.error();
  const QJsonObject split = snapshot.json["split"].toObject();
  auto made = callTokenizer({{"action", "prepare"},
                             {"kind", snapshot.json["kind"]},
                             {"inputs", inputsOf(project, *texts)},
                             {"tokenizer", how.tokenizer},
                             {"to", dir},
                             {"length", how.length},
                             {"template", how.chat},
                             {"seed", split["seed"]},
                             {"validation", split["validation"]},
                             {"test", split["test"]}},
                            progress);
  if (!made) return made.error();
  return openPrepared(dir);
}

Result<void> checkPreparedTexts(const QString& dir, const QString& fingerprint) {
  auto index = readJson(dir + "/index.json", 256 << 20);
  if (!index) return index.error();
  if (const QString found = (*index)["fingerprint"].toString(); found != fingerprint || found.isEmpty())
    return Failure{FailureKind::IdentityChanged, {{"what", "prepared data"}, {"expected", fingerprint}, {"found", found}}, dir};
  for (const QJsonValue& part : (*index)["parts"].toObject())
    for (const QJsonValue& shard : part["shards"].toArray())
      if (!QFileInfo::exists(dir + '/' + shard["file"].toString()))
        return Failure{FailureKind::CorruptFile, {{"path", dir}}, "a shard is missing: " + shard["file"].toString()};
  return {};
}

Result<QJsonObject> trainTokenizer(const Project& project, const TokenizerTraining& how, const TextProgress& progress) {
  auto snapshot = openSnapshot(project, how.snapshot);
  if (!snapshot) return snapshot.error();
  auto texts = textsOf(*snapshot);
  if (!texts) return texts.error();
  const QJsonObject split = snapshot->json["split"].toObject();
  // Beside its place, so that a folder without its about.json is never seen.
  const QFileInfo place(how.to);
  if (place.exists()) return Failure{FailureKind::AlreadyExists, {{"path", how.to}}, {}};
  const QString staged = place.absolutePath() + "/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  auto made = callTokenizer({{"action", "train"},
                             {"kind", how.kind},
                             {"inputs", inputsOf(project, *texts)},
                             {"vocabularySize", how.vocabularySize},
                             {"atMost", how.atMost},
                             {"seed", split["seed"]},
                             {"validation", split["validation"]},
                             {"test", split["test"]},
                             {"to", staged}},
                            progress);
  if (!made) return made;
  made->remove("type");
  (*made)["dir"] = how.to;
  const auto settled = [&]() -> Result<void> {
    if (auto written = writeJsonAtomically(staged + "/about.json", {{"format", 1}, {"from", "made here"}, {"tokenizer", *made}}); !written)
      return written;
    if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(how.to).constData()) != 0) return failureFromErrno(errno, how.to);
    return syncFolder(place.absolutePath());
  }();
  if (settled) return made;
  QDir(staged).removeRecursively();
  return settled.error();
}

}  // namespace cloister
