// The interface of the table source: character-separated files → JSON lines (docs/formats.md, "table"). Loaded and executed in decode
// children of cloister-ingest only. May throw SourceError.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QtPlugin>

#include "core/domain/result.h"

namespace cloister {

class TableReader {
 public:
  virtual ~TableReader() = default;
  /// request: {"file","separator","encoding","decimal","header","maxRows","out"}; null members are detected. Streams into out, whole or
  /// absent. Returns the first line of out with "rows" added. alive(rows) is called now and then; false stops.
  virtual Result<QJsonObject> read(const QJsonObject& request, const std::function<bool(qint64)>& alive) = 0;
};

}  // namespace cloister

#define CloisterTableReader_iid "org.cloister.TableReader/1"
Q_DECLARE_INTERFACE(cloister::TableReader, CloisterTableReader_iid)
