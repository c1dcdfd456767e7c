#include "app/worker/token_ids.h"

#include <cmath>

#include <ATen/ops/empty.h>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

[[noreturn]] void refuse(const QString& path, const QString& why) {
  throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, why});
}

std::vector<std::int64_t> row(const QJsonArray& list, const QString& path) {
  std::vector<std::int64_t> ids;
  for (const QJsonValue& v : list) {
    if (!v.isDouble() || v.toDouble() != std::floor(v.toDouble()) || std::abs(v.toDouble()) > 1e15)
      refuse(path, QString("entry %1 is not a token number").arg(ids.size()));
    ids.push_back(v.toInteger());
  }
  if (ids.empty()) refuse(path, "a sequence without tokens");
  return ids;
}

}  // namespace

std::vector<std::vector<std::int64_t>> readTokenIds(const QString& path) {
  QJsonParseError error;
  const QJsonDocument document = QJsonDocument::fromJson(orThrow(readFile(path)), &error);
  if (document.isNull()) refuse(path, QString("%1 at byte %2").arg(error.errorString()).arg(error.offset));
  const QJsonArray list = document.isArray() ? document.array() : document.object()["input_ids"].toArray();
  if (list.isEmpty()) refuse(path, "no token numbers: a list, a list of lists or an object with input_ids");
  if (!list[0].isArray()) return {row(list, path)};
  std::vector<std::vector<std::int64_t>> rows;
  for (const QJsonValue& v : list) {
    if (!v.isArray()) refuse(path, "lists and numbers side by side");
    rows.push_back(row(v.toArray(), path));
  }
  return rows;
}

at::Tensor equalRows(const std::vector<std::vector<std::int64_t>>& rows, const QString& path) {
  const at::Tensor ids = at::empty({std::int64_t(rows.size()), std::int64_t(rows[0].size())}, at::kLong);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size()) refuse(path, "sequences of different lengths");
    std::copy(rows[i].begin(), rows[i].end(), ids.mutable_data_ptr<std::int64_t>() + std::int64_t(i) * ids.size(1));
  }
  return ids;
}

}  // namespace cloister
