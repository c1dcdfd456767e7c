#include "widgets/data/data_page.h"

#include <algorithm>

#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QShortcut>
#include <QStackedLayout>
#include <QTabBar>
#include <QVBoxLayout>

#include "core/curation/labelling.h"
#include "widgets/common/empty_data.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/checks_view.h"
#include "widgets/data/file_list.h"
#include "widgets/data/filter_panel.h"
#include "widgets/data/freeze_sheet.h"
#include "widgets/data/import_sheet.h"
#include "widgets/data/label_bar.h"
#include "widgets/data/sample_model.h"
#include "widgets/data/thumb_grid.h"
#include "widgets/data/viewer.h"

namespace cloister {
namespace {

constexpr int kHistory = 20;
enum Tab { Samples, Checks, Files };

// What the rows and the figures depend on: reload only when it changed.
QString signatureOf(const ProjectState& s) {
  const SampleCounts& c = s.counts;
  QStringList parts{s.dir,
                    QString::number(c.samples),
                    QString::number(c.labelled),
                    QString::number(c.excluded),
                    QString::number(c.patients),
                    QString::number(c.duplicates),
                    QString::number(c.refused),
                    QString::number(s.snapshots.size())};
  for (auto it = c.byLabel.begin(); it != c.byLabel.end(); ++it) parts << it.key() << QString::number(it.value());
  for (auto it = c.bySite.begin(); it != c.bySite.end(); ++it) parts << it.key() << QString::number(it.value());
  return parts.join('\n');
}

}  // namespace

DataPage::DataPage(StoreClient& store, QWidget* parent)
    : Page(page::kData, store, parent), model_(new SampleModel(store, this)), viewer_(new Viewer(store, this)) {
  setAcceptDrops(true);
  viewer_->hide();
  auto* holder = new QWidget(this);
  views_ = new QStackedLayout(holder);
  empty_ = new EmptyData(this);
  buildBrowse();
  importSheet_ = new ImportSheet(store, this);
  freezeSheet_ = new FreezeSheet(store, this);
  for (QWidget* w : {static_cast<QWidget*>(empty_), browse_, static_cast<QWidget*>(importSheet_), static_cast<QWidget*>(freezeSheet_)})
    views_->addWidget(w);
  body()->addWidget(holder, 1);
  import_ = new QPushButton(this);
  import_->setIcon(themedIcon("import"));
  footerTools()->addWidget(import_);
  footerTools()->addStretch(1);
  connectAll();
  if (store.state().open) model_->reload();
  settle();
}

void DataPage::buildBrowse() {
  browse_ = new QWidget(this);
  auto* column = new QVBoxLayout(browse_);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  auto* top = new QHBoxLayout;
  tabs_ = new QTabBar(browse_);
  tabs_->setExpanding(false);
  tabs_->setDrawBase(false);
  tabs_->setUsesScrollButtons(false);
  tabs_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  for (int i = 0; i < 3; ++i) tabs_->addTab(QString());
  summary_ = new SummaryBar(browse_);
  top->addWidget(tabs_);
  top->addSpacing(space::kL);
  top->addWidget(summary_, 1);
  column->addLayout(top);

  auto* holder = new QWidget(browse_);
  tabsStack_ = new QStackedLayout(holder);
  auto* samples = new QWidget(holder);
  auto* row = new QHBoxLayout(samples);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kL);
  filters_ = new FilterPanel(samples);
  row->addWidget(filters_);
  auto* middle = new QVBoxLayout;
  middle->setSpacing(space::kS);
  whyRow_ = new QWidget(samples);
  auto* whyLine = new QHBoxLayout(whyRow_);
  whyLine->setContentsMargins(0, 0, 0, 0);
  why_ = new QLabel(whyRow_);
  why_->setWordWrap(true);
  setRole(why_, "quiet");
  whyClear_ = new QPushButton(whyRow_);
  setRole(whyClear_, "link");
  whyLine->addWidget(why_, 1);
  whyLine->addWidget(whyClear_, 0, Qt::AlignTop);
  whyRow_->hide();
  grid_ = new ThumbGrid(samples);
  grid_->setSamples(model_);
  labels_ = new LabelBar(samples);
  middle->addWidget(whyRow_);
  middle->addWidget(grid_, 1);
  middle->addWidget(labels_);
  row->addLayout(middle, 1);
  checks_ = new ChecksView(store(), holder);
  files_ = new FileList(store(), holder);
  tabsStack_->addWidget(samples);
  tabsStack_->addWidget(checks_);
  tabsStack_->addWidget(files_);
  column->addWidget(holder, 1);
}

