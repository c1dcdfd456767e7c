#include "widgets/common/shell.h"

#include <QCloseEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeySequence>
#include <QLineEdit>
#include <QMenu>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/domain/task.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/inspector.h"
#include "widgets/common/language.h"
#include "widgets/common/progress_strip.h"
#include "widgets/common/rail.h"
#include "widgets/common/run_watcher.h"
#include "widgets/common/settings.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {

QString pageTitle(const QString& id) {
  if (id == QLatin1String(page::kProject)) return MainWindow::tr("Project");
  if (id == QLatin1String(page::kData) || id == QLatin1String(page::kTexts)) return MainWindow::tr("Data");
  if (id == QLatin1String(page::kTrain)) return MainWindow::tr("Train");
  if (id == QLatin1String(page::kEvaluate)) return MainWindow::tr("Evaluate");
  if (id == QLatin1String(page::kTry)) return MainWindow::tr("Try it");
  if (id == QLatin1String(page::kExport)) return MainWindow::tr("Export");
  if (id == QLatin1String(page::kVerify)) return MainWindow::tr("Verify");
  if (id == QLatin1String(page::kSystem)) return MainWindow::tr("System");
  if (id == QLatin1String(page::kSettings)) return MainWindow::tr("Settings");
  return id;
}

bool pageApplies(const QString& id, const ProjectState& state) {
  for (const Task& task : Task::all())
    if (task.pages.contains(id)) return state.task().pages.contains(id);
  return true;
}

// Who asks for the data means the data of the open project.
static QString pageForProject(const QString& id, const ProjectState& state) {
  if (!state.open || pageApplies(id, state)) return id;
  for (const Task& task : Task::all())
    if (task.dataPage == id) return state.task().dataPage;
  return QLatin1String(page::kProject);
}

MainWindow::MainWindow(StoreClient& store, QWidget* parent) : QMainWindow(parent), store_(store) {
  auto* centre = new QWidget(this);
  centre->setObjectName(QStringLiteral("centre"));
  setCentralWidget(centre);
  auto* row = new QHBoxLayout(centre);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  rail_ = new Rail(centre);
  row->addWidget(rail_);
  auto* column = new QVBoxLayout;
  column->setSpacing(0);
  row->addLayout(column, 1);
  buildTopBar(column);
  splitter_ = new QSplitter(Qt::Horizontal, centre);
  splitter_->setChildrenCollapsible(false);
  splitter_->setHandleWidth(space::kXs);
  stack_ = new QStackedWidget(splitter_);
  inspector_ = new Inspector(splitter_);
  inspector_->hide();
  splitter_->addWidget(stack_);
  splitter_->addWidget(inspector_);
  splitter_->setStretchFactor(0, 1);
  splitter_->setStretchFactor(1, 0);
  column->addWidget(splitter_, 1);
  strip_ = new ProgressStrip(centre);
  column->addWidget(strip_);
  watcher_ = new RunWatcher(store_, *strip_, this);

  connect(rail_, &Rail::chosen, this, &MainWindow::show_);
  connect(watcher_, &RunWatcher::pageWanted, this, &MainWindow::show_);
  connect(inspector_, &Inspector::closed, this, [this] {
    if (Page* p = currentPage(); p && !inspector_->showsHelp()) p->inspectorClosed();
    setInspectorShown(false);
  });
  connect(&store_, &StoreClient::stateChanged, this, &MainWindow::updateAll);
  connect(&store_, &StoreClient::opened, this, [this] { settings::addRecentProject(store_.state().dir); });
  connect(&store_, &StoreClient::openFailed, this, [this](const QString&, const Failure& failure) {
    if (Page* p = currentPage()) p->banner().show_(failure);
  });
  connect(&Language::current(), &Language::changed, this, &MainWindow::updateAll);
  addShortcuts();
  setMinimumSize(960, 600);
}

MainWindow::~MainWindow() = default;

void MainWindow::buildTopBar(QBoxLayout* column) {
  auto* bar = new QFrame(centralWidget());
  setRole(bar, "bar");
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(space::kM, space::kXs, space::kM, space::kXs);
  row->setSpacing(space::kS);
  project_ = new QToolButton(bar);
  project_->setIcon(themedIcon("chevron-down"));
  project_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  project_->setLayoutDirection(Qt::RightToLeft);  // the arrow after the name
  snapshot_ = new QToolButton(bar);
  snapshot_->setIcon(themedIcon("snapshot", Role::Quiet));
  snapshot_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  runs_ = new QToolButton(bar);
  runs_->setIcon(themedIcon("play", Role::Accent));
  runs_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  search_ = new QLineEdit(bar);
  search_->setClearButtonEnabled(true);
  search_->setMaximumWidth(260);
  search_->addAction(themedIcon("search", Role::Quiet), QLineEdit::LeadingPosition);
  help_ = new QToolButton(bar);
  help_->setIcon(themedIcon("help"));
  language_ = new QToolButton(bar);
  row->addWidget(project_);
  row->addWidget(snapshot_);
  row->addWidget(runs_);
  row->addStretch(1);
  row->addWidget(search_);
  row->addWidget(help_);
  row->addWidget(language_);
  column->addWidget(bar);
  connect(project_, &QToolButton::clicked, this, &MainWindow::projectMenu);
  connect(snapshot_, &QToolButton::clicked, this, [this] { show_(page::kData); });
  connect(runs_, &QToolButton::clicked, this, [this] { show_(page::kTrain); });
  connect(search_, &QLineEdit::textChanged, this, &MainWindow::find);
  connect(help_, &QToolButton::clicked, this, &MainWindow::showHelp);
  connect(language_, &QToolButton::clicked, this, [] {
    const QString next = Language::current().code() == u"en" ? QStringLiteral("zh_CN") : QStringLiteral("en");
    settings::setLanguage(next);
    Language::current().set(next);
  });
}

