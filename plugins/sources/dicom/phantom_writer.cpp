#include "plugins/sources/dicom/phantom_writer.h"

#include <dcmtk/config/osconfig.h>
// osconfig first, as DCMTK asks
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <QDir>
#include <QFile>

#include "core/domain/files.h"
#include "plugins/sources/dicom/dicom_file.h"
#include "plugins/sources/dicom/encoders.h"
#include "plugins/sources/dicom/phantom.h"

namespace cloister::dicom {
namespace {

struct Patient {
  QString id, name;
  const char* charset;
  QByteArray nameBytes;
  std::uint64_t seed;
  bool opacity;
  int site;  // 0 or 1
};

constexpr std::array kSyntaxes{EXS_LittleEndianImplicit, EXS_LittleEndianExplicit,         EXS_RLELossless,
                               EXS_JPEGLSLossless,       EXS_DeflatedLittleEndianExplicit, EXS_JPEG2000LosslessOnly};
constexpr std::array kSites{"SYNTHETIC Hospital North", "SYNTHETIC Hospital South"};

QString uidFrom(Random& r) {
  // 2.25 and a 128-bit number in decimal (PS3.5 B.2).
  unsigned __int128 n = (static_cast<unsigned __int128>(r.next()) << 64) | r.next();
  QString digits;
  for (; n > 0; n /= 10) digits.prepend(QChar('0' + int(n % 10)));
  return QStringLiteral("2.25.") + digits;
}

Patient makePatient(int number, Random& r) {
  Patient p;
  p.id = QStringLiteral("SYN-%1").arg(number, 4, 10, QLatin1Char('0'));
  p.seed = r.next();
  p.opacity = number % 2 == 1;
  p.site = r.below(2);
  const QString suffix = QStringLiteral("%1").arg(number, 3, 10, QLatin1Char('0'));
  switch (number % 3) {
    case 0:
      p.charset = "ISO_IR 192";
      p.name = QStringLiteral("SYNTHETIC^Patient%1=合成^患者%1").arg(suffix);
      p.nameBytes = p.name.toUtf8();
      break;
    case 1:
      p.charset = "ISO_IR 100";
      p.name = QStringLiteral("SYNTHETIC^Müller%1").arg(suffix);
      p.nameBytes = p.name.toLatin1();
      break;
    default:
      p.charset = "ISO_IR 192";
      p.name = QStringLiteral("SYNTHETIC^测试%1").arg(suffix);
      p.nameBytes = p.name.toUtf8();
  }
  return p;
}

void put(DcmDataset& d, const DcmTagKey& tag, const QByteArray& value) {
  const OFCondition done = d.putAndInsertOFStringArray(tag, OFString(value.constData(), std::size_t(value.size())));
  if (done.bad()) throw SourceError(FailureKind::Internal, QString::fromLatin1(done.text()));
}

void putShort(DcmDataset& d, const DcmTagKey& tag, int value) { d.putAndInsertUint16(tag, Uint16(value)); }

void fillHeader(DcmDataset& d, const Patient& p, int image, Random& r, const QString& study, const QString& series) {
  put(d, DCM_SpecificCharacterSet, p.charset);
  put(d, DCM_ImageType, "DERIVED\\PRIMARY");
  put(d, DCM_SOPClassUID, UID_DigitalXRayImageStorageForPresentation);
  put(d, DCM_SOPInstanceUID, uidFrom(r).toLatin1());
  put(d, DCM_StudyInstanceUID, study.toLatin1());
  put(d, DCM_SeriesInstanceUID, series.toLatin1());
  put(d, DCM_StudyDate,
      QStringLiteral("2026%1%2").arg(1 + r.below(12), 2, 10, QLatin1Char('0')).arg(1 + r.below(28), 2, 10, QLatin1Char('0')).toLatin1());
  put(d, DCM_Modality, "DX");
  put(d, DCM_Manufacturer, "SYNTHETIC");
  put(d, DCM_ManufacturerModelName, "Cloister phantom");
  put(d, DCM_InstitutionName, kSites[std::size_t(p.site)]);
  put(d, DCM_PatientName, p.nameBytes);
  put(d, DCM_PatientID, p.id.toLatin1());
  put(d, DCM_PatientSex, p.seed & 2 ? "M" : "F");
  put(d, DCM_PatientAge, QStringLiteral("%1Y").arg(20 + int(p.seed % 60), 3, 10, QLatin1Char('0')).toLatin1());
  put(d, DCM_BodyPartExamined, "CHEST");
  put(d, DCM_ViewPosition, "PA");
  put(d, DCM_ImageComments, "SYNTHETIC: computed phantom, no patient");
  put(d, DCM_BurnedInAnnotation, "NO");
  put(d, DCM_InstanceNumber, QByteArray::number(image + 1));
}

/// The values as they are stored: scaled to the bits, MONOCHROME1 turned round.
std::vector<std::uint16_t> storedValues(const std::vector<float>& image, int bits, bool inverted) {
  const float top = float((1 << bits) - 1);
  std::vector<std::uint16_t> out(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) out[i] = std::uint16_t(std::lround((inverted ? 1.f - image[i] : image[i]) * top));
  return out;
}

void putEncapsulated(DcmDataset& d, E_TransferSyntax xfer, const std::vector<std::uint8_t>& stream) {
  auto sequence = std::make_unique<DcmPixelSequence>(DCM_PixelSequenceTag);
  sequence->insert(new DcmPixelItem(DCM_PixelItemTag));  // empty offset table; the sequence owns its items
  DcmOffsetList offsets;
  sequence->storeCompressedFrame(offsets, const_cast<Uint8*>(stream.data()), Uint32(stream.size()), 0);
  auto pixels = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OB));
  pixels->putOriginalRepresentation(xfer, nullptr, sequence.release());
  d.insert(pixels.release(), OFTrue);
}

