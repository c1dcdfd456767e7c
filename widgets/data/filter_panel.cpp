#include "widgets/data/filter_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {
constexpr int kWidth = 200;
const QString kUnlabelled = QStringLiteral("\x01unlabelled");

void choose(QComboBox* box, const QString& value) { box->setCurrentIndex(std::max(0, box->findData(value))); }

void fillCounts(QComboBox* box, const QString& all, const QMap<QString, qint64>& counts) {
  box->clear();
  box->addItem(all, QString());
  for (auto it = counts.begin(); it != counts.end(); ++it)
    if (!it.key().isEmpty()) box->addItem(QStringLiteral("%1 (%2)").arg(it.key(), words::number(it.value())), it.key());
  box->setEnabled(box->count() > 1);
}

}  // namespace

FilterPanel::FilterPanel(QWidget* parent) : QFrame(parent) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
  setMinimumWidth(kWidth);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kXs);
  const auto title = [this, column] {
    auto* l = new QLabel(this);
    setRole(l, "small");
    if (column->count() > 0) column->addSpacing(space::kXs);
    column->addWidget(l);
    return l;
  };
  const auto combo = [this, column](QLabel* buddy) {
    auto* box = new QComboBox(this);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(8);
    buddy->setBuddy(box);
    column->addWidget(box);
    connect(box, &QComboBox::activated, this, &FilterPanel::take);
    return box;
  };
  labelTitle_ = title();
  labels_ = new QListWidget(this);
  labels_->setObjectName(QStringLiteral("labels"));
  labels_->setUniformItemSizes(true);
  labels_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Expanding);  // the words beside it say how wide the panel is
  labels_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  labels_->setTextElideMode(Qt::ElideMiddle);
  labelTitle_->setBuddy(labels_);
  column->addWidget(labels_, 1);
  connect(labels_, &QListWidget::currentRowChanged, this, &FilterPanel::take);
  patientTitle_ = title();
  patient_ = new QLineEdit(this);
  patient_->setObjectName(QStringLiteral("patient"));
  patient_->setClearButtonEnabled(true);
  patientTitle_->setBuddy(patient_);
  column->addWidget(patient_);
  connect(patient_, &QLineEdit::editingFinished, this, &FilterPanel::take);
  connect(patient_, &QLineEdit::textChanged, this, [this](const QString& text) {
    if (text.isEmpty()) take();
  });
  site_ = combo(siteTitle_ = title());
  modality_ = combo(modalityTitle_ = title());
  split_ = combo(splitTitle_ = title());
  problem_ = combo(problemTitle_ = title());
  excluded_ = new QCheckBox(this);
  column->addWidget(excluded_);
  connect(excluded_, &QCheckBox::clicked, this, &FilterPanel::take);
  auto* buttons = new QHBoxLayout;
  clear_ = new QPushButton(this);
  undo_ = new QPushButton(this);
  for (QPushButton* b : {clear_, undo_}) {
    setRole(b, "link");
    buttons->addWidget(b);
  }
  buttons->addStretch(1);
  column->addLayout(buttons);
  connect(clear_, &QPushButton::clicked, this, [this] {
    setFilter({});
    Q_EMIT changed(filter_);
  });
  connect(undo_, &QPushButton::clicked, this, &FilterPanel::undoWanted);
  whenTranslated(this, [this] { retranslate(); });
}

void FilterPanel::retranslate() {
  labelTitle_->setText(tr("Label"));
  patientTitle_->setText(tr("Patient"));
  siteTitle_->setText(tr("Site"));
  modalityTitle_->setText(tr("Modality"));
  splitTitle_->setText(tr("Split of the newest snapshot"));
  problemTitle_->setText(tr("Problem"));
  patient_->setPlaceholderText(tr("Patient ID"));
  excluded_->setText(tr("Show excluded"));
  clear_->setText(tr("Clear filters"));
  undo_->setText(tr("Previous filter"));
  labels_->setAccessibleName(tr("Filter by label"));
  patient_->setAccessibleName(tr("Filter by patient"));
  site_->setAccessibleName(tr("Filter by site"));
  modality_->setAccessibleName(tr("Filter by modality"));
  split_->setAccessibleName(tr("Filter by split"));
  problem_->setAccessibleName(tr("Filter by problem"));
  excluded_->setAccessibleName(excluded_->text());
  for (QPushButton* b : {clear_, undo_}) b->setAccessibleName(b->text());
  setAccessibleName(tr("Filters"));
  fill();
}

void FilterPanel::setState(const ProjectState& state) {
  counts_ = state.counts;
  snapshot_ = state.snapshots.isEmpty() ? QString() : state.snapshots.first().digest;
  fill();
}

void FilterPanel::setCanUndo(bool can) { undo_->setVisible(can); }

void FilterPanel::setFilter(const SampleFilter& filter) {
  filter_ = filter;
  fill();
}

void FilterPanel::fill() {
  filling_ = true;
  labels_->clear();
  const auto row = [this](const QString& text, qint64 n, const QString& value) {
    auto* item = new QListWidgetItem(tr("%1 (%2)").arg(text, words::number(n)), labels_);
    item->setData(Qt::UserRole, value);
    item->setToolTip(item->text());
    if (filter_.label == value) labels_->setCurrentItem(item);
  };
  row(tr("All"), counts_.samples, QString());
  for (auto it = counts_.byLabel.begin(); it != counts_.byLabel.end(); ++it)
    if (!it.key().isEmpty()) row(it.key(), it.value(), it.key());
  if (const qint64 none = counts_.samples - counts_.labelled; none > 0) row(tr("No label"), none, kUnlabelled);
  patient_->setText(filter_.patient);
  fillCounts(site_, tr("All sites"), counts_.bySite);
  fillCounts(modality_, tr("All modalities"), counts_.byModality);
  choose(site_, filter_.site);
  choose(modality_, filter_.modality);
  split_->clear();
  split_->addItem(tr("All splits"), QString());
  split_->addItem(tr("Training"), "train");
  split_->addItem(tr("Validation"), "validation");
  split_->addItem(tr("Test"), "test");
  split_->setEnabled(!snapshot_.isEmpty());
  choose(split_, filter_.split);
  problem_->clear();
  problem_->addItem(tr("With and without"), QString());
  problem_->addItem(tr("With a warning (%1)").arg(words::number(counts_.problems)), "*");
  problem_->setEnabled(counts_.problems > 0);
  choose(problem_, filter_.problem);
  excluded_->setChecked(filter_.includeExcluded);
  filling_ = false;
  const bool plain = filter_.label.isEmpty() && filter_.patient.isEmpty() && filter_.site.isEmpty() && filter_.modality.isEmpty() &&
                     filter_.split.isEmpty() && filter_.problem.isEmpty() && filter_.keys.isEmpty() && filter_.text.isEmpty();
  clear_->setEnabled(!plain || !filter_.includeExcluded);
}

void FilterPanel::take() {
  if (filling_) return;
  SampleFilter f = filter_;
  f.keys.clear();  // a finding's samples: any filter of one's own ends it
  f.label = labels_->currentItem() ? labels_->currentItem()->data(Qt::UserRole).toString() : QString();
  f.patient = patient_->text().trimmed();
  f.site = site_->currentData().toString();
  f.modality = modality_->currentData().toString();
  f.split = split_->currentData().toString();
  f.snapshot = f.split.isEmpty() ? QString() : snapshot_;
  f.problem = problem_->currentData().toString();
  f.includeExcluded = excluded_->isChecked();
  filter_ = f;
  clear_->setEnabled(true);
  Q_EMIT changed(f);
}

}  // namespace cloister
