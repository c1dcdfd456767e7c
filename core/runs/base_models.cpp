#include "core/runs/base_models.h"

#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QUuid>

#include "core/curation/ingest_process.h"
#include "core/domain/files.h"
#include "core/runs/worker_call.h"
#include "core/tensors/model_folder.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

const QString kAbout = QStringLiteral("/about.json"), kStaged = QStringLiteral(".part-");

bool holds(const QString& dir, const QStringList& patterns) { return !QDir(dir).entryList(patterns, QDir::Files).isEmpty(); }

bool isTokenizer(const QString& dir) { return holds(dir, {"tokenizer.json", "tokenizer.model"}); }

BaseModel modelIn(const QString& dir) {
  BaseModel m{QFileInfo(dir).fileName(), dir, holds(dir, {"*.safetensors"}), isTokenizer(dir), {}};
  if (auto about = readJson(dir + kAbout)) m.about = *about;
  return m;
}

/// A folder's name from what a person typed or the source was called.
Result<QString> cleanName(const QString& text) {
  QString name = text.trimmed();
  name.replace(QRegularExpression("[^\\w.+-]+", QRegularExpression::UseUnicodePropertiesOption), "-");
  while (name.startsWith('.') || name.startsWith('-')) name.remove(0, 1);
  if (name.isEmpty() || name.size() > 100)
    return Failure{FailureKind::InvalidArgument, {{"name", "name"}, {"value", text}, {"allowed", "letters and digits, at most 100"}}, {}};
  return name;
}

Result<QJsonObject> inspectTokenizer(const QString& dir, const ModelProgress& progress) {
  const QTemporaryDir scratch;
  if (!scratch.isValid()) return Failure{FailureKind::IoError, {{"path", scratch.path()}}, scratch.errorString()};
  auto said = runIngest(QStringLiteral("tokenizer"), {{"action", "inspect"}, {"tokenizer", dir}}, scratch.filePath("request.json"),
                        [&](qint64, qint64) { return !progress || progress(ModelStep::Checking, 0, 0); });
  if (said) said->remove("type");
  return said;
}

Result<void> copyTokenizer(const QString& from, const QString& to) {
  if (!QDir().mkpath(to)) return failureFromErrno(errno ? errno : EIO, to);
  for (const QString& name : companionFiles()) {
    if (!QFileInfo(from + '/' + name).isFile()) continue;
    auto bytes = readFile(from + '/' + name, kLargestCompanion);
    if (!bytes) return bytes.error();
    if (auto written = writeFileAtomically(to + '/' + name, *bytes); !written) return written;
  }
  return {};
}

/// Fills the staged folder; what was found goes into about.json.
Result<QJsonObject> fill(const ModelImport& import, const QString& from, const QString& staged, const ModelProgress& progress) {
  QJsonObject about{{"format", 1}, {"from", QFileInfo(from).fileName()}};
  if (isTokenizer(from)) {
    auto tokenizer = inspectTokenizer(from, progress);
    if (!tokenizer) return tokenizer.error();
    about["tokenizer"] = *tokenizer;
  }
  if (QFileInfo::exists(from + "/config.json")) {
    QStringList call{"model-import", "--model", from, "--to", staged, "--dtype", import.dtype};
    if (!import.adapter.isEmpty()) call << "--adapter" << QFileInfo(import.adapter).absoluteFilePath();
    qint64 done = 0, total = 0;  // unknown until the worker has checked everything
    const auto line = [&](const QJsonObject& said) {
      if (said["type"].toString() == u"progress") done = said["done"].toInteger(), total = said["total"].toInteger();
      return true;
    };
    auto model =
        callWorker(call, line, [&] { return progress && !progress(total > 0 ? ModelStep::Copying : ModelStep::Checking, done, total); });
    if (!model) return model.error();
    for (const char* gone : {"type", "to"}) model->remove(QLatin1String(gone));
    about["model"] = *model;
  } else if (about.contains("tokenizer")) {
    if (auto copied = copyTokenizer(from, staged); !copied) return copied.error();
  } else {
    return Failure{FailureKind::NotFound, {{"path", from + "/config.json"}}, QStringLiteral("neither a model nor a tokenizer")};
  }
  return about;
}

