// prepare: samples.jsonl → shards of 8-bit tensors, in order, and prepared.json (docs/formats.md).
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/ingest/child_pool.h"
#include "app/ingest/verbs.h"
#include "core/domain/files.h"
#include "core/tensors/safetensors.h"

namespace cloister {
namespace {

struct Entry {
  QString sha256, key, split, source;
  int frame = 0;
  qint64 classIndex = 0;
};

Result<std::vector<Entry>> readSamples(const QString& path, QMap<qint64, QString>& classes) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return failureFromErrno(ENOENT, path);
  std::vector<Entry> entries;
  while (!file.atEnd()) {
    const qint64 at = file.pos();
    const QByteArray line = file.readLine();
    if (line.trimmed().isEmpty()) continue;
    const QJsonObject o = QJsonDocument::fromJson(line).object();
    Entry e{o["sha256"].toString(), o["key"].toString(), o["split"].toString(),
            o["source"].toString(), o["frame"].toInt(),  o["classIndex"].toInteger(-1)};
    if (e.sha256.size() != 64 || e.classIndex < 0) return Failure{FailureKind::CorruptFile, {{"path", path}, {"position", at}}, {}};
    classes[e.classIndex] = o["label"].toString();
    entries.push_back(std::move(e));
  }
  return entries;
}

class Preparation {
 public:
  Preparation(QJsonObject request, std::vector<Entry> entries, QStringList classes)
      : request_(std::move(request)), entries_(std::move(entries)), classes_(std::move(classes)) {
    preprocessing_ = request_["preprocessing"].toObject();
    size_ = preprocessing_["size"].toInt(224);
    channels_ = preprocessing_["channels"].toInt(1) == 3 ? 3 : 1;
    bytesEach_ = qsizetype(size_) * size_ * channels_;
    out_ = request_["out"].toString();
    // At least one image a shard, whatever was asked for.
    perShard_ = std::max<qint64>(1, request_["shardBytes"].toInteger(256 << 20) / (bytesEach_ + 8));
  }

  Result<QJsonObject> run(const QString& snapshot) {
    QFile::remove(out_ + "/prepared.json");  // the marker goes first
    QStringList sources;
    for (const Entry& e : entries_)
      if (!sources.contains(e.source)) sources << e.source;
    ChildPool pool(childCount(request_["workers"].toInt()), {}, {{request_["objects"].toString()}, {}, sources});
    const auto done = pool.run([this] { return next(); }, [this](ChildPool::Answer a) { return take(a); });
    if (failure_) return *failure_;
    if (!done) return done.error();
    if (auto w = flush(); !w) return w.error();
    progress_.report(taken_, qint64(entries_.size()), true);
    const QJsonObject prepared = describePrepared(snapshot);
    if (auto w = writeJsonAtomically(out_ + "/prepared.json", prepared); !w) return w.error();
    return QJsonObject{{"count", prepared["count"]}, {"shards", shards_.size()}, {"digest", prepared["digest"]}};
  }

 private:
  std::optional<QJsonObject> next() {
    if (given_ >= entries_.size()) return {};
    const Entry& e = entries_[given_++];
    return QJsonObject{{"op", "prepare"},
                       {"source", e.source},
                       {"file", request_["objects"].toString() + '/' + e.sha256.left(2) + '/' + e.sha256},
                       {"frame", e.frame},
                       {"preprocessing", preprocessing_}};
  }

  bool take(const ChildPool::Answer& answer) {
    const Entry& e = entries_[size_t(taken_)];
    if (answer.failure) failure_ = answer.failure;
    else if (answer.parts.back().json.contains("failure")) failure_ = Failure::fromJson(answer.parts.back().json["failure"].toObject());
    else if (answer.parts.back().bytes.size() != bytesEach_)
      failure_ = Failure{FailureKind::Internal, {}, QStringLiteral("a frame of the wrong size")};
    if (failure_) {
      // People know the file by its key, not by its digest.
      failure_->args["path"] = e.key;
      return false;
    }
    const QByteArray& planes = answer.parts.back().bytes;
    images_.append(planes);
    labels_.push_back(e.classIndex);
    if (e.split == u"train") addToStatistics(planes);
    ++taken_;
    if (qint64(labels_.size()) >= perShard_)
      if (auto w = flush(); !w) {
        failure_ = w.error();
        return false;
      }
    progress_.report(taken_, qint64(entries_.size()));
    return true;
  }

  void addToStatistics(const QByteArray& planes) {
    const qsizetype pixels = qsizetype(size_) * size_;
    for (int c = 0; c < channels_; ++c)
      for (qsizetype i = 0; i < pixels; ++i) ++histogram_[size_t(c)][quint8(planes[c * pixels + i])];
  }

