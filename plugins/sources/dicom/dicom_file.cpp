#include "plugins/sources/dicom/dicom_file.h"

#include <dcmtk/dcmdata/dcistrmb.h>

#include <QFile>

#include "plugins/sources/dicom/text_decoder.h"

namespace cloister::dicom {
namespace {

QString keywordOf(DcmTag tag) { return QString::fromLatin1(tag.getTagName()); }

QString tagText(const DcmTagKey& tag) { return QString::asprintf("%04X,%04X", tag.getGroup(), tag.getElement()); }

bool isText(DcmEVR vr) {
  return vr == EVR_PN || vr == EVR_LO || vr == EVR_SH || vr == EVR_LT || vr == EVR_ST || vr == EVR_UT || vr == EVR_UC;
}

}  // namespace

bool isHighThroughputJ2k(const QString& uid) {
  return uid == u"1.2.840.10008.1.2.4.201" || uid == u"1.2.840.10008.1.2.4.202" || uid == u"1.2.840.10008.1.2.4.203";
}

bool isDeflatedFrames(const QString& uid) { return uid == u"1.2.840.10008.1.2.8.1"; }

SourceError errorFor(const OFCondition& condition, const QString& what) {
  const QString text = what + ": " + QString::fromLatin1(condition.text());
  if (condition == EC_MemoryExhausted) return {FailureKind::OutOfMemory, text};
  if (condition == EC_EndOfStream || condition == EC_StreamNotifyClient || condition == EC_InvalidStream ||
      text.contains(u"premature", Qt::CaseInsensitive) || text.contains(u"exceeds", Qt::CaseInsensitive) ||
      text.contains(u"larger than", Qt::CaseInsensitive))
    return {FailureKind::TruncatedFile, text};
  if (condition == EC_UnsupportedEncoding) return {FailureKind::UnsupportedEncoding, text};
  return {FailureKind::CorruptFile, text};
}

std::unique_ptr<File> File::open(const QString& path) {
  std::unique_ptr<File> file(new File);
  file->load(path);
  return file;
}

void File::load(const QString& path) {
  const QByteArray name = QFile::encodeName(path);
  // A syntax that this DCMTK has never heard of must be named in the refusal, or read as the explicit little endian it is.
  DcmMetaInfo probe;
  if (probe.loadFile(name.constData()).good()) {
    OFString uid;
    probe.findAndGetOFString(DCM_TransferSyntaxUID, uid);
    if (!uid.empty() && DcmXfer(uid.c_str()).getXfer() == EXS_Unknown) return loadUnknownSyntax(path, QString::fromLatin1(uid.c_str()));
  }
  const OFCondition loaded = format_.loadFile(name.constData(), EXS_Unknown, EGL_noChange, 4096, ERM_autoDetect);
  if (loaded.bad()) throw errorFor(loaded, QStringLiteral("reading the data set"));
  if (dataset().card() == 0) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the data set is empty"));
  transferSyntax_ = QString::fromLatin1(DcmXfer(dataset().getOriginalXfer()).getXferID());
}

void File::loadUnknownSyntax(const QString& path, const QString& uid) {
  if (!isHighThroughputJ2k(uid) && !isDeflatedFrames(uid))
    throw SourceError(FailureKind::UnsupportedEncoding, QStringLiteral("unknown transfer syntax"), {{"encoding", uid}});
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) throw SourceError(FailureKind::IoError, file.errorString());
  if (file.size() > (512 << 20)) throw SourceError(FailureKind::TooLarge, {}, {{"limit", 512 << 20}});
  QByteArray bytes = file.readAll();
  const auto u8 = [&](qsizetype i) { return i < bytes.size() ? quint32(quint8(bytes[i])) : 0u; };
  if (!bytes.mid(132, 8).startsWith(QByteArray("\x02\x00\x00\x00UL\x04\x00", 8)))
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("no meta group length"));
  const qint64 start = 144 + qint64(u8(140) | u8(141) << 8 | u8(142) << 16 | u8(143) << 24);
  if (start >= bytes.size()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("ends in the meta header"));
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.constData() + start, offile_off_t(bytes.size() - start));
  stream.setEos();
  dataset().transferInit();
  // The encoding of the data set is explicit little endian with encapsulated pixels, as for JPEG 2000.
  const OFCondition loaded = dataset().read(stream, EXS_JPEG2000, EGL_noChange, DCM_MaxReadLength);
  dataset().transferEnd();
  if (loaded.bad()) throw errorFor(loaded, QStringLiteral("reading the data set"));
  transferSyntax_ = uid;
}

bool File::encapsulated() const {
  return isHighThroughputJ2k(transferSyntax_) || isDeflatedFrames(transferSyntax_) ||
         DcmXfer(transferSyntax_.toLatin1().constData()).isEncapsulated();
}

QString File::characterSetOf(DcmItem& item) {
  OFString charset;
  for (DcmObject* at = &item; at; at = at->getParent()) {
    auto* holder = dynamic_cast<DcmItem*>(at);
    if (holder && holder->findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).good()) return QString::fromLatin1(charset.c_str());
  }
  return {};
}

QString File::text(const DcmTagKey& tag) { return text(dataset(), tag); }

