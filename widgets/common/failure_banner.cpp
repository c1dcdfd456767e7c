#include "widgets/common/failure_banner.h"

#include <QAccessible>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QJsonDocument>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {

FailureBanner::FailureBanner(QWidget* parent) : QFrame(parent) {
  setRole(this, "banner");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(space::kM, space::kS, space::kS, space::kS);
  column->setSpacing(space::kS);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kS);
  icon_ = new QLabel(this);
  sentence_ = new QLabel(this);
  sentence_->setWordWrap(true);
  sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  action_ = new QPushButton(this);
  action_->hide();
  more_ = new QToolButton(this);
  more_->setCheckable(true);
  copy_ = new QToolButton(this);
  copy_->setIcon(themedIcon("copy"));
  close_ = new QToolButton(this);
  close_->setIcon(themedIcon("close"));
  row->addWidget(icon_, 0, Qt::AlignTop);
  row->addWidget(sentence_, 1);
  for (QWidget* w :
       {static_cast<QWidget*>(action_), static_cast<QWidget*>(more_), static_cast<QWidget*>(copy_), static_cast<QWidget*>(close_)})
    row->addWidget(w, 0, Qt::AlignTop);
  column->addLayout(row);
  detail_ = new QPlainTextEdit(this);
  detail_->setReadOnly(true);
  detail_->setMaximumHeight(140);
  detail_->hide();
  column->addWidget(detail_);
  hide();
  connect(more_, &QToolButton::toggled, detail_, &QWidget::setVisible);
  connect(close_, &QToolButton::clicked, this, &FailureBanner::clear);
  connect(action_, &QPushButton::clicked, this, [this] {
    if (act_) act_();
  });
  connect(copy_, &QToolButton::clicked, this,
          [this] { QGuiApplication::clipboard()->setText(sentence_->text() + "\n\n" + detail_->toPlainText()); });
  whenTranslated(this, [this] { retranslate(); });
  whenThemed(this, [this] {
    const Role role = tone_ == Tone::Bad ? Role::Bad : tone_ == Tone::Warning ? Role::Warning : Role::Good;
    const char* name = tone_ == Tone::Bad ? "bad" : tone_ == Tone::Warning ? "warning" : "good";
    icon_->setPixmap(themedPixmap(QString::fromLatin1(name), role, space::kIcon, devicePixelRatioF()));
  });
}

void FailureBanner::retranslate() {
  more_->setText(tr("Details"));
  copy_->setToolTip(tr("Copy the message and its details"));
  copy_->setAccessibleName(copy_->toolTip());
  close_->setToolTip(tr("Dismiss this message"));
  close_->setAccessibleName(close_->toolTip());
  detail_->setAccessibleName(tr("Technical details"));
  if (isFailure_) sentence_->setText(describe(failure_));
}

void FailureBanner::show_(const Failure& failure) {
  QString detail = failureKindName(failure.kind);
  if (!failure.args.isEmpty()) detail += '\n' + QString::fromUtf8(QJsonDocument(failure.args).toJson(QJsonDocument::Indented)).trimmed();
  if (!failure.detail.isEmpty()) detail += '\n' + failure.detail;
  failure_ = failure;
  set(failure.kind == FailureKind::Stopped ? Tone::Warning : Tone::Bad, describe(failure), detail);
  isFailure_ = true;
}

void FailureBanner::note(Tone tone, const QString& sentence, const QString& detail) { set(tone, sentence, detail); }

void FailureBanner::set(Tone tone, const QString& sentence, const QString& detail) {
  isFailure_ = false;
  tone_ = tone;
  act_ = nullptr;
  action_->hide();
  more_->setChecked(false);
  more_->setVisible(!detail.isEmpty());
  detail_->setPlainText(detail);
  detail_->hide();
  sentence_->setText(sentence);
  const char* name = tone == Tone::Bad ? "bad" : tone == Tone::Warning ? "warning" : "good";
  const Role role = tone == Tone::Bad ? Role::Bad : tone == Tone::Warning ? Role::Warning : Role::Good;
  icon_->setPixmap(themedPixmap(QString::fromLatin1(name), role, space::kIcon, devicePixelRatioF()));
  setProperty("tone", QByteArray(name));
  style()->unpolish(this);
  style()->polish(this);
  setAccessibleName(sentence);
  show();
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

void FailureBanner::setAction(const QString& text, std::function<void()> act) {
  act_ = std::move(act);
  action_->setText(text);
  action_->setAccessibleName(text);
  action_->show();
}

void FailureBanner::clear() {
  isFailure_ = false;
  hide();
}

}  // namespace cloister
