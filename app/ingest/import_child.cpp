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

void sayAlive() { writeMessage(1, {{{"more", true}, {"alive", true}}, {}}); }

/// Removes the staged copy unless it was kept.
class Staged {
 public:
  explicit Staged(QString path) : path_(std::move(path)) {}
  ~Staged() {
    if (!path_.isEmpty()) ::unlink(QFile::encodeName(path_).constData());
  }
  const QString& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  QString path_;
};

Message failed(Failure failure, const QString& file) {
  if (failure.kind == FailureKind::OutOfMemory)
    failure = {FailureKind::TooLarge, {{"limit", QStringLiteral("1 GiB of memory")}}, failure.detail};
  failure.args["path"] = file;  // never the name of the staged copy
  return {{{"failure", failure.toJson()}}, {}};
}

/// Fills in hash, window and thumbnail; appends the thumbnail's pixels.
Result<void> picture(SourcePlugin& source, const QString& path, Sample& sample, QByteArray& thumbs) {
  auto frame = source.decode(path, sample.frame);
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

/// Into <staging>/ab/abcd…, unless the project has these bytes already.
Result<void> keep(Staged& staged, const QJsonObject& job, const Copied& copied) {
  const QString below = copied.sha256.left(2) + '/' + copied.sha256;
  const QFileInfo known(job["objects"].toString() + '/' + below);
  if (known.exists() && known.size() == copied.bytes) return {};  // Staged removes the copy
  const QString folder = job["staging"].toString() + '/' + copied.sha256.left(2);
  if (::mkdir(QFile::encodeName(folder).constData(), 0755) != 0 && errno != EEXIST) return failureFromErrno(errno, folder);
  ::chmod(QFile::encodeName(staged.path()).constData(), 0444);
  const QString place = job["staging"].toString() + '/' + below;
  if (::rename(QFile::encodeName(staged.path()).constData(), QFile::encodeName(place).constData()) != 0)
    return failureFromErrno(errno, place);
  staged.release();
  return {};
}

}  // namespace

Message importOne(SourcePlugin& source, const QJsonObject& job) {
  const QString file = job["file"].toString();
  const auto head = headOf(file);
  if (!head) return failed(head.error(), file);
  if (!source.recognises(file, *head)) return failed({FailureKind::UnsupportedFormat, {}, {}}, file);

  // A name of its own for each file: a source that remembers the last file by name and time must never take one for the other.
  static qint64 copies = 0;
  Staged staged(job["staging"].toString() + QStringLiteral("/.part-%1-%2").arg(::getpid()).arg(++copies));
  const auto copied = copyAndHash(file, staged.path(), sayAlive);
  if (!copied) return failed(copied.error(), copied.error().args["path"].toString() == staged.path() ? job["staging"].toString() : file);
  auto samples = source.describe(staged.path(), job["options"].toObject());
  if (!samples) {
    if (samples.error().kind == FailureKind::NoPixelData)
      if (auto references = source.references(staged.path())) return {{{"references", QJsonArray::fromStringList(*references)}}, {}};
    return failed(samples.error(), file);
  }

  QByteArray thumbs;
  QJsonArray done;
  auto since = std::chrono::steady_clock::now();
  for (Sample& s : *samples) {
    s.file = file;
    s.sha256 = copied->sha256;
    s.bytes = copied->bytes;
    s.key = job["key"].toString();
    if (s.frames > 1) s.key += '#' + QString::number(s.frame);
    s.label = job["label"].toString();
    s.labelOrigin = s.label.isEmpty() ? QString() : QStringLiteral("folder");
    if (auto made = picture(source, staged.path(), s, thumbs); !made) return failed(made.error(), file);
    done.append(s.toJson());
    const auto now = std::chrono::steady_clock::now();
    if (&s != &samples->last() && (thumbs.size() > (8 << 20) || now - since > std::chrono::seconds(1))) {
      if (!writeMessage(1, {{{"more", true}, {"samples", done}}, thumbs})) ::_exit(0);
      done = {};
      thumbs.clear();
      since = now;
    }
  }
  if (auto kept = keep(staged, job, *copied); !kept) return failed(kept.error(), job["staging"].toString());
  return {{{"samples", done}}, thumbs};
}

}  // namespace cloister