void MainWindow::addShortcuts() {
  for (int i = 0; i < 7; ++i) {
    auto* key = new QShortcut(QKeySequence(Qt::CTRL | Qt::Key(Qt::Key_1 + i)), this);
    connect(key, &QShortcut::activated, this, [this, i] {
      if (const QStringList ids = shownPageIds(); i < ids.size()) show_(ids[i]);
    });
  }
  connect(new QShortcut(QKeySequence::Find, this), &QShortcut::activated, this, [this] {
    search_->setFocus(Qt::ShortcutFocusReason);
    search_->selectAll();
  });
  connect(new QShortcut(QKeySequence::HelpContents, this), &QShortcut::activated, this, &MainWindow::showHelp);
  connect(new QShortcut(QKeySequence(Qt::Key_F6), this), &QShortcut::activated, this, [this] {
    // Between rail and page, as desktop programs do.
    if (Page* p = currentPage(); p && !p->isAncestorOf(focusWidget())) p->focusFirst();
    else if (RailButton* b = rail_->button(currentPage() ? currentPage()->id() : QString())) b->setFocus(Qt::ShortcutFocusReason);
  });
}

void MainWindow::addPage(const char* id, const char* icon, Factory make) {
  const QString name = QString::fromLatin1(id);
  entries_ << Entry{name, std::move(make), nullptr};
  rail_->add(name, QString::fromLatin1(icon), name == QLatin1String(page::kSystem) || name == QLatin1String(page::kSettings));
  updateAll();
}

Page* MainWindow::pageOf(const QString& id) {
  for (Entry& e : entries_) {
    if (e.id != id) continue;
    if (e.page) return e.page;
    e.page = e.make(store_);
    stack_->addWidget(e.page);
    connect(e.page, &Page::goTo, this, &MainWindow::show_);
    connect(e.page, &Page::inspect, this, [this, page = e.page](bool shown) {
      if (page == currentPage()) setInspectorShown(shown);
    });
    connect(e.page, &Page::taskChanged, this,
            [this, page = e.page](const QString& task, const QString& title, const QString& detail, double fraction, double left) {
              strip_->setTask(task, {title, detail, fraction, left, page->canStopTask(task), false});
            });
    connect(strip_, &ProgressStrip::stopRequested, e.page, &Page::stopTask);
    connect(e.page, &Page::markChanged, this, &MainWindow::updateRail);
    connect(e.page, &Page::taskEnded, this, [this](const QString& task) { strip_->removeTask(task); });
    e.page->update_();
    return e.page;
  }
  return nullptr;
}

QStringList MainWindow::pageIds() const {
  QStringList ids;
  for (const Entry& e : entries_) ids << e.id;
  return ids;
}

QStringList MainWindow::shownPageIds() const {
  QStringList ids;
  for (const Entry& e : entries_)
    if (pageApplies(e.id, store_.state())) ids << e.id;
  return ids;
}

Page* MainWindow::currentPage() const { return qobject_cast<Page*>(stack_->currentWidget()); }

void MainWindow::show_(const QString& wanted) {
  const QString id = pageForProject(wanted, store_.state());
  Page* next = pageOf(id);
  if (!next) return;
  const bool same = next == currentPage();
  stack_->setCurrentWidget(next);
  rail_->setCurrent(id);
  if (!same) setInspectorShown(false);
  settings::setLastPage(id);
  next->update_();
  next->refresh();
  updateAll();
}

void MainWindow::setInspectorShown(bool shown) {
  Page* p = currentPage();
  QWidget* content = p && shown ? p->inspector() : nullptr;
  if (content) inspector_->setContent(content, p->inspectorTitle());
  const bool was = inspector_->isVisible();
  inspector_->setVisible(content != nullptr);
  if (content && !was) splitter_->setSizes({splitter_->width() - 360, 360});
}