void DataPage::connectAll() {
  connect(primary(), &QPushButton::clicked, this, &DataPage::act);
  connect(import_, &QPushButton::clicked, this, [this] { showView(Import); });
  connect(empty_, &EmptyData::clicked, this, [this] { showView(Import); });
  connect(importSheet_, &ImportSheet::closed, this, &DataPage::settle);
  connect(freezeSheet_, &FreezeSheet::closed, this, &DataPage::settle);
  connect(importSheet_, &ImportSheet::changed, this, &DataPage::updateFooter);
  connect(freezeSheet_, &FreezeSheet::changed, this, &DataPage::updateFooter);
  connect(importSheet_, &ImportSheet::failed, this, &DataPage::showFailure);
  connect(freezeSheet_, &FreezeSheet::failed, this, &DataPage::showFailure);
  connect(checks_, &ChecksView::failed, this, &DataPage::showFailure);
  connect(model_, &SampleModel::failed, this, &DataPage::showFailure);
  using words::Noun;
  connect(importSheet_, &ImportSheet::labelled, this, [this](const LabelTableResult& r) {
    banner().note(r.conflicts.isEmpty() ? FailureBanner::Tone::Good : FailureBanner::Tone::Warning,
                  tr("%1 read, %2 changed, %3 without a sample, %4.")
                      .arg(words::counted(r.rows, Noun::Row), words::counted(r.changed, Noun::Sample),
                           words::counted(r.unmatchedRows, Noun::Row), words::counted(r.conflicts.size(), Noun::Conflict)));
    settle();
  });
  connect(freezeSheet_, &FreezeSheet::frozen, this, [this](const Snapshot& s) {
    banner().note(FailureBanner::Tone::Good, tr("Snapshot %1 is frozen: %2 samples for training, %3 for validation, %4 for the test.")
                                                 .arg(words::shortDigest(s.digest), words::number(s.splitCounts["train"]),
                                                      words::number(s.splitCounts["validation"]), words::number(s.splitCounts["test"])));
    banner().setAction(tr("Continue with training"), [this] { Q_EMIT goTo(page::kTrain); });
    settle();
  });
  connect(&store(), &StoreClient::opened, this, [this] {
    viewer_->clear();
    earlier_.clear();
    setFilter({}, false);
    signature_.clear();
    settle();
    offerResume();
  });
  connect(&store(), &StoreClient::closed, this, [this] { viewer_->clear(); });
  connect(&store(), &StoreClient::importStarted, this, [this] {
    if (store().state().task().dataPage == id()) showView(Import);
  });
  connect(summary_, &SummaryBar::chosen, this, &DataPage::figureChosen);
  connect(filters_, &FilterPanel::changed, this, [this](const SampleFilter& f) { setFilter(f); });
  connect(filters_, &FilterPanel::undoWanted, this, [this] {
    if (!earlier_.isEmpty()) setFilter(earlier_.takeLast(), false);
  });
  connect(whyClear_, &QPushButton::clicked, this, [this] { setFilter({}); });
  connect(model_, &SampleModel::filtered, summary_, &SummaryBar::setShown);
  connect(model_, &QAbstractItemModel::dataChanged, this, [this] {
    if (grid_->currentIndex().isValid() && viewer_->isVisible()) showCurrent();
  });
  connect(grid_, &ThumbGrid::selectionChanged_, this, [this] {
    labels_->setSelected(grid_->selectedCount());
    if (grid_->currentIndex().isValid() && inspectorWanted_ && grid_->selectedCount() > 0) Q_EMIT inspect(true);
    showCurrent();
  });
  connect(grid_, &ThumbGrid::opened, this, [this] {
    inspectorWanted_ = true;
    Q_EMIT inspect(true);
    showCurrent();
  });
  connect(grid_, &ThumbGrid::labelKey, this, [this](int number) {
    if (const QString name = labels_->labelOf(number); !name.isEmpty()) label(name);
  });
  connect(grid_, &ThumbGrid::excludeKey, this, &DataPage::toggleExcluded);
  connect(labels_, &LabelBar::chosen, this, &DataPage::label);
  connect(labels_, &LabelBar::excludeWanted, this, &DataPage::toggleExcluded);
  connect(labels_, &LabelBar::undoWanted, this, [this] { undo(false); });
  connect(labels_, &LabelBar::redoWanted, this, [this] { undo(true); });
  for (const auto& [key, redo] :
       {std::pair(QKeySequence(QKeySequence::Undo), false), std::pair(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), true)}) {
    auto* shortcut = new QShortcut(key, this);
    shortcut->setContext(Qt::WidgetWithChildrenShortcut);
    connect(shortcut, &QShortcut::activated, this, [this, again = redo] { undo(again); });
  }
  connect(tabs_, &QTabBar::currentChanged, this, [this](int tab) {
    tabsStack_->setCurrentIndex(tab);
    Q_EMIT inspect(tab == Samples && inspectorWanted_ && grid_->selectedCount() > 0);
    if (tab == Checks && checksStale_) {
      checksStale_ = false;
      checks_->run();
    }
    if (tab == Files) files_->refresh(FileList::Show::All);
  });
  connect(checks_, &ChecksView::changed, this, &DataPage::retranslate);
  connect(checks_, &ChecksView::samplesWanted, this, [this](const QStringList& keys, const QString& why) {
    SampleFilter f;
    f.keys = keys;
    whyText_ = why;
    setFilter(f);
    tabs_->setCurrentIndex(Samples);
  });
  connect(checks_, &ChecksView::filesWanted, this, [this](bool refused) {
    tabs_->setCurrentIndex(Files);
    files_->refresh(refused ? FileList::Show::Refused : FileList::Show::Duplicates);
  });
}

