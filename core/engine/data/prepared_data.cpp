#include "core/engine/data/prepared_data.h"

#include <algorithm>
#include <cstring>

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/files.h"

namespace cloister {
namespace {

std::vector<double> numbers(const QJsonArray& a) {
  std::vector<double> v;
  for (const QJsonValue& x : a) v.push_back(x.toDouble());
  return v;
}

}  // namespace

Result<std::shared_ptr<PreparedData>> PreparedData::open(const QString& dir, const QString& expectedDigest) {
  const QString marker = dir + "/prepared.json";
  auto json = readJson(marker, qint64(1) << 30);
  if (!json) return json.error();
  if ((*json)["format"].toInt() > 1)
    return Failure{FailureKind::NewerVersion, {{"path", marker}, {"found", (*json)["format"].toInt()}, {"supported", 1}}, {}};
  std::shared_ptr<PreparedData> data(new PreparedData);
  data->dir_ = dir;
  data->digest_ = json->take("digest").toString();
  if (!expectedDigest.isEmpty() && data->digest_ != expectedDigest)
    return Failure{
        FailureKind::IdentityChanged, {{"what", "prepared data"}, {"expected", expectedDigest}, {"found", data->digest_}}, marker};
  if (const QString actual = sha256Hex(canonicalJson(*json)); actual != data->digest_)
    return Failure{FailureKind::CorruptFile, {{"path", marker}}, "the digest does not fit the content: " + actual};
  data->channels_ = (*json)["channels"].toInt();
  data->size_ = (*json)["size"].toInt();
  const QJsonArray classes = (*json)["classes"].toArray();
  for (const QJsonValue& c : classes) data->classes_ << c.toString();
  data->mean_ = numbers((*json)["mean"].toArray());
  data->std_ = numbers((*json)["std"].toArray());
  if ((data->channels_ != 1 && data->channels_ != 3) || data->size_ < 1 || data->size_ > 8192 || data->classes_.size() < 2)
    return Failure{FailureKind::CorruptFile, {{"path", marker}}, "channels, size or classes are not usable"};
  const QJsonArray shards = (*json)["shards"].toArray();
  for (const QJsonValue& s : shards)
    if (auto opened = data->openShard(s.toObject()); !opened) return opened.error();
  if (data->count_ != (*json)["count"].toInteger())
    return Failure{FailureKind::CorruptFile, {{"path", marker}}, "count and shards disagree"};
  if (auto splits = data->readSplits(*json); !splits) return splits.error();
  return data;
}

Result<void> PreparedData::openShard(const QJsonObject& entry) {
  const QString name = entry["file"].toString(), path = dir_ + '/' + name;
  if (name.isEmpty() || name.contains('/')) return Failure{FailureKind::CorruptFile, {{"path", dir_ + "/prepared.json"}}, "bad shard name"};
  auto sha = sha256OfFile(path);
  if (!sha) return sha.error();
  if (*sha != entry["sha256"].toString())
    return Failure{FailureKind::IdentityChanged, {{"what", name}, {"expected", entry["sha256"].toString()}, {"found", *sha}}, path};
  auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  const TensorView* images = (*file)->find("images");
  const TensorView* labels = (*file)->find("labels");
  const std::int64_t n = entry["count"].toInteger();
  if (!images || !labels || images->dtype != DType::U8 || labels->dtype != DType::I64 ||
      images->shape != std::vector<std::int64_t>{n, channels_, size_, size_} || labels->shape != std::vector<std::int64_t>{n})
    return Failure{FailureKind::CorruptFile, {{"path", path}}, "images or labels missing or of another shape"};
  shards_.push_back({*file, reinterpret_cast<const std::uint8_t*>(images->data), count_});
  const std::size_t before = labels_.size();
  labels_.resize(before + std::size_t(n));
  if (n > 0) std::memcpy(labels_.data() + before, labels->data, labels->bytes);
  for (std::size_t i = before; i < labels_.size(); ++i)
    if (labels_[i] < 0 || labels_[i] >= classes_.size())
      return Failure{FailureKind::CorruptFile, {{"path", path}}, "a label without a class"};
  count_ += n;
  return {};
}

Result<void> PreparedData::readSplits(const QJsonObject& json) {
  const QJsonObject splits = json["splits"].toObject();
  std::vector<char> seen(std::size_t(count_), 0);
  for (auto& [name, list] :
       {std::pair{QStringLiteral("train"), &train_}, {QStringLiteral("validation"), &validation_}, {QStringLiteral("test"), &test_}}) {
    const QJsonArray indices = splits[name].toArray();
    for (const QJsonValue& v : indices) {
      const qint64 i = v.toInteger(-1);
      if (i < 0 || i >= count_ || seen[std::size_t(i)])
        return Failure{FailureKind::CorruptFile, {{"path", dir_ + "/prepared.json"}}, "split " + name + " holds a bad or repeated index"};
      seen[std::size_t(i)] = 1;
      list->push_back(i);
    }
  }
  return {};
}

const std::vector<std::int64_t>& PreparedData::split(const QString& name) const {
  return name == u"train" ? train_ : name == u"validation" ? validation_ : test_;
}

const std::uint8_t* PreparedData::pixels(std::int64_t index) const {
  const auto after = std::upper_bound(shards_.begin(), shards_.end(), index, [](std::int64_t i, const Shard& s) { return i < s.first; });
  const Shard& shard = *std::prev(after);
  return shard.pixels + (index - shard.first) * bytesPerSample();
}

std::vector<std::int64_t> PreparedData::classCounts(const QString& splitName) const {
  std::vector<std::int64_t> counts(std::size_t(classes_.size()), 0);
  for (std::int64_t i : split(splitName)) ++counts[std::size_t(label(i))];
  return counts;
}

QStringList PreparedData::keys(const std::vector<std::int64_t>& indices) const {
  QStringList all, wanted;
  QFile file(dir_ + "/../../samples.jsonl");
  if (file.open(QIODevice::ReadOnly))
    while (!file.atEnd()) all << QJsonDocument::fromJson(file.readLine()).object()["key"].toString();
  for (std::int64_t i : indices) wanted << (all.size() == count_ ? all[i] : "#" + QString::number(i));
  return wanted;
}

}  // namespace cloister
