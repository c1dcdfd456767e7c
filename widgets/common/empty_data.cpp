#include "widgets/common/empty_data.h"

#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QUrl>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr int kPicture = 96, kNarrow = 400, kWide = 560;
}

EmptyData::EmptyData(QWidget* parent) : QFrame(parent) {
  setRole(this, "drop");
  auto* column = new QVBoxLayout(this);
  column->setSpacing(space::kM);
  picture_ = new QLabel(this);
  title_ = new QLabel(this);
  setRole(title_, "section");
  text_ = new QLabel(this);
  text_->setWordWrap(true);
  text_->setAlignment(Qt::AlignHCenter);
  text_->setMaximumWidth(kWide);
  text_->setMinimumWidth(kNarrow);
  button_ = new QPushButton(this);
  button_->setIcon(themedIcon("import"));
  column->addStretch(2);
  for (QWidget* w : std::initializer_list<QWidget*>{picture_, title_, text_, button_}) column->addWidget(w, 0, Qt::AlignHCenter);
  column->addStretch(3);
  connect(button_, &QPushButton::clicked, this, &EmptyData::clicked);
  whenThemed(this, [this] { picture_->setPixmap(themedPixmap("drop", Role::Accent, kPicture, devicePixelRatioF())); });
}

void EmptyData::setWords(const QString& title, const QString& text, const QString& button) {
  title_->setText(title);
  text_->setText(text);
  button_->setText(button);
  button_->setAccessibleName(button);
}

QStringList localPaths(const QMimeData* dragged) {
  QStringList paths;
  for (const QUrl& url : dragged->urls())
    if (url.isLocalFile()) paths << url.toLocalFile();
  return paths;
}

}  // namespace cloister