  Result<void> flush() {
    if (labels_.empty()) return {};
    const QString name = QStringLiteral("shard-%1.safetensors").arg(shards_.size(), 5, 10, QLatin1Char('0'));
    const auto n = std::int64_t(labels_.size());
    const std::map<std::string, TensorView> tensors{
        {"images",
         {DType::U8, {n, channels_, size_, size_}, reinterpret_cast<const std::byte*>(images_.constData()), size_t(images_.size())}},
        {"labels", {DType::I64, {n}, reinterpret_cast<const std::byte*>(labels_.data()), labels_.size() * sizeof(std::int64_t)}}};
    if (auto w = writeSafetensors(out_ + '/' + name, tensors); !w) return w;
    auto sha = sha256OfFile(out_ + '/' + name);
    if (!sha) return sha.error();
    shards_.append(QJsonObject{{"file", name}, {"count", qint64(n)}, {"sha256", *sha}});
    images_.clear();
    labels_.clear();
    return {};
  }

  QJsonObject describePrepared(const QString& snapshot) const {
    QJsonArray mean, deviation;
    for (int c = 0; c < channels_; ++c) {
      double count = 0, sum = 0, squares = 0;
      for (int v = 0; v < 256; ++v) {
        const double n = double(histogram_[size_t(c)][size_t(v)]), x = v / 255.0;
        count += n;
        sum += n * x;
        squares += n * x * x;
      }
      const double m = count > 0 ? sum / count : 0;
      mean.append(m);
      deviation.append(count > 0 ? std::sqrt(std::max(0.0, squares / count - m * m)) : 1.0);
    }
    QMap<QString, QJsonArray> splits{{"train", {}}, {"validation", {}}, {"test", {}}};
    QMap<QString, std::vector<qint64>> counts;
    for (const QString& s : splits.keys()) counts[s].assign(size_t(classes_.size()), 0);
    for (size_t i = 0; i < entries_.size(); ++i) {
      splits[entries_[i].split].append(qint64(i));
      auto& c = counts[entries_[i].split];
      c.resize(size_t(classes_.size()), 0);
      if (entries_[i].classIndex < classes_.size()) ++c[size_t(entries_[i].classIndex)];
    }
    QJsonObject splitsJson, countsJson;
    for (auto it = splits.begin(); it != splits.end(); ++it) splitsJson[it.key()] = it.value();
    for (auto it = counts.begin(); it != counts.end(); ++it) {
      QJsonArray a;
      for (qint64 n : it.value()) a.append(n);
      countsJson[it.key()] = a;
    }
    QJsonObject o{{"format", 1},
                  {"snapshot", snapshot},
                  {"preprocessing", preprocessing_},
                  {"count", qint64(entries_.size())},
                  {"channels", channels_},
                  {"size", size_},
                  {"classes", QJsonArray::fromStringList(classes_)},
                  {"shards", shards_},
                  {"splits", splitsJson},
                  {"mean", mean},
                  {"std", deviation},
                  {"classCounts", countsJson}};
    o["digest"] = sha256Hex(canonicalJson(o));
    return o;
  }

  QJsonObject request_, preprocessing_;
  std::vector<Entry> entries_;
  QStringList classes_;
  int size_ = 224, channels_ = 1;
  qsizetype bytesEach_ = 0;
  qint64 perShard_ = 1;
  QString out_;
  size_t given_ = 0;
  qint64 taken_ = 0;
  QByteArray images_;
  std::vector<std::int64_t> labels_;
  QJsonArray shards_;
  std::array<std::array<quint64, 256>, 3> histogram_{};
  std::optional<Failure> failure_;
  ProgressLine progress_;
};

}  // namespace

Result<QJsonObject> prepareVerb(const QJsonObject& request) {
  const QString samples = request["samples"].toString(), out = request["out"].toString();
  const QJsonObject p = request["preprocessing"].toObject();
  const int size = p["size"].toInt(224);
  if (size < 8 || size > 4096) return Failure{FailureKind::InvalidArgument, {{"name", "size"}, {"value", size}, {"allowed", "8…4096"}}, {}};
  QMap<qint64, QString> seen;
  auto entries = readSamples(samples, seen);
  if (!entries) return entries.error();
  if (entries->empty()) return Failure{FailureKind::NothingToDo, {{"what", "sample"}, {"next", ""}}, {}};
  // The snapshot beside the samples knows its digest and all its classes; a list alone has only what occurs in it.
  QStringList classes;
  QString digest = request["snapshot"].toString();
  if (const auto snapshot = readJson(QFileInfo(samples).absolutePath() + "/snapshot.json")) {
    if (digest.isEmpty()) digest = (*snapshot)["digest"].toString();
    for (const QJsonValue& c : (*snapshot)["classes"].toArray()) classes << c.toString();
  }
  if (classes.isEmpty())
    for (qint64 i = 0; i <= seen.lastKey(); ++i) classes << seen.value(i);
  if (!QDir().mkpath(out)) return failureFromErrno(errno ? errno : EIO, out);
  return Preparation(request, std::move(*entries), classes).run(digest);
}

}  // namespace cloister
