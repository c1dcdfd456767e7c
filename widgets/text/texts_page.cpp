#include "widgets/text/texts_page.h"

#include <algorithm>

#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QSplitter>
#include <QStackedLayout>
#include <QTabBar>
#include <QTableView>
#include <QVBoxLayout>

#include "core/curation/labelling.h"
#include "widgets/common/empty_data.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/long_task.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/import_sheet.h"
#include "widgets/text/freeze_texts_sheet.h"
#include "widgets/text/model_sheets.h"
#include "widgets/text/models_view.h"
#include "widgets/text/record_view.h"
#include "widgets/text/text_list.h"
#include "widgets/text/tokenizer_view.h"

namespace cloister {
namespace {
constexpr int kMostTexts = 10'000;  // files, not records
const QString kTask = QStringLiteral("language-model-files");
}  // namespace

TextsPage::TextsPage(StoreClient& store, QWidget* parent) : Page(page::kTexts, store, parent) {
  setAcceptDrops(true);
  auto* holder = new QWidget(this);
  views_ = new QStackedLayout(holder);
  buildBrowse();
  importSheet_ = new ImportSheet(store, this);
  freezeSheet_ = new FreezeTextsSheet(store, this);
  modelSheet_ = new ModelSheet(this);
  tokenizerSheet_ = new TokenizerSheet(this);
  work_ = new LongTask(store, this);
  for (QWidget* w : std::initializer_list<QWidget*>{browse_, importSheet_, freezeSheet_, modelSheet_, tokenizerSheet_})
    views_->addWidget(w);
  body()->addWidget(holder, 1);
  import_ = new QPushButton(this);
  import_->setIcon(themedIcon("import"));
  exclude_ = new QPushButton(this);
  exclude_->setIcon(themedIcon("exclude"));
  addModel_ = new QPushButton(this);
  addModel_->setIcon(themedIcon("import"));
  addTokenizer_ = new QPushButton(this);
  addTokenizer_->setIcon(themedIcon("add"));
  for (QPushButton* b : {import_, exclude_, addModel_, addTokenizer_}) footerTools()->addWidget(b);
  connectAll();
  showView(Browse);
}

void TextsPage::buildBrowse() {
  browse_ = new QWidget(this);
  auto* column = new QVBoxLayout(browse_);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kM);
  auto* top = new QHBoxLayout;
  tabs_ = new QTabBar(browse_);
  tabs_->setExpanding(false);
  tabs_->setDrawBase(false);
  tabs_->setUsesScrollButtons(false);
  tabs_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  for (int i = 0; i < 3; ++i) tabs_->addTab(QString());
  counts_ = new QLabel(browse_);
  setRole(counts_, "quiet");
  top->addWidget(tabs_);
  top->addSpacing(space::kL);
  top->addWidget(counts_);
  top->addStretch(1);
  column->addLayout(top);
  auto* holder = new QWidget(browse_);
  tabsStack_ = new QStackedLayout(holder);
  auto* texts = new QWidget(holder);
  textsStack_ = new QStackedLayout(texts);
  empty_ = new EmptyData(this);
  auto* split = new QSplitter(Qt::Horizontal, texts);
  split->setChildrenCollapsible(false);
  split->setHandleWidth(space::kL);
  list_ = new TextList(this);
  table_ = new QTableView(split);
  table_->setModel(list_);
  prepareTable(table_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  auto* look = new QWidget(split);
  auto* lookColumn = new QVBoxLayout(look);
  lookColumn->setContentsMargins(0, 0, 0, 0);
  lookColumn->setSpacing(space::kS);
  previewTitle_ = new QLabel(look);
  setRole(previewTitle_, "strong");
  preview_ = new RecordView(store(), look);
  lookColumn->addWidget(previewTitle_);
  lookColumn->addWidget(preview_, 1);
  split->addWidget(table_);
  split->addWidget(look);
  split->setSizes({700, 520});
  textsStack_->addWidget(empty_);
  textsStack_->addWidget(split);
  models_ = new ModelsView(store(), holder);
  cut_ = new TokenizerView(store(), holder);
  for (QWidget* w : std::initializer_list<QWidget*>{texts, models_, cut_}) tabsStack_->addWidget(w);
  column->addWidget(holder, 1);
}

void TextsPage::connectAll() {
  connect(primary(), &QPushButton::clicked, this, &TextsPage::act);
  connect(import_, &QPushButton::clicked, this, [this] { showView(Import); });
  connect(empty_, &EmptyData::clicked, this, [this] { showView(Import); });
  connect(addModel_, &QPushButton::clicked, this, [this] { showView(AddModel); });
  connect(addTokenizer_, &QPushButton::clicked, this, [this] { showView(AddTokenizer); });
  connect(exclude_, &QPushButton::clicked, this, &TextsPage::toggleExcluded);
  const auto back = [this] { showView(Browse); };
  connect(importSheet_, &ImportSheet::closed, this, back);
  connect(freezeSheet_, &FreezeTextsSheet::closed, this, back);
  connect(modelSheet_, &ModelSheet::closed, this, back);
  connect(tokenizerSheet_, &TokenizerSheet::closed, this, back);
  connect(importSheet_, &ImportSheet::changed, this, &TextsPage::updateFooter);
  connect(freezeSheet_, &FreezeTextsSheet::changed, this, &TextsPage::updateFooter);
  connect(modelSheet_, &ModelSheet::changed, this, &TextsPage::updateFooter);
  connect(tokenizerSheet_, &TokenizerSheet::changed, this, &TextsPage::updateFooter);
  connect(importSheet_, &ImportSheet::failed, this, &TextsPage::showFailure);
  connect(freezeSheet_, &FreezeTextsSheet::failed, this, &TextsPage::showFailure);
  connect(cut_, &TokenizerView::failed, this, &TextsPage::showFailure);
  connect(work_, &LongTask::progressed, this, &TextsPage::progressed);
  connect(freezeSheet_, &FreezeTextsSheet::frozen, this, [this](const Snapshot& s) {
    showView(Browse);
    banner().note(FailureBanner::Tone::Good, tr("Snapshot %1 is frozen: %2 records for training, %3 for validation, %4 for the test.")
                                                 .arg(words::shortDigest(s.digest), words::number(s.splitCounts["train"]),
                                                      words::number(s.splitCounts["validation"]), words::number(s.splitCounts["test"])));
    if (hasTokenizer()) banner().setAction(tr("Continue with training"), [this] { Q_EMIT goTo(page::kTrain); });
    else banner().setAction(tr("Now a model or a tokenizer"), [this] { tabs_->setCurrentIndex(Models); });
  });
  connect(&store(), &StoreClient::importStarted, this, [this] {
    if (store().state().task().dataPage == id()) showView(Import);
  });
  connect(&store(), &StoreClient::opened, this, [this] {  // another project begins with its texts
    tabs_->setCurrentIndex(Texts);
    showView(Browse);
  });
  connect(&store(), &StoreClient::closed, this, [this] {
    signature_.clear();
    work_->stop();
    preview_->clear_();
    list_->setRows({});
    all_.clear();
  });
  connect(tabs_, &QTabBar::currentChanged, this, [this](int tab) {
    tabsStack_->setCurrentIndex(tab);
    updateFooter();
  });
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
    showCurrent();
    updateFooter();
  });
  connect(models_, &ModelsView::tokenizerWanted, this, [this](const QString& folder) {
    tabs_->setCurrentIndex(Cut);
    cut_->show_(folder);
  });
}

