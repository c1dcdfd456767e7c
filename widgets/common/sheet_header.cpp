#include "widgets/common/sheet_header.h"

#include <QFrame>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/theme.h"

namespace cloister {

void SheetHeader::setTexts(const QString& name, const QString& closeTip) const {
  title->setText(name);
  close->setToolTip(closeTip);
  close->setAccessibleName(closeTip);
  title->parentWidget()->setAccessibleName(name);
}

QVBoxLayout* beginSheet(QFrame* sheet, SheetHeader& header) {
  setRole(sheet, "sheet");
  auto* column = new QVBoxLayout(sheet);
  column->setContentsMargins(space::kL, space::kM, space::kM, space::kL);
  column->setSpacing(space::kM);
  auto* line = new QHBoxLayout;
  header.title = new QLabel(sheet);
  setRole(header.title, "section");
  header.close = new QToolButton(sheet);
  header.close->setIcon(themedIcon("close"));
  line->addWidget(header.title, 1);
  line->addWidget(header.close);
  column->addLayout(line);
  return column;
}

}  // namespace cloister
