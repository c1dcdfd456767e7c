#include "widgets/data/import_sheet.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QMimeData>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/empty_data.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/file_list.h"
#include "widgets/data/table_preview.h"

namespace cloister {
namespace {
constexpr int kListEveryMs = 1000;
}

ImportSheet::ImportSheet(StoreClient& store, QWidget* parent) : QFrame(parent), store_(store) {
  QVBoxLayout* column = beginSheet(this, header_);
  stack_ = new QStackedLayout;
  auto* form = new QWidget(this);
  auto* live = new QWidget(this);
  buildForm(form);
  buildLive(live);
  stack_->addWidget(form);
  stack_->addWidget(live);
  column->addLayout(stack_, 1);
  connect(header_.close, &QToolButton::clicked, this, &ImportSheet::closed);
  connect(&store, &StoreClient::importStarted, this, [this] {
    outcome_.clear();
    last_ = {};
    showLive(true);
    progressed({});
  });
  connect(&store, &StoreClient::importProgressed, this, &ImportSheet::progressed);
  connect(&store, &StoreClient::importFinished, this, &ImportSheet::finished);
  connect(&store, &StoreClient::importFailed, this, [this](const Failure& failure) {
    showLive(false);
    Q_EMIT failed(failure);
    Q_EMIT changed();
  });
  whenTranslated(this, [this] { retranslate(); });
  loadSources();
}

void ImportSheet::buildForm(QWidget* form) {
  auto* row = new QHBoxLayout(form);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kXl);
  auto* left = new QVBoxLayout;
  left->setSpacing(space::kS);
  sourceLabel_ = new QLabel(form);
  source_ = new QComboBox(form);
  sourceLabel_->setBuddy(source_);
  pathsLabel_ = new QLabel(form);
  paths_ = new QListWidget(form);
  paths_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  paths_->setTextElideMode(Qt::ElideMiddle);
  paths_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  pathsLabel_->setBuddy(paths_);
  drop_ = new QLabel(paths_->viewport());
  drop_->setAlignment(Qt::AlignCenter);
  drop_->setWordWrap(true);
  setRole(drop_, "quiet");
  auto* over = new QVBoxLayout(paths_->viewport());
  over->addWidget(drop_);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::kS);
  addFolder_ = new QPushButton(form);
  addFiles_ = new QPushButton(form);
  remove_ = new QPushButton(form);
  for (QPushButton* b : {addFolder_, addFiles_, remove_}) buttons->addWidget(b);
  buttons->addStretch(1);
  optionsLabel_ = new QLabel(form);
  setRole(optionsLabel_, "strong");
  options_ = new ParameterForm(form);
  left->addWidget(sourceLabel_);
  left->addWidget(source_);
  left->addWidget(pathsLabel_);
  left->addWidget(paths_, 1);
  left->addLayout(buttons);
  left->addWidget(optionsLabel_);
  left->addWidget(options_);
  row->addLayout(left, 2);
  table_ = new QWidget(form);
  auto* right = new QVBoxLayout(table_);
  right->setContentsMargins(0, 0, 0, 0);
  right->setSpacing(space::kS);
  labelsLabel_ = new QLabel(form);
  labels_ = new PathEdit(PathEdit::Kind::OpenFile, form);
  labelsLabel_->setBuddy(labels_->findChild<QWidget*>());
  preview_ = new TablePreview(store_, form);
  right->addWidget(labelsLabel_);
  right->addWidget(labels_);
  right->addWidget(preview_, 1);
  row->addWidget(table_, 3);
  connect(source_, &QComboBox::currentIndexChanged, this, &ImportSheet::showSource);
  connect(addFolder_, &QPushButton::clicked, this, [this] { chooseFiles(true); });
  connect(addFiles_, &QPushButton::clicked, this, [this] { chooseFiles(false); });
  connect(remove_, &QPushButton::clicked, this, &ImportSheet::removePaths);
  connect(paths_, &QListWidget::itemSelectionChanged, this, [this] { remove_->setEnabled(!paths_->selectedItems().isEmpty()); });
  connect(labels_, &PathEdit::changed, this, [this] {
    preview_->setFile(labels_->path());
    Q_EMIT changed();
  });
  connect(preview_, &TablePreview::changed, this, &ImportSheet::changed);
  connect(preview_, &TablePreview::failed, this, &ImportSheet::failed);
  connect(options_, &ParameterForm::changed, this, &ImportSheet::changed);
  remove_->setEnabled(false);
}