QString TextsPage::title() const { return tr("Data"); }
QString TextsPage::subtitle() const { return tr("Texts to learn from, models to begin with; then freeze the texts."); }
Page::Missing TextsPage::missing() const { return projectMissing(); }

Page::Mark TextsPage::mark() const {
  if (!store().state().isLanguage()) return Mark::None;
  if (store().importing() || work_->running()) return Mark::Running;
  return store().state().snapshots.isEmpty() ? Mark::None : Mark::Done;
}

QString TextsPage::help() const {
  return tr(
      "<p><b>Texts</b>: running text (.txt, .md), instructions with answers (Alpaca, ShareGPT, messages as .json or .jsonl), pairs "
      "(.tsv or .jsonl) and preferences. The files are copied into the project; the originals stay where they are.</p><p><b>Models and "
      "tokenizers</b>: import the folder of a base model, or train a tokenizer for a model from scratch.</p><p><b>How a text is cut</b> "
      "shows "
      "the pieces that a tokenizer makes of a text. A tokenizer that needs many pieces for your words makes training slow and answers "
      "short.</p><p><b>Freeze snapshot</b> fixes texts and split under one digest, so that a result can be traced and repeated.</p>");
}

void TextsPage::refresh() {
  const ProjectState& s = store().state();
  if (!s.open || !s.isLanguage()) return;
  const QString now =
      QStringList{s.dir, QString::number(s.counts.samples), QString::number(s.counts.excluded), QString::number(s.snapshots.size())}.join(
          '\n');
  if (now != signature_) {
    signature_ = now;
    loadTexts();
    loadModels();
  }
  updateFooter();
}

