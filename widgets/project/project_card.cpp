#include "widgets/project/project_card.h"

#include <QDir>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/domain/task.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/project/task_words.h"

namespace cloister {
namespace {
constexpr int kCardWidth = 336;
}

void ProjectSummary::takeRun(const RunRecord& run) {
  lastRun = run.id;
  lastRunState = run.state;
  const QJsonObject best = run.summary["best"].toObject();
  bestMetric = best["metric"].toString();
  bestValue = best["value"].toDouble(-1);
}

ProjectSummary readProjectSummary(const QString& dir) {
  ProjectSummary s;
  s.dir = dir;
  auto project = Project::open(dir, Project::Mode::ReadOnly);
  if (!project) {
    s.failure = project.error();
    return s;
  }
  s.info = (*project)->info();
  const auto counts = (*project)->counts();
  if (!counts) {
    s.failure = counts.error();
    return s;
  }
  s.readable = true;
  s.samples = counts->samples;
  s.labelled = counts->labelled;
  if (const auto runs = (*project)->runs(); runs && !runs->isEmpty()) s.takeRun(runs->first());
  return s;
}

ProjectCard::ProjectCard(const QString& dir, QWidget* parent) : QFrame(parent), dir_(dir) {
  setRole(this, "card");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(space::kL, space::kM, space::kM, space::kM);
  column->setSpacing(space::kXs);
  const auto label = [this](const char* role) {
    auto* l = new QLabel(this);
    setRole(l, role);
    return l;
  };
  auto* top = new QHBoxLayout;
  name_ = label("section");
  remove_ = new QToolButton(this);
  remove_->setIcon(themedIcon("close", Role::Quiet));
  top->addWidget(name_, 1);
  top->addWidget(remove_);
  column->addLayout(top);
  column->addWidget(kind_ = label("quiet"));
  column->addSpacing(space::kXs);
  column->addWidget(samples_ = label(""));
  column->addWidget(model_ = label(""));
  column->addWidget(health_ = label("good"));
  column->addStretch(1);
  auto* bottom = new QHBoxLayout;
  path_ = label("small");
  open_ = new QPushButton(this);
  bottom->addWidget(path_, 1);
  bottom->addWidget(open_);
  column->addLayout(bottom);
  connect(open_, &QPushButton::clicked, this, [this] { Q_EMIT openWanted(dir_); });
  connect(remove_, &QToolButton::clicked, this, [this] { Q_EMIT removeWanted(dir_); });
  whenTranslated(this, [this] { retranslate(); });
}

QSize ProjectCard::sizeHint() const { return {kCardWidth, std::max(176, QFrame::sizeHint().height())}; }

void ProjectCard::setSummary(const ProjectSummary& summary) {
  summary_ = summary;
  known_ = true;
  retranslate();
}

void ProjectCard::setCurrent(bool current) {
  current_ = current;
  retranslate();
}

void ProjectCard::retranslate() {
  const ProjectSummary& s = summary_;
  const QString name = s.info.name.isEmpty() ? QDir(dir_).dirName() : s.info.name;
  const QFontMetrics m(name_->font());
  name_->setText(m.elidedText(name, Qt::ElideRight, kCardWidth - 64));
  name_->setToolTip(name);
  const bool texts = isLanguageTask(s.info.task);
  kind_->setText(taskName(Task::named(s.info.task)));
  path_->setText(QFontMetrics(path_->font()).elidedText(QDir::toNativeSeparators(dir_), Qt::ElideMiddle, kCardWidth - 130));
  path_->setToolTip(dir_);
  open_->setText(current_ ? tr("Is open") : tr("Open"));
  open_->setEnabled(!current_ && (!known_ || s.readable));
  open_->setAccessibleName(tr("Open project %1").arg(name));
  remove_->setToolTip(tr("Remove from this list; the folder stays as it is"));
  remove_->setAccessibleName(tr("Remove %1 from the list").arg(name));
  setAccessibleName(name);
  if (!known_) {
    samples_->setText(tr("Reading…"));
    return;
  }
  samples_->setVisible(s.readable);
  model_->setVisible(s.readable);
  kind_->setVisible(s.readable);
  samples_->setText(s.samples == 0 ? tr("No samples yet")
                    : texts        ? words::counted(s.samples, words::Noun::File)
                                   : tr("%1, %2 labelled").arg(words::counted(s.samples, words::Noun::Sample), words::number(s.labelled)));
  if (s.lastRun.isEmpty()) model_->setText(tr("No model yet"));
  else if (s.bestValue >= 0)
    model_->setText(tr("Last model %1: %2 %3").arg(s.lastRun, words::metric(s.bestMetric), words::figures(s.bestValue)));
  else model_->setText(tr("Last run %1").arg(s.lastRun));
  const bool failed = s.lastRunState == u"failed" || s.lastRunState == u"attempt_failed";
  setRole(health_, !s.readable ? "bad" : failed ? "warning" : "good");
  health_->setText(!s.readable ? tr("Cannot be opened") : failed ? tr("The last run failed") : tr("In order"));
  health_->setToolTip(s.readable ? QString() : describe(s.failure));
}

}  // namespace cloister