void ImportSheet::buildLive(QWidget* live) {
  auto* column = new QVBoxLayout(live);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  liveText_ = new QLabel(live);
  setRole(liveText_, "strong");
  liveRate_ = new QLabel(live);
  setRole(liveRate_, "quiet");
  bar_ = new QProgressBar(live);
  bar_->setTextVisible(false);
  auto* row = new QHBoxLayout;
  stop_ = new QPushButton(live);
  stop_->setIcon(themedIcon("stop", Role::Bad));
  again_ = new QPushButton(live);
  again_->setIcon(themedIcon("import"));
  row->addWidget(liveRate_, 1);
  row->addWidget(stop_);
  row->addWidget(again_);
  list_ = new FileList(store_, live);
  column->addWidget(liveText_);
  column->addWidget(bar_);
  column->addLayout(row);
  column->addWidget(list_, 1);
  connect(stop_, &QPushButton::clicked, this, [this] {
    stop_->setEnabled(false);
    store_.stopImport();
  });
  connect(again_, &QPushButton::clicked, this, [this] {
    outcome_.clear();
    paths_->clear();
    labels_->setPath({});
    showLive(false);
    Q_EMIT changed();
  });
}

void ImportSheet::retranslate() {
  header_.setTexts(tr("Import"), tr("Close this sheet; a running import goes on"));
  sourceLabel_->setText(tr("Kind of files"));
  pathsLabel_->setText(tr("Folders and files"));
  drop_->setText(tr("Drop folders or files here"));
  addFolder_->setText(tr("Add a folder…"));
  addFiles_->setText(tr("Add files…"));
  remove_->setText(tr("Remove"));
  optionsLabel_->setText(tr("Options"));
  labelsLabel_->setText(tr("Labels from a table (CSV), optional"));
  stop_->setText(tr("Stop the import"));
  again_->setText(tr("Import more"));
  source_->setAccessibleName(tr("Kind of files"));
  paths_->setAccessibleName(tr("Folders and files to import"));
  labels_->setName(tr("Label table"));
  labels_->setFilter(tr("Tables (*.csv *.tsv *.txt);;All files (*)"));
  bar_->setAccessibleName(tr("Progress of the import"));
  for (QPushButton* b : {addFolder_, addFiles_, remove_, stop_, again_}) b->setAccessibleName(b->text());
  for (int i = 0; i < source_->count(); ++i)
    if (auto info = catalogue_.find("source", source_->itemData(i).toString()))
      source_->setItemText(i, QCoreApplication::translate("Plugins", info->name.toUtf8().constData()));
  if (running()) progressed(last_);
}

// Reading the plugins' descriptions touches the disk: on a pool thread.
void ImportSheet::loadSources() {
  store_.background([] { return PluginCatalogue::scan(); }, this,
                    [this](const PluginCatalogue& catalogue) {
                      catalogue_ = catalogue;
                      fillSources();
                    });
}

// What the open project takes: texts, or pictures. Only pictures have a table of labels.
void ImportSheet::fillSources() {
  const Task& task = store_.state().task();
  const QString before = source_->currentData().toString();
  {
    const QSignalBlocker quiet(source_);
    source_->clear();
    for (const PluginInfo& info : catalogue_.all("source"))
      if (info.id != u"table" && task.sources.contains(info.id)) source_->addItem(info.name, info.id);
    source_->setCurrentIndex(std::max(0, source_->findData(before)));
  }
  table_->setVisible(task.classes);
  for (QWidget* w : std::initializer_list<QWidget*>{sourceLabel_, source_}) w->setVisible(source_->count() > 1);
  retranslate();
  if (source_->currentData().toString() != before) showSource();
}

void ImportSheet::showSource() {
  if (auto info = catalogue_.find("source", source_->currentData().toString())) options_->setSchema(info->schema);
  optionsLabel_->setVisible(!options_->schema().parameters().isEmpty());
  Q_EMIT changed();
}

void ImportSheet::begin() {
  fillSources();
  showLive(running());
  (source_->isHidden() ? static_cast<QWidget*>(addFiles_) : source_)->setFocus();
}

void ImportSheet::showLive(bool live) { stack_->setCurrentIndex(live ? 1 : 0); }

bool ImportSheet::done() const { return stack_->currentIndex() == 1 && !running(); }

bool ImportSheet::running() const { return store_.importing(); }

QString ImportSheet::nextStep(const QString& back) const { return running() ? QString() : done() ? back : tr("Start import"); }

bool ImportSheet::labelsOnly() const { return paths_->count() == 0; }

