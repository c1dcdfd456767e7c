#include "core/tensors/model_folder.h"

#include <QDir>

#include "core/domain/files.h"

namespace cloister {

Result<QString> modelFolderDigest(const QString& dir) {
  const QDir folder(dir);
  if (!folder.exists("config.json")) return Failure{FailureKind::NotFound, {{"path", folder.absoluteFilePath("config.json")}}, {}};
  QJsonObject digests;
  const QStringList names = folder.entryList({"config.json", "*.safetensors", "*.safetensors.index.json"}, QDir::Files, QDir::Name);
  for (const QString& name : names) {
    auto sha = sha256OfFile(folder.absoluteFilePath(name));
    if (!sha) return sha.error();
    digests[name] = *sha;
  }
  return sha256Hex(canonicalJson(digests));
}

}  // namespace cloister