void TextsPage::showEvent(QShowEvent* event) {
  signature_.clear();  // models may have come by other ways
  Page::showEvent(event);
}

void TextsPage::loadTexts() {
  SampleFilter filter;
  filter.text = text_;
  store().read(
      [filter](Project& p) -> Result<QList<Sample>> {
        auto ids = p.sampleIds(filter);
        if (!ids) return ids.error();
        return p.samplesById(ids->mid(0, kMostTexts));
      },
      this,
      [this](const Result<QList<Sample>>& texts) {
        if (!texts) return showFailure(texts.error());
        const QModelIndex before = table_->currentIndex();
        list_->setRows(*texts);
        table_->resizeColumnsToContents();
        textsStack_->setCurrentIndex(texts->isEmpty() && text_.isEmpty() ? 0 : 1);
        qint64 records = 0;
        for (const Sample& s : *texts) records += s.frames;
        counts_->setText(texts->isEmpty() ? QString()
                                          : QStringLiteral("%1 · %2").arg(words::counted(texts->size(), words::Noun::File),
                                                                          words::counted(records, words::Noun::Record)));
        if (list_->rowCount() > 0) table_->selectRow(std::clamp(before.row(), 0, list_->rowCount() - 1));
        updateFooter();
      });
}

void TextsPage::loadModels(const QString& choose) {
  store().background([dir = store().state().dir] { return baseModels(dir); }, this,
                     [this, choose](const QList<BaseModel>& models) {
                       all_ = models;
                       models_->setModels(models);
                       if (!choose.isEmpty()) models_->choose(choose);
                       QList<QPair<QString, QString>> tokenizers;
                       for (const BaseModel& m : models)
                         if (m.hasTokenizer) tokenizers << qMakePair(m.name, m.dir);
                       cut_->setTokenizers(tokenizers);
                       updateFooter();
                     });
}

bool TextsPage::hasTokenizer() const {
  return std::any_of(all_.begin(), all_.end(), [](const BaseModel& m) { return m.hasTokenizer; });
}

void TextsPage::showCurrent() {
  const QModelIndex at = table_->currentIndex();
  if (!at.isValid() || at.row() >= list_->rowCount()) {
    previewTitle_->clear();
    return preview_->clear_();
  }
  const Sample& s = list_->at(at.row());
  previewTitle_->setText(tr("Beginning of %1").arg(s.key));
  if (s.sha256.size() < 2) return;
  preview_->show_(s, store().state().dir + "/objects/" + s.sha256.left(2) + '/' + s.sha256);
}

void TextsPage::toggleExcluded() {
  QList<qint64> ids;
  bool exclude = false;
  for (const QModelIndex& row : table_->selectionModel()->selectedRows()) {
    ids << list_->at(row.row()).id;
    exclude = exclude || !list_->at(row.row()).excluded;
  }
  if (ids.isEmpty()) return;
  store().run([ids, exclude](Project& p) { return excludeByPerson(p, ids, exclude); }, this,
              [this](const Result<void>& done) {
                if (!done) showFailure(done.error());
                loadTexts();
              });
}

void TextsPage::begin(const QString& title) {
  workTitle_ = title;
  progressed(0, 0, 0, -1);
  Q_EMIT markChanged();
  showView(Browse);
  tabs_->setCurrentIndex(Models);
}

