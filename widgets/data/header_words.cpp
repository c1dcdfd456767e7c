// The usual DICOM keywords with their Chinese gloss: the source text is the keyword itself, translated with context "DicomKeywords".
#include <QCoreApplication>
#include <QSet>

#include "widgets/common/language.h"
#include "widgets/data/header_table.h"

namespace cloister {
namespace {

#define WORD(text) QT_TRANSLATE_NOOP("DicomKeywords", text)
constexpr const char* kWords[] = {WORD("SpecificCharacterSet"),
                                  WORD("ImageType"),
                                  WORD("SOPClassUID"),
                                  WORD("SOPInstanceUID"),
                                  WORD("StudyDate"),
                                  WORD("SeriesDate"),
                                  WORD("AcquisitionDate"),
                                  WORD("ContentDate"),
                                  WORD("StudyTime"),
                                  WORD("SeriesTime"),
                                  WORD("AcquisitionTime"),
                                  WORD("ContentTime"),
                                  WORD("AccessionNumber"),
                                  WORD("Modality"),
                                  WORD("Manufacturer"),
                                  WORD("InstitutionName"),
                                  WORD("InstitutionAddress"),
                                  WORD("ReferringPhysicianName"),
                                  WORD("StationName"),
                                  WORD("StudyDescription"),
                                  WORD("SeriesDescription"),
                                  WORD("InstitutionalDepartmentName"),
                                  WORD("OperatorsName"),
                                  WORD("ManufacturerModelName"),
                                  WORD("PatientName"),
                                  WORD("PatientID"),
                                  WORD("PatientBirthDate"),
                                  WORD("PatientSex"),
                                  WORD("PatientAge"),
                                  WORD("PatientSize"),
                                  WORD("PatientWeight"),
                                  WORD("BodyPartExamined"),
                                  WORD("SliceThickness"),
                                  WORD("KVP"),
                                  WORD("SpacingBetweenSlices"),
                                  WORD("DeviceSerialNumber"),
                                  WORD("SoftwareVersions"),
                                  WORD("ProtocolName"),
                                  WORD("DistanceSourceToDetector"),
                                  WORD("ExposureTime"),
                                  WORD("XRayTubeCurrent"),
                                  WORD("Exposure"),
                                  WORD("ConvolutionKernel"),
                                  WORD("PatientPosition"),
                                  WORD("ViewPosition"),
                                  WORD("StudyInstanceUID"),
                                  WORD("SeriesInstanceUID"),
                                  WORD("StudyID"),
                                  WORD("SeriesNumber"),
                                  WORD("AcquisitionNumber"),
                                  WORD("InstanceNumber"),
                                  WORD("ImagePositionPatient"),
                                  WORD("ImageOrientationPatient"),
                                  WORD("FrameOfReferenceUID"),
                                  WORD("Laterality"),
                                  WORD("ImageLaterality"),
                                  WORD("SliceLocation"),
                                  WORD("ImageComments"),
                                  WORD("SamplesPerPixel"),
                                  WORD("PhotometricInterpretation"),
                                  WORD("PlanarConfiguration"),
                                  WORD("NumberOfFrames"),
                                  WORD("Rows"),
                                  WORD("Columns"),
                                  WORD("PixelSpacing"),
                                  WORD("ImagerPixelSpacing"),
                                  WORD("BitsAllocated"),
                                  WORD("BitsStored"),
                                  WORD("HighBit"),
                                  WORD("PixelRepresentation"),
                                  WORD("WindowCenter"),
                                  WORD("WindowWidth"),
                                  WORD("RescaleIntercept"),
                                  WORD("RescaleSlope"),
                                  WORD("RescaleType"),
                                  WORD("LossyImageCompression"),
                                  WORD("BurnedInAnnotation"),
                                  WORD("TransferSyntaxUID"),
                                  WORD("PixelData"),
                                  WORD("VOILUTFunction"),
                                  WORD("PatientIdentityRemoved"),
                                  WORD("DeidentificationMethod")};
#undef WORD

}  // namespace

QString dicomGloss(const QString& keyword) {
  if (Language::current().code() == u"en") return {};
  static const QSet<QString> known = [] {
    QSet<QString> set;
    for (const char* word : kWords) set << QString::fromLatin1(word);
    return set;
  }();
  if (!known.contains(keyword)) return {};
  const QString word = QCoreApplication::translate("DicomKeywords", keyword.toLatin1().constData());
  return word == keyword ? QString() : word;
}

}  // namespace cloister
