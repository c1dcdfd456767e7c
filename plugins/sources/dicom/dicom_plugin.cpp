#include "plugins/sources/dicom/dicom_plugin.h"

#include <sys/stat.h>

#include <QFile>
#include <QFileInfo>

#include "plugins/sources/dicom/frame_values.h"
#include "plugins/sources/dicom/phantom_writer.h"

using namespace cloister;
using namespace cloister::dicom;

struct DicomPlugin::Opened {
  QString path;
  struct stat identity {};
  bool fromMemory = false;
  std::unique_ptr<File> file;
  std::unique_ptr<PixelReader> reader;  ///< made when pixels are first asked for
  PixelReader& pixels() {
    if (!reader) reader = std::make_unique<PixelReader>(*file);
    return *reader;
  }
};

namespace {

QString syntaxName(const QString& uid) {
  if (isHighThroughputJ2k(uid)) return QStringLiteral("High-Throughput JPEG 2000");
  if (isDeflatedFrames(uid)) return QStringLiteral("Deflated Image Frame Compression");
  return QString::fromLatin1(DcmXfer(uid.toLatin1().constData()).getXferName());
}

QJsonObject selectedHeader(File& file, const PixelFormat& format) {
  QJsonObject o{{"TransferSyntax", syntaxName(file.transferSyntax())}, {"PhotometricInterpretation", format.photometric}};
  const std::pair<const char*, DcmTagKey> wanted[] = {{"PatientSex", DCM_PatientSex},
                                                      {"PatientAge", DCM_PatientAge},
                                                      {"StudyDate", DCM_StudyDate},
                                                      {"BodyPartExamined", DCM_BodyPartExamined},
                                                      {"ViewPosition", DCM_ViewPosition},
                                                      {"Manufacturer", DCM_Manufacturer},
                                                      {"SeriesDescription", DCM_SeriesDescription},
                                                      {"ImageComments", DCM_ImageComments},
                                                      {"BurnedInAnnotation", DCM_BurnedInAnnotation}};
  for (const auto& [name, tag] : wanted)
    if (const QString value = file.text(tag); !value.isEmpty()) o[QLatin1String(name)] = value;
  if (const QString name = file.personName(DCM_PatientName); !name.isEmpty()) o["PatientName"] = name;
  return o;
}

QList<int> wantedFrames(int frames, const QJsonObject& options) {
  const QString word = options["frames"].toString();
  if (word == u"first") return {0};
  if (word == u"middle") return {frames / 2};
  QList<int> all;
  for (int i = 0; i < frames; ++i) all << i;
  return all;
}

}  // namespace

bool DicomPlugin::offer(const QString& path, const QByteArray& bytes) {
  last_.reset();
  offeredPath_ = path;
  offered_ = bytes;
  return true;
}

DicomPlugin::Opened& DicomPlugin::opened(const QString& path) {
  if (!offeredPath_.isEmpty() && path == offeredPath_) {
    if (last_ && last_->fromMemory) return *last_;
    last_.reset();
    auto fresh = std::make_shared<Opened>();
    fresh->path = path;
    fresh->fromMemory = true;
    fresh->file = File::open(path, offered_);
    last_ = fresh;
    return *last_;
  }
  struct stat now {};
  if (::stat(QFile::encodeName(path).constData(), &now) != 0) {
    const Failure failure = failureFromErrno(errno, path);
    throw SourceError(failure.kind, failure.detail);
  }
  if (last_ && !last_->fromMemory && last_->path == path && last_->identity.st_ino == now.st_ino &&
      last_->identity.st_size == now.st_size && last_->identity.st_mtim.tv_sec == now.st_mtim.tv_sec &&
      last_->identity.st_mtim.tv_nsec == now.st_mtim.tv_nsec)
    return *last_;
  last_.reset();
  auto fresh = std::make_shared<Opened>();
  fresh->path = path;
  fresh->identity = now;
  fresh->file = File::open(path);
  last_ = fresh;
  return *last_;
}

bool DicomPlugin::recognises(const QString& path, const QByteArray& head) const {
  if (head.size() >= 132 && head.mid(128, 4) == "DICM") return true;
  const QString name = QFileInfo(path).fileName();
  if (name.endsWith(u".dcm", Qt::CaseInsensitive) || name.endsWith(u".dicom", Qt::CaseInsensitive) ||
      name.compare(u"DICOMDIR", Qt::CaseInsensitive) == 0)
    return true;
  if (head.size() < 8) return false;
  // Without preamble: the first element is of group 2 or 8, little or big endian, with a small length or a known VR.
  const auto u = [&](int i) { return quint8(head[i]); };
  const bool little = (u(0) == 2 || u(0) == 8) && u(1) == 0 && u(3) == 0;
  const bool big = u(0) == 0 && (u(1) == 2 || u(1) == 8) && u(2) == 0;
  const bool explicitVr = u(4) >= 'A' && u(4) <= 'Z' && u(5) >= 'A' && u(5) <= 'Z';
  const bool smallLength = little && u(5) == 0 && u(6) == 0 && u(7) == 0;
  return (little && (explicitVr || smallLength)) || (big && explicitVr);
}

