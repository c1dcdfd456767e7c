// Between a row of the table samples and a Sample, and from a SampleFilter to SQL. Used by core/store only.
#pragma once
#include <QByteArray>
#include <QHash>
#include <QVariantList>

#include "core/store/database.h"
#include "core/store/project.h"

namespace cloister {

/// The columns in the order that SampleReader reads, for SELECT … FROM samples s.
QByteArray sampleColumns();

/// Values that repeat (label, site, modality …) share one string: a million samples then need half the memory.
class SampleReader {
 public:
  Sample read(const Statement& row);

 private:
  QString shared(QByteArrayView utf8);
  QHash<QByteArray, QString> pool_;
};

/// Text after WHERE (never empty) and its arguments, in order: QString, QByteArray or qint64.
struct FilterSql {
  QByteArray where;
  QVariantList arguments;
};
FilterSql filterSql(const SampleFilter&);
Result<Statement> queryFiltered(Database&, const QByteArray& head, const FilterSql&, const QByteArray& tail, const QVariantList& more = {});

}  // namespace cloister
