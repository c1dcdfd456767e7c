#include "widgets/data/freeze_sheet.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRegularExpressionValidator>
#include <QScrollArea>
#include <QSet>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/curation/finding_words.h"
#include "core/store/project.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/checks_view.h"

namespace cloister {
namespace {

constexpr int kLaterMs = 300;

QFormLayout* formIn(QWidget* box) {
  auto* form = new QFormLayout(box);
  form->setContentsMargins(0, 0, 0, 0);
  form->setHorizontalSpacing(space::kM);
  form->setVerticalSpacing(space::kS);
  return form;
}

}  // namespace

FreezeSheet::FreezeSheet(StoreClient& store, QWidget* parent) : QFrame(parent), store_(store) {
  QVBoxLayout* column = beginSheet(this, header_);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kXxl);
  row->addWidget(buildSplit(), 1);
  row->addWidget(buildPixels(), 1);
  row->addWidget(buildOutlook(), 1);
  column->addLayout(row, 1);
  later_.setSingleShot(true);
  later_.setInterval(kLaterMs);
  connect(&later_, &QTimer::timeout, this, &FreezeSheet::askOutlook);
  connect(header_.close, &QToolButton::clicked, this, &FreezeSheet::closed);
  whenTranslated(this, [this] { retranslate(); });
}

QWidget* FreezeSheet::buildSplit() {
  auto* box = new QWidget(this);
  auto* form = formIn(box);
  const auto percent = [this, box](int value) {
    auto* spin = new QSpinBox(box);
    spin->setRange(0, 100);
    spin->setSuffix(QStringLiteral(" %"));
    spin->setValue(value);
    connect(spin, &QSpinBox::valueChanged, this, &FreezeSheet::edited);
    return spin;
  };
  splitTitle_ = new QLabel(box);
  setRole(splitTitle_, "strong");
  form->addRow(splitTitle_);
  form->addRow(trainLabel_ = new QLabel(box), train_ = percent(70));
  form->addRow(validationLabel_ = new QLabel(box), validation_ = percent(15));
  form->addRow(testLabel_ = new QLabel(box), test_ = percent(15));
  sumHint_ = new QLabel(box);
  sumHint_->setWordWrap(true);
  setRole(sumHint_, "error");
  form->addRow(sumHint_);
  group_ = new QComboBox(box);
  for (const char* g : {"patient", "study", "series", "site", "sample"}) group_->addItem(QString(), g);
  form->addRow(groupLabel_ = new QLabel(box), group_);
  seed_ = new QSpinBox(box);
  seed_->setRange(0, 1000000000);
  seed_->setValue(1);
  form->addRow(seedLabel_ = new QLabel(box), seed_);
  stratify_ = new QCheckBox(box);
  stratify_->setChecked(true);
  form->addRow(stratify_);
  reason_ = new QLineEdit(box);
  form->addRow(reasonLabel_ = new QLabel(box));
  form->addRow(reason_);
  connect(group_, &QComboBox::currentIndexChanged, this, &FreezeSheet::edited);
  connect(seed_, &QSpinBox::valueChanged, this, &FreezeSheet::edited);
  connect(stratify_, &QCheckBox::toggled, this, &FreezeSheet::edited);
  connect(reason_, &QLineEdit::textChanged, this, &FreezeSheet::edited);
  reasonLabel_->setWordWrap(true);
  return box;
}

QWidget* FreezeSheet::buildPixels() {
  auto* box = new QWidget(this);
  auto* form = formIn(box);
  pixelTitle_ = new QLabel(box);
  setRole(pixelTitle_, "strong");
  form->addRow(pixelTitle_);
  size_ = new QSpinBox(box);
  size_->setRange(16, 1024);
  size_->setSingleStep(32);
  size_->setValue(224);
  channels_ = new QComboBox(box);
  channels_->addItem(QString(), 1);
  channels_->addItem(QString(), 3);
  window_ = new QComboBox(box);
  for (const char* w : {"voi", "percentile", "minmax", "values"}) window_->addItem(QString(), w);
  windowValues_ = new QLineEdit(box);
  windowValues_->setValidator(new QRegularExpressionValidator(QRegularExpression(QStringLiteral("-?[0-9.]+,[0-9.]+")), windowValues_));
  windowValues_->setText(QStringLiteral("40,400"));
  fit_ = new QComboBox(box);
  for (const char* f : {"letterbox", "crop", "stretch"}) fit_->addItem(QString(), f);
  form->addRow(sizeLabel_ = new QLabel(box), size_);
  form->addRow(channelsLabel_ = new QLabel(box), channels_);
  form->addRow(windowLabel_ = new QLabel(box), window_);
  form->addRow(QString(), windowValues_);
  form->addRow(fitLabel_ = new QLabel(box), fit_);
  connect(window_, &QComboBox::currentIndexChanged, this, &FreezeSheet::edited);
  return box;
}

