// A cloister-ingest for tests of the supervisor: `prepare --request FILE` writes one shard of black images and its marker, no image is
// decoded. With $FAKE_INGEST_FAIL it ends as a child does that met a damaged file.
#include <cstdio>
#include <vector>

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/files.h"
#include "core/tensors/safetensors.h"

using namespace cloister;

namespace {

int fail(const Failure& failure) {
  std::puts(QJsonDocument(QJsonObject{{"type", "failed"}, {"failure", failure.toJson()}}).toJson(QJsonDocument::Compact).constData());
  return exitCodeFor(failure.kind);
}

Result<QJsonArray> writeShard(const QString& out, qint64 count, int size) {
  const std::vector<std::byte> pixels(size_t(count) * size_t(size) * size_t(size));
  const std::vector<std::int64_t> labels(size_t(count), 0);
  const QString file = out + "/shard-00000.safetensors";
  auto written =
      writeSafetensors(file, {{"images", {DType::U8, {count, 1, size, size}, pixels.data(), pixels.size()}},
                              {"labels", {DType::I64, {count}, reinterpret_cast<const std::byte*>(labels.data()), labels.size() * 8}}});
  if (!written) return written.error();
  auto digest = sha256OfFile(file);
  if (!digest) return digest.error();
  return QJsonArray{QJsonObject{{"file", "shard-00000.safetensors"}, {"count", count}, {"sha256", *digest}}};
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication app(argc, argv);
  const QStringList arguments = app.arguments();
  auto request = readJson(arguments.value(arguments.indexOf("--request") + 1));
  if (!request) return fail(request.error());
  if (qEnvironmentVariableIsSet("FAKE_INGEST_FAIL")) return fail({FailureKind::CorruptFile, {{"path", "objects/ab/abcd"}}, {}});
  const QString out = (*request)["out"].toString();
  QDir().mkpath(out);
  QFile samples((*request)["samples"].toString());
  if (!samples.open(QIODevice::ReadOnly)) return fail({FailureKind::NotFound, {{"path", samples.fileName()}}, {}});
  QJsonObject splits{{"train", QJsonArray()}, {"validation", QJsonArray()}, {"test", QJsonArray()}};
  qint64 count = 0;
  for (; !samples.atEnd(); ++count) {
    const QString split = QJsonDocument::fromJson(samples.readLine()).object()["split"].toString();
    QJsonArray indices = splits[split].toArray();
    indices << count;
    splits[split] = indices;
  }
  auto shards = writeShard(out, count, (*request)["preprocessing"].toObject()["size"].toInt());
  if (!shards) return fail(shards.error());
  QJsonObject marker{{"format", 1},
                     {"preprocessing", (*request)["preprocessing"]},
                     {"count", count},
                     {"channels", 1},
                     {"size", (*request)["preprocessing"].toObject()["size"]},
                     {"shards", *shards},
                     {"splits", splits},
                     {"mean", QJsonArray{0.0}},
                     {"std", QJsonArray{1.0}}};
  marker["digest"] = sha256Hex(canonicalJson(marker));
  if (auto written = writeJsonAtomically(out + "/prepared.json", marker); !written) return fail(written.error());
  std::puts(R"({"type":"finished"})");
  return 0;
}
