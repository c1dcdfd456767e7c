// Plain image files as a source: loaded by decode children of cloister-ingest. Keeps the bytes of the file opened last.
#pragma once
#include <QObject>

#include "core/extension/source_plugin.h"

class ImagesPlugin : public QObject, public cloister::SourcePlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterSourcePlugin_iid FILE "images.json")
  Q_INTERFACES(cloister::SourcePlugin)

 public:
  bool recognises(const QString& path, const QByteArray& head) const override;
  cloister::Result<QList<cloister::Sample>> describe(const QString& path, const QJsonObject& options) override;
  cloister::Result<cloister::DecodedFrame> decode(const QString& path, int frame) override;
  cloister::Result<cloister::StoredFrame> stored(const QString& path, int frame) override;
  QJsonObject header(const QString& path, int frame) override;

 private:
  const QByteArray& bytesOf(const QString& path);
  QString lastPath_;
  qint64 lastTime_ = 0;
  QByteArray last_;
};
