#include "core/runs/run_pack.h"

#include <algorithm>

#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_row.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

constexpr qint64 kMostFiles = 100'000;

Failure changed(const QString& what, const QString& expected, const QString& found) {
  return {FailureKind::IdentityChanged, {{"what", what}, {"expected", expected}, {"found", found}}, {}};
}

Failure ioError(const QString& path, const QString& detail) { return {FailureKind::IoError, {{"path", path}}, detail}; }

Result<RunSpec> specIn(const QString& runDir) {
  auto json = readJson(runDir + "/spec.json");
  if (!json) return json.error();
  return RunSpec::fromJson(*json);
}

// ---- out

/// The files of a pack: where they are, and where they go.
struct Packing {
  QString stage;  ///< links to the originals, and the small files that are new
  QJsonArray listed;
  QByteArray sums;
  qint64 bytes = 0;

  Result<void> file(const QString& source, const QString& path) {
    const QString place = stage + '/' + path;
    QDir().mkpath(QFileInfo(place).path());
    if (QFileInfo::exists(place)) return {};  // shared by several runs
    if (!QFile::link(QFileInfo(source).canonicalFilePath(), place)) return ioError(place, {});
    return note(source, path);
  }

  Result<void> text(const QByteArray& bytes_, const QString& path) {
    QDir().mkpath(QFileInfo(stage + '/' + path).path());
    if (auto written = writeFileAtomically(stage + '/' + path, bytes_); !written) return written;
    return note(stage + '/' + path, path);
  }

  Result<void> folder(const QString& source, const QString& path) {
    QDirIterator all(source, QDir::Files | QDir::NoSymLinks, QDirIterator::Subdirectories);
    while (all.hasNext()) {
      const QString name = all.next();
      if (auto added = file(name, path + '/' + QDir(source).relativeFilePath(name)); !added) return added;
    }
    return {};
  }

 private:
  Result<void> note(const QString& source, const QString& path) {
    auto sha = sha256OfFile(source);
    if (!sha) return sha.error();
    listed << QJsonObject{{"path", path}, {"bytes", QFileInfo(source).size()}, {"sha256", *sha}};
    sums += sha->toLatin1() + "  " + path.toUtf8() + '\n';
    bytes += QFileInfo(source).size();
    return {};
  }
};

/// A base model or tokenizer: at its own place when the project holds it, else under base/. The spec's path there; identity has no paths.
Result<QString> packBase(Packing& packing, const QString& runDir, const QString& path) {
  if (path.isEmpty()) return path;
  const QString source = RunSpec::resolved(runDir, path);
  const QString place = QDir::isAbsolutePath(path) ? "base/" + QFileInfo(path).fileName() : path;
  auto added = QFileInfo(source).isDir() ? packing.folder(source, place) : packing.file(source, place);
  if (!added) return added.error();
  return place;
}

Result<QJsonObject> packRun(Packing& packing, const Project& project, const QString& run) {
  const QString runDir = project.runDir(run), place = "runs/" + run;
  auto spec = specIn(runDir);
  if (!spec) return spec.error();
  if (auto added = packing.folder(project.dir() + '/' + spec->prepared, spec->prepared); !added) return added.error();
  auto base = packBase(packing, runDir, spec->baseWeights);
  if (!base) return base.error();
  auto tokenizer = packBase(packing, runDir, spec->tokenizer);
  if (!tokenizer) return tokenizer.error();
  spec->baseWeights = *base;
  spec->tokenizer = *tokenizer;
  if (auto added = packing.text(QJsonDocument(spec->toJson()).toJson(), place + "/spec.json"); !added) return added.error();
  if (const qint64 newest = newestCheckpoint(runDir); newest >= 0) {
    const QString name = QStringLiteral("checkpoints/step-%1").arg(newest, 8, 10, QLatin1Char('0'));
    if (auto added = packing.folder(runDir + '/' + name, place + '/' + name); !added) return added.error();
  }
  if (hasBestWeights(runDir))
    if (auto added = packing.folder(runDir + "/best", place + "/best"); !added) return added.error();
  return QJsonObject{{"run", run},
                     {"identity", spec->identityDigest()},
                     {"snapshot", spec->snapshot},
                     {"preparedDigest", spec->preparedDigest},
                     {"attempts", attemptsIn(runDir)}};
}