bool ImportSheet::canStart() const {
  if (running() || stack_->currentIndex() == 1) return false;
  if (!labels_->path().isEmpty() && !preview_->usable()) return false;
  return paths_->count() > 0 ? source_->count() > 0 : !labels_->path().isEmpty() && store_.state().counts.samples > 0;
}

void ImportSheet::addPaths(const QStringList& paths) {
  for (const QString& path : paths) {
    const QString suffix = QFileInfo(path).suffix().toLower();
    if ((suffix == u"csv" || suffix == u"tsv") && QFileInfo(path).isFile() && store_.state().task().classes) {
      labels_->setPath(path);
      continue;
    }
    if (paths_->findItems(path, Qt::MatchExactly).isEmpty()) paths_->addItem(path);
  }
  drop_->setVisible(paths_->count() == 0);
  showLive(running());
  Q_EMIT changed();
}

void ImportSheet::removePaths() {
  qDeleteAll(paths_->selectedItems());
  drop_->setVisible(paths_->count() == 0);
  Q_EMIT changed();
}

void ImportSheet::chooseFiles(bool folder) {
  auto* dialog = new QFileDialog(window(), folder ? tr("Choose a folder to import") : tr("Choose files to import"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFiles);
  if (folder) dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::filesSelected, this, &ImportSheet::addPaths);
  dialog->open();
}

ImportRequest ImportSheet::request() const {
  ImportRequest r;
  r.source = source_->currentData().toString();
  for (int i = 0; i < paths_->count(); ++i) r.paths << paths_->item(i)->text();
  r.options = options_->schema().defaults();
  if (auto complete = options_->complete()) r.options = *complete;
  if (!labels_->path().isEmpty()) {
    r.labelsFile = labels_->path();
    r.labelsFormat = preview_->format();
    r.keyColumn = preview_->column("key");
    r.labelColumn = preview_->column("label");
    r.groupColumn = preview_->column("group");
    r.siteColumn = preview_->column("site");
  }
  return r;
}

void ImportSheet::start() {
  if (!canStart()) return;
  const ImportRequest r = request();
  if (!labelsOnly()) {
    store_.startImport(r);
    return;
  }
  store_.run(
      [r](Project& p) { return applyLabelTable(p, r.labelsFile, r.keyColumn, r.labelColumn, r.groupColumn, r.siteColumn, r.labelsFormat); },
      this,
      [this](const Result<LabelTableResult>& result) {
        if (result) Q_EMIT labelled(*result);
        else Q_EMIT failed(result.error());
      });
}

void ImportSheet::progressed(const ImportProgress& p) {
  last_ = p;
  const bool known = p.total > 0;
  bar_->setRange(0, known ? 1000 : 0);
  if (known) bar_->setValue(int(1000 * p.done / p.total));
  liveText_->setText(known ? tr("%1 of %2 · %3 accepted · %4 refused · %5 duplicate")
                                 .arg(words::number(p.done), words::number(p.total), words::number(p.accepted), words::number(p.refused),
                                      words::number(p.duplicates))
                           : tr("Looking for files…"));
  const QString left = words::timeLeft(p.secondsLeft), rate = tr("%1 files/s").arg(words::figures(p.filesPerSecond));
  liveRate_->setText(known ? (left.isEmpty() ? rate : rate + QStringLiteral(" · ") + left) : QString());
  stop_->setVisible(true);
  stop_->setEnabled(true);
  again_->hide();
  if (!listed_.isValid() || listed_.elapsed() > kListEveryMs) {
    list_->refresh(FileList::Show::All);
    listed_.restart();
  }
}

void ImportSheet::finished(const ImportSummary& s) {
  outcome_ =
      store_.state().task().classes
          ? tr("%1 accepted · %2 refused · %3 duplicates · %4 labelled")
                .arg(words::number(s.accepted), words::number(s.refusedCount), words::number(s.duplicateCount), words::number(s.labelled))
          : tr("%1 accepted · %2 refused · %3 duplicates")
                .arg(words::number(s.accepted), words::number(s.refusedCount), words::number(s.duplicateCount));
  if (s.stopped) outcome_ = tr("Stopped as asked: %1").arg(outcome_);
  bar_->setRange(0, 1);
  bar_->setValue(1);
  liveText_->setText(outcome_);
  liveRate_->clear();
  stop_->hide();
  again_->show();
  list_->refresh(FileList::Show::All, s.importId);
  showLive(true);
  Q_EMIT changed();
}

void ImportSheet::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && !running()) event->acceptProposedAction();
}

void ImportSheet::dropEvent(QDropEvent* event) { addPaths(localPaths(event->mimeData())); }

}  // namespace cloister
