#include "core/tensors/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QUuid>

#include "core/domain/files.h"
#include "core/tensors/safetensors_write.h"

namespace cloister {
namespace {

constexpr std::size_t kWrittenAtOnce = 16 << 20;

constexpr std::uint64_t kMaxHeader = 100'000'000;

struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr DTypeRow kDTypes[] = {
    {DType::Bool, "BOOL", 1}, {DType::U8, "U8", 1},   {DType::I8, "I8", 1},   {DType::F8E4M3, "F8_E4M3", 1}, {DType::F8E5M2, "F8_E5M2", 1},
    {DType::I16, "I16", 2},   {DType::U16, "U16", 2}, {DType::F16, "F16", 2}, {DType::BF16, "BF16", 2},      {DType::I32, "I32", 4},
    {DType::U32, "U32", 4},   {DType::F32, "F32", 4}, {DType::F64, "F64", 8}, {DType::I64, "I64", 8},        {DType::U64, "U64", 8}};

Failure corrupt(const QString& path, const QString& detail, qint64 position = 0) {
  return {FailureKind::CorruptFile, {{"path", path}, {"position", position}}, detail};
}

// QJsonObject keeps the last of two equal keys; a file with two tensors of one name must be refused, so top-level keys are counted here.
// Walks the text once; strings are the only place where braces do not count.
bool hasDuplicateTopLevelKeys(const char* text, std::size_t size) {
  std::set<QByteArray> seen;
  int depth = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = text[i];
    if (c == '{' || c == '[') ++depth;
    else if (c == '}' || c == ']') --depth;
    else if (c == '"') {
      const std::size_t start = i++;
      while (i < size && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
      if (depth != 1 || i >= size) continue;
      std::size_t after = i + 1;
      while (after < size && std::strchr(" \t\r\n", text[after])) ++after;
      if (after >= size || text[after] != ':') continue;
      // Escapes are resolved, so that "a" and "\u0061" count as the same name.
      const QJsonArray one = QJsonDocument::fromJson('[' + QByteArray(text + start, qsizetype(i - start + 1)) + ']').array();
      if (!seen.insert(one.at(0).toString().toUtf8()).second) return true;
    }
  }
  return false;
}

}  // namespace

std::size_t dtypeSize(DType d) {
  for (const auto& r : kDTypes)
    if (r.dtype == d) return r.size;
  return 0;
}

const char* dtypeName(DType d) {
  for (const auto& r : kDTypes)
    if (r.dtype == d) return r.name;
  return "";
}

Result<void> SafetensorsFile::parse(const std::byte* bytes, std::size_t size, const QString& path,
                                    std::map<std::string, TensorView>& tensors, QJsonObject& metadata) {
  if (size < 8) return Failure{FailureKind::TruncatedFile, {{"path", path}}, "shorter than the 8-byte header length"};
  std::uint64_t headerSize = 0;
  std::memcpy(&headerSize, bytes, 8);
  if (headerSize > kMaxHeader) return Failure{FailureKind::TooLarge, {{"path", path}, {"limit", qint64(kMaxHeader)}}, "header length"};
  if (headerSize > size - 8) return Failure{FailureKind::TruncatedFile, {{"path", path}}, "header longer than the file"};
  const char* header = reinterpret_cast<const char*>(bytes + 8);
  if (headerSize == 0 || header[0] != '{') return corrupt(path, "the header does not start with {", 8);
  QJsonParseError error;
  const QJsonDocument doc = QJsonDocument::fromJson(QByteArray::fromRawData(header, qsizetype(headerSize)), &error);
  if (!doc.isObject()) return corrupt(path, error.errorString(), 8 + error.offset);
  if (hasDuplicateTopLevelKeys(header, headerSize)) return corrupt(path, "a tensor name appears twice", 8);

  const std::byte* data = bytes + 8 + headerSize;
  const std::uint64_t dataSize = size - 8 - headerSize;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  const QJsonObject o = doc.object();
  for (auto it = o.begin(); it != o.end(); ++it) {
    if (it.key() == u"__metadata__") {
      if (!it.value().isObject()) return corrupt(path, "__metadata__ is not an object", 8);
      metadata = it.value().toObject();
      for (const QJsonValue& v : std::as_const(metadata))
        if (!v.isString()) return corrupt(path, "__metadata__ holds something other than text", 8);
      continue;
    }
    const QJsonObject e = it.value().toObject();
    TensorView view;
    const QString dtype = e["dtype"].toString();
    const auto* row = std::find_if(std::begin(kDTypes), std::end(kDTypes), [&](auto& r) { return dtype == QLatin1String(r.name); });
    if (row == std::end(kDTypes)) return corrupt(path, "tensor " + it.key() + ": unknown dtype " + dtype, 8);
    view.dtype = row->dtype;
    std::uint64_t elements = 1;
    if (!e["shape"].isArray()) return corrupt(path, "tensor " + it.key() + ": no shape", 8);
    const QJsonArray shape = e["shape"].toArray();
    for (const QJsonValue& v : shape) {
      const double d = v.toDouble(-1);
      if (!v.isDouble() || d < 0 || d != double(v.toInteger(-1))) return corrupt(path, "tensor " + it.key() + ": bad shape", 8);
      view.shape.push_back(v.toInteger());
      if (__builtin_mul_overflow(elements, std::uint64_t(v.toInteger()), &elements))
        return corrupt(path, "tensor " + it.key() + ": the shape overflows", 8);
    }
    std::uint64_t need = 0;
    if (__builtin_mul_overflow(elements, std::uint64_t(row->size), &need))
      return corrupt(path, "tensor " + it.key() + ": the shape overflows", 8);
    const QJsonArray offsets = e["data_offsets"].toArray();
    if (offsets.size() != 2) return corrupt(path, "tensor " + it.key() + ": data_offsets needs two numbers", 8);
    const qint64 begin = offsets[0].toInteger(-1), end = offsets[1].toInteger(-1);
    if (begin < 0 || end < begin || std::uint64_t(end) > dataSize)
      return Failure{std::uint64_t(std::max<qint64>(end, 0)) > dataSize ? FailureKind::TruncatedFile : FailureKind::CorruptFile,
                     {{"path", path}},
                     "tensor " + it.key() + ": data_offsets leave the file"};
    if (std::uint64_t(end - begin) != need) return corrupt(path, "tensor " + it.key() + ": size and shape disagree", 8);
    view.data = data + begin;
    view.bytes = need;
    extents.emplace_back(begin, end);
    tensors.emplace(it.key().toStdString(), std::move(view));
  }
  std::sort(extents.begin(), extents.end());
  std::uint64_t at = 0;
  for (const auto& [begin, end] : extents) {
    if (begin != at) return corrupt(path, begin < at ? "two tensors overlap" : "a hole between tensors", qint64(8 + headerSize + at));
    at = end;
  }
  if (at != dataSize) return corrupt(path, "bytes after the last tensor", qint64(8 + headerSize + at));
  return {};
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::open(const QString& path) {
  const int fd = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failureFromErrno(errno, path);
  struct stat st {};
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    ::close(fd);
    return corrupt(path, "not a regular file");
  }
  file->size_ = std::size_t(st.st_size);
  if (file->size_ > 0) {
    void* map = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, fd, 0);
    const int mapError = errno;
    ::close(fd);
    if (map == MAP_FAILED) return failureFromErrno(mapError, path);
    file->map_ = map;
  } else {
    ::close(fd);
  }
  if (auto parsed = parse(static_cast<const std::byte*>(file->map_), file->size_, path, file->tensors_, file->metadata_); !parsed)
    return parsed.error();
  return file;
}