QByteArray submitScript() {
  return "#!/bin/sh\n"
         "# Checks that the pack arrived whole, then submits it from where it lies. Options for sbatch may follow.\n"
         "cd \"$(dirname \"$0\")\" || exit 1\n"
         "sha256sum --quiet -c SHA256SUMS || exit 1\n"
         "CLOISTER_ROOT=$PWD exec sbatch --chdir=\"$PWD\" --export=ALL \"$@\" launch.sbatch\n";
}

QByteArray readme(const QStringList& runs) {
  return "Training of " + runs.join(", ").toUtf8() +
         " for a cluster with Cloister installed: put this folder on storage that all nodes see, then\n"
         "    CLOISTER_WORKER=/path/to/cloister-worker sh submit.sh\n"
         "(the variable only where the path in launch.sbatch is another one). When it has ended, carry the folder back and take it in "
         "with\n"
         "    cloister-cli runs import FOLDER --project PROJECT\n"
         "pack.json and SHA256SUMS list every file with its digest. No file names, people or places of the samples are in here.\n";
}

/// The staged links become the archive, or copies.
Result<void> writeOut(const QString& stage, const QString& name, const QString& path) {
  const QString half = path + ".partial";
  if (path.endsWith(u".tar")) {
    QFile::remove(half);
    QProcess tar;
    tar.start("tar", {"--create", "--dereference", "--owner=0", "--group=0", "--file", half, "--directory", stage, name});
    if (!tar.waitForFinished(-1) || tar.exitStatus() != QProcess::NormalExit || tar.exitCode() != 0) {
      QFile::remove(half);
      return ioError(path, QString::fromLocal8Bit(tar.readAllStandardError()).right(800) + tar.errorString());
    }
  } else {
    QDir(half).removeRecursively();
    const QString root = stage + '/' + name;
    QDirIterator all(root, QDir::Files, QDirIterator::Subdirectories);
    while (all.hasNext()) {
      const QString from = all.next(), to = half + '/' + QDir(root).relativeFilePath(from);
      QDir().mkpath(QFileInfo(to).path());
      if (!QFile::copy(from, to)) {
        QDir(half).removeRecursively();
        return failureFromErrno(errno ? errno : EIO, to);
      }
    }
  }
  if (!QFile::rename(half, path)) return ioError(path, {});
  return syncFolder(QFileInfo(path).path());
}

// ---- in

/// A folder of the pack, file by file: links and special files are none of ours.
Result<void> copyFolder(const QString& from, const QString& to) {
  QDirIterator all(from, QDir::Files | QDir::NoSymLinks | QDir::Hidden, QDirIterator::Subdirectories);
  qint64 files = 0;
  while (all.hasNext()) {
    const QString source = all.next(), place = to + '/' + QDir(from).relativeFilePath(source);
    if (++files > kMostFiles) return Failure{FailureKind::TooLarge, {{"path", from}, {"limit", kMostFiles}}, {}};
    if (!QFileInfo(source).isFile()) continue;
    QDir().mkpath(QFileInfo(place).path());
    if (!QFile::copy(source, place)) return failureFromErrno(errno ? errno : EIO, place);
  }
  return {};
}

/// Whether every file that a checkpoint's marker lists has the digest it says.
Result<void> checkMarked(const QString& dir) {
  auto marker = readJson(dir + "/state.json");
  if (!marker) return marker.error();
  const QJsonObject files = (*marker)["files"].toObject();
  for (auto it = files.begin(); it != files.end(); ++it) {
    if (it.key().contains('/')) return Failure{FailureKind::CorruptFile, {{"path", dir + "/state.json"}}, it.key()};
    auto sha = sha256OfFile(dir + '/' + it.key());
    if (!sha) return sha.error();
    if (*sha != it.value().toString()) return Failure{FailureKind::CorruptFile, {{"path", dir + '/' + it.key()}}, "SHA-256 is another one"};
  }
  return {};
}