void TextsPage::progressed(qint64 done, qint64 total, int phase, double secondsLeft) {
  QString detail;
  if (training_) {
    detail = total > 0 ? tr("learning the pieces") : tr("counting the texts");
  } else {
    const QString bytes = bytesOf(done, total);
    switch (ModelStep(phase)) {
      case ModelStep::Checking:
        detail = tr("checking the files");
        break;
      case ModelStep::Copying:
        detail = tr("copying, %1").arg(bytes);
        break;
      case ModelStep::Recording:
        detail = tr("recording the digest, %1").arg(bytes);
        break;
    }
  }
  Q_EMIT taskChanged(kTask, workTitle_, detail, fractionOf(done, total), secondsLeft);
}

void TextsPage::importModel() {
  const ModelImport request = modelSheet_->request();
  training_ = false;
  work_->start(
      [dir = store().state().dir, request](const LongTask::Told& told) {
        return importBaseModel(dir, request, [&told](ModelStep step, qint64 done, qint64 total) { return told(done, total, int(step)); });
      },
      [this](const Result<BaseModel>& model) { ended(model); });
  begin(tr("Import %1").arg(request.name));
}

void TextsPage::trainTokenizer() {
  const QString name = tokenizerSheet_->name();
  training_ = true;
  work_->start(
      [dir = store().state().dir, name, request = tokenizerSheet_->request()](const LongTask::Told& told) mutable -> Result<BaseModel> {
        const auto project = Project::open(dir, Project::Mode::ReadOnly);
        if (!project) return project.error();
        auto to = newModelDir(dir, name);
        if (!to) return to.error();
        request.to = *to;
        auto made = cloister::trainTokenizer(**project, request, [&](qint64 done, qint64 total) { return told(done, total, 0); });
        if (!made) return made.error();
        return newTokenizer(*to);
      },
      [this](const Result<BaseModel>& model) { ended(model); });
  begin(tr("Train %1").arg(name));
}

void TextsPage::ended(const Result<BaseModel>& model) {
  Q_EMIT taskEnded(kTask);
  Q_EMIT markChanged();
  if (!model) {
    if (model.error().kind == FailureKind::Stopped)
      banner().note(FailureBanner::Tone::Warning, tr("Stopped as asked; nothing of it was kept."));
    else showFailure(model.error());
    return updateFooter();
  }
  banner().note(FailureBanner::Tone::Good, tr("%1 is in the project now.").arg(model->name));
  loadModels(model->name);
}

void TextsPage::stopTask(const QString& task) {
  if (task == kTask) work_->stop();
}

void TextsPage::showView(View view) {
  view_ = view;
  views_->setCurrentIndex(view);
  if (view == Import) importSheet_->begin();
  if (view == Freeze) freezeSheet_->begin();
  if (view == AddModel) modelSheet_->begin();
  if (view == AddTokenizer) tokenizerSheet_->begin();
  updateFooter();
}

void TextsPage::updateFooter() {
  const int tab = tabs_->currentIndex();
  counts_->setVisible(tab == Texts);
  const bool browse = view_ == Browse, any = list_->rowCount() > 0, frozen = !store().state().snapshots.isEmpty();
  import_->setVisible(browse && tab == Texts && any);
  exclude_->setVisible(browse && tab == Texts && any);
  const QModelIndexList chosen = table_->selectionModel()->selectedRows();
  exclude_->setEnabled(!chosen.isEmpty());
  const bool in =
      chosen.isEmpty() || std::any_of(chosen.begin(), chosen.end(), [this](const QModelIndex& i) { return !list_->at(i.row()).excluded; });
  exclude_->setText(in ? tr("Leave out") : tr("Take in again"));
  exclude_->setAccessibleName(exclude_->text());
  addModel_->setVisible(browse && tab != Texts);
  addTokenizer_->setVisible(browse && tab != Texts);
  addModel_->setEnabled(!work_->running());
  addTokenizer_->setEnabled(!work_->running() && frozen);
  addTokenizer_->setToolTip(frozen ? QString() : tr("Freeze the texts first: a tokenizer learns from their training part."));
  primary()->setToolTip({});
  primary()->setEnabled(true);
  switch (view_) {
    case Browse:
      if (tab == Texts) {
        setPrimaryText(any ? tr("Freeze snapshot") : QString());
      } else {
        setPrimaryText(tr("Continue with training"));
        primary()->setEnabled(frozen && hasTokenizer());
        if (!primary()->isEnabled()) primary()->setToolTip(tr("Training needs frozen texts and a tokenizer."));
      }
      break;
    case Import:
      setPrimaryText(importSheet_->nextStep(tr("Back to the texts")));
      primary()->setEnabled(importSheet_->done() || importSheet_->canStart());
      break;
    case Freeze:
      setPrimaryText(freezeSheet_->freezing() ? tr("Freezing…") : tr("Freeze snapshot"));
      primary()->setEnabled(freezeSheet_->canFreeze());
      break;
    case AddModel:
      setPrimaryText(tr("Import model"));
      primary()->setEnabled(modelSheet_->complete() && !work_->running());
      break;
    case AddTokenizer:
      setPrimaryText(tr("Train tokenizer"));
      primary()->setEnabled(tokenizerSheet_->complete() && !work_->running());
      break;
  }
}

