#include "widgets/data/checks_view.h"

#include <algorithm>

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "core/curation/finding_words.h"
#include "core/store/project.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"

namespace cloister {
namespace {

constexpr int kPage = 5000;
const QStringList kColumns{QStringLiteral("format"), QStringLiteral("semantic"), QStringLiteral("distribution")};

// With the split of the newest snapshot where one is there, else with the one that the freeze sheet suggests.
Result<QList<Finding>> check(Project& project) {
  auto samples = allSamples(project, false);
  if (!samples) return samples.error();
  QList<Sample> labelled;
  for (const Sample& s : *samples)
    if (!s.label.isEmpty()) labelled << s;
  auto splits = splitSamples(labelled, {});
  if (!splits || labelled.size() != samples->size()) {
    auto findings = checkDataset(project, *samples, {});
    if (!findings || !splits) return findings;
    auto apart = checkDataset(project, labelled, *splits);
    if (!apart) return apart;
    for (const Finding& f : *apart)  // only what the split adds
      if (std::none_of(findings->begin(), findings->end(), [&](const Finding& g) { return g.kind == f.kind; })) findings->append(f);
    return findings;
  }
  return checkDataset(project, *samples, *splits);
}

}  // namespace

Result<QList<Sample>> allSamples(const Project& project, bool includeExcluded) {
  SampleFilter filter;
  filter.includeExcluded = includeExcluded;
  QList<Sample> all;
  for (qint64 after = 0;;) {
    auto page = project.samples(filter, after, kPage);
    if (!page) return page.error();
    if (page->isEmpty()) return all;
    after = page->last().id;
    all += *page;
  }
}

ChecksView::ChecksView(StoreClient& store, QWidget* parent) : QWidget(parent), store_(store) {
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->setSpacing(space::kS);
  status_ = new QLabel(this);
  setRole(status_, "quiet");
  outer->addWidget(status_);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kL);
  for (Column& c : columns_) {
    auto* column = new QVBoxLayout;
    c.title = new QLabel(this);
    setRole(c.title, "section");
    column->addWidget(c.title);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    auto* inner = new QWidget(scroll);
    setRole(inner, "clear");
    c.cards = new QVBoxLayout(inner);
    c.cards->setContentsMargins(0, 0, 0, 0);
    c.cards->setSpacing(space::kS);
    scroll->setWidget(inner);
    column->addWidget(scroll, 1);
    row->addLayout(column, 1);
  }
  outer->addLayout(row, 1);
  whenTranslated(this, [this] { show_(); });
}

int ChecksView::warnings() const {
  return int(std::count_if(findings_.begin(), findings_.end(), [](const Finding& f) { return f.severity != u"info"; }));
}

int ChecksView::blocking() const {
  return int(std::count_if(findings_.begin(), findings_.end(), [](const Finding& f) { return f.severity == u"blocking"; }));
}

void ChecksView::run() {
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  show_();
  store_.read(check, this, [this](const Result<QList<Finding>>& findings) {
    running_ = false;
    ran_ = bool(findings);
    if (findings) findings_ = *findings;
    else if (findings.error().kind != FailureKind::NothingToDo) Q_EMIT failed(findings.error());
    show_();
    Q_EMIT changed();
    if (std::exchange(again_, false)) run();
  });
}

QWidget* ChecksView::card(const Finding& f) {
  auto* frame = new QFrame(this);
  setRole(frame, "card");
  auto* row = new QHBoxLayout(frame);
  row->setContentsMargins(space::kM, space::kM, space::kM, space::kM);
  row->setSpacing(space::kS);
  auto* icon = new QLabel(frame);
  const bool blocks = f.severity == u"blocking", warns = f.severity == u"warning";
  const char* name = blocks ? "bad" : warns ? "warning" : "info";
  const Role role = blocks ? Role::Bad : warns ? Role::Warning : Role::Quiet;
  whenThemed(icon, [icon, name, role] {
    icon->setPixmap(themedPixmap(QString::fromLatin1(name), role, space::kIcon, icon->devicePixelRatioF()));
  });
  auto* column = new QVBoxLayout;
  auto* text = new QLabel(describeFinding(f), frame);
  text->setWordWrap(true);
  text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  column->addWidget(text);
  if (blocks) {
    auto* stops = new QLabel(tr("Stops the snapshot until it is solved or a reason is typed."), frame);
    stops->setWordWrap(true);
    setRole(stops, "error");
    column->addWidget(stops);
  }
  const bool files = f.kind == u"unreadable" || f.kind == u"duplicate";
  if (!f.keys.isEmpty() || files) {
    auto* open = new QPushButton(files ? tr("Show the files") : tr("Show the %n sample(s)", nullptr, int(f.keys.size())), frame);
    setRole(open, "link");
    open->setAccessibleName(QStringLiteral("%1: %2").arg(open->text(), text->text()));
    column->addWidget(open, 0, Qt::AlignLeft);
    connect(open, &QPushButton::clicked, this, [this, f, files] {
      if (files) Q_EMIT filesWanted(f.kind == u"unreadable");
      else Q_EMIT samplesWanted(f.keys, describeFinding(f));
    });
  }
  row->addWidget(icon, 0, Qt::AlignTop);
  row->addLayout(column, 1);
  frame->setAccessibleName(text->text());
  return frame;
}

void ChecksView::show_() {
  status_->setText(running_ ? tr("Checking…")
                            : tr("Checked with the suggested split: 70 % training, 15 % validation, 15 % test, by patient."));
  status_->setVisible(running_ || ran_);
  for (int i = 0; i < 3; ++i) {
    Column& c = columns_[i];
    c.title->setText(findingColumnTitle(kColumns[i]));
    while (QLayoutItem* item = c.cards->takeAt(0)) {
      delete item->widget();
      delete item;
    }
    int n = 0;
    for (const Finding& f : findings_)
      if (f.column == kColumns[i]) {
        c.cards->addWidget(card(f));
        ++n;
      }
    if (n == 0 && ran_) {
      auto* fine = new QLabel(tr("Nothing to report."), this);
      setRole(fine, "good");
      c.cards->addWidget(fine);
    }
    c.cards->addStretch(1);
  }
}

}  // namespace cloister