void putPixels(DcmDataset& d, E_TransferSyntax xfer, const std::vector<std::uint16_t>& values, int width, int height, int bits) {
  std::vector<std::uint8_t> bytes;
  if (bits > 8)
    bytes.assign(reinterpret_cast<const std::uint8_t*>(values.data()),
                 reinterpret_cast<const std::uint8_t*>(values.data() + values.size()));
  else bytes.assign(values.begin(), values.end());
  if (xfer == EXS_JPEGLSLossless) return putEncapsulated(d, xfer, encodeJpegLs(bytes, width, height, bits));
  if (xfer == EXS_JPEG2000LosslessOnly) return putEncapsulated(d, xfer, encodeJpeg2000(values, width, height, bits));
  if (bits > 8) d.putAndInsertUint16Array(DCM_PixelData, values.data(), static_cast<unsigned long>(values.size()));
  else d.putAndInsertUint8Array(DCM_PixelData, bytes.data(), static_cast<unsigned long>(bytes.size()));
  if (xfer == EXS_RLELossless && d.chooseRepresentation(xfer, nullptr).bad())
    throw SourceError(FailureKind::Internal, QStringLiteral("RLE encoding"));
}

void writeImage(const QString& file, const Patient& p, int image, std::uint64_t seed, E_TransferSyntax xfer, const QString& study,
                const QString& series) {
  Random r(seed);
  const int bits = r.below(2) ? 12 : 8;
  const bool inverted = r.below(3) == 0;
  PhantomRequest request;
  request.width = 240 + 16 * r.below(4);
  request.height = 256 + 16 * r.below(4);
  request.patientSeed = p.seed;
  request.imageSeed = r.next();
  request.opacity = p.opacity;
  request.exposure = p.site == 0 ? 1.0 : 0.88;
  request.noise = p.site == 0 ? 0.02 : 0.03;
  const auto values = storedValues(phantom(request), bits, inverted);

  DcmFileFormat format;
  DcmDataset& d = *format.getDataset();
  fillHeader(d, p, image, r, study, series);
  putShort(d, DCM_SamplesPerPixel, 1);
  put(d, DCM_PhotometricInterpretation, inverted ? "MONOCHROME1" : "MONOCHROME2");
  putShort(d, DCM_Rows, request.height);
  putShort(d, DCM_Columns, request.width);
  putShort(d, DCM_BitsAllocated, bits > 8 ? 16 : 8);
  putShort(d, DCM_BitsStored, bits);
  putShort(d, DCM_HighBit, bits - 1);
  putShort(d, DCM_PixelRepresentation, 0);
  put(d, DCM_PixelSpacing, "1.2\\1.2");
  put(d, DCM_RescaleIntercept, "0");
  put(d, DCM_RescaleSlope, "1");
  put(d, DCM_PresentationLUTShape, inverted ? "INVERSE" : "IDENTITY");
  if (bits == 12) {  // 8-bit devices leave the window to the viewer
    put(d, DCM_WindowCenter, "2048");
    put(d, DCM_WindowWidth, "4096");
  }
  putPixels(d, xfer, values, request.width, request.height, bits);
  const OFCondition saved = format.saveFile(QFile::encodeName(file).constData(), xfer, EET_ExplicitLength, EGL_recalcGL, EPD_noChange);
  if (saved.bad()) throw SourceError(FailureKind::IoError, file + ": " + QString::fromLatin1(saved.text()));
}

}  // namespace

QJsonObject writePhantoms(const QString& dir, const QJsonObject& options, const ProgressFunction& progress) {
  const int patients = std::clamp(options["patients"].toInt(60), 1, 9999);
  Random r(std::uint64_t(options["seed"].toInteger(1)) ^ 0xC1015734ull);
  prepareDcmtk();
  DcmRLEEncoderRegistration::registerCodecs();
  QByteArray table("file,patient_id,label,site\n");
  int images = 0;
  QJsonObject classes;
  for (int n = 1; n <= patients; ++n) {
    const Patient p = makePatient(n, r);
    const QString study = uidFrom(r), series = uidFrom(r);
    if (!QDir().mkpath(dir + '/' + p.id)) throw SourceError(FailureKind::IoError, dir + '/' + p.id);
    const int count = 1 + r.below(3);
    const QString label = p.opacity ? QStringLiteral("OPACITY") : QStringLiteral("NORMAL");
    for (int i = 0; i < count; ++i) {
      const QString name = QStringLiteral("%1/IM%2.dcm").arg(p.id).arg(i + 1, 4, 10, QLatin1Char('0'));
      writeImage(dir + '/' + name, p, i, r.next(), kSyntaxes[std::size_t(images) % kSyntaxes.size()], study, series);
      table += (name + ',' + p.id + ',' + label + ',' + QString::fromLatin1(kSites[std::size_t(p.site)]) + '\n').toUtf8();
      classes[label] = classes[label].toInt() + 1;
      ++images;
    }
    if (!progress(n, patients)) throw SourceError(FailureKind::Stopped, {});
  }
  if (auto written = writeFileAtomically(dir + "/labels.csv", table); !written)
    throw SourceError(written.error().kind, written.error().detail);
  return {{"images", images}, {"patients", patients}, {"labels", dir + "/labels.csv"}, {"classes", classes}};
}

}  // namespace cloister::dicom
