#include "widgets/data/summary_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "widgets/common/language.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

SummaryBar::SummaryBar(QWidget* parent) : QFrame(parent) {
  row_ = new QHBoxLayout(this);
  row_->setContentsMargins(0, 0, 0, 0);
  row_->setSpacing(0);
  for (Figure f : {Figure::Images, Figure::Patients, Figure::Labels, Figure::Unlabelled, Figure::Duplicates, Figure::Refused,
                   Figure::Problems, Figure::Excluded})
    chip(f);
  row_->addStretch(1);
  shownLabel_ = new QLabel(this);
  setRole(shownLabel_, "quiet");
  row_->addWidget(shownLabel_);
  whenTranslated(this, [this] { retranslate(); });
}

QPushButton* SummaryBar::chip(Figure figure) {
  auto* button = new QPushButton(this);
  setRole(button, "chip");
  row_->addWidget(button);
  chips_.insert(figure, button);
  connect(button, &QPushButton::clicked, this, [this, figure] { Q_EMIT chosen(figure); });
  return button;
}

void SummaryBar::setCounts(const SampleCounts& counts) {
  counts_ = counts;
  retranslate();
}

void SummaryBar::setShown(qint64 shown) {
  shown_ = shown;
  retranslate();
}

void SummaryBar::retranslate() {
  const SampleCounts& c = counts_;
  const qint64 labels = c.byLabel.size() - (c.byLabel.contains(QString()) ? 1 : 0);
  using words::Noun;
  const auto set = [this](Figure figure, qint64 n, const QString& text, const QString& tip, bool always) {
    QPushButton* b = chips_[figure];
    b->setText(text);
    b->setToolTip(tip);
    b->setAccessibleName(b->text());
    b->setAccessibleDescription(tip);
    b->setVisible(always || n > 0);
  };
  set(Figure::Images, c.samples, words::counted(c.samples, Noun::Image), tr("Show all images"), true);
  set(Figure::Patients, c.patients, words::counted(c.patients, Noun::Patient), tr("Choose a patient"), true);
  set(Figure::Labels, labels, words::counted(labels, Noun::Label), tr("Choose a label"), true);
  set(Figure::Unlabelled, c.samples - c.labelled, tr("%1 without a label").arg(words::number(c.samples - c.labelled)),
      tr("Show images without a label"), false);
  set(Figure::Duplicates, c.duplicates, tr("%Ln duplicate(s)", nullptr, int(c.duplicates)),
      tr("Show the duplicate files and their originals"), false);
  set(Figure::Refused, c.refused, tr("%1 refused").arg(words::number(c.refused)), tr("Show the refused files with the reason"), false);
  set(Figure::Problems, c.problems, tr("%1 with a warning").arg(words::number(c.problems)), tr("Show images with a warning"), false);
  set(Figure::Excluded, c.excluded, tr("%1 excluded").arg(words::number(c.excluded)), tr("Show or hide excluded images"), false);
  shownLabel_->setVisible(shown_ >= 0 && shown_ != c.samples);
  shownLabel_->setText(tr("%1 shown").arg(words::number(shown_)));
}

}  // namespace cloister