QWidget* FreezeSheet::buildOutlook() {
  auto* box = new QFrame(this);
  setRole(box, "card");
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  column->setSpacing(space::kS);
  outlookTitle_ = new QLabel(box);
  setRole(outlookTitle_, "strong");
  outlookText_ = new QLabel(box);
  outlookText_->setWordWrap(true);
  outlookFindings_ = new QLabel(box);
  outlookFindings_->setWordWrap(true);
  column->addWidget(outlookTitle_);
  column->addWidget(outlookText_);
  column->addWidget(outlookFindings_);
  column->addStretch(1);
  return box;
}

void FreezeSheet::retranslate() {
  header_.setTexts(tr("Freeze a snapshot"), tr("Close without freezing"));
  splitTitle_->setText(tr("Split"));
  pixelTitle_->setText(tr("Preprocessing"));
  outlookTitle_->setText(tr("What will be frozen"));
  const std::pair<QLabel*, std::pair<QWidget*, QString>> rows[] = {{trainLabel_, {train_, tr("Training")}},
                                                                   {validationLabel_, {validation_, tr("Validation")}},
                                                                   {testLabel_, {test_, tr("Test")}},
                                                                   {groupLabel_, {group_, tr("Keep together")}},
                                                                   {seedLabel_, {seed_, tr("Seed")}},
                                                                   {sizeLabel_, {size_, tr("Image size")}},
                                                                   {channelsLabel_, {channels_, tr("Channels")}},
                                                                   {windowLabel_, {window_, tr("Grey window")}},
                                                                   {fitLabel_, {fit_, tr("Fit to the square")}}};
  for (const auto& [label, field] : rows) {
    label->setText(field.second);
    label->setBuddy(field.first);
    field.first->setAccessibleName(field.second);
  }
  const QStringList groups{tr("Images of one patient"), tr("Images of one study"), tr("Images of one series"), tr("Images of one site"),
                           tr("Nothing: each image alone")};
  for (int i = 0; i < groups.size(); ++i) group_->setItemText(i, groups[i]);
  stratify_->setText(tr("Same share of each label in every split"));
  stratify_->setAccessibleName(stratify_->text());
  reasonLabel_->setText(tr("Reason, kept in the snapshot and the audit log"));
  reasonLabel_->setBuddy(reason_);
  reason_->setAccessibleName(reasonLabel_->text());
  reason_->setPlaceholderText(tr("For example: phantoms only, no patients"));
  size_->setSuffix(tr(" pixels"));
  channels_->setItemText(0, tr("1, grey"));
  channels_->setItemText(1, tr("3, colour"));
  const QStringList windows{tr("As stored in the file"), tr("Percentiles 0.5–99.5"), tr("Darkest to brightest"), tr("Level and width")};
  for (int i = 0; i < windows.size(); ++i) window_->setItemText(i, windows[i]);
  windowValues_->setAccessibleName(tr("Level and width, separated by a comma"));
  windowValues_->setToolTip(windowValues_->accessibleName());
  const QStringList fits{tr("Whole image, black borders"), tr("Centre, edges cut off"), tr("Stretched")};
  for (int i = 0; i < fits.size(); ++i) fit_->setItemText(i, fits[i]);
  showOutlook();
}

void FreezeSheet::begin() {
  known_ = false;
  showOutlook();
  askOutlook();
  train_->setFocus();
}

SplitRequest FreezeSheet::splitRequest() const {
  SplitRequest r;
  r.train = train_->value() / 100.0;
  r.validation = validation_->value() / 100.0;
  r.test = test_->value() / 100.0;
  r.groupBy = group_->currentData().toString();
  r.seed = seed_->value();
  r.stratify = stratify_->isChecked();
  r.overrideReason = reason_->text().simplified();
  return r;
}

Preprocessing FreezeSheet::preprocessing() const {
  Preprocessing p;
  p.size = size_->value();
  p.channels = channels_->currentData().toInt();
  p.window = window_->currentData().toString();
  if (p.window == u"values") p.window = windowValues_->text();
  p.fit = fit_->currentData().toString();
  return p;
}

