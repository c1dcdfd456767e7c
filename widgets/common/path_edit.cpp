#include "widgets/common/path_edit.h"

#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QToolButton>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"

namespace cloister {

PathEdit::PathEdit(Kind kind, QWidget* parent) : QWidget(parent), kind_(kind) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kXs);
  line_ = new QLineEdit(this);
  line_->setDragEnabled(true);
  line_->setAcceptDrops(false);  // the whole row takes drops, as paths
  button_ = new QToolButton(this);
  button_->setIcon(themedIcon("open"));
  row->addWidget(line_, 1);
  row->addWidget(button_);
  setAcceptDrops(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setFocusProxy(line_);
  connect(line_, &QLineEdit::textChanged, this, &PathEdit::changed);
  connect(button_, &QToolButton::clicked, this, &PathEdit::browse);
  whenTranslated(this, [this] { setName(name_); });
}

QString PathEdit::path() const { return line_->text().trimmed(); }
void PathEdit::setPath(const QString& path) { line_->setText(path); }

void PathEdit::setName(const QString& name) {
  name_ = name;
  line_->setAccessibleName(name);
  button_->setToolTip(kind_ == Kind::Folder ? tr("Choose a folder") : tr("Choose a file"));
  button_->setAccessibleName(name.isEmpty() ? button_->toolTip() : QStringLiteral("%1: %2").arg(name, button_->toolTip()));
}

void PathEdit::browse() {
  // Not modal for the event loop: open() shows the dialog and returns.
  auto* dialog = new QFileDialog(window(), name_, QFileInfo(path()).absolutePath(), filter_);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  if (kind_ == Kind::Folder) {
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
  } else if (kind_ == Kind::SaveFile) {
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setFileMode(QFileDialog::AnyFile);
  } else {
    dialog->setFileMode(QFileDialog::ExistingFile);
  }
  connect(dialog, &QFileDialog::fileSelected, this, &PathEdit::setPath);
  dialog->open();
}

void PathEdit::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void PathEdit::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (!urls.isEmpty() && urls.first().isLocalFile()) setPath(urls.first().toLocalFile());
}

}  // namespace cloister
