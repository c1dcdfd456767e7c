#include "widgets/text/text_list.h"

#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

QString TextList::kindName(const QString& kind) {
  if (kind == u"plain") return tr("Running text");
  if (kind == u"instructions") return tr("Instructions with answers");
  if (kind == u"pairs") return tr("Pairs");
  if (kind == u"preferences") return tr("Preferences");
  return kind;
}

QString TextList::stateOf(const Sample& s) const {
  if (s.excluded) return tr("Left out");
  if (const qint64 n = s.header["refusedCount"].toInteger(); n > 0) return tr("%Ln record(s) not usable", nullptr, int(n));
  return tr("Good");
}

QVariant TextList::data(const QModelIndex& index, int role) const {
  const Sample& s = rows_[index.row()];
  if (role == Qt::TextAlignmentRole && (index.column() == Records || index.column() == Size)) return int(Qt::AlignRight | Qt::AlignVCenter);
  if (role == Qt::ToolTipRole && index.column() == Name) return s.file;
  if (role == Qt::ForegroundRole && s.excluded) return Theme::current().tokens().quiet;
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Name:
      return s.key;
    case Kind:
      return kindName(s.modality);
    case Records:
      return words::number(s.frames);
    case Size:
      return words::bytes(double(s.bytes));
    case State:
      return stateOf(s);
  }
  return {};
}

QVariant TextList::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole && (section == Records || section == Size)) return int(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  const QString names[] = {tr("File"), tr("Kind"), tr("Records"), tr("Size"), tr("State")};
  return names[section];
}

void TextList::setRows(const QList<Sample>& rows) {
  beginResetModel();
  rows_ = rows;
  endResetModel();
}

void TextList::retranslate() {
  Q_EMIT headerDataChanged(Qt::Horizontal, 0, Columns - 1);
  if (!rows_.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, Columns - 1));
}

}  // namespace cloister
