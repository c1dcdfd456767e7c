#include "widgets/project/project_page.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "widgets/common/failure_banner.h"
#include "widgets/common/flow_layout.h"
#include "widgets/common/icons.h"
#include "widgets/common/settings.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/project/new_project_sheet.h"
#include "widgets/project/project_card.h"
#include "widgets/project/sample_project.h"
#include "widgets/project/task_words.h"

namespace cloister {
namespace {
constexpr char kTask[] = "sample-project";
constexpr int kPicture = 96;

ProjectSummary summaryOf(const ProjectState& state) {
  ProjectSummary s;
  s.dir = state.dir;
  s.readable = true;
  s.info = state.info;
  s.samples = state.counts.samples;
  s.labelled = state.counts.labelled;
  if (!state.runs.isEmpty()) s.takeRun(state.runs.first());
  return s;
}
}  // namespace

ProjectPage::ProjectPage(StoreClient& store, QWidget* parent)
    : Page(page::kProject, store, parent), sampleProject_(new SampleProject(store, this)) {
  QVBoxLayout* column = addScrolledColumn();
  QWidget* inner = column->parentWidget();
  sheet_ = new NewProjectSheet(inner);
  sheet_->hide();
  column->addWidget(sheet_);
  empty_ = new QFrame(inner);
  buildEmptyState();
  column->addWidget(empty_);
  recentTitle_ = new QLabel(inner);
  setRole(recentTitle_, "section");
  column->addWidget(recentTitle_);
  cardsWidget_ = new QWidget(inner);
  cards_ = new FlowLayout(cardsWidget_, space::kL);
  column->addWidget(cardsWidget_);
  column->addStretch(1);

  open_ = new QPushButton(this);
  open_->setIcon(themedIcon("open"));
  another_ = new QPushButton(this);
  another_->setIcon(themedIcon("add"));
  for (const Task& task : Task::all()) {
    samples_ << new QPushButton(this);
    samples_.last()->setIcon(themedIcon("sample"));
    footerTools()->addWidget(samples_.last());
    connect(samples_.last(), &QPushButton::clicked, this, [this, &task] { trySample(task); });
  }
  footerTools()->addWidget(open_);
  footerTools()->addWidget(another_);
  footerTools()->addStretch(1);

  connect(primary(), &QPushButton::clicked, this, &ProjectPage::act);
  connect(another_, &QPushButton::clicked, this, [this] { openSheet(true); });
  connect(open_, &QPushButton::clicked, this, &ProjectPage::chooseFolder);
  connect(sheet_, &NewProjectSheet::cancelled, this, [this] { openSheet(false); });
  connect(sheet_, &NewProjectSheet::changed, this, &ProjectPage::updateButtons);
  connect(&store, &StoreClient::opened, this, [this] {
    banner().clear();
    openSheet(false);
    showCards();
  });
  connect(sampleProject_, &SampleProject::progressed, this,
          [this](double fraction, double left) { Q_EMIT taskChanged(kTask, tr("Sample project"), makingWords(), fraction, left); });
  connect(sampleProject_, &SampleProject::finished, this, [this] {
    Q_EMIT taskEnded(kTask);
    Q_EMIT goTo(page::kData);
  });
  connect(sampleProject_, &SampleProject::failed, this, [this](const Failure& failure) {
    Q_EMIT taskEnded(kTask);
    showFailure(failure);
    updateButtons();
  });
  showCards();
}

void ProjectPage::buildEmptyState() {
  setRole(empty_, "card");
  auto* row = new QHBoxLayout(empty_);
  row->setContentsMargins(space::kXxl, space::kXxl, space::kXxl, space::kXxl);
  row->setSpacing(space::kXxl);
  auto* pictures = new QHBoxLayout;
  pictures->setSpacing(space::kM);
  for (qsizetype i = 0; i < Task::all().size(); ++i) {
    emptyPictures_ << new QLabel(empty_);
    pictures->addWidget(emptyPictures_.last(), 0, Qt::AlignTop);
  }
  row->addLayout(pictures);
  auto* column = new QVBoxLayout;
  column->setSpacing(space::kM);
  emptyTitle_ = new QLabel(empty_);
  setRole(emptyTitle_, "section");
  emptyText_ = new QLabel(empty_);
  emptyText_->setWordWrap(true);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::kS);
  for (const Task& task : Task::all()) {
    emptySamples_ << new QPushButton(empty_);
    emptySamples_.last()->setIcon(themedIcon("sample"));
    buttons->addWidget(emptySamples_.last());
    connect(emptySamples_.last(), &QPushButton::clicked, this, [this, &task] { trySample(task); });
  }
  emptyNew_ = new QPushButton(empty_);
  emptyNew_->setIcon(themedIcon("add"));
  buttons->addWidget(emptyNew_);
  buttons->addStretch(1);
  column->addWidget(emptyTitle_);
  column->addWidget(emptyText_);
  column->addSpacing(space::kXs);
  column->addLayout(buttons);
  column->addStretch(1);
  row->addLayout(column, 1);
  connect(emptyNew_, &QPushButton::clicked, this, [this] { openSheet(true); });
  whenThemed(this, [this] {
    for (qsizetype i = 0; i < emptyPictures_.size(); ++i)
      emptyPictures_[i]->setPixmap(themedPixmap(taskIcon(Task::all()[i]), Role::Accent, kPicture, devicePixelRatioF()));
  });
}

