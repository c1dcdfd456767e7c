// One opened DICOM object: DCMTK's data set, text as Unicode, functional groups. Throws SourceError. Decode child only; one thread.
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

namespace cloister::dicom {

class File {
 public:
  /// Parses the file; large values stay on disk until asked for.
  static std::unique_ptr<File> open(const QString& path);

  DcmDataset& dataset() { return *format_.getDataset(); }
  DcmMetaInfo& meta() { return *format_.getMetaInfo(); }
  /// UID of the transfer syntax the pixel data is in.
  QString transferSyntax() const { return transferSyntax_; }
  bool encapsulated() const;

  QString text(const DcmTagKey& tag);                             ///< first value, trimmed, empty when absent
  QString text(DcmItem& item, const DcmTagKey& tag);              ///< with the character set of the object
  std::optional<long> integer(const DcmTagKey& tag);              ///< US, SS, UL, SL or IS
  std::optional<double> number(DcmItem& item, const DcmTagKey&);  ///< DS, FD, FL; first value
  QString personName(const DcmTagKey& tag);                       ///< "王^小东": the best of the three groups for a reader here

  /// An item of a functional group of this frame: per-frame first, then shared, then the object itself when it holds tag directly.
  DcmItem* functionalGroup(int frame, const DcmTagKey& group);

  /// [[tag, vr, keyword, value]…], sequences as nested counts, at most limit rows.
  QJsonArray headerRows(int limit = 4000);
  /// Referenced File IDs of a DICOMDIR, '/'-joined, in order.
  QStringList directoryReferences();

 private:
  File() = default;
  void load(const QString& path);
  void loadUnknownSyntax(const QString& path, const QString& uid);
  QString decodeText(DcmItem& item, const OFString& raw, const QString& charset);
  QString characterSetOf(DcmItem& item);

  DcmFileFormat format_;
  QString transferSyntax_;
};

/// Encapsulated syntaxes that this DCMTK does not know and we read all the same: High-Throughput JPEG 2000, and frames deflated one by one.
bool isHighThroughputJ2k(const QString& uid);
bool isDeflatedFrames(const QString& uid);

/// The failure kind of a DCMTK condition.
SourceError errorFor(const OFCondition& condition, const QString& what);

}  // namespace cloister::dicom
