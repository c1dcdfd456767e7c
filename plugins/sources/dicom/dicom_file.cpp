#include "plugins/sources/dicom/dicom_file.h"

#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/oflog/oflog.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>

#include <QCoreApplication>
#include <QFile>

#include "plugins/sources/dicom/text_decoder.h"

namespace cloister::dicom {
namespace {

QString keywordOf(DcmTag tag) { return QString::fromLatin1(tag.getTagName()); }

QString tagText(const DcmTagKey& tag) { return QString::asprintf("%04X,%04X", tag.getGroup(), tag.getElement()); }

bool isText(DcmEVR vr) {
  return vr == EVR_PN || vr == EVR_LO || vr == EVR_SH || vr == EVR_LT || vr == EVR_ST || vr == EVR_UT || vr == EVR_UC;
}

// Of what PlainObject knows.
bool isPersonName(std::uint16_t vr) { return vr == ('P' << 8 | 'N'); }
bool isText(std::uint16_t vr) { return isPersonName(vr) || vr == ('L' << 8 | 'O') || vr == ('L' << 8 | 'T'); }

std::uint32_t tagNumber(const DcmTagKey& tag) { return std::uint32_t(tag.getGroup()) << 16 | tag.getElement(); }

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

void quietDcmtk() {
  static const bool once = [] { return OFLog::configure(OFLogger::OFF_LOG_LEVEL), true; }();  // findings are returned, the log is nobody's
  Q_UNUSED(once)
}

void prepareDcmtk() {
  quietDcmtk();
  static const bool once = [] {
    if (dcmDataDict.isDictionaryLoaded() || !QCoreApplication::instance()) return true;
    const QString beside = QCoreApplication::applicationDirPath() + "/../share/cloister/dicom.dic";
    if (QFile::exists(beside)) {
      DcmDataDictionary& dictionary = dcmDataDict.wrlock();
      dictionary.loadDictionary(QFile::encodeName(beside).constData());
      dcmDataDict.wrunlock();
    }
    return true;
  }();
  Q_UNUSED(once)
}

File::~File() {
  format_.reset();
  if (memory_ >= 0) ::close(memory_);
}

std::unique_ptr<File> File::open(const QString& path, Way way) {
  QFile file(path);
  if (way == Way::PlainFirst && file.open(QIODevice::ReadOnly | QIODevice::Unbuffered) && !file.isSequential() &&
      file.size() <= kInMemory) {
    const QByteArray bytes = file.readAll();
    if (bytes.size() == file.size()) {
      std::unique_ptr<File> opened(new File);
      opened->path_ = path;
      opened->plain_ = PlainObject::read(bytes);
      if (opened->plain_) {
        opened->transferSyntax_ = opened->plain_->transferSyntax();
        return opened;
      }
    }
  }
  std::unique_ptr<File> opened(new File);
  opened->path_ = path;
  opened->load();
  return opened;
}

std::unique_ptr<File> File::open(const QString& path, const QByteArray& bytes, Way way) {
  std::unique_ptr<File> opened(new File);
  opened->path_ = path;
  opened->bytes_ = bytes;
  if (way == Way::PlainFirst) opened->plain_ = PlainObject::read(bytes);
  if (opened->plain_) opened->transferSyntax_ = opened->plain_->transferSyntax();
  else opened->load();
  return opened;
}

DcmFileFormat& File::format() {
  if (!format_) load();
  return *format_;
}

void File::load() {
  prepareDcmtk();
  format_ = std::make_unique<DcmFileFormat>();
  QByteArray name = QFile::encodeName(path_);
  if (!bytes_.isNull()) {
    // DCMTK reads files as nothing else, and the file on the disk may have changed since its bytes were read.
    memory_ = ::memfd_create("dicom", MFD_CLOEXEC);
    if (memory_ < 0) throw SourceError(FailureKind::IoError, QString::fromLocal8Bit(std::strerror(errno)));
    for (qsizetype at = 0; at < bytes_.size();) {
      const ssize_t n = ::write(memory_, bytes_.constData() + at, size_t(bytes_.size() - at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw SourceError(FailureKind::OutOfMemory, QString::fromLocal8Bit(std::strerror(errno)));
      at += n;
    }
    name = "/proc/self/fd/" + QByteArray::number(memory_);
  }
  // A syntax that this DCMTK has never heard of must be named in the refusal, or read as the explicit little endian it is.
  DcmMetaInfo probe;
  if (probe.loadFile(name.constData()).good()) {
    OFString uid;
    probe.findAndGetOFString(DCM_TransferSyntaxUID, uid);
    if (!uid.empty() && DcmXfer(uid.c_str()).getXfer() == EXS_Unknown) return loadUnknownSyntax(QString::fromLatin1(uid.c_str()));
  }
  const OFCondition loaded = format_->loadFile(name.constData(), EXS_Unknown, EGL_noChange, 4096, ERM_autoDetect);
  if (loaded.bad()) throw errorFor(loaded, QStringLiteral("reading the data set"));
  if (format_->getDataset()->card() == 0) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the data set is empty"));
  transferSyntax_ = QString::fromLatin1(DcmXfer(format_->getDataset()->getOriginalXfer()).getXferID());
}

QByteArray File::contents() {
  if (!bytes_.isNull()) return bytes_;
  QFile file(path_);
  if (!file.open(QIODevice::ReadOnly)) throw SourceError(FailureKind::IoError, file.errorString());
  if (file.size() > (512 << 20)) throw SourceError(FailureKind::TooLarge, {}, {{"limit", 512 << 20}});
  return file.readAll();
}

void File::loadUnknownSyntax(const QString& uid) {
  if (!isHighThroughputJ2k(uid) && !isDeflatedFrames(uid))
    throw SourceError(FailureKind::UnsupportedEncoding, QStringLiteral("unknown transfer syntax"), {{"encoding", uid}});
  const QByteArray bytes = contents();
  const auto u8 = [&](qsizetype i) { return i < bytes.size() ? quint32(quint8(bytes[i])) : 0u; };
  if (!bytes.mid(132, 8).startsWith(QByteArray("\x02\x00\x00\x00UL\x04\x00", 8)))
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("no meta group length"));
  const qint64 start = 144 + qint64(u8(140) | u8(141) << 8 | u8(142) << 16 | u8(143) << 24);
  if (start >= bytes.size()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("ends in the meta header"));
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.constData() + start, offile_off_t(bytes.size() - start));
  stream.setEos();
  DcmDataset& data = *format_->getDataset();
  data.transferInit();
  // The encoding of the data set is explicit little endian with encapsulated pixels, as for JPEG 2000.
  const OFCondition loaded = data.read(stream, EXS_JPEG2000, EGL_noChange, DCM_MaxReadLength);
  data.transferEnd();
  if (loaded.bad()) throw errorFor(loaded, QStringLiteral("reading the data set"));
  transferSyntax_ = uid;
}

bool File::encapsulated() const {
  if (plain_) return plain_->encapsulated();
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

QString File::text(DcmItem* item, const DcmTagKey& tag) {
  if (!item && plain_) {
    const PlainElement* element = plain_->find(tagNumber(tag));
    if (!element) return {};
    const QByteArray raw = plain_->string(tagNumber(tag));
    if (!isText(element->vr)) return QString::fromLatin1(raw).section('\\', 0, 0).trimmed();
    return firstValue(decodeDicomText(raw, QString::fromLatin1(plain_->string(0x00080005)), isPersonName(element->vr)));
  }
  DcmItem& holder = item ? *item : static_cast<DcmItem&>(dataset());
  DcmElement* element = nullptr;
  if (holder.findAndGetElement(tag, element).bad() || !element) return {};
  OFString raw;
  if (element->getOFStringArray(raw).bad()) return {};
  if (!isText(element->getVR())) {
    const QString all = QString::fromLatin1(raw.c_str());
    return all.section('\\', 0, 0).trimmed();
  }
  const QByteArray bytes(raw.data(), qsizetype(raw.size()));
  return firstValue(decodeDicomText(bytes, characterSetOf(holder), element->getVR() == EVR_PN));
}

QByteArray File::values(DcmItem* item, const DcmTagKey& tag) {
  if (!item && plain_) return plain_->string(tagNumber(tag));
  OFString all;
  (item ? *item : static_cast<DcmItem&>(dataset())).findAndGetOFStringArray(tag, all);
  return QByteArray(all.data(), qsizetype(all.size()));
}

bool File::contains(const DcmTagKey& tag) { return plain_ ? plain_->find(tagNumber(tag)) != nullptr : bool(dataset().tagExists(tag)); }

bool File::hasValue(const DcmTagKey& tag) {
  if (plain_) {
    const PlainElement* element = plain_->find(tagNumber(tag));
    return element && element->length > 0;
  }
  DcmElement* element = nullptr;
  return dataset().findAndGetElement(tag, element).good() && element && element->getLength() > 0;
}

QString File::personName(const DcmTagKey& tag) {
  const QStringList groups = text(tag).split('=');
  // Ideographic, then alphabetic, then phonetic.
  for (int i : {1, 0, 2})
    if (i < groups.size() && !groups[i].trimmed().isEmpty()) return groups[i].trimmed();
  return {};
}

std::optional<long> File::integer(const DcmTagKey& tag) {
  if (plain_) {
    const PlainElement* e = plain_->find(tagNumber(tag));
    if (!e || e->length == 0) return {};
    if (e->vr == ('U' << 8 | 'S')) return long(e->data[0] | e->data[1] << 8);
    bool ok = false;
    const long v = firstOf(plain_->string(tagNumber(tag))).toLong(&ok);
    return ok ? std::optional<long>(v) : std::nullopt;
  }
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

std::optional<double> File::number(DcmItem* holder, const DcmTagKey& tag) {
  if (!holder && plain_) {
    const QByteArray all = plain_->string(tagNumber(tag));
    bool ok = false;
    const double v = firstOf(all).toDouble(&ok);
    return ok ? std::optional<double>(v) : std::nullopt;
  }
  DcmItem& item = holder ? *holder : static_cast<DcmItem&>(dataset());
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

DcmItem* File::firstItem(DcmItem* item, const DcmTagKey& sequence) {
  if (!item && plain_) return nullptr;  // objects with a sequence that we read are DCMTK's
  DcmItem* first = nullptr;
  DcmItem& holder = item ? *item : static_cast<DcmItem&>(dataset());
  return holder.findAndGetSequenceItem(sequence, first, 0).good() ? first : nullptr;
}

DcmItem* File::functionalGroup(int frame, const DcmTagKey& group) {
  if (plain_) return nullptr;
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