void MainWindow::showHelp() {
  Page* p = currentPage();
  if (!p || p->help().isEmpty()) return;
  if (inspector_->isVisible() && inspector_->showsHelp()) {
    setInspectorShown(false);
    return;
  }
  inspector_->setHelp(p->help(), tr("Help: %1").arg(p->title()));
  inspector_->show();
  splitter_->setSizes({splitter_->width() - 360, 360});
}

void MainWindow::find(const QString& text) {
  if (Page* p = currentPage(); p && p->search(text)) return;
  if (text.isEmpty() || !store_.state().open) return;
  show_(page::kData);
  search_->setFocus();
  if (Page* p = currentPage()) p->search(text);
}

void MainWindow::updateRail() {
  int number = 0;
  for (const Entry& e : entries_) {
    const bool applies = pageApplies(e.id, store_.state());
    const bool step = applies && e.id != QLatin1String(page::kSystem) && e.id != QLatin1String(page::kSettings);
    const Page* p = e.page;
    rail_->button(e.id)->setVisible(applies);
    rail_->button(e.id)->set(pageTitle(e.id), p ? p->mark() : Page::Mark::None, p ? p->missing().reason : QString(), step ? ++number : 0);
  }
}

void MainWindow::updateAll() {
  if (const Page* p = currentPage(); p && store_.state().open && !pageApplies(p->id(), store_.state())) return show_(p->id());
  updateRail();
  updateTopBar();
  if (Page* p = currentPage()) {
    p->update_();
    p->refresh();
    if (inspector_->isVisible() && inspector_->showsHelp()) inspector_->setHelp(p->help(), tr("Help: %1").arg(p->title()));
    else if (inspector_->isVisible() && p->inspector()) inspector_->setContent(p->inspector(), p->inspectorTitle());
  }
}

void MainWindow::updateTopBar() {
  const ProjectState& s = store_.state();
  const QString name = s.info.name.isEmpty() ? tr("No project") : s.info.name;
  setWindowTitle(s.open ? tr("%1 – Cloister").arg(name) : tr("Cloister"));
  project_->setText(name);
  project_->setToolTip(s.open ? s.dir : tr("Open or create a project"));
  project_->setAccessibleName(tr("Project: %1").arg(name));
  snapshot_->setVisible(s.open);
  snapshot_->setText(s.snapshots.isEmpty() ? tr("No snapshot") : tr("Snapshot %1").arg(words::shortDigest(s.snapshots.first().digest)));
  snapshot_->setToolTip(s.snapshots.isEmpty() ? tr("Freeze a snapshot on the Data page") : s.snapshots.first().digest);
  snapshot_->setAccessibleName(snapshot_->text());
  const int active = int(s.activeRuns().size());
  runs_->setVisible(active > 0);
  runs_->setText(tr("%n run(s) active", nullptr, active));
  runs_->setAccessibleName(runs_->text());
  search_->setEnabled(s.open);
  search_->setPlaceholderText(tr("Search (Ctrl+F)"));
  search_->setAccessibleName(tr("Search samples by key, patient or label"));
  help_->setToolTip(tr("Help on this page (F1)"));
  help_->setAccessibleName(help_->toolTip());
  language_->setText(Language::current().code() == u"en" ? QStringLiteral("中文") : QStringLiteral("EN"));
  language_->setToolTip(Language::current().code() == u"en" ? QStringLiteral("切换到简体中文") : QStringLiteral("Switch to English"));
  language_->setAccessibleName(language_->toolTip());
}

void MainWindow::projectMenu() {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  connect(menu->addAction(themedIcon("open"), tr("Open project…")), &QAction::triggered, this, [this] {
    auto* dialog = new QFileDialog(this, tr("Choose a project folder"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& dir) { store_.openProject(dir); });
    dialog->open();
  });
  connect(menu->addAction(themedIcon("add"), tr("New project…")), &QAction::triggered, this, [this] { show_(page::kProject); });
  menu->addSeparator();
  for (const QString& dir : settings::recentProjects().mid(0, 6))
    connect(menu->addAction(dir), &QAction::triggered, this, [this, dir] { store_.openProject(dir); });
  if (store_.state().open) {
    menu->addSeparator();
    connect(menu->addAction(tr("Close project")), &QAction::triggered, this, [this] {
      store_.closeProject();
      show_(page::kProject);
    });
  }
  menu->popup(project_->mapToGlobal(QPoint(0, project_->height())));
}

void MainWindow::restoreWindow() {
  resize(1366, 768);
  restoreGeometry(settings::window("geometry"));
}

void MainWindow::closeEvent(QCloseEvent* event) {
  settings::setWindow("geometry", saveGeometry());
  QMainWindow::closeEvent(event);
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  QTimer::singleShot(0, this, &MainWindow::createNext);
}

// The other pages are built one at a time between events, so that the first window is there at once and marks in the rail are right soon.
void MainWindow::createNext() {
  for (const Entry& e : entries_)
    if (!e.page) {
      pageOf(e.id);
      updateAll();
      QTimer::singleShot(0, this, &MainWindow::createNext);
      return;
    }
}

}  // namespace cloister