SafetensorsFile::~SafetensorsFile() {
  if (map_) ::munmap(map_, size_);
}

const TensorView* SafetensorsFile::find(const std::string& name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

Result<void> writeSafetensors(const QString& path, const std::map<std::string, TensorView>& tensors, const QJsonObject& metadata) {
  return writeSafetensorsTelling(path, tensors, metadata, {});
}

Result<void> writeSafetensorsTelling(const QString& path, const std::map<std::string, TensorView>& tensors, const QJsonObject& metadata,
                                     const std::function<void(qint64)>& written) {
  QJsonObject header;
  if (!metadata.isEmpty()) header["__metadata__"] = metadata;
  // Largest element first keeps every tensor aligned to its own size without holes; equal sizes keep name order.
  std::vector<const std::pair<const std::string, TensorView>*> order;
  for (const auto& t : tensors) order.push_back(&t);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return dtypeSize(a->second.dtype) > dtypeSize(b->second.dtype); });
  qint64 at = 0;
  for (const auto* entry : order) {
    const TensorView& t = entry->second;
    QJsonArray shape;
    for (auto s : t.shape) shape.append(qint64(s));
    header[QString::fromStdString(entry->first)] =
        QJsonObject{{"dtype", dtypeName(t.dtype)}, {"shape", shape}, {"data_offsets", QJsonArray{at, at + qint64(t.bytes)}}};
    at += qint64(t.bytes);
  }
  QByteArray text = QJsonDocument(header).toJson(QJsonDocument::Compact);
  text.append(QByteArray((8 - text.size() % 8) % 8, ' '));

  const QString staged = path + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  const QByteArray stagedName = QFile::encodeName(staged);
  const int fd = ::open(stagedName.constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return failureFromErrno(errno, path);
  const auto put = [&](const void* bytes, std::size_t size, bool tell = false) -> int {
    const char* p = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t n = ::write(fd, p, std::min<std::size_t>(size, kWrittenAtOnce));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      p += n;
      size -= std::size_t(n);
      if (tell && written) written(n);
    }
    return 0;
  };
  const std::uint64_t length = std::uint64_t(text.size());
  int error = put(&length, 8);
  if (!error) error = put(text.constData(), std::size_t(text.size()));
  for (const auto* entry : order)
    if (!error) error = put(entry->second.data, entry->second.bytes, true);
  if (!error && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && !error) error = errno;
  if (!error && ::rename(stagedName.constData(), QFile::encodeName(path).constData()) != 0) error = errno;
  if (error) {
    ::unlink(stagedName.constData());
    return failureFromErrno(error, path);
  }
  return syncFolder(QFileInfo(path).absolutePath());
}

}  // namespace cloister
