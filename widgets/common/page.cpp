#include "widgets/common/page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedLayout>
#include <QVBoxLayout>

#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {
constexpr int kReasonWidth = 480;
}

Page::Page(const char* id, StoreClient& store, QWidget* parent) : QWidget(parent), id_(QString::fromLatin1(id)), store_(store) {
  setObjectName(QStringLiteral("page"));
  setAttribute(Qt::WA_StyledBackground);
  setFocusPolicy(Qt::ClickFocus);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(space::kXl, space::kL, space::kXl, space::kL);
  outer->setSpacing(space::kM);

  auto* header = new QHBoxLayout;
  header->setSpacing(space::kM);
  title_ = new QLabel(this);
  setRole(title_, "title");
  subtitle_ = new QLabel(this);
  setRole(subtitle_, "quiet");
  header->addWidget(title_);
  header->addWidget(subtitle_, 1);
  toolsWidget_ = new QWidget(this);
  tools_ = new QHBoxLayout(toolsWidget_);
  tools_->setContentsMargins(0, 0, 0, 0);
  tools_->setSpacing(space::kS);
  header->addWidget(toolsWidget_);
  outer->addLayout(header);

  banner_ = new FailureBanner(this);
  outer->addWidget(banner_);

  auto* holder = new QWidget(this);
  stack_ = new QStackedLayout(holder);
  auto* bodyWidget = new QWidget(holder);
  body_ = new QVBoxLayout(bodyWidget);
  body_->setContentsMargins(0, 0, 0, 0);
  body_->setSpacing(space::kM);
  stack_->addWidget(bodyWidget);
  auto* absent = new QWidget(holder);
  auto* column = new QVBoxLayout(absent);
  missingIcon_ = new QLabel(absent);
  missingIcon_->setAlignment(Qt::AlignHCenter);
  reason_ = new QLabel(absent);
  reason_->setWordWrap(true);
  reason_->setAlignment(Qt::AlignHCenter);
  reason_->setFixedWidth(kReasonWidth);
  missingButton_ = new QPushButton(absent);
  column->addStretch(2);
  column->addWidget(missingIcon_, 0, Qt::AlignHCenter);
  column->addSpacing(space::kS);
  column->addWidget(reason_, 0, Qt::AlignHCenter);
  column->addSpacing(space::kS);
  column->addWidget(missingButton_, 0, Qt::AlignHCenter);
  column->addStretch(3);
  stack_->addWidget(absent);
  outer->addWidget(holder, 1);
  connect(missingButton_, &QPushButton::clicked, this, [this] { Q_EMIT goTo(missing().goTo); });

  footerWidget_ = new QWidget(this);
  auto* bar = new QHBoxLayout(footerWidget_);
  bar->setContentsMargins(0, 0, 0, 0);
  footer_ = new QHBoxLayout;
  footer_->setSpacing(space::kS);
  bar->addLayout(footer_);
  bar->addStretch(1);  // the primary button stays right and as wide as its words
  primary_ = new QPushButton(footerWidget_);
  setRole(primary_, "primary");
  primary_->hide();
  primary_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  bar->addWidget(primary_, 0, Qt::AlignRight);
  outer->addWidget(footerWidget_);

  whenThemed(this,
             [this] { missingIcon_->setPixmap(themedPixmap(QStringLiteral("lock"), Role::Quiet, space::kXxl, devicePixelRatioF())); });
}

void Page::update_() {
  retranslate();
  title_->setText(title());
  subtitle_->setText(subtitle());
  setAccessibleName(title());
  const Missing what = missing();
  const bool absent = !what.reason.isEmpty();
  stack_->setCurrentIndex(absent ? 1 : 0);
  footerWidget_->setVisible(!absent);
  toolsWidget_->setVisible(!absent);
  reason_->setText(what.reason);
  missingButton_->setText(what.action);
  missingButton_->setVisible(absent && !what.goTo.isEmpty() && !what.action.isEmpty());
}

QVBoxLayout* Page::addScrolledColumn() {
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  auto* inner = new QWidget(scroll);
  setRole(inner, "clear");
  auto* column = new QVBoxLayout(inner);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kL);
  scroll->setWidget(inner);
  body_->addWidget(scroll, 1);
  return column;
}

Page::Missing Page::projectMissing() const {
  if (store_.state().open) return {};
  return {tr("No project is open. Open or create one first."), QLatin1String(page::kProject), tr("Go to Project")};
}

void Page::setPrimaryText(const QString& text) {
  primary_->setText(text);
  primary_->setAccessibleName(text);
  primary_->setVisible(!text.isEmpty());
}

void Page::showFailure(const Failure& failure) { banner_->show_(failure); }

}  // namespace cloister
