#include "widgets/project/new_project_sheet.h"

#include <QDir>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRegularExpression>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr int kPicture = 72;
}

QString projectsHome() { return QDir::homePath() + "/Cloister"; }

NewProjectSheet::NewProjectSheet(QWidget* parent) : QFrame(parent) {
  QVBoxLayout* column = beginSheet(this, header_);

  auto* row = new QHBoxLayout;
  row->setSpacing(space::kXl);
  auto* kind = new QHBoxLayout;
  kind->setSpacing(space::kM);
  picture_ = new QLabel(this);
  auto* words = new QVBoxLayout;
  kindName_ = new QLabel(this);
  setRole(kindName_, "strong");
  kindText_ = new QLabel(this);
  kindText_->setWordWrap(true);
  setRole(kindText_, "quiet");
  words->addWidget(kindName_);
  words->addWidget(kindText_);
  words->addStretch(1);
  kind->addWidget(picture_, 0, Qt::AlignTop);
  kind->addLayout(words, 1);
  row->addLayout(kind, 2);

  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(space::kM);
  grid->setVerticalSpacing(space::kS);
  nameLabel_ = new QLabel(this);
  folderLabel_ = new QLabel(this);
  name_ = new QLineEdit(this);
  name_->setMaxLength(120);
  folder_ = new PathEdit(PathEdit::Kind::Folder, this);
  nameLabel_->setBuddy(name_);
  folderLabel_->setBuddy(folder_->line());
  grid->addWidget(nameLabel_, 0, 0);
  grid->addWidget(name_, 0, 1);
  grid->addWidget(folderLabel_, 1, 0);
  grid->addWidget(folder_, 1, 1);
  grid->setRowStretch(2, 1);
  row->addLayout(grid, 3);
  column->addLayout(row);

  connect(header_.close, &QToolButton::clicked, this, &NewProjectSheet::cancelled);
  connect(name_, &QLineEdit::textChanged, this, [this] {
    suggestFolder();
    Q_EMIT changed();
  });
  connect(folder_, &PathEdit::changed, this, [this] {
    if (!suggesting_) folderTouched_ = true;
    Q_EMIT changed();
  });
  whenTranslated(this, [this] { retranslate(); });
  whenThemed(this, [this] { picture_->setPixmap(themedPixmap("kind-images", Role::Accent, kPicture, devicePixelRatioF())); });
}

void NewProjectSheet::retranslate() {
  header_.setTexts(tr("New project"), tr("Close without creating a project"));
  kindName_->setText(tr("Image classification"));
  kindText_->setText(tr("Each image gets one of a few labels, for example normal or pneumonia. Works with DICOM and with picture files."));
  nameLabel_->setText(tr("Name"));
  folderLabel_->setText(tr("Folder"));
  name_->setPlaceholderText(tr("For example: Chest X-rays 2026"));
  name_->setAccessibleName(tr("Name of the project"));
  folder_->setName(tr("Folder of the project"));
}

void NewProjectSheet::begin() {
  folderTouched_ = false;
  name_->clear();
  suggestFolder();
  name_->setFocus();
}

void NewProjectSheet::suggestFolder() {
  if (folderTouched_) return;
  QString safe = name();
  safe.replace(QRegularExpression(QStringLiteral("[/\\\\:*?\"<>|\\x00-\\x1f]+")), QStringLiteral("-"));
  suggesting_ = true;
  folder_->setPath(safe.isEmpty() ? QString() : projectsHome() + '/' + safe);
  suggesting_ = false;
}

QString NewProjectSheet::name() const { return name_->text().simplified(); }
QString NewProjectSheet::folder() const { return folder_->path(); }

}  // namespace cloister