Result<QList<Sample>> DicomPlugin::describe(const QString& path, const QJsonObject& options) {
  return guardedSource<QList<Sample>>([&]() -> Result<QList<Sample>> {
    Opened& o = opened(path);
    const PixelFormat& format = o.pixels().format();
    Sample s;
    s.source = QStringLiteral("dicom");
    s.modality = o.file->text(DCM_Modality);
    const QString only = options["modality"].toString();
    if (!only.trimmed().isEmpty() && !only.split(',').contains(s.modality))
      return Failure{
          FailureKind::PolicyRefused, {{"rule", QStringLiteral("only modality %1 is imported, this is %2").arg(only, s.modality)}}, {}};
    s.width = format.columns;
    s.height = format.rows;
    s.channels = format.samples >= 3 || format.photometric == u"PALETTE COLOR" ? 3 : 1;
    s.bits = format.bitsStored;
    s.frames = format.frames;
    s.site = o.file->text(DCM_InstitutionName);
    s.patient = o.file->text(DCM_PatientID);
    s.study = o.file->text(DCM_StudyInstanceUID);
    s.series = o.file->text(DCM_SeriesInstanceUID);
    s.instance = o.file->text(DCM_SOPInstanceUID);
    if (format.framesRepaired) s.problem = failureKindName(FailureKind::CorruptFile);
    s.header = selectedHeader(*o.file, format);
    QList<Sample> samples;
    for (int frame : wantedFrames(format.frames, options)) {
      s.frame = frame;
      const VoiDescription voi = s.channels == 1 ? voiOf(*o.file, frame, false) : VoiDescription{};
      s.windowCenter = voi.windows.empty() ? 0 : voi.windows.front().center;
      s.windowWidth = voi.windows.empty() ? 0 : voi.windows.front().width;
      samples << s;
    }
    return samples;
  });
}

Result<DecodedFrame> DicomPlugin::decode(const QString& path, int frame) {
  return guardedSource<DecodedFrame>([&]() -> Result<DecodedFrame> {
    Opened& o = opened(path);
    return decodedFrame(*o.file, o.pixels(), frame);
  });
}

Result<DecodedFrame> DicomPlugin::preview(const QString& path, int frame, int side) {
  return guardedSource<DecodedFrame>([&]() -> Result<DecodedFrame> {
    Opened& o = opened(path);
    return previewFrame(*o.file, o.pixels(), frame, side);
  });
}

Result<StoredFrame> DicomPlugin::stored(const QString& path, int frame) {
  return guardedSource<StoredFrame>([&]() -> Result<StoredFrame> { return opened(path).pixels().read(frame).frame; });
}

QJsonObject DicomPlugin::header(const QString& path, int frame) {
  Opened& o = opened(path);
  QJsonObject out{{"header", o.file->headerRows()}, {"transferSyntax", o.file->transferSyntax()}};
  try {
    const PixelFormat& format = o.pixels().format();
    const VoiDescription voi = voiOf(*o.file, frame, true);
    QJsonArray windows;
    for (const WindowPreset& w : voi.windows)
      windows.append(QJsonObject{{"center", w.center}, {"width", w.width}, {"explanation", w.explanation}});
    out["windows"] = windows;
    out["lut"] = !voi.lut.empty();
    out["photometric"] = format.photometric;
    out["bits"] = format.bitsStored;
    out["frames"] = format.frames;
  } catch (const SourceError&) {
    // The header of an object without an image is still worth reading.
  }
  return out;
}

Result<QStringList> DicomPlugin::references(const QString& path) {
  return guardedSource<QStringList>([&]() -> Result<QStringList> {
    Opened& o = opened(path);
    if (o.file->contains(DCM_PixelData) || !o.file->contains(DCM_DirectoryRecordSequence)) return Failure{FailureKind::NothingToDo, {}, {}};
    return o.file->directoryReferences();
  });
}

Result<QJsonObject> DicomPlugin::synthesize(const QString& dir, const QJsonObject& options, const ProgressFunction& progress) {
  return guardedSource<QJsonObject>([&]() -> Result<QJsonObject> { return writePhantoms(dir, options, progress); });
}