bool FreezeSheet::needsReason() const {
  if (group_->currentData().toString() == u"sample") return true;
  return std::any_of(outlook_.findings.begin(), outlook_.findings.end(), [](const Finding& f) { return f.severity == u"blocking"; });
}

bool FreezeSheet::canFreeze() const {
  const bool window = window_->currentData().toString() != u"values" || windowValues_->hasAcceptableInput();
  return !freezing_ && known_ && !outlook_.failure && window && train_->value() + validation_->value() + test_->value() == 100 &&
         (!needsReason() || !reason_->text().simplified().isEmpty());
}

void FreezeSheet::edited() {
  later_.start();
  showOutlook();
}

FreezeSheet::Outlook FreezeSheet::look(Project& project, const SplitRequest& request) {
  Outlook o;
  auto samples = allSamples(project, true);
  if (!samples) {
    o.failure = samples.error();
    return o;
  }
  QList<Sample> in;
  for (const Sample& s : *samples)
    if (!s.excluded && !s.label.isEmpty()) in << s;
  o.left = samples->size() - in.size();
  SplitRequest trial = request;
  if (trial.overrideReason.isEmpty())
    trial.overrideReason = QStringLiteral("outlook");  // to show what it would be; freezing asks for the reason
  auto splits = splitSamples(in, trial);
  if (!splits) {
    o.failure = splits.error();
    return o;
  }
  QSet<QString> groups;
  for (qsizetype i = 0; i < in.size(); ++i) {
    ++o.samples[splitName((*splits)[i])];
    groups << groupOf(in[i], request.groupBy);
  }
  o.groups = groups.size();
  if (auto findings = checkDataset(project, in, *splits)) o.findings = *findings;
  else o.failure = findings.error();
  return o;
}

void FreezeSheet::askOutlook() {
  if (train_->value() + validation_->value() + test_->value() != 100) return;
  if (asking_) {
    askAgain_ = true;
    return;
  }
  asking_ = true;
  store_.read([request = splitRequest()](Project& p) -> Result<Outlook> { return look(p, request); }, this,
              [this](const Result<Outlook>& outlook) {
                asking_ = false;
                known_ = bool(outlook);
                if (outlook) outlook_ = *outlook;
                showOutlook();
                if (std::exchange(askAgain_, false)) askOutlook();
              });
}

void FreezeSheet::showOutlook() {
  const int sum = train_->value() + validation_->value() + test_->value();
  sumHint_->setVisible(sum != 100);
  sumHint_->setText(tr("The three shares add up to %1 %; they must make 100 %.").arg(sum));
  windowValues_->setVisible(window_->currentData().toString() == u"values");
  reason_->setVisible(needsReason());
  reasonLabel_->setVisible(needsReason());
  if (!known_) {
    outlookText_->setText(tr("Working it out…"));
    outlookFindings_->clear();
  } else if (outlook_.failure) {
    outlookText_->setText(describe(*outlook_.failure));
    outlookFindings_->clear();
  } else {
    const auto n = [this](const char* split) { return words::counted(outlook_.samples.value(QLatin1String(split)), words::Noun::Sample); };
    QStringList lines{tr("Training: %1").arg(n("train")), tr("Validation: %1").arg(n("validation")), tr("Test: %1").arg(n("test")),
                      tr("%Ln group(s), each on one side only", nullptr, int(outlook_.groups))};
    if (outlook_.left > 0) lines << tr("Left out: %1 without a label or excluded").arg(words::number(outlook_.left));
    outlookText_->setText(lines.join('\n'));
    QStringList findings;
    for (const Finding& f : outlook_.findings)
      if (f.severity != u"info") findings << (f.severity == u"blocking" ? tr("Stops: %1") : tr("Note: %1")).arg(describeFinding(f));
    outlookFindings_->setText(findings.join(QStringLiteral("\n\n")));
    setRole(outlookFindings_, needsReason() ? "bad" : "quiet");
  }
  Q_EMIT changed();
}

void FreezeSheet::freeze() {
  if (!canFreeze()) return;
  freezing_ = true;
  Q_EMIT changed();
  store_.run([split = splitRequest(), pixels = preprocessing()](Project& p) { return freezeSnapshot(p, split, pixels); }, this,
             [this](const Result<Snapshot>& snapshot) {
               freezing_ = false;
               if (snapshot) Q_EMIT frozen(*snapshot);
               else Q_EMIT failed(snapshot.error());
               Q_EMIT changed();
             });
}

}  // namespace cloister
