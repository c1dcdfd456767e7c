// The supervisor of an import: lists files, hands them to children, writes what comes back in the order of the list.
#include <deque>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>

#include "app/ingest/child_pool.h"
#include "app/ingest/file_walk.h"
#include "app/ingest/record_log.h"
#include "app/ingest/verbs.h"

namespace cloister {
namespace {

QJsonObject refusal(const QString& file, Failure failure) {
  if (!failure.args.contains("path")) failure.args["path"] = file;
  QString message = describe(failure);
  // Of a text a person can mend what is wrong, and so must know the place.
  if (failure.kind == FailureKind::CorruptFile && failure.args["text"].toBool()) message += QStringLiteral(" (%1)").arg(failure.detail);
  QJsonObject o{{"type", "refused"}, {"file", file}, {"kind", failureKindName(failure.kind)}, {"message", message}};
  if (!failure.detail.isEmpty()) o["detail"] = failure.detail;
  return o;
}

/// A file of records is read as a whole, and a gigabyte of them takes a while.
PoolLimits limitsFor(const QString& source) { return source == u"text" ? PoolLimits{600, 16ull << 30} : PoolLimits{}; }

class Import {
 public:
  Import(const QJsonObject& request, RecordLog& log) : request_(request), log_(log) {}

  Result<QJsonObject> run() {
    QStringList roots;
    for (const QJsonValue& v : request_["paths"].toArray()) roots << v.toString();
    Found found =
        walk(roots, request_["source"].toString() == u"images" ? request_["options"].toObject()["label"].toString(QStringLiteral("parent"))
                                                               : QStringLiteral("none"));
    for (const auto& [file, failure] : found.refused)
      if (!log_.knows(file))
        if (auto w = log_.append(file, {refusal(file, failure)}, {}); !w) return w.error();
    const QString labels = request_["labelsFile"].toString();  // the table of this import often lies beside its images
    for (FoundFile& f : found.files) {
      if (!labels.isEmpty() && QFileInfo(f.path).absoluteFilePath() == labels) continue;
      known_.insert(f.path);
      if (!log_.knows(f.path) || log_.isIndex(f.path)) queue_.push_back(std::move(f));
    }
    total_ = log_.files + qint64(queue_.size());
    progress_.report(log_.files, total_, true);

    ChildPool pool(childCount(request_["workers"].toInt()), limitsFor(request_["source"].toString()),
                   {found.places, {request_["folder"].toString() + "/objects"}, {request_["source"].toString()}});
    const auto done = pool.run([this] { return next(); }, [this](ChildPool::Answer a) { return take(std::move(a)); });
    progress_.report(log_.files, total_, true);
    if (failure_) return *failure_;
    if (!done) {
      log_.sync();
      return done.error();
    }
    if (auto f = log_.finish(); !f) return f.error();
    return summary();
  }

  QJsonObject summary() const {
    return {{"files", log_.files}, {"accepted", log_.accepted}, {"refused", log_.refused}, {"duplicates", log_.duplicates}};
  }

 private:
  std::optional<QJsonObject> next() {
    if (queue_.empty()) return {};
    const FoundFile f = std::move(queue_.front());
    queue_.pop_front();
    return QJsonObject{{"op", "import"},
                       {"source", request_["source"]},
                       {"file", f.path},
                       {"key", f.key},
                       {"label", f.label},
                       {"options", request_["options"]},
                       {"staging", request_["folder"].toString() + "/objects"},
                       {"objects", request_["objects"]}};
  }

  /// False stops the pool: our own disk failed, which no file is to blame for.
  bool take(ChildPool::Answer answer) {
    const QString file = answer.job["file"].toString();
    QList<QJsonObject> records;
    QByteArray thumbs;
    if (answer.failure) records << refusal(file, *answer.failure);
    for (const Message& part : answer.parts) {
      if (answer.failure) break;
      if (part.json["alive"].toBool()) continue;
      if (part.json.contains("failure")) {
        const Failure failure = Failure::fromJson(part.json["failure"].toObject());
        if (ownFault(failure)) {
          failure_ = failure;
          return false;
        }
        records = {refusal(file, failure)};
        thumbs.clear();
        break;
      }
      if (part.json.contains("references")) {
        const bool again = log_.isIndex(file);
        records = follow(file, part.json["references"].toArray());
        if (again) records.clear();  // said before; only the files it names were wanted
        continue;
      }
      collect(file, part, records, thumbs);
    }
    if (auto w = log_.append(file, records, thumbs); !w) {
      failure_ = w.error();
      return false;
    }
    progress_.report(log_.files, total_);
    return true;
  }

