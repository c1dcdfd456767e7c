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

const QString kAbout = QStringLiteral("/about.json");

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

Result<QJsonObject> inspectTokenizer(const QString& dir, const std::function<bool()>& stop) {
  const QTemporaryDir scratch;
  if (!scratch.isValid()) return Failure{FailureKind::IoError, {{"path", scratch.path()}}, scratch.errorString()};
  auto said = runIngest(QStringLiteral("tokenizer"), {{"action", "inspect"}, {"tokenizer", dir}}, scratch.filePath("request.json"),
                        [&](qint64, qint64) { return !stop || !stop(); });
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
Result<QJsonObject> fill(const ModelImport& import, const QString& from, const QString& staged, const std::function<bool()>& stop) {
  QJsonObject about{{"format", 1}, {"from", QFileInfo(from).fileName()}};
  if (isTokenizer(from)) {
    auto tokenizer = inspectTokenizer(from, stop);
    if (!tokenizer) return tokenizer.error();
    about["tokenizer"] = *tokenizer;
  }
  if (QFileInfo::exists(from + "/config.json")) {
    QStringList call{"model-import", "--model", from, "--to", staged, "--dtype", import.dtype};
    if (!import.adapter.isEmpty()) call << "--adapter" << QFileInfo(import.adapter).absoluteFilePath();
    auto model = callWorker(call, {}, stop);
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

Result<void> audit(const QString& projectDir, const QString& dir, const QJsonObject& about) {
  auto log = AuditLog::open(projectDir);
  if (!log) return log.error();
  QJsonObject object{{"model", QFileInfo(dir).fileName()}};
  if (about.contains("model")) {
    auto digest = modelFolderDigest(dir);
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
  if (!QDir().mkpath(models)) return failureFromErrno(errno ? errno : EIO, models);
  return to;
}

Result<BaseModel> importBaseModel(const QString& projectDir, const ModelImport& import, const std::function<bool()>& stop) {
  const QString from = QDir::cleanPath(QFileInfo(import.from).absoluteFilePath());
  if (!QFileInfo(from).isDir()) return Failure{FailureKind::NotFound, {{"path", from}}, {}};
  const auto place = newModelDir(projectDir, import.name.isEmpty() ? QFileInfo(from).fileName() : import.name);
  if (!place) return place.error();
  const QString models = modelsDir(projectDir), to = *place;
  const QString staged = models + "/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  const auto done = [&]() -> Result<void> {
    auto about = fill(import, from, staged, stop);
    if (!about) return about.error();
    if (auto written = writeJsonAtomically(staged + kAbout, *about); !written) return written;
    if (auto audited = audit(projectDir, staged, *about); !audited) return audited;
    if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(to).constData()) != 0) return failureFromErrno(errno, to);
    return syncFolder(models);
  }();
  if (!done) {
    QDir(staged).removeRecursively();
    return done.error();
  }
  return modelIn(to);
}

BaseModel newTokenizer(const QString& dir) { return modelIn(dir); }

}  // namespace cloister