// An import that a crash or a stop broke off goes on where it was: one button, nothing to type.
void DataPage::offerResume() {
  using words::Noun;
  store().read([](Project& p) { return p.imports(); }, this,
               [this](const Result<QList<ImportRecord>>& imports) {
                 if (!imports || imports->isEmpty() || store().importing()) return;
                 const auto newest = std::max_element(imports->begin(), imports->end(),
                                                      [](const ImportRecord& a, const ImportRecord& b) { return a.id < b.id; });
                 if (newest->state != u"running" && newest->state != u"stopped") return;
                 banner().note(FailureBanner::Tone::Warning, tr("The last import was interrupted after %1. It can go on from there.")
                                                                 .arg(words::counted(newest->accepted + newest->refused, Noun::File)));
                 banner().setAction(tr("Resume the import"), [this, id = newest->id] {
                   banner().clear();
                   store().resumeImport(id);
                 });
               });
}

QString DataPage::title() const { return tr("Data"); }

QString DataPage::subtitle() const { return tr("Look, label, check, then freeze what the model learns from."); }

Page::Missing DataPage::missing() const {
  if (store().state().open) return {};
  return {tr("Open or create a project first; the images are kept in it."), QLatin1String(page::kProject), tr("Go to Project")};
}

Page::Mark DataPage::mark() const {
  if (store().importing()) return Mark::Running;
  return store().state().snapshots.isEmpty() ? Mark::None : Mark::Done;
}

QString DataPage::help() const {
  return tr(
      "<p><b>Import</b> copies DICOM files or pictures into the project; the originals stay where they are. Labels come from the folder "
      "names, from a table, or from you: select images and press 1 to 9.</p><p><b>Checks</b> shows what would spoil a model: unreadable "
      "files, duplicates, one patient in training and test.</p><p><b>Freeze snapshot</b> fixes samples, labels, split and preprocessing "
      "under one digest, so that a result can be traced and repeated.</p><p>Keys: arrows move, Shift and Ctrl+A select, X excludes, "
      "Enter opens the picture, Ctrl+Z undoes. In the picture: drag for the window, wheel for frames, Space plays.</p>");
}

