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

const QStringList& companionFiles() {
  static const QStringList names{"generation_config.json",  "tokenizer.json",    "tokenizer.model", "tokenizer_config.json",
                                 "special_tokens_map.json", "added_tokens.json", "vocab.json",      "merges.txt",
                                 "chat_template.jinja",     "chat_template.json"};
  return names;
}

}  // namespace cloister
