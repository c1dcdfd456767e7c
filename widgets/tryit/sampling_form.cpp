#include "widgets/tryit/sampling_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QJsonArray>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QVBoxLayout>

#include "widgets/common/language.h"
#include "widgets/common/theme.h"

namespace cloister {

SamplingForm::SamplingForm(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, space::kS, 0);
  column->setSpacing(space::kS);
  title_ = new QLabel(this);
  setRole(title_, "section");
  column->addWidget(title_);
  auto* form = new QFormLayout;
  form->setHorizontalSpacing(space::kM);
  form->setVerticalSpacing(space::kS);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  column->addLayout(form);
  const auto real = [this](double low, double high, double step, double value, int decimals) {
    auto* box = new QDoubleSpinBox(this);
    box->setRange(low, high);
    box->setSingleStep(step);
    box->setDecimals(decimals);
    box->setValue(value);
    return box;
  };
  const auto whole = [this](int low, int high, int value) {
    auto* box = new QSpinBox(this);
    box->setRange(low, high);
    box->setValue(value);
    return box;
  };
  choice_ = new QComboBox(this);
  choice_->addItem(QString(), true);
  choice_->addItem(QString(), false);
  temperature_ = real(0.05, 5, 0.1, 0.7, 2);
  topP_ = real(0.01, 1, 0.05, 0.9, 2);
  topK_ = whole(0, 1'000'000, 40);
  penalty_ = real(0.5, 3, 0.05, 1, 2);
  length_ = whole(1, 1 << 20, 128);
  length_->setGroupSeparatorShown(true);
  seed_ = whole(0, 1'000'000'000, 1);
  stop_ = new QPlainTextEdit(this);
  stop_->setTabChangesFocus(true);
  sequential_ = new QCheckBox(this);
  const auto row = [this, form](QWidget* editor, const char* text, const char* help) {
    auto* label = new QLabel(this);
    label->setBuddy(editor);
    form->addRow(label, editor);
    rows_ << Row{label, editor, text, help};
  };
  row(choice_, QT_TR_NOOP("Next word"), QT_TR_NOOP("Drawn: a little different each time, more lively. Most likely: always the same."));
  row(temperature_, QT_TR_NOOP("Temperature"), QT_TR_NOOP("Above 1 more daring, below 1 more careful."));
  row(topP_, QT_TR_NOOP("Top-p"), QT_TR_NOOP("Draw only among the most likely words that reach this probability together; 1: among all."));
  row(topK_, QT_TR_NOOP("Top-k"), QT_TR_NOOP("Draw only among this many most likely words; 0: among all."));
  row(penalty_, QT_TR_NOOP("Repetition penalty"), QT_TR_NOOP("Above 1, words that were there before become less likely; 1: off."));
  row(length_, QT_TR_NOOP("Tokens at most"), QT_TR_NOOP("The answer ends here at the latest."));
  row(seed_, QT_TR_NOOP("Seed"), QT_TR_NOOP("The same seed draws the same words."));
  row(stop_, QT_TR_NOOP("Stop texts"), QT_TR_NOOP("The answer ends before any of these texts, one a line."));
  column->addWidget(sequential_);
  column->addStretch(1);
  connect(choice_, &QComboBox::currentIndexChanged, this, &SamplingForm::updateEnabled);
  whenTranslated(this, [this] { retranslate(); });
  whenThemed(this, [this] { stop_->setFixedHeight(2 * stop_->fontMetrics().lineSpacing() + space::kL + space::kXs); });
  updateEnabled();
}

QJsonObject SamplingForm::values() const {
  QJsonArray stops;
  for (const QString& line : stop_->toPlainText().split('\n'))
    if (!line.isEmpty()) stops.append(line);
  return {{"sample", choice_->currentData().toBool()},
          {"temperature", temperature_->value()},
          {"top_p", topP_->value()},
          {"top_k", topK_->value()},
          {"repetition_penalty", penalty_->value()},
          {"new_tokens", length_->value()},
          {"seed", seed_->value()},
          {"stop", stops}};
}

bool SamplingForm::oneAfterTheOther() const { return sequential_->isChecked(); }

void SamplingForm::updateEnabled() {
  const bool drawn = choice_->currentData().toBool();
  for (QWidget* w :
       {static_cast<QWidget*>(temperature_), static_cast<QWidget*>(topP_), static_cast<QWidget*>(topK_), static_cast<QWidget*>(seed_)})
    w->setEnabled(drawn);
}

void SamplingForm::retranslate() {
  title_->setText(tr("Sampling"));
  choice_->setItemText(0, tr("Drawn"));
  choice_->setItemText(1, tr("Most likely"));
  topK_->setSpecialValueText(tr("off"));
  stop_->setPlaceholderText(tr("none"));
  sequential_->setText(tr("One after the other"));
  sequential_->setToolTip(tr("The models answer one after the other: each has the whole processor, so that their speeds can be compared."));
  sequential_->setAccessibleDescription(sequential_->toolTip());
  for (const Row& r : rows_) {
    r.label->setText(tr(r.text));
    r.label->setToolTip(tr(r.help));
    r.editor->setToolTip(tr(r.help));
    r.editor->setAccessibleName(tr(r.text));
    r.editor->setAccessibleDescription(tr(r.help));
  }
}

}  // namespace cloister