  /// A full or read-only project disk stops the import; a file that cannot be read does not.
  bool ownFault(const Failure& f) const {
    const bool ours = f.args["path"].toString().startsWith(request_["folder"].toString());
    return ours && (f.kind == FailureKind::DiskFull || f.kind == FailureKind::ReadOnly || f.kind == FailureKind::PermissionDenied ||
                    f.kind == FailureKind::IoError || f.kind == FailureKind::NotFound);
  }

  void collect(const QString& file, const Message& part, QList<QJsonObject>& records, QByteArray& thumbs) {
    for (const QJsonValue& v : part.json["samples"].toArray()) {
      QJsonObject sample = v.toObject();
      const QString sha = sample["sha256"].toString(), first = log_.firstWith(sha);
      if (!first.isEmpty() && first != file) {
        if (records.isEmpty()) records << QJsonObject{{"type", "duplicate"}, {"file", file}, {"of", first}, {"sha256", sha}};
        continue;
      }
      QJsonObject thumb = sample["thumb"].toObject();
      const qint64 offset = thumb["offset"].toInteger(-1);
      const qint64 size = thumb["width"].toInteger() * thumb["height"].toInteger() * thumb["channels"].toInteger();
      // The child may have been talked into anything: nothing it says may point outside what it sent.
      if (offset < 0 || size < 1 || offset > part.bytes.size() || size > part.bytes.size() - offset) thumb["offset"] = -1;
      else thumb["offset"] = offset + thumbs.size() + log_.packEnd();
      sample["thumb"] = thumb;
      records << QJsonObject{{"type", "accepted"}, {"sample", sample}};
      if (const QString problem = sample["problem"].toString(); !problem.isEmpty())
        records << QJsonObject{{"type", "changed"}, {"file", file}, {"what", problem}};
    }
    if (records.isEmpty() || records.first()["type"].toString() != u"duplicate") thumbs += part.bytes;
  }

  /// The files a DICOMDIR names, unless they lead out of its folder.
  QList<QJsonObject> follow(const QString& index, const QJsonArray& references) {
    QList<QJsonObject> records;
    const QDir folder = QFileInfo(index).absoluteDir();
    const QString inside = QFileInfo(folder.path()).canonicalFilePath() + '/';
    qint64 named = 0;
    for (const QJsonValue& v : references) {
      const QString path = QDir::cleanPath(folder.absoluteFilePath(v.toString()));
      const QString real = QFileInfo(path).canonicalFilePath();
      if (!path.startsWith(folder.absolutePath() + '/') || (!real.isEmpty() && !real.startsWith(inside))) {
        records << refusal(index, {FailureKind::PolicyRefused,
                                   {{"rule", QStringLiteral("a DICOMDIR names only files below its own folder, not %1").arg(v.toString())}},
                                   {}});
        continue;
      }
      ++named;
      if (known_.contains(path) || log_.knows(path)) continue;
      known_.insert(path);
      ++total_;
      if (real.isEmpty()) {
        if (auto w = log_.append(path, {refusal(path, {FailureKind::NotFound, {{"path", path}}, QStringLiteral("named by ") + index})}, {});
            !w)
          failure_ = w.error();
      } else {
        queue_.push_back({path, folder.relativeFilePath(path), {}});
      }
    }
    records << QJsonObject{
        {"type", "changed"}, {"file", index}, {"what", QStringLiteral("an index of %1 files").arg(named)}, {"index", named}};
    return records;
  }

  QJsonObject request_;
  RecordLog& log_;
  ProgressLine progress_;
  std::deque<FoundFile> queue_;
  QSet<QString> known_;
  std::optional<Failure> failure_;
  qint64 total_ = 0;
};

}  // namespace

Result<QJsonObject> importVerb(const QJsonObject& request) {
  const QString folder = request["folder"].toString();
  if (request["format"].toInt() != 1)
    return Failure{FailureKind::NewerVersion, {{"path", "request.json"}, {"found", request["format"]}, {"supported", 1}}, {}};
  if (folder.isEmpty() || request["objects"].toString().isEmpty() || request["paths"].toArray().isEmpty())
    return Failure{
        FailureKind::InvalidArgument, {{"name", "request"}, {"value", ""}, {"allowed", "folder, objects and paths are needed"}}, {}};
  if (!QDir().mkpath(folder + "/objects")) return failureFromErrno(errno ? errno : EIO, folder);
  // What children of an earlier, killed import left.
  for (const QString& left : QDir(folder + "/objects").entryList({".part-*"}, QDir::Files | QDir::Hidden))
    QFile::remove(folder + "/objects/" + left);
  auto log = RecordLog::open(folder, request["objects"].toString());
  if (!log) return log.error();
  Import import(request, **log);
  if ((*log)->alreadyFinished) return import.summary();
  return import.run();
}

}  // namespace cloister
