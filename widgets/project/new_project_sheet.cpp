#include "widgets/project/new_project_sheet.h"

#include <QDir>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRadioButton>
#include <QRegularExpression>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/project/task_words.h"

namespace cloister {
namespace {
constexpr int kPicture = 56;
}

QString projectsHome() { return QDir::homePath() + "/Cloister"; }

NewProjectSheet::NewProjectSheet(QWidget* parent) : QFrame(parent) {
  QVBoxLayout* column = beginSheet(this, header_);

  auto* row = new QHBoxLayout;
  row->setSpacing(space::kXl);
  auto* left = new QVBoxLayout;
  left->setSpacing(space::kM);
  kindLabel_ = new QLabel(this);
  left->addWidget(kindLabel_);
  for (const Task& task : Task::all()) {
    auto* line = new QHBoxLayout;
    line->setSpacing(space::kM);
    const Kind kind{&task, new QRadioButton(this), new QLabel(this), new QLabel(this)};
    kind.text->setWordWrap(true);
    setRole(kind.text, "quiet");
    auto* words = new QVBoxLayout;
    words->setSpacing(space::kXs);
    words->addWidget(kind.button);
    words->addWidget(kind.text);
    words->addStretch(1);
    line->addWidget(kind.picture, 0, Qt::AlignTop);
    line->addLayout(words, 1);
    left->addLayout(line);
    kinds_ << kind;
  }
  kinds_.first().button->setChecked(true);
  row->addLayout(left, 1);

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
  row->addLayout(grid, 1);
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
  whenThemed(this, [this] {
    for (const Kind& k : kinds_) k.picture->setPixmap(themedPixmap(taskIcon(*k.task), Role::Accent, kPicture, devicePixelRatioF()));
  });
}

void NewProjectSheet::retranslate() {
  header_.setTexts(tr("New project"), tr("Close without creating a project"));
  kindLabel_->setText(tr("What shall the model do?"));
  for (const Kind& k : kinds_) {
    k.button->setText(taskName(*k.task));
    k.text->setText(taskAbout(*k.task));
    k.button->setAccessibleName(k.button->text());
    k.button->setAccessibleDescription(k.text->text());
  }
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

QString NewProjectSheet::task() const {
  for (const Kind& k : kinds_)
    if (k.button->isChecked()) return k.task->id;
  return Task::all().first().id;
}

QString NewProjectSheet::name() const { return name_->text().simplified(); }
QString NewProjectSheet::folder() const { return folder_->path(); }

}  // namespace cloister