Result<void> audit(const QString& projectDir, const QString& name, const QString& dir, const QJsonObject& about,
                   const ModelProgress& progress) {
  auto log = AuditLog::open(projectDir);
  if (!log) return log.error();
  QJsonObject object{{"model", name}};
  if (about.contains("model")) {
    auto digest =
        modelFolderDigest(dir, [&](qint64 done, qint64 total) { return !progress || progress(ModelStep::Recording, done, total); });
    if (!digest) return digest.error();
    object["sha256"] = *digest;
  }
  if (about.contains("tokenizer")) object["tokenizer"] = about["tokenizer"].toObject()["fingerprint"];
  auto entry = (*log)->append("import", object);
  if (!entry) return entry.error();
  return {};
}

}  // namespace

QString modelsDir(const QString& projectDir) { return projectDir + QStringLiteral("/models"); }

QList<BaseModel> baseModels(const QString& projectDir) {
  QList<BaseModel> all;
  const QDir dir(modelsDir(projectDir));
  for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    const BaseModel m = modelIn(dir.absoluteFilePath(name));
    if (m.hasWeights || m.hasTokenizer) all << m;
  }
  return all;
}

Result<BaseModel> baseModel(const QString& projectDir, const QString& nameOrFolder) {
  for (const BaseModel& m : baseModels(projectDir))
    if (m.name == nameOrFolder) return m;
  const QString dir = QFileInfo(nameOrFolder).absoluteFilePath();
  if (BaseModel m = modelIn(dir); m.hasWeights || m.hasTokenizer) return m;
  return Failure{FailureKind::NotFound, {{"path", nameOrFolder}}, QStringLiteral("no model of the project and no model's folder")};
}

Result<QString> newModelDir(const QString& projectDir, const QString& name) {
  auto clean = cleanName(name);
  if (!clean) return clean;
  const QString models = modelsDir(projectDir), to = models + '/' + *clean;
  if (QFileInfo::exists(to)) return Failure{FailureKind::AlreadyExists, {{"path", to}}, {}};
  // What a program left that was killed in the middle of an import; a project is written by one program at a time.
  for (const QString& left : QDir(models).entryList({kStaged + '*'}, QDir::Dirs | QDir::Hidden))
    QDir(models + '/' + left).removeRecursively();
  if (!QDir().mkpath(models)) return failureFromErrno(errno ? errno : EIO, models);
  return to;
}

Result<BaseModel> importBaseModel(const QString& projectDir, const ModelImport& import, const ModelProgress& progress) {
  const QString from = QDir::cleanPath(QFileInfo(import.from).absoluteFilePath());
  if (!QFileInfo(from).isDir()) return Failure{FailureKind::NotFound, {{"path", from}}, {}};
  const auto place = newModelDir(projectDir, import.name.isEmpty() ? QFileInfo(from).fileName() : import.name);
  if (!place) return place.error();
  const QString models = modelsDir(projectDir), to = *place;
  // A worker that is stopped leaves what it wrote beside its target: all of it lies in one folder that goes away.
  const QString around = models + '/' + kStaged + QUuid::createUuid().toString(QUuid::Id128).left(8), staged = around + "/model";
  if (!QDir().mkpath(around)) return failureFromErrno(errno ? errno : EIO, around);
  const auto done = [&]() -> Result<void> {
    auto about = fill(import, from, staged, progress);
    if (!about) return about.error();
    if (auto written = writeJsonAtomically(staged + kAbout, *about); !written) return written;
    if (auto audited = audit(projectDir, QFileInfo(to).fileName(), staged, *about, progress); !audited) return audited;
    if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(to).constData()) != 0) return failureFromErrno(errno, to);
    return syncFolder(models);
  }();
  QDir(around).removeRecursively();
  if (!done) return done.error();
  return modelIn(to);
}

BaseModel newTokenizer(const QString& dir) { return modelIn(dir); }

}  // namespace cloister
