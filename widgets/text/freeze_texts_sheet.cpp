#include "widgets/text/freeze_texts_sheet.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/curation/finding_words.h"
#include "widgets/common/language.h"
#include "widgets/common/long_task.h"
#include "widgets/common/progress_strip.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/text/text_list.h"

namespace cloister {
namespace {
constexpr int kLaterMs = 400;
const QString kTask = QStringLiteral("check");
}  // namespace

FreezeTextsSheet::FreezeTextsSheet(StoreClient& store, QWidget* parent) : QFrame(parent), store_(store), task_(new LongTask(store, this)) {
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
  progress_ = new ProgressStrip(card);
  setRole(progress_, "clear");
  retry_ = new QPushButton(card);
  for (QWidget* w : std::initializer_list<QWidget*>{outlookTitle_, progress_, outlook_, retry_, findings_}) words->addWidget(w);
  words->setAlignment(retry_, Qt::AlignLeft);
  words->addStretch(1);
  row->addWidget(card, 2);
  column->addLayout(row, 1);
  later_.setSingleShot(true);
  later_.setInterval(kLaterMs);
  connect(&later_, &QTimer::timeout, this, &FreezeTextsSheet::ask);
  for (QSpinBox* box : {train_, validation_, test_, seed_})
    connect(box, &QSpinBox::valueChanged, this, [this] {
      check_.reset();
      stopped_ = false;
      again_ = task_->running();  // what it finds is of other shares
      if (again_) task_->stop();
      later_.start();
      showOutlook();
    });
  connect(task_, &LongTask::progressed, this, [this](qint64 done, qint64 total, int, double secondsLeft) {
    if (!again_) progress_->setTask(kTask, {tr("Read and divide the texts"), bytesOf(done, total), fractionOf(done, total), secondsLeft});
  });
  connect(progress_, &ProgressStrip::stopRequested, this, &FreezeTextsSheet::stop);
  connect(retry_, &QPushButton::clicked, this, &FreezeTextsSheet::ask);
  connect(&store, &StoreClient::closed, this, &FreezeTextsSheet::stop);
  connect(header_.close, &QToolButton::clicked, this, [this] {
    stop();
    Q_EMIT closed();
  });
  whenTranslated(this, [this] { retranslate(); });
}

TextSplit FreezeTextsSheet::split() const {
  return {train_->value() / 100.0, validation_->value() / 100.0, test_->value() / 100.0, seed_->value(), {}};
}

int FreezeTextsSheet::sum() const { return train_->value() + validation_->value() + test_->value(); }

void FreezeTextsSheet::begin() {
  check_.reset();
  ask();
  train_->setFocus();
}

void FreezeTextsSheet::stop() {
  again_ = false;
  stopped_ = task_->running();
  task_->stop();
}

bool FreezeTextsSheet::canFreeze() const { return !freezing_ && sum() == 100 && check_ && !failure_; }

// Reads all texts: on a thread and a connection of its own, so that neither runs nor previews wait for it.
void FreezeTextsSheet::ask() {
  failure_.reset();
  stopped_ = false;
  if (sum() != 100) return showOutlook();
  again_ = task_->running();
  if (again_) return task_->stop();  // for other shares
  task_->start(
      [dir = store_.state().dir, split = split()](const LongTask::Told& told) -> Result<TextCheck> {
        const auto project = Project::open(dir, Project::Mode::ReadOnly);
        if (!project) return project.error();
        return checkTexts(**project, split, [&](qint64 done, qint64 total) { return told(done, total, 0); });
      },
      [this](const Result<TextCheck>& check) { answered(check); });
  showOutlook();
}

void FreezeTextsSheet::answered(const Result<TextCheck>& check) {
  progress_->removeTask(kTask);
  if (std::exchange(again_, false)) {
    if (!later_.isActive()) ask();
    return;
  }
  check_.reset();
  failure_.reset();
  if (check) check_ = *check;
  else if (check.error().kind != FailureKind::Stopped) failure_ = check.error();
  else stopped_ = true;
  showOutlook();
}

void FreezeTextsSheet::showOutlook() {
  sumHint_->setVisible(sum() != 100);
  sumHint_->setText(tr("The three shares add up to %1 %; they must make 100 %.").arg(sum()));
  findings_->clear();
  retry_->setVisible(!check_ && stopped_ && !task_->running());
  if (failure_) outlook_->setText(describe(*failure_));
  else if (check_) showParts();
  else if (sum() != 100) outlook_->clear();
  else outlook_->setText(stopped_ ? tr("The check was stopped. Without it nothing can be frozen.") : tr("Working it out…"));
  Q_EMIT changed();
}

void FreezeTextsSheet::showParts() {
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

// What was checked is frozen without another look at the texts; where they changed meanwhile, they are checked once more.
void FreezeTextsSheet::freeze() {
  if (!canFreeze()) return;
  freezing_ = true;
  Q_EMIT changed();
  store_.run([split = split(), check = *check_](Project& p) { return freezeChecked(p, split, check); }, this,
             [this](const Result<Snapshot>& snapshot) {
               freezing_ = false;
               if (snapshot) Q_EMIT frozen(*snapshot);
               else if (snapshot.error().kind == FailureKind::IdentityChanged) begin();
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
  retry_->setText(tr("Check again"));
  retry_->setAccessibleName(retry_->text());
  showOutlook();
}

}  // namespace cloister
