#include "widgets/text/freeze_texts_sheet.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/curation/finding_words.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/text/text_list.h"

namespace cloister {
namespace {
constexpr int kLaterMs = 400;
}

FreezeTextsSheet::FreezeTextsSheet(StoreClient& store, QWidget* parent) : QFrame(parent), store_(store) {
  QVBoxLayout* column = beginSheet(this, header_);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kXxl);
  auto* left = new QWidget(this);
  auto* form = new QFormLayout(left);
  form->setContentsMargins(0, 0, 0, 0);
  form->setHorizontalSpacing(space::kM);
  form->setVerticalSpacing(space::kS);
  splitTitle_ = new QLabel(left);
  setRole(splitTitle_, "strong");
  form->addRow(splitTitle_);
  const auto percent = [&](QLabel*& label, int value) {
    auto* spin = new QSpinBox(left);
    spin->setRange(0, 100);
    spin->setSuffix(QStringLiteral(" %"));
    spin->setValue(value);
    label = new QLabel(left);
    label->setBuddy(spin);
    form->addRow(label, spin);
    return spin;
  };
  train_ = percent(trainLabel_, 90);
  validation_ = percent(validationLabel_, 5);
  test_ = percent(testLabel_, 5);
  sumHint_ = new QLabel(left);
  sumHint_->setWordWrap(true);
  setRole(sumHint_, "error");
  form->addRow(sumHint_);
  seedLabel_ = new QLabel(left);
  seed_ = new QSpinBox(left);
  seed_->setRange(0, 1'000'000'000);
  seed_->setValue(1);
  seedLabel_->setBuddy(seed_);
  form->addRow(seedLabel_, seed_);
  note_ = new QLabel(left);
  note_->setWordWrap(true);
  setRole(note_, "quiet");
  form->addRow(note_);
  row->addWidget(left, 1);
  auto* card = new QFrame(this);
  setRole(card, "card");
  auto* words = new QVBoxLayout(card);
  words->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  words->setSpacing(space::kS);
  outlookTitle_ = new QLabel(card);
  setRole(outlookTitle_, "strong");
  outlook_ = new QLabel(card);
  outlook_->setWordWrap(true);
  findings_ = new QLabel(card);
  findings_->setWordWrap(true);
  setRole(findings_, "quiet");
  for (QLabel* l : {outlookTitle_, outlook_, findings_}) words->addWidget(l);
  words->addStretch(1);
  row->addWidget(card, 2);
  column->addLayout(row, 1);
  later_.setSingleShot(true);
  later_.setInterval(kLaterMs);
  connect(&later_, &QTimer::timeout, this, &FreezeTextsSheet::ask);
  for (QSpinBox* box : {train_, validation_, test_, seed_})
    connect(box, &QSpinBox::valueChanged, this, [this] {
      check_.reset();
      later_.start();
      showOutlook();
    });
  connect(header_.close, &QToolButton::clicked, this, &FreezeTextsSheet::closed);
  whenTranslated(this, [this] { retranslate(); });
}

TextSplit FreezeTextsSheet::split() const {
  return {train_->value() / 100.0, validation_->value() / 100.0, test_->value() / 100.0, seed_->value()};
}

int FreezeTextsSheet::sum() const { return train_->value() + validation_->value() + test_->value(); }

void FreezeTextsSheet::begin() {
  check_.reset();
  failure_.reset();
  ask();
  train_->setFocus();
}

bool FreezeTextsSheet::canFreeze() const { return !freezing_ && sum() == 100 && check_ && !failure_; }

void FreezeTextsSheet::ask() {
  if (sum() != 100 || std::exchange(again_, asking_) || asking_) return;
  again_ = false;
  asking_ = true;
  showOutlook();
  store_.read([split = split()](Project& p) { return checkTexts(p, split, {}); }, this,
              [this](const Result<TextCheck>& check) {
                asking_ = false;
                if (std::exchange(again_, false)) return ask();
                check_.reset();
                failure_.reset();
                if (check) check_ = *check;
                else failure_ = check.error();
                showOutlook();
              });
}

void FreezeTextsSheet::showOutlook() {
  sumHint_->setVisible(sum() != 100);
  sumHint_->setText(tr("The three shares add up to %1 %; they must make 100 %.").arg(sum()));
  findings_->clear();
  if (failure_) {
    outlook_->setText(describe(*failure_));
  } else if (!check_) {
    outlook_->setText(sum() == 100 ? tr("Working it out…") : QString());
  } else {
    const QJsonObject parts = check_->division["parts"].toObject();
    QStringList lines{tr("%1, %2 in %3")
                          .arg(TextList::kindName(check_->kind), words::counted(check_->records, words::Noun::Record),
                               words::counted(check_->files, words::Noun::File))};
    const std::pair<const char*, QString> names[] = {{"train", tr("Training")}, {"validation", tr("Validation")}, {"test", tr("Test")}};
    for (const auto& [key, name] : names) {
      const QJsonObject part = parts[QLatin1String(key)].toObject();
      lines << tr("%1: %2, %3")
                   .arg(name, words::counted(part["records"].toInteger(), words::Noun::Record),
                        words::bytes(double(part["bytes"].toInteger())));
    }
    outlook_->setText(lines.join('\n'));
    QStringList notes;
    for (const Finding& f : check_->findings)
      if (f.severity != u"info") notes << tr("Note: %1").arg(describeFinding(f));
    findings_->setText(notes.join(QStringLiteral("\n\n")));
  }
  Q_EMIT changed();
}

void FreezeTextsSheet::freeze() {
  if (!canFreeze()) return;
  freezing_ = true;
  Q_EMIT changed();
  store_.run([split = split()](Project& p) { return freezeTexts(p, split, {}); }, this,
             [this](const Result<Snapshot>& snapshot) {
               freezing_ = false;
               if (snapshot) Q_EMIT frozen(*snapshot);
               else Q_EMIT failed(snapshot.error());
               Q_EMIT changed();
             });
}

void FreezeTextsSheet::retranslate() {
  header_.setTexts(tr("Freeze a snapshot"), tr("Close without freezing"));
  splitTitle_->setText(tr("Split"));
  const std::pair<QLabel*, std::pair<QWidget*, QString>> rows[] = {{trainLabel_, {train_, tr("Training")}},
                                                                   {validationLabel_, {validation_, tr("Validation")}},
                                                                   {testLabel_, {test_, tr("Test")}},
                                                                   {seedLabel_, {seed_, tr("Seed")}}};
  for (const auto& [label, field] : rows) {
    label->setText(field.second);
    field.first->setAccessibleName(field.second);
  }
  note_->setText(
      tr("The same text is always on the same side. Validation shows while training whether the model still learns; the test is kept "
         "for the end."));
  outlookTitle_->setText(tr("What will be frozen"));
  showOutlook();
}

}  // namespace cloister