QWidget* DataPage::inspector() { return viewer_; }

QString DataPage::inspectorTitle() const { return tr("Sample"); }

void DataPage::retranslate() {
  empty_->setWords(tr("Drop a folder of DICOM files or pictures here"),
                   tr("Cloister copies the files into the project and leaves the originals untouched. Give each image a label, by folder, "
                      "by table or by "
                      "key. Then freeze a snapshot: from there on, training, test and report always mean the same images."),
                   tr("Import data"));
  import_->setText(tr("Import…"));
  whyClear_->setText(tr("Show all"));
  for (QPushButton* b : {import_, whyClear_}) b->setAccessibleName(b->text());
  tabs_->setTabText(Samples, tr("Samples"));
  tabs_->setTabText(Checks, checks_->warnings() > 0 ? tr("Checks (%1)").arg(checks_->warnings()) : tr("Checks"));
  tabs_->setTabText(Files, tr("Not imported"));
  tabs_->setAccessibleName(tr("Views of the data"));
  grid_->setAccessibleName(tr("Samples"));
  grid_->setAccessibleDescription(tr("Arrows move, 1 to 9 label, X excludes, Enter opens the picture."));
  updateFooter();
}

void DataPage::refresh() {
  const ProjectState& s = store().state();
  if (const QString now = signatureOf(s); now != signature_) {
    signature_ = now;
    summary_->setCounts(s.counts);
    filters_->setState(s);
    QStringList names;
    for (const QString& name : s.counts.byLabel.keys())
      if (!name.isEmpty()) names << name;
    labels_->setLabels(names);
    if (s.open) model_->reload();
    checksStale_ = true;
    if (tabs_->currentIndex() == Checks) {
      checksStale_ = false;
      checks_->run();
    }
    if (view_ == Empty || view_ == Browse) settle();
  }
  updateFooter();
}

void DataPage::settle() { showView(store().state().counts.samples > 0 ? Browse : Empty); }

void DataPage::showView(View view) {
  view_ = view;
  views_->setCurrentIndex(view);
  if (view == Import) importSheet_->begin();
  if (view == Freeze) freezeSheet_->begin();
  if (view != Browse) Q_EMIT inspect(false);
  updateFooter();
}

void DataPage::updateFooter() {
  import_->setVisible(view_ == Browse);
  const bool any = store().state().counts.labelled > 0;
  switch (view_) {
    case Empty:
      setPrimaryText({});
      break;
    case Browse:
      setPrimaryText(tr("Freeze snapshot"));
      primary()->setEnabled(any);
      primary()->setToolTip(any ? QString() : tr("Label some samples first."));
      break;
    case Import:
      setPrimaryText(importSheet_->nextStep(tr("Back to the samples")));
      primary()->setEnabled(importSheet_->done() || importSheet_->canStart());
      break;
    case Freeze:
      setPrimaryText(freezeSheet_->freezing() ? tr("Freezing…") : tr("Freeze snapshot"));
      primary()->setEnabled(freezeSheet_->canFreeze());
      break;
  }
}

void DataPage::act() {
  banner().clear();
  if (view_ == Browse) showView(Freeze);
  else if (view_ == Freeze) freezeSheet_->freeze();
  else if (importSheet_->canStart()) importSheet_->start();
  else settle();
}

void DataPage::setFilter(const SampleFilter& filter, bool remember) {
  if (remember) {
    earlier_ << model_->filter();
    if (earlier_.size() > kHistory) earlier_.removeFirst();
  }
  whyRow_->setVisible(!filter.keys.isEmpty());
  why_->setText(whyText_);
  filters_->setFilter(filter);
  filters_->setCanUndo(!earlier_.isEmpty());
  grid_->clearSelection();
  model_->setFilter(filter);
}

