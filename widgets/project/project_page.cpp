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

  sample_ = new QPushButton(this);
  sample_->setIcon(themedIcon("sample"));
  open_ = new QPushButton(this);
  open_->setIcon(themedIcon("open"));
  another_ = new QPushButton(this);
  another_->setIcon(themedIcon("add"));
  footerTools()->addWidget(sample_);
  footerTools()->addWidget(open_);
  footerTools()->addWidget(another_);
  footerTools()->addStretch(1);

  connect(primary(), &QPushButton::clicked, this, &ProjectPage::act);
  connect(another_, &QPushButton::clicked, this, [this] { openSheet(true); });
  connect(open_, &QPushButton::clicked, this, &ProjectPage::chooseFolder);
  connect(sample_, &QPushButton::clicked, this, &ProjectPage::trySample);
  connect(sheet_, &NewProjectSheet::cancelled, this, [this] { openSheet(false); });
  connect(sheet_, &NewProjectSheet::changed, this, &ProjectPage::updateButtons);
  connect(&store, &StoreClient::opened, this, [this] {
    banner().clear();
    openSheet(false);
    showCards();
  });
  connect(sampleProject_, &SampleProject::progressed, this, [this](double fraction, double left) {
    Q_EMIT taskChanged(kTask, tr("Sample project"), tr("Drawing synthetic radiographs"), fraction, left);
  });
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
  emptyPicture_ = new QLabel(empty_);
  row->addWidget(emptyPicture_, 0, Qt::AlignTop);
  auto* column = new QVBoxLayout;
  column->setSpacing(space::kM);
  emptyTitle_ = new QLabel(empty_);
  setRole(emptyTitle_, "section");
  emptyText_ = new QLabel(empty_);
  emptyText_->setWordWrap(true);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::kS);
  emptySample_ = new QPushButton(empty_);
  emptySample_->setIcon(themedIcon("sample"));
  emptyNew_ = new QPushButton(empty_);
  emptyNew_->setIcon(themedIcon("add"));
  buttons->addWidget(emptySample_);
  buttons->addWidget(emptyNew_);
  buttons->addStretch(1);
  column->addWidget(emptyTitle_);
  column->addWidget(emptyText_);
  column->addSpacing(space::kXs);
  column->addLayout(buttons);
  column->addStretch(1);
  row->addLayout(column, 1);
  connect(emptySample_, &QPushButton::clicked, this, &ProjectPage::trySample);
  connect(emptyNew_, &QPushButton::clicked, this, [this] { openSheet(true); });
  whenThemed(this, [this] { emptyPicture_->setPixmap(themedPixmap("kind-images", Role::Accent, kPicture, devicePixelRatioF())); });
}

QString ProjectPage::title() const { return tr("Project"); }
QString ProjectPage::subtitle() const { return tr("One folder holds data, runs and models; nothing leaves this computer."); }
Page::Mark ProjectPage::mark() const { return store().state().open ? Mark::Done : Mark::None; }

QString ProjectPage::help() const {
  return tr(
      "<p>A project is an ordinary folder. It holds the imported originals, the frozen snapshots, every run and the signed bundles, so "
      "a copy of the folder is a complete backup.</p><p><b>Try the sample project</b> draws synthetic radiographs and takes them through "
      "the whole way. <b>New project</b> starts with your own data.</p><p>Ctrl+1, Ctrl+2 … switch pages, Ctrl+F searches, F6 moves "
      "between the rail and the page.</p>");
}

void ProjectPage::retranslate() {
  emptyTitle_->setText(tr("Welcome. From images to a signed model in six steps."));
  emptyText_->setText(tr(
      "Import DICOM files or pictures and give each a label. Cloister trains a classifier on this computer, shows how good and how fragile "
      "it is, and signs it for the place where it will be used. Try the sample project first: it takes a few minutes and needs no data "
      "of your own."));
  emptySample_->setText(tr("Try the sample project"));
  emptyNew_->setText(tr("New project"));
  sample_->setText(tr("Try the sample project"));
  open_->setText(tr("Open a project folder…"));
  another_->setText(tr("New project"));
  recentTitle_->setText(tr("Recent projects"));
  for (QPushButton* b : {emptySample_, emptyNew_, sample_, open_, another_}) b->setAccessibleName(b->text());
  updateButtons();
}

void ProjectPage::refresh() { showCards(); }

void ProjectPage::showCards() {
  const QStringList recent = settings::recentProjects();
  const bool any = !recent.isEmpty();
  empty_->setVisible(!any && sheet_->isHidden());
  recentTitle_->setVisible(any);
  cardsWidget_->setVisible(any);
  sample_->setVisible(any);
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
  sample_->setEnabled(!busy);
  emptySample_->setEnabled(!busy);
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

void ProjectPage::trySample() {
  banner().clear();
  Q_EMIT taskChanged(kTask, tr("Sample project"), tr("Drawing synthetic radiographs"), -1, -1);
  sampleProject_->start(projectsHome() + "/Sample project", tr("Sample project"));
  updateButtons();
}

}  // namespace cloister