void TextsPage::act() {
  banner().clear();
  switch (view_) {
    case Browse:
      if (tabs_->currentIndex() == Texts) return showView(Freeze);
      Q_EMIT goTo(page::kTrain);
      return;
    case Import:
      if (importSheet_->canStart()) return importSheet_->start();
      return showView(Browse);
    case Freeze:
      return freezeSheet_->freeze();
    case AddModel:
      return importModel();
    case AddTokenizer:
      return trainTokenizer();
  }
}

bool TextsPage::search(const QString& text) {
  if (!store().state().open || view_ != Browse || text_ == text) return true;
  text_ = text;
  tabs_->setCurrentIndex(Texts);
  loadTexts();
  return true;
}

QStringList TextsPage::views() const {
  return {QStringLiteral("import"),    QStringLiteral("freeze"),        QStringLiteral("models"),
          QStringLiteral("add-model"), QStringLiteral("add-tokenizer"), QStringLiteral("cut")};
}

void TextsPage::openView(const QString& name) {
  showView(name == u"import"          ? Import
           : name == u"freeze"        ? Freeze
           : name == u"add-model"     ? AddModel
           : name == u"add-tokenizer" ? AddTokenizer
                                      : Browse);
  tabs_->setCurrentIndex(name == u"models" ? Models : name == u"cut" ? Cut : Texts);
  if (name == u"cut") cut_->setText(tr("The examination shows no finding.\nThe heart is of normal size."));
}

void TextsPage::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && store().state().open && !store().importing()) event->acceptProposedAction();
}

// A folder with config.json is a model; everything else is texts.
void TextsPage::dropEvent(QDropEvent* event) {
  const QStringList paths = localPaths(event->mimeData());
  if (paths.size() == 1 && QFileInfo::exists(paths.first() + "/config.json")) {
    showView(AddModel);
    return modelSheet_->setFolder(paths.first());
  }
  showView(Import);
  importSheet_->addPaths(paths);
}

void TextsPage::retranslate() {
  empty_->setWords(
      tr("Drop text files here"),
      tr("Running text, instructions with answers, translations or summaries: Cloister copies the files into the project and finds "
         "out what they hold. Then freeze a snapshot, and train a model on it that never saw the test part."),
      tr("Import texts"));
  import_->setText(tr("Import texts…"));
  addModel_->setText(tr("Import a model…"));
  addTokenizer_->setText(tr("Train a tokenizer…"));
  for (QPushButton* b : {import_, addModel_, addTokenizer_}) b->setAccessibleName(b->text());
  tabs_->setTabText(Texts, tr("Texts"));
  tabs_->setTabText(Models, tr("Models and tokenizers"));
  tabs_->setTabText(Cut, tr("How a text is cut"));
  tabs_->setAccessibleName(tr("Views of the data"));
  table_->setAccessibleName(tr("Text files"));
  preview_->setAccessibleName(tr("First records of the chosen file"));
  list_->retranslate();
  updateFooter();
}

}  // namespace cloister
