#include "app/ingest/import_child.h"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>

#include "app/ingest/source_files.h"
#include "core/pixels/pixel_path.h"

namespace cloister {
namespace {

constexpr int kThumbSide = 96;
// Of a frame that comes in several resolutions: more than the thumbnail's, so that it is still averaged.
constexpr int kPreviewSide = 128;
constexpr qint64 kInMemory = qint64(64) << 20;

void sayAlive() { writeMessage(1, {{{"more", true}, {"alive", true}}, {}}); }

/// The original on its way into the project: read into memory where the source can use it there, else copied first. What is hashed, decoded
/// and kept are the same bytes, whatever becomes of the file meanwhile. A copy that is not kept is removed.
class Original {
 public:
  Original(QString file, QString staging) : file_(std::move(file)), staging_(std::move(staging)) {
    // A name of its own for each file: a source that remembers the last file by name and time must never take one for the other.
    static qint64 copies = 0;
    part_ = staging_ + QStringLiteral("/.part-%1-%2").arg(::getpid()).arg(++copies);
  }
  ~Original() {
    if (offeredTo_) offeredTo_->offer({}, {});
    if (written_) ::unlink(QFile::encodeName(part_).constData());
  }
  Original(const Original&) = delete;
  Original& operator=(const Original&) = delete;

  /// nothing: taken. A failure about our own disk names the staging folder.
  Result<void> take(SourcePlugin& source);
  /// Into <staging>/ab/abcd…, unless the project has these bytes already.
  Result<void> keep(const QString& objects);
  /// What the source knows it by.
  const QString& path() const { return offeredTo_ ? file_ : part_; }
  const Copied& copied() const { return copied_; }

 private:
  QString file_, staging_, part_;
  QByteArray bytes_;
  SourcePlugin* offeredTo_ = nullptr;
  bool written_ = false;
  Copied copied_;
};

Result<void> Original::take(SourcePlugin& source) {
  auto bytes = contentsOf(file_, kInMemory);
  if (!bytes) return bytes.error();
  const auto head = bytes->isNull() ? headOf(file_) : Result<QByteArray>(bytes->left(4096));
  if (!head) return head.error();
  if (!source.recognises(file_, *head)) return Failure{FailureKind::UnsupportedFormat, {}, {}};
  if (!bytes->isNull() && source.offer(file_, *bytes)) {
    offeredTo_ = &source;
    bytes_ = std::move(*bytes);
    copied_ = {sha256Of(bytes_), bytes_.size()};
    return {};
  }
  bytes->clear();
  written_ = true;
  auto copied = copyAndHash(file_, part_, sayAlive);
  if (!copied) {
    Failure failure = copied.error();
    if (failure.args["path"].toString() == part_) failure.args["path"] = staging_;
    return failure;
  }
  copied_ = *copied;
  return {};
}

Result<void> Original::keep(const QString& objects) {
  const QString below = copied_.sha256.left(2) + '/' + copied_.sha256;
  struct stat known {};
  if (::stat(QFile::encodeName(objects + '/' + below).constData(), &known) == 0 && known.st_size == copied_.bytes) return {};
  if (!written_) {
    if (auto wrote = writeReadOnly(part_, bytes_); !wrote) return wrote;
    written_ = true;
  } else {
    ::chmod(QFile::encodeName(part_).constData(), 0444);
  }
  const QByteArray from = QFile::encodeName(part_), to = QFile::encodeName(staging_ + '/' + below);
  if (::rename(from.constData(), to.constData()) != 0) {
    const QString folder = staging_ + '/' + copied_.sha256.left(2);
    if (errno == ENOENT && ::mkdir(QFile::encodeName(folder).constData(), 0755) != 0 && errno != EEXIST)
      return failureFromErrno(errno, folder);
    if (::rename(from.constData(), to.constData()) != 0) return failureFromErrno(errno, staging_ + '/' + below);
  }
  written_ = false;
  return {};
}

Message failed(Failure failure, const QString& file) {
  if (failure.kind == FailureKind::OutOfMemory)
    failure = {FailureKind::TooLarge, {{"limit", QStringLiteral("1 GiB of memory")}}, failure.detail};
  failure.args["path"] = file;  // never the name of a copy
  return {{{"failure", failure.toJson()}}, {}};
}

/// Fills in hash, window and thumbnail; appends the thumbnail's pixels.
Result<void> picture(SourcePlugin& source, const QString& path, Sample& sample, QByteArray& thumbs) {
  auto frame = source.preview(path, sample.frame, kPreviewSide);
  if (!frame) return frame.error();
  const GreyWindow window = chooseWindow(*frame, QStringLiteral("voi"));
  if (frame->channels == 1 && !window.lut) {
    sample.windowCenter = window.center;
    sample.windowWidth = window.width;
  }
  const UnitImage unit = toUnit(*frame, window);
  // The frame's own memory is large; what follows needs only the unit image.
  *frame = {};
  sample.perceptualHash = differenceHash(unit);
  const int longest = std::max(unit.width, unit.height);
  const double scale = std::min(1.0, double(kThumbSide) / longest);
  const UnitImage small =
      resized(unit, std::max(1, int(std::lround(unit.width * scale))), std::max(1, int(std::lround(unit.height * scale))));
  const std::vector<std::uint8_t> bytes = toBytes(small);
  sample.thumbOffset = thumbs.size();
  sample.thumbWidth = small.width;
  sample.thumbHeight = small.height;
  sample.thumbChannels = small.channels;
  thumbs.append(reinterpret_cast<const char*>(bytes.data()), qsizetype(bytes.size()));
  return {};
}

}  // namespace

Message importOne(SourcePlugin& source, const QJsonObject& job) {
  const QString file = job["file"].toString();
  const QString staging = job["staging"].toString();
  Original original(file, staging);
  if (auto taken = original.take(source); !taken)
    return failed(taken.error(), taken.error().args["path"].toString() == staging ? staging : file);
  QJsonObject options = job["options"].toObject();
  options["name"] = QFileInfo(file).fileName();  // a copy has another one
  auto samples = source.describe(original.path(), options);
  if (!samples) {
    if (samples.error().kind == FailureKind::NoPixelData)
      if (auto references = source.references(original.path())) return {{{"references", QJsonArray::fromStringList(*references)}}, {}};
    return failed(samples.error(), file);
  }

  QByteArray thumbs;
  QJsonArray done;
  auto since = std::chrono::steady_clock::now();
  for (Sample& s : *samples) {
    s.file = file;
    s.sha256 = original.copied().sha256;
    s.bytes = original.copied().bytes;
    s.key = job["key"].toString();
    if (s.frames > 1 && source.pictures()) s.key += '#' + QString::number(s.frame);
    s.label = job["label"].toString();
    s.labelOrigin = s.label.isEmpty() ? QString() : QStringLiteral("folder");
    if (source.pictures())
      if (auto made = picture(source, original.path(), s, thumbs); !made) return failed(made.error(), file);
    done.append(s.toJson());
    const auto now = std::chrono::steady_clock::now();
    if (&s != &samples->last() && (thumbs.size() > (8 << 20) || now - since > std::chrono::seconds(1))) {
      if (!writeMessage(1, {{{"more", true}, {"samples", done}}, thumbs})) ::_exit(0);
      done = {};
      thumbs.clear();
      since = now;
    }
  }
  if (auto kept = original.keep(job["objects"].toString()); !kept) return failed(kept.error(), staging);
  return {{{"samples", done}}, thumbs};
}

}  // namespace cloister
