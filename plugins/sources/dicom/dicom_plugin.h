// The DICOM source: loaded by decode children of cloister-ingest. Keeps the object opened last, so that describing and decoding it reads
// it once.
#pragma once
#include <memory>

#include <QObject>

#include "core/extension/source_plugin.h"
#include "plugins/sources/dicom/pixel_reader.h"

class DicomPlugin : public QObject, public cloister::SourcePlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterSourcePlugin_iid FILE "dicom.json")
  Q_INTERFACES(cloister::SourcePlugin)

 public:
  bool recognises(const QString& path, const QByteArray& head) const override;
  bool offer(const QString& path, const QByteArray& bytes) override;
  cloister::Result<QList<cloister::Sample>> describe(const QString& path, const QJsonObject& options) override;
  cloister::Result<cloister::DecodedFrame> decode(const QString& path, int frame) override;
  cloister::Result<cloister::DecodedFrame> preview(const QString& path, int frame, int side) override;
  cloister::Result<cloister::StoredFrame> stored(const QString& path, int frame) override;
  QJsonObject header(const QString& path, int frame) override;
  cloister::Result<QStringList> references(const QString& path) override;
  cloister::Result<QJsonObject> synthesize(const QString& dir, const QJsonObject& options,
                                           const cloister::ProgressFunction& progress) override;

 private:
  struct Opened;
  Opened& opened(const QString& path);
  std::shared_ptr<Opened> last_;
  QString offeredPath_;
  QByteArray offered_;
};