QString File::text(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || !element) return {};
  OFString raw;
  if (element->getOFStringArray(raw).bad()) return {};
  if (!isText(element->getVR())) {
    const QString all = QString::fromLatin1(raw.c_str());
    return all.section('\\', 0, 0).trimmed();
  }
  const QByteArray bytes(raw.data(), qsizetype(raw.size()));
  return firstValue(decodeDicomText(bytes, characterSetOf(item), element->getVR() == EVR_PN));
}

QString File::personName(const DcmTagKey& tag) {
  const QStringList groups = text(tag).split('=');
  // Ideographic, then alphabetic, then phonetic.
  for (int i : {1, 0, 2})
    if (i < groups.size() && !groups[i].trimmed().isEmpty()) return groups[i].trimmed();
  return {};
}

std::optional<long> File::integer(const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (dataset().findAndGetElement(tag, element).bad() || !element || element->getLength() == 0) return {};
  // IS strictly: DCMTK would read "1A" as 1.
  if (element->getVR() != EVR_IS && element->getVR() != EVR_DS) {
    Uint16 us = 0;
    Sint16 ss = 0;
    Uint32 ul = 0;
    Sint32 sl = 0;
    if (element->getUint16(us).good()) return us;
    if (element->getSint16(ss).good()) return ss;
    if (element->getUint32(ul).good()) return long(ul);
    if (element->getSint32(sl).good()) return sl;
  }
  OFString value;
  if (element->getOFString(value, 0).good()) {
    bool ok = false;
    const long v = QString::fromLatin1(value.c_str()).trimmed().toLong(&ok);
    if (ok) return v;
  }
  return {};
}

std::optional<double> File::number(DcmItem& item, const DcmTagKey& tag) {
  Float64 value = 0;
  if (item.findAndGetFloat64(tag, value).good()) return value;
  Float32 single = 0;
  if (item.findAndGetFloat32(tag, single).good()) return double(single);
  OFString string;
  if (item.findAndGetOFString(tag, string).good()) {
    bool ok = false;
    const double v = QString::fromLatin1(string.c_str()).trimmed().replace(',', '.').toDouble(&ok);
    if (ok) return v;
  }
  return {};
}

DcmItem* File::functionalGroup(int frame, const DcmTagKey& group) {
  for (const DcmTagKey& level : {DCM_PerFrameFunctionalGroupsSequence, DCM_SharedFunctionalGroupsSequence}) {
    DcmItem* item = nullptr;
    const signed long place = level == DCM_PerFrameFunctionalGroupsSequence ? frame : 0;
    if (dataset().findAndGetSequenceItem(level, item, place).bad() || !item) continue;
    DcmItem* inner = nullptr;
    if (item->findAndGetSequenceItem(group, inner, 0).good() && inner) return inner;
  }
  return nullptr;
}

QJsonArray File::headerRows(int limit) {
  QJsonArray rows;
  const auto add = [&](DcmItem& item, const QString& prefix, const auto& self, int depth) -> void {
    for (unsigned long i = 0; i < item.card() && rows.size() < limit; ++i) {
      DcmElement* element = item.getElement(i);
      if (!element) continue;
      const DcmTag tag = element->getTag();
      const DcmVR vr = element->getVR();
      QString value;
      if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(element); sequence && !dynamic_cast<DcmPixelSequence*>(element)) {
        value = QStringLiteral("%1 items").arg(sequence->card());
        rows.append(QJsonArray{prefix + tagText(tag), QString::fromLatin1(vr.getValidVRName()), keywordOf(tag), value});
        for (unsigned long k = 0; k < sequence->card() && k < 64 && depth < 16; ++k)
          if (auto* child = sequence->getItem(k)) self(*child, prefix + QStringLiteral("> "), self, depth + 1);
        continue;
      }
      if (element->getLength() > 4096 || tag == DCM_PixelData) value = QStringLiteral("%1 bytes").arg(element->getLength());
      else if (isText(vr.getEVR())) {
        OFString raw;
        if (element->getOFStringArray(raw).good())
          value = decodeDicomText(QByteArray(raw.data(), qsizetype(raw.size())), characterSetOf(item), vr.getEVR() == EVR_PN);
      } else {
        OFString raw;
        if (element->getOFStringArray(raw).good()) value = QString::fromLatin1(raw.c_str());
      }
      rows.append(QJsonArray{prefix + tagText(tag), QString::fromLatin1(vr.getValidVRName()), keywordOf(tag), value.left(1024)});
    }
  };
  add(meta(), {}, add, 0);
  add(dataset(), {}, add, 0);
  return rows;
}

QStringList File::directoryReferences() {
  QStringList files;
  DcmSequenceOfItems* records = nullptr;
  if (dataset().findAndGetSequence(DCM_DirectoryRecordSequence, records).bad() || !records) return files;
  // Through the plain sequence, not through offsets: an index with wrong or circular offsets still names its files.
  for (DcmObject* at = records->nextInContainer(nullptr); at; at = records->nextInContainer(at)) {
    OFString id;
    auto* item = dynamic_cast<DcmItem*>(at);
    if (item && item->findAndGetOFStringArray(DCM_ReferencedFileID, id).good() && !id.empty())
      files << QString::fromLatin1(id.c_str()).replace('\\', '/').trimmed();
  }
  return files;
}

}  // namespace cloister::dicom
