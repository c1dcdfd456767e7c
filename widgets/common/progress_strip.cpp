#include "widgets/common/progress_strip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

ProgressStrip::ProgressStrip(QWidget* parent) : QFrame(parent) {
  setRole(this, "strip");
  layout_ = new QVBoxLayout(this);
  layout_->setContentsMargins(space::kXl, space::kXs, space::kL, space::kXs);
  layout_->setSpacing(0);
  hide();
  connect(&Language::current(), &Language::changed, this, [this] {
    for (Row& row : rows_) fill(row);
  });
}

void ProgressStrip::setTask(const QString& id, const Task& task) {
  auto it = rows_.find(id);
  if (it == rows_.end()) {
    Row row;
    row.widget = new QWidget(this);
    auto* line = new QHBoxLayout(row.widget);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(space::kM);
    row.title = new QToolButton(row.widget);
    setRole(row.title, "link");
    row.detail = new QLabel(row.widget);
    setRole(row.detail, "quiet");
    row.bar = new QProgressBar(row.widget);
    row.bar->setTextVisible(false);
    row.bar->setMinimumWidth(120);
    row.percent = new QLabel(row.widget);
    row.percent->setMinimumWidth(space::kXxl + space::kS);
    row.left = new QLabel(row.widget);
    row.left->setMinimumWidth(4 * space::kXxl);  // the bars of several lines stand alike
    row.stop = new QToolButton(row.widget);
    row.stop->setIcon(themedIcon("stop", Role::Bad));
    line->addWidget(row.title);
    line->addWidget(row.bar, 1);
    line->addWidget(row.percent);
    line->addWidget(row.detail, 1);
    line->addWidget(row.left);
    line->addWidget(row.stop);
    layout_->addWidget(row.widget);
    connect(row.stop, &QToolButton::clicked, this, [this, id] { Q_EMIT stopRequested(id); });
    connect(row.title, &QToolButton::clicked, this, [this, id] { Q_EMIT opened(id); });
    it = rows_.insert(id, row);
  }
  it->task = task;
  fill(*it);
  show();
}

void ProgressStrip::fill(Row& row) {
  const Task& task = row.task;
  row.title->setText(task.title);
  row.title->setAccessibleName(task.title);
  row.title->setEnabled(task.opens);
  row.detail->setText(task.detail);
  row.left->setText(words::timeLeft(task.secondsLeft));
  const bool known = task.fraction >= 0;
  row.bar->setRange(0, known ? 1000 : 0);
  if (known) row.bar->setValue(int(task.fraction * 1000));
  row.bar->setAccessibleName(tr("Progress of %1").arg(task.title));
  row.percent->setText(known ? words::percent(task.fraction) : QString());
  row.stop->setVisible(task.canStop);
  row.stop->setToolTip(tr("Stop %1; what is finished is kept").arg(task.title));
  row.stop->setAccessibleName(row.stop->toolTip());
}

void ProgressStrip::removeTask(const QString& id) {
  const auto it = rows_.find(id);
  if (it == rows_.end()) return;
  it->widget->hide();
  it->widget->deleteLater();
  rows_.erase(it);
  setVisible(!rows_.isEmpty());
}

}  // namespace cloister
