#include "widgets/common/run_box.h"

#include <algorithm>

#include <QComboBox>
#include <QSignalBlocker>

#include "core/store/project.h"
#include "widgets/common/words.h"

namespace cloister {

void fillRunBox(QComboBox* box, const QList<RunRecord>& runs, const QStringList& ids, const QString& otherwise) {
  QList<std::pair<QString, QString>> wanted, shown;
  for (const RunRecord& r : runs)
    if (ids.contains(r.id))
      wanted << std::pair(r.id, r.id + QStringLiteral("  ") + words::architecture(r.summary["architecture"].toString(r.family)));
  for (int i = 0; i < box->count(); ++i) shown << std::pair(box->itemData(i).toString(), box->itemText(i));
  if (wanted == shown) return;
  const QString before = box->currentData().toString();
  const QSignalBlocker quiet(box);
  box->clear();
  for (const auto& [id, text] : wanted) box->addItem(text, id);
  box->setCurrentIndex(std::max(0, box->findData(before.isEmpty() ? otherwise : before)));
}

}  // namespace cloister
