#include "core/tensors/model_folder.h"

#include <algorithm>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr qint64 kReadAtOnce = 4 << 20;

/// read hears how many bytes were read since it was last told; false stops.
Result<QString> digestOf(const QString& path, const std::function<bool(qint64)>& read) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly | QIODevice::Unbuffered)) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
  QCryptographicHash hash(QCryptographicHash::Sha256);
  QByteArray buffer(kReadAtOnce, Qt::Uninitialized);
  for (;;) {
    const qint64 n = file.read(buffer.data(), buffer.size());
    if (n < 0) return Failure{FailureKind::IoError, {{"path", path}}, file.errorString()};
    if (n == 0) return QString::fromLatin1(hash.result().toHex());
    hash.addData(QByteArrayView(buffer.constData(), n));
    if (!read(n)) return Failure{FailureKind::Stopped, {}, {}};
  }
}

}  // namespace

Result<QString> modelFolderDigest(const QString& dir, const std::function<bool(qint64, qint64)>& progress) {
  const QDir folder(dir);
  if (!folder.exists("config.json")) return Failure{FailureKind::NotFound, {{"path", folder.absoluteFilePath("config.json")}}, {}};
  QJsonObject digests;
  const QStringList names = folder.entryList({"config.json", "*.safetensors", "*.safetensors.index.json"}, QDir::Files, QDir::Name);
  qint64 done = 0, total = 0;
  for (const QString& name : names) total += QFileInfo(folder.absoluteFilePath(name)).size();
  const auto read = [&](qint64 bytes) {
    done += bytes;
    return !progress || progress(done, std::max(done, total));
  };
  for (const QString& name : names) {
    auto sha = digestOf(folder.absoluteFilePath(name), read);
    if (!sha) return sha.error();
    digests[name] = *sha;
  }
  return sha256Hex(canonicalJson(digests));
}

const QStringList& companionFiles() {
  static const QStringList names{"generation_config.json",  "tokenizer.json",    "tokenizer.model", "tokenizer_config.json",
                                 "special_tokens_map.json", "added_tokens.json", "vocab.json",      "merges.txt",
                                 "chat_template.jinja",     "chat_template.json"};
  return names;
}

}  // namespace cloister
