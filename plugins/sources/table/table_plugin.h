// The table source: loaded by a decode child of cloister-ingest for the verb "table".
#pragma once
#include <QObject>

#include "core/extension/table_reader.h"

class TablePlugin : public QObject, public cloister::TableReader {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID CloisterTableReader_iid FILE "table.json")
  Q_INTERFACES(cloister::TableReader)

 public:
  cloister::Result<QJsonObject> read(const QJsonObject& request, const std::function<bool(qint64)>& alive) override;
};
