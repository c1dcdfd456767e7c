// One opened DICOM object: text as Unicode, numbers, functional groups. An ordinary object is read in place (plain_object.h); any other,
// and whoever asks for dataset(), gets DCMTK's. Throws SourceError. Decode child only; one thread.
#pragma once
#include <dcmtk/config/osconfig.h>
// osconfig first, as DCMTK asks
#include <dcmtk/dcmdata/dctk.h>

#include <memory>
#include <optional>

#include <QJsonArray>
#include <QString>
#include <QStringList>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/plain_object.h"

namespace cloister::dicom {

/// Files up to this size are read into memory once; of larger ones DCMTK leaves the large values on the disk.
constexpr qint64 kInMemory = qint64(64) << 20;

class File {
 public:
  /// How an object may be read: DcmtkOnly is for tests, which compare the two.
  enum class Way { PlainFirst, DcmtkOnly };

  ~File();
  static std::unique_ptr<File> open(const QString& path, Way way = Way::PlainFirst);
  /// The same of bytes that are read already; path is what they are called.
  static std::unique_ptr<File> open(const QString& path, const QByteArray& bytes, Way way = Way::PlainFirst);

  /// The object read in place; null when DCMTK has it.
  const PlainObject* plain() const { return plain_.get(); }
  DcmDataset& dataset() { return *format().getDataset(); }
  DcmMetaInfo& meta() { return *format().getMetaInfo(); }
  /// UID of the transfer syntax the pixel data is in.
  QString transferSyntax() const { return transferSyntax_; }
  bool encapsulated() const;

  QString text(const DcmTagKey& tag) { return text(nullptr, tag); }  ///< first value, trimmed, empty when absent
  /// item: null means the object itself. With the character set of the object.
  QString text(DcmItem* item, const DcmTagKey& tag);
  /// All values of a string of ASCII as they are written, joined by backslashes.
  QByteArray values(DcmItem* item, const DcmTagKey& tag);
  std::optional<long> integer(const DcmTagKey& tag);              ///< US, SS, UL, SL or IS
  std::optional<double> number(DcmItem* item, const DcmTagKey&);  ///< DS, FD, FL; first value
  QString personName(const DcmTagKey& tag);                       ///< "王^小东": the best of the three groups for a reader here
  bool contains(const DcmTagKey& tag);
  bool hasValue(const DcmTagKey& tag);  ///< there, and not empty

  /// An item of a functional group of this frame: per-frame first, then shared. Null when there is none.
  DcmItem* functionalGroup(int frame, const DcmTagKey& group);
  /// First item of a sequence of this item (null: of the object). Null when there is none.
  DcmItem* firstItem(DcmItem* item, const DcmTagKey& sequence);

  /// [[tag, vr, keyword, value]…], sequences as nested counts, at most limit rows.
  QJsonArray headerRows(int limit = 4000);
  /// Referenced File IDs of a DICOMDIR, '/'-joined, in order.
  QStringList directoryReferences();

 private:
  File() = default;
  DcmFileFormat& format();
  void load();
  void loadUnknownSyntax(const QString& uid);
  QByteArray contents();
  QString characterSetOf(DcmItem& item);

  QString path_;
  QByteArray bytes_;  ///< the whole file, when it was read already
  int memory_ = -1;   ///< those bytes as a file for DCMTK
  std::unique_ptr<PlainObject> plain_;
  std::unique_ptr<DcmFileFormat> format_;
  QString transferSyntax_;
};

/// Before any of DCMTK's decoders is used.
void quietDcmtk();
/// The same, and sees to its dictionary, which takes longer than reading a file: before its data sets are used, not sooner.
void prepareDcmtk();

/// Encapsulated syntaxes that this DCMTK does not know and we read all the same: High-Throughput JPEG 2000, and frames deflated one by one.
bool isHighThroughputJ2k(const QString& uid);
bool isDeflatedFrames(const QString& uid);

/// The failure kind of a DCMTK condition.
SourceError errorFor(const OFCondition& condition, const QString& what);

}  // namespace cloister::dicom