/// One folder, whole or absent: staged beside its place, and the old one out of the way last.
Result<void> takeFolder(const QString& from, const QString& to, bool marked) {
  const QString half = to + ".partial", old = to + ".old";
  QDir(half).removeRecursively();
  if (auto copied = copyFolder(from, half); !copied) return copied;
  if (marked)
    if (auto good = checkMarked(half); !good) {
      QDir(half).removeRecursively();
      return good;
    }
  QDir().mkpath(QFileInfo(to).path());
  QDir(old).removeRecursively();
  if (QFileInfo::exists(to) && !QDir().rename(to, old)) return ioError(to, {});
  if (!QDir().rename(half, to)) return ioError(to, {});
  QDir(old).removeRecursively();
  return syncFolder(QFileInfo(to).path());
}

QStringList namesLike(const QString& dir, const char* pattern) {
  QStringList names;
  const QRegularExpression form(QRegularExpression::anchoredPattern(QLatin1String(pattern)));
  for (const QString& name : QDir(dir).entryList(QDir::Dirs | QDir::NoSymLinks | QDir::NoDotAndDotDot, QDir::Name))
    if (form.match(name).hasMatch()) names << name;
  return names;
}

/// The same recipe, data and base weights as the project's own run of that number; otherwise nothing is taken.
Result<RunRecord> checkedRun(Project& project, const QJsonObject& listed, const QString& from) {
  auto row = project.run(listed["run"].toString());
  if (!row) return row.error();
  auto ours = specIn(project.runDir(row->id));
  if (!ours) return ours.error();
  auto theirs = specIn(from);
  if (!theirs) return theirs.error();
  if (theirs->snapshot != ours->snapshot) return changed("snapshot", ours->snapshot, theirs->snapshot);
  if (theirs->preparedDigest != ours->preparedDigest) return changed("prepared data", ours->preparedDigest, theirs->preparedDigest);
  if (theirs->identityDigest() != ours->identityDigest()) return changed("recipe", ours->identityDigest(), theirs->identityDigest());
  if (listed["identity"].toString() != ours->identityDigest())
    return changed("recipe", ours->identityDigest(), listed["identity"].toString());
  const QString runDir = project.runDir(row->id);
  const bool packed = readLaunch(runDir).has_value();
  if (!packed && !isFinal(reconciled(*row, runDir).state))
    return Failure{FailureKind::PolicyRefused, {{"rule", QStringLiteral("%1 still trains on this machine").arg(row->id)}}, {}};
  return *row;
}

Result<QJsonObject> importRun(Project& project, RunRecord row, const QString& from) {
  const QString to = project.runDir(row.id);
  int attempts = 0, checkpoints = 0;
  for (const QString& name : namesLike(from + "/checkpoints", "step-[0-9]{8,12}")) {
    const QString source = from + "/checkpoints/" + name, place = to + "/checkpoints/" + name;
    if (!QFileInfo::exists(source + "/state.json") || QFileInfo::exists(place + "/state.json")) continue;
    if (auto taken = takeFolder(source, place, true); !taken) return taken.error();
    ++checkpoints;
  }
  const bool best = hasBestWeights(from);
  if (best)
    if (auto taken = takeFolder(from + "/best", to + "/best", true); !taken) return taken.error();
  // Last, since they are what says that the run went on.
  for (const QString& name : namesLike(from, "attempt-[0-9]{3,6}")) {
    if (QFileInfo::exists(to + '/' + name + "/rank-0.events.jsonl")) continue;
    if (auto taken = takeFolder(from + '/' + name, to + '/' + name, false); !taken) return taken.error();
    ++attempts;
  }
  if (attempts == 0)
    return Failure{
        FailureKind::NothingToDo, {{"what", "attempt of " + row.id + " that is not here yet"}, {"next", "Let it run there first."}}, {}};
  QFile::remove(to + "/launch.json");  // it is this machine's again
  row.attempts = attemptsIn(to);
  for (int attempt = 1; attempt <= row.attempts; ++attempt) {
    ChildWatch watch(attemptFolder(to, attempt), QStringLiteral("rank-0.events.jsonl"));
    applyEvents(row, watch.readEvents());
    if (attempt == row.attempts) applyOutcome(row, watch.outcome());
  }
  if (auto saved = project.saveRun(row); !saved) return saved.error();
  return QJsonObject{{"run", row.id}, {"state", row.state}, {"attempts", attempts}, {"checkpoints", checkpoints}, {"best", best}};
}

}  // namespace

