// The text source: files of texts for language models (core/text/data/text_records.h). One file is one sample; its records are counted and
// checked here and read again when tokens are made of them.
#pragma once
#include <QObject>

#include "core/extension/source_plugin.h"

class TextPlugin : public QObject, public cloister::SourcePlugin {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterSourcePlugin_iid FILE "text.json")
  Q_INTERFACES(cloister::SourcePlugin)

 public:
  bool recognises(const QString& path, const QByteArray& head) const override;
  bool pictures() const override { return false; }
  /// One sample: modality the kind, frames the records; header {"kind","each","prompt","columns","records","refused","characters"}.
  cloister::Result<QList<cloister::Sample>> describe(const QString& path, const QJsonObject& options) override;
  cloister::Result<cloister::DecodedFrame> decode(const QString& path, int frame) override;
  cloister::Result<cloister::StoredFrame> stored(const QString& path, int frame) override;
  QJsonObject header(const QString& path, int frame) override;
  /// synthetic-reports.jsonl: made-up reports with questions and answers.
  cloister::Result<QJsonObject> synthesize(const QString& dir, const QJsonObject& options,
                                           const cloister::ProgressFunction& progress) override;
};