QString ProjectPage::title() const { return tr("Project"); }
QString ProjectPage::subtitle() const { return tr("One folder holds data, runs and models; nothing leaves this computer."); }
Page::Mark ProjectPage::mark() const { return store().state().open ? Mark::Done : Mark::None; }

QString ProjectPage::help() const {
  return tr(
      "<p>A project is an ordinary folder. It holds the imported originals, the frozen snapshots, every run and the signed bundles, so "
      "a copy of the folder is a complete backup.</p><p><b>Try the sample images</b> draws synthetic radiographs, <b>Try the sample "
      "texts</b> makes up short reports with questions and answers: with either you can go the whole way. <b>New project</b> starts with "
      "your own data.</p><p>Ctrl+1, Ctrl+2 … switch pages, Ctrl+F searches, F6 moves "
      "between the rail and the page.</p>");
}

void ProjectPage::retranslate() {
  emptyTitle_->setText(tr("Welcome. From images or texts to a signed model."));
  emptyText_->setText(
      tr("Bring labelled images, or texts for a language model. Cloister trains on this computer, shows how good and how fragile the model "
         "is, and signs it for the place where it will be used. Try a sample first: it takes a few minutes and needs no data of your "
         "own; the sample data is synthetic."));
  emptyNew_->setText(tr("New project"));
  for (qsizetype i = 0; i < Task::all().size(); ++i)
    for (QPushButton* b : {samples_[i], emptySamples_[i]}) {
      b->setText(taskSample(Task::all()[i]));
      b->setAccessibleName(b->text());
    }
  open_->setText(tr("Open a project folder…"));
  another_->setText(tr("New project"));
  recentTitle_->setText(tr("Recent projects"));
  for (QPushButton* b : {emptyNew_, open_, another_}) b->setAccessibleName(b->text());
  updateButtons();
}

void ProjectPage::refresh() { showCards(); }

void ProjectPage::showCards() {
  const QStringList recent = settings::recentProjects();
  const bool any = !recent.isEmpty();
  empty_->setVisible(!any && sheet_->isHidden());
  recentTitle_->setVisible(any);
  cardsWidget_->setVisible(any);
  for (QPushButton* b : samples_) b->setVisible(any);
  if (QStringList(cardOf_.keys()) != [&] {
        auto sorted = recent;
        sorted.sort();
        return sorted;
      }()) {
    qDeleteAll(cardOf_);
    cardOf_.clear();
    for (const QString& dir : recent) {
      auto* card = new ProjectCard(dir, cardsWidget_);
      cards_->addWidget(card);
      cardOf_.insert(dir, card);
      connect(card, &ProjectCard::openWanted, this, [this](const QString& d) { store().openProject(d); });
      connect(card, &ProjectCard::removeWanted, this, [this](const QString& d) {
        settings::removeRecentProject(d);
        showCards();
      });
    }
  }
  const ProjectState& state = store().state();
  for (const QString& dir : recent) {
    ProjectCard* card = cardOf_[dir];
    const bool current = state.open && dir == state.dir;
    card->setCurrent(current);
    // The open project's figures are known; the others are read once, in the background.
    if (current) card->setSummary(summaryOf(state));
    else if (!card->property("asked").toBool())
      store().background([dir] { return readProjectSummary(dir); }, card,
                         [card](const ProjectSummary& summary) { card->setSummary(summary); });
    card->setProperty("asked", !current);
  }
  updateButtons();
}

void ProjectPage::openSheet(bool open) {
  sheet_->setVisible(open);
  if (open) sheet_->begin();
  empty_->setVisible(!open && cardOf_.isEmpty());
  updateButtons();
}

void ProjectPage::stopTask(const QString& task) {
  if (task == QLatin1String(kTask)) sampleProject_->stop();
}

void ProjectPage::updateButtons() {
  const bool sheet = !sheet_->isHidden();
  const bool busy = sampleProject_->running();
  another_->setVisible(!sheet && store().state().open);
  for (QPushButton* b : samples_ + emptySamples_) b->setEnabled(!busy);
  setPrimaryText(sheet ? tr("Create project") : store().state().open ? tr("Continue with data") : tr("New project"));
  primary()->setEnabled(!sheet || sheet_->complete());
}

void ProjectPage::act() {
  if (!sheet_->isHidden()) store().createProject(sheet_->folder(), sheet_->name(), sheet_->task());
  else if (store().state().open) Q_EMIT goTo(page::kData);
  else openSheet(true);
}

void ProjectPage::chooseFolder() {
  auto* dialog = new QFileDialog(window(), tr("Choose a project folder"), projectsHome());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& dir) { store().openProject(dir); });
  dialog->open();
}

QString ProjectPage::makingWords() const {
  return sampleProject_->task().is(Task::Kind::LanguageModel) ? tr("Making up synthetic reports") : tr("Drawing synthetic radiographs");
}

void ProjectPage::trySample(const Task& task) {
  banner().clear();
  const bool texts = task.is(Task::Kind::LanguageModel);
  sampleProject_->start(task, projectsHome() + (texts ? "/Sample texts" : "/Sample project"),
                        texts ? tr("Synthetic reports (sample)") : tr("Sample project"));
  if (sampleProject_->running()) Q_EMIT taskChanged(kTask, tr("Sample project"), makingWords(), -1, -1);
  updateButtons();
}

}  // namespace cloister