void DataPage::figureChosen(SummaryBar::Figure figure) {
  using F = SummaryBar::Figure;
  if (figure == F::Duplicates || figure == F::Refused) {
    tabs_->setCurrentIndex(Files);
    files_->refresh(figure == F::Refused ? FileList::Show::Refused : FileList::Show::Duplicates);
    return;
  }
  tabs_->setCurrentIndex(Samples);
  SampleFilter f;
  if (figure == F::Unlabelled) f.label = QStringLiteral("\x01unlabelled");
  if (figure == F::Problems) f.problem = QStringLiteral("*");
  if (figure == F::Excluded) {
    f = model_->filter();
    f.includeExcluded = !f.includeExcluded;
  }
  if (figure == F::Patients || figure == F::Labels) {
    if (auto* field = filters_->findChild<QWidget*>(figure == F::Patients ? "patient" : "labels")) field->setFocus();
    return;
  }
  setFilter(f);
}

bool DataPage::search(const QString& text) {
  if (!store().state().open || view_ == Import || view_ == Freeze) return true;
  SampleFilter f = model_->filter();
  if (f.text == text) return true;
  f.text = text;
  setFilter(f, false);
  tabs_->setCurrentIndex(Samples);
  return true;
}

void DataPage::openView(const QString& name) {
  if (!store().state().open) return;
  settle();
  tabs_->setCurrentIndex(name == u"checks" ? Checks : Samples);
  if (name == u"import") showView(Import);
  if (name == u"freeze") showView(Freeze);
  if (name == u"files") tabs_->setCurrentIndex(Files);
  viewer_->showHeader(name == u"header");
  if ((name.isEmpty() || name == u"header") && model_->rowCount() > 0) grid_->setCurrentIndex(model_->index(0));
}

void DataPage::showCurrent() {
  const SampleModel::Cell* cell = model_->cell(grid_->currentIndex().row());
  if (!cell || cell->sample.id == 0) return;
  // Where the original lies is the project's knowledge; its folder layout is part of the formats.
  const QString sha = cell->sample.sha256;
  if (sha.size() < 2) return;
  viewer_->show_(cell->sample, store().state().dir + "/objects/" + sha.left(2) + '/' + sha);
}

void DataPage::label(const QString& name) {
  const QList<qint64> ids = model_->ids(grid_->selectedRows());
  if (ids.isEmpty()) return;
  store().run(
      [ids, name](Project& p) {
        QList<Project::SampleChange> changes;
        changes.reserve(ids.size());
        for (qint64 id : ids) {
          Project::SampleChange c;
          c.id = id;
          c.label = name;
          c.labelOrigin = QStringLiteral("person");
          changes << c;
        }
        return changeByPerson(p, changes, QStringLiteral("label"));
      },
      this,
      [this](const Result<void>& done) {
        if (!done) showFailure(done.error());
        else model_->reload();
      });
  if (grid_->selectedCount() == 1 && grid_->currentIndex().row() + 1 < model_->rowCount()) {  // one at a time: on to the next
    const QModelIndex next = model_->index(grid_->currentIndex().row() + 1);
    grid_->selectionModel()->setCurrentIndex(next, QItemSelectionModel::ClearAndSelect);
    grid_->scrollTo(next);
  }
}

void DataPage::toggleExcluded() {
  const QList<qint64> ids = model_->ids(grid_->selectedRows());
  if (ids.isEmpty()) return;
  const SampleModel::Cell* first = model_->cell(grid_->currentIndex().row());
  const bool exclude = !(first && first->sample.excluded);
  store().run([ids, exclude](Project& p) { return excludeByPerson(p, ids, exclude); }, this,
              [this](const Result<void>& done) {
                if (!done) showFailure(done.error());
                else model_->reload();
              });
}

void DataPage::undo(bool redo) {
  if (!store().state().open) return;
  store().run([redo](Project& p) { return undoByPerson(p, redo); }, this,
              [this](const Result<QString>& what) {
                if (what) model_->reload();
                else if (what.error().kind != FailureKind::NothingToDo) showFailure(what.error());
              });
}

void DataPage::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && store().state().open && !store().importing()) event->acceptProposedAction();
}

void DataPage::dropEvent(QDropEvent* event) {
  const QStringList paths = localPaths(event->mimeData());
  showView(Import);
  importSheet_->addPaths(paths);
}

}  // namespace cloister
