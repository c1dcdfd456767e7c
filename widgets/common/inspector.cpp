#include "widgets/common/inspector.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QStackedWidget>
#include <QTextBrowser>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr int kLeastWidth = 320;
}

Inspector::Inspector(QWidget* parent) : QFrame(parent) {
  setRole(this, "inspector");
  setMinimumWidth(kLeastWidth);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(space::kM, space::kS, space::kS, space::kS);
  column->setSpacing(space::kS);
  auto* row = new QHBoxLayout;
  title_ = new QLabel(this);
  setRole(title_, "section");
  close_ = new QToolButton(this);
  close_->setIcon(themedIcon("close"));
  row->addWidget(title_, 1);
  row->addWidget(close_);
  column->addLayout(row);
  stack_ = new QStackedWidget(this);
  help_ = new QTextBrowser(stack_);
  help_->setOpenLinks(false);
  help_->setFrameShape(QFrame::NoFrame);
  stack_->addWidget(help_);
  column->addWidget(stack_, 1);
  connect(close_, &QToolButton::clicked, this, &Inspector::closed);
  whenTranslated(this, [this] {
    close_->setToolTip(tr("Close this panel (Esc)"));
    close_->setAccessibleName(close_->toolTip());
    help_->setAccessibleName(tr("Help on this page"));
  });
}

void Inspector::setContent(QWidget* content, const QString& title) {
  if (stack_->indexOf(content) < 0) stack_->addWidget(content);
  stack_->setCurrentWidget(content);
  title_->setText(title);
  setAccessibleName(title);
}

void Inspector::setHelp(const QString& richText, const QString& title) {
  help_->setHtml(richText);
  stack_->setCurrentWidget(help_);
  title_->setText(title);
  setAccessibleName(title);
}

bool Inspector::showsHelp() const { return stack_->currentWidget() == help_; }

void Inspector::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) Q_EMIT closed();
  else QFrame::keyPressEvent(event);
}

}  // namespace cloister