Result<QJsonObject> packRuns(const Project& project, const QStringList& runs, const QString& script, const QString& path) {
  if (QFileInfo::exists(path)) return Failure{FailureKind::AlreadyExists, {{"path", path}}, {}};
  QTemporaryDir stage(QFileInfo(path).path() + "/.cloister-pack-XXXXXX");
  if (!stage.isValid()) return ioError(path, stage.errorString());
  const QString name = "cloister-" + runs.first();
  Packing packing{stage.filePath(name), {}, {}, 0};
  QJsonArray told;
  for (const QString& run : runs) {
    auto packed = packRun(packing, project, run);
    if (!packed) return packed.error();
    told << *packed;
  }
  auto text = readFile(script, 1 << 20);
  if (!text) return text.error();
  const QList<std::pair<QString, QByteArray>> texts{{"launch.sbatch", *text}, {"submit.sh", submitScript()}, {"README.txt", readme(runs)}};
  for (const auto& [file, bytes] : texts)
    if (auto added = packing.text(bytes, file); !added) return added.error();
  const QJsonObject marker{{"format", 1}, {"runs", told}, {"files", packing.listed}};
  if (auto written = writeFileAtomically(packing.stage + "/SHA256SUMS", packing.sums); !written) return written.error();
  if (auto written = writeJsonAtomically(packing.stage + "/pack.json", marker); !written) return written.error();
  if (const qint64 free = bytesFree(path); free < packing.bytes)
    return Failure{FailureKind::DiskFull, {{"path", path}, {"needed", packing.bytes}, {"free", free}}, {}};
  if (auto out = writeOut(stage.path(), name, path); !out) return out.error();
  return QJsonObject{{"path", path}, {"files", packing.listed.size()}, {"bytes", packing.bytes}};
}

Result<QJsonObject> importRuns(Project& project, const QString& folder) {
  auto marker = readJson(folder + "/pack.json");
  if (!marker) return marker.error();
  if ((*marker)["format"].toInt() > 1)
    return Failure{
        FailureKind::NewerVersion, {{"path", folder + "/pack.json"}, {"found", (*marker)["format"].toInt()}, {"supported", 1}}, {}};
  QList<std::pair<RunRecord, QString>> checked;
  for (const QJsonValue& v : (*marker)["runs"].toArray()) {
    const QString run = v["run"].toString();
    static const QRegularExpression kRun("^r-[0-9]{4,9}$");
    if (!kRun.match(run).hasMatch()) return Failure{FailureKind::CorruptFile, {{"path", folder + "/pack.json"}}, run.left(80)};
    const QString from = folder + "/runs/" + run;
    auto row = checkedRun(project, v.toObject(), from);
    if (!row) return row.error();
    checked << std::pair{*row, from};
  }
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  QJsonArray all;
  for (const auto& [row, from] : checked) {
    if (auto entry = (*log)->append(QStringLiteral("run-import"), {{"run", row.id}}); !entry) return entry.error();
    auto imported = importRun(project, row, from);
    if (!imported) return imported.error();
    all << *imported;
  }
  return QJsonObject{{"runs", all}};
}

}  // namespace cloister
