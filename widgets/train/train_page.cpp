#include "widgets/train/train_page.h"

#include <cmath>

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QSplitter>
#include <QTableView>
#include <QToolButton>

#include "core/curation/dataset.h"
#include "core/runs/hardware.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/long_task.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/train/fit_panel.h"
#include "widgets/train/run_chart.h"
#include "widgets/train/runs_table.h"
#include "widgets/train/written_panel.h"

namespace cloister {
namespace {

const QString kPreparing = QStringLiteral("prepare-data");

bool isActive(const QString& state) { return state == u"running" || state == u"stopping" || state == u"queued" || state == u"submitted"; }
QString familyName(const QString& id) {
  if (id == u"image_classifier") return TrainPage::tr("Image classifier");
  return id == u"decoder_lm" ? TrainPage::tr("Language model") : id;
}

/// From scratch, a model with more parameters than there are bytes of text learns them by heart, and takes longer for it.
QString architectureFor(qint64 trainBytes) {
  constexpr std::pair<qint64, const char*> kSizes[] = {{3 << 20, "llama-1m"}, {10 << 20, "llama-3m"}};
  for (const auto& [bytes, name] : kSizes)
    if (trainBytes < bytes) return QLatin1String(name);
  return QStringLiteral("llama-10m");
}

bool canResume(const QString& state) { return state == u"stopped" || state == u"attempt_failed" || state == u"failed"; }

}  // namespace

TrainPage::TrainPage(StoreClient& client, QWidget* parent) : Page(page::kTrain, client, parent) {
  vertical_ = new QSplitter(Qt::Vertical, this);
  recipe_ = buildRecipe();
  vertical_->addWidget(recipe_);
  lower_ = new QSplitter(Qt::Horizontal, this);
  chart_ = new RunChart(this);
  lower_->addWidget(chart_);
  lower_->addWidget(buildRuns());
  lower_->setStretchFactor(0, 3);
  lower_->setStretchFactor(1, 1);
  lower_->setSizes({740, 490});
  vertical_->addWidget(lower_);
  vertical_->setStretchFactor(0, 2);
  vertical_->setStretchFactor(1, 3);
  vertical_->setChildrenCollapsible(false);
  vertical_->setSizes({300, 340});
  body()->addWidget(vertical_, 1);
  status_ = new QLabel(this);
  setRole(status_, "quiet");
  body()->addWidget(status_);

  recipeToggle_ = new QToolButton(this);
  recipeToggle_->setCheckable(true);
  recipeToggle_->setChecked(true);
  headerTools()->addWidget(recipeToggle_);
  stop_ = new QPushButton(this);
  resume_ = new QPushButton(this);
  queue_ = new QPushButton(this);
  for (QPushButton* b : {stop_, resume_, queue_}) footerTools()->addWidget(b);

  fitTimer_.setSingleShot(true);
  fitTimer_.setInterval(400);  // typing a number asks once, not per digit
  connect(&fitTimer_, &QTimer::timeout, this, &TrainPage::askFit);
  connect(form_, &ParameterForm::changed, &fitTimer_, QOverload<>::of(&QTimer::start));
  connect(weights_, &PathEdit::changed, &fitTimer_, QOverload<>::of(&QTimer::start));
  connect(processes_, &QSpinBox::valueChanged, &fitTimer_, QOverload<>::of(&QTimer::start));
  connect(base_, &QComboBox::currentIndexChanged, this, &TrainPage::showModels);
  connect(base_, &QComboBox::currentIndexChanged, &fitTimer_, QOverload<>::of(&QTimer::start));
  connect(tokenizer_, &QComboBox::currentIndexChanged, &fitTimer_, QOverload<>::of(&QTimer::start));
  connect(recipeToggle_, &QToolButton::toggled, recipe_, &QWidget::setVisible);
  connect(recipeToggle_, &QToolButton::toggled, this, &TrainPage::updateButtons);  // what the next step is
  connect(recipeToggle_, &QToolButton::clicked, this, [this] { recipeChosen_ = true; });
  connect(primary(), &QPushButton::clicked, this, [this] {
    const RunRecord* shown = nullptr;
    for (const RunRecord& r : store().state().runs)
      if (r.id == shown_) shown = &r;
    if (shown && shown->state == u"finished" && store().state().activeRuns().isEmpty() && !recipeToggle_->isChecked())
      Q_EMIT goTo(page::kEvaluate);
    else start(false);
  });
  connect(queue_, &QPushButton::clicked, this, [this] { start(true); });
  connect(stop_, &QPushButton::clicked, this, &TrainPage::stopShown);
  connect(resume_, &QPushButton::clicked, this, &TrainPage::resumeShown);
  connect(&client, &StoreClient::eventsArrived, this, &TrainPage::eventsArrived);
  connect(&client, &StoreClient::stateChanged, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&client, &StoreClient::closed, this, [this] {
    curves_.clear();
    loading_.clear();
    shown_.clear();
    schemaLoaded_ = false;  // the next project may train another kind of model
    family_->clear();
    updateChart();
  });
  connect(&client, &StoreClient::preparing, this, [this](qint64 done, qint64 total) {
    if (!starting_) return;
    const QString detail =
        store().state().isLanguage() ? bytesOf(done, total) : tr("%1 of %2").arg(words::number(done), words::number(total));
    Q_EMIT taskChanged(kPreparing, tr("Prepare the data"), total > 0 ? detail : QString(), fractionOf(done, total), -1);
  });
  connect(chart_, &RunChart::saveFailed, this, [this](const QString& path) { showFailure({FailureKind::IoError, {{"path", path}}, {}}); });
}

QWidget* TrainPage::buildRecipe() {
  auto* box = new QWidget(this);
  auto* row = new QHBoxLayout(box);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kL);

  auto* scroll = new QScrollArea(box);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  auto* inner = new QWidget(scroll);
  auto* column = new QVBoxLayout(inner);
  column->setContentsMargins(0, 0, space::kS, 0);
  column->setSpacing(space::kS);
  auto* top = new QFormLayout;
  top->setHorizontalSpacing(space::kM);
  top->setVerticalSpacing(space::kS);
  familyLabel_ = new QLabel(inner);
  family_ = new QComboBox(inner);
  familyLabel_->setBuddy(family_);
  top->addRow(familyLabel_, family_);
  weightsLabel_ = new QLabel(inner);
  weights_ = new PathEdit(PathEdit::Kind::OpenFile, inner);
  weights_->setFilter(QStringLiteral("safetensors (*.safetensors)"));
  weights_->line()->setClearButtonEnabled(true);
  weightsLabel_->setBuddy(weights_->line());
  top->addRow(weightsLabel_, weights_);
  baseLabel_ = new QLabel(inner);
  base_ = new QComboBox(inner);
  baseLabel_->setBuddy(base_);
  top->addRow(baseLabel_, base_);
  tokenizerLabel_ = new QLabel(inner);
  tokenizer_ = new QComboBox(inner);
  tokenizerLabel_->setBuddy(tokenizer_);
  top->addRow(tokenizerLabel_, tokenizer_);
  form_ = new ParameterForm(inner);
  seedLabel_ = new QLabel(inner);
  seed_ = new QSpinBox(inner);
  seed_->setRange(0, 1'000'000'000);
  seed_->setValue(1);
  processesLabel_ = new QLabel(inner);
  processes_ = new QSpinBox(inner);
  processes_->setRange(1, 64);
  seedLabel_->setBuddy(seed_);
  processesLabel_->setBuddy(processes_);
  auto* small = new QHBoxLayout;
  for (QWidget* w : std::initializer_list<QWidget*>{seedLabel_, seed_, processesLabel_, processes_}) small->addWidget(w);
  small->addStretch(1);
  column->addLayout(top);
  column->addWidget(form_);
  column->addLayout(small);
  column->addStretch(1);
  scroll->setWidget(inner);
  row->addWidget(scroll, 3);
  auto* fitScroll = new QScrollArea(box);  // a low window leaves little beside the chart
  fitScroll->setWidgetResizable(true);
  fitScroll->setFrameShape(QFrame::NoFrame);
  fitScroll->setFocusPolicy(Qt::NoFocus);
  fit_ = new FitPanel(fitScroll);
  fitScroll->setWidget(fit_);
  row->addWidget(fitScroll, 2);

  return box;
}

QWidget* TrainPage::buildRuns() {
  auto* box = new QWidget(this);
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 0, 0, 0);
  runsTitle_ = new QLabel(box);
  setRole(runsTitle_, "section");
  runs_ = new RunsModel(this);
  runsView_ = new QTableView(box);
  runsView_->setModel(runs_);
  prepareTable(runsView_);
  runsView_->setSelectionBehavior(QAbstractItemView::SelectRows);
  runsView_->setSelectionMode(QAbstractItemView::SingleSelection);
  column->addWidget(runsTitle_);
  column->addWidget(runsView_, 1);
  written_ = new WrittenPanel(box);
  column->addWidget(written_, 2);
  connect(runsView_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& now) {
    if (now.isValid()) showRun(runs_->at(now.row()).id);
  });
  connect(runs_, &RunsModel::overlayChanged, this, &TrainPage::updateChart);
  return box;
}

QString TrainPage::title() const { return tr("Train"); }

QString TrainPage::subtitle() const {
  const auto& snapshots = store().state().snapshots;
  if (snapshots.isEmpty()) return {};
  const qint64 n = snapshots.first().samples;
  return tr("Snapshot %1, %2")
      .arg(words::shortDigest(snapshots.first().digest),
           store().state().isLanguage() ? words::counted(n, words::Noun::Record) : words::counted(n, words::Noun::Sample));
}

Page::Missing TrainPage::missing() const {
  const ProjectState& s = store().state();
  if (!s.open) return projectMissing();
  if (s.snapshots.isEmpty())
    return {tr("Training needs a frozen snapshot of the data. Freeze one on the Data page."), page::kData, tr("Go to Data")};
  return {};
}

Page::Mark TrainPage::mark() const {
  const ProjectState& s = store().state();
  if (!s.activeRuns().isEmpty()) return Mark::Running;
  return s.newestFinishedRun().isEmpty() ? Mark::None : Mark::Done;
}

QString TrainPage::help() const {
  return tr(
      "<p>The six fields are enough for a first run; <b>More</b> opens all of them. <b>Will it fit</b> compares memory, disk and time with "
      "this machine.</p>"
      "<p>Training goes on when this window is closed. <b>Stop</b> writes a checkpoint first, and <b>Resume</b> goes on from it with the "
      "same result as if it had never stopped.</p>"
      "<p>In the chart: wheel to zoom, drag to move, double-click for the whole history, click a legend entry to hide its line. Tick runs "
      "in the list to lay them over each other.</p>");
}

void TrainPage::refresh() {
  if (!store().state().open) return;
  if (!schemaLoaded_) loadSchema();
  const bool language = store().state().isLanguage();
  if (language) loadModels();
  for (QWidget* w : std::initializer_list<QWidget*>{weightsLabel_, weights_}) w->setVisible(!language);
  for (QWidget* w : std::initializer_list<QWidget*>{baseLabel_, base_, tokenizerLabel_, tokenizer_}) w->setVisible(language);
  runs_->setRuns(store().state().runs);
  runsView_->resizeColumnsToContents();
  if (shown_.isEmpty() && !store().state().runs.isEmpty()) {
    // Who comes back wants to see what is training, not what waits behind it.
    QString first = store().state().runs.first().id;
    for (const RunRecord& r : store().state().activeRuns())
      if (r.state != u"queued") first = r.id;
    showRun(first);
  }
  if (const int row = runs_->rowOf(shown_); row >= 0 && runsView_->currentIndex().row() != row) runsView_->selectRow(row);
  updateButtons();
  updateStatus();
  if (!fitTimer_.isActive()) fitTimer_.start();
}

void TrainPage::loadSchema() {
  schemaLoaded_ = true;
  struct Families {
    QStringList ids;
    ParameterSchema schema;
    QJsonObject inventory, suggested;
  };
  store().supervise(
      [](Project& p, RunSupervisor& s) -> Result<Families> {
        Families f;
        f.ids = s.families();
        if (f.ids.isEmpty()) return Failure{FailureKind::NotFound, {{"path", "plugins/families"}}, {}};
        auto schema = s.familySchema(f.ids.first());
        if (!schema) return schema.error();
        f.schema = *schema;
        f.inventory = hardwareInventory(p.dir());
        if (const auto snapshot = openSnapshot(p, {}); snapshot && isLanguageTask(p.info().task))
          f.suggested["architecture"] = architectureFor(snapshot->json["bytes"].toObject()["train"].toInteger());
        return f;
      },
      this,
      [this](Result<Families> families) {
        if (!families) {
          schemaLoaded_ = false;
          return showFailure(families.error());
        }
        family_->clear();
        for (const QString& id : families->ids) family_->addItem(familyName(id), id);
        chart_->setMetric(store().state().task().curve);
        form_->setSchema(families->schema, families->suggested);
        alignLabels();
        fit_->showDevices(families->inventory);
        askFit();
      });
}

// What training can begin with. Folders of the project with their about.json, on a pool thread.
void TrainPage::loadModels() {
  store().background([dir = store().state().dir] { return baseModels(dir); }, this,
                     [this](const QList<BaseModel>& models) {
                       const auto names = [](const QList<BaseModel>& all) {
                         QStringList list;
                         for (const BaseModel& m : all) list << m.name + (m.hasWeights ? "w" : "") + (m.hasTokenizer ? "t" : "");
                         return list;
                       };
                       if (names(models) == names(models_) && base_->count() > 0) return;
                       models_ = models;
                       const QString before = base_->currentData().toString();
                       {
                         const QSignalBlocker quiet(base_);
                         base_->clear();
                         base_->addItem(tr("None: train from scratch"), QString());
                         for (const BaseModel& m : models_)
                           if (m.hasWeights) base_->addItem(m.name, m.name);
                         base_->setCurrentIndex(std::max(0, base_->findData(before)));
                       }
                       showModels();
                       fitTimer_.start();
                     });
}

// A base model brings its own tokenizer; without one, or from scratch, one of the project cuts the texts.
void TrainPage::showModels() {
  const QString base = base_->currentData().toString(), before = tokenizer_->currentData().toString();
  bool own = false;
  for (const BaseModel& m : models_) own = own || (m.name == base && m.hasTokenizer);
  const QSignalBlocker quiet(tokenizer_);
  tokenizer_->clear();
  if (own) tokenizer_->addItem(tr("That of the base model"), QString());
  for (const BaseModel& m : models_)
    if (!own && m.hasTokenizer) tokenizer_->addItem(m.name, m.name);
  tokenizer_->setEnabled(!own && tokenizer_->count() > 0);
  int at = tokenizer_->findData(before);
  for (int i = 0; at < 0 && i < models_.size(); ++i)  // one made here before one that came with a model
    if (!models_[i].hasWeights && models_[i].hasTokenizer) at = tokenizer_->findData(models_[i].name);
  tokenizer_->setCurrentIndex(tokenizer_->count() > 0 ? std::max(0, at) : -1);
}

// The form above the schema's form and the schema's own stand in one column.
void TrainPage::alignLabels() {
  form_->setLabelWidth(0);
  const QList<QLabel*> above{familyLabel_, weightsLabel_, baseLabel_, tokenizerLabel_};
  int width = form_->labelWidth();
  for (const QLabel* l : above) width = std::max(width, l->sizeHint().width());
  for (QLabel* l : above) l->setMinimumWidth(width);
  form_->setLabelWidth(width);
}

QStringList TrainPage::views() const { return {QStringLiteral("chart"), QStringLiteral("table"), QStringLiteral("settings")}; }

void TrainPage::openView(const QString& name) {
  recipeToggle_->setChecked(name != u"chart" && name != u"table");
  chart_->showTable(name == u"table");
  form_->setMoreOpen(name == u"settings");
}

TrainRequest TrainPage::request() const {
  TrainRequest r;
  if (!family_->currentData().toString().isEmpty()) r.family = family_->currentData().toString();
  if (store().state().isLanguage()) {
    r.baseWeights = base_->currentData().toString();
    r.tokenizer = tokenizer_->currentData().toString();
  } else {
    r.baseWeights = weights_->path();
  }
  r.parameters = form_->values();
  r.seed = seed_->value();
  r.processes = processes_->value();
  return r;
}

void TrainPage::askFit() {
  if (missing().reason.size() || family_->count() == 0 || recipe_->isHidden()) return;
  const TrainRequest asked = request();
  fit_->showUnknown(tr("Working it out …"));
  store().supervise([asked](Project&, RunSupervisor& s) { return s.willItFit(asked); }, this,
                    [this](Result<FitReport> report) {
                      if (report) fit_->showReport(*report);
                      else fit_->showUnknown(describe(report.error()));
                      updateButtons();
                    });
}

void TrainPage::start(bool queue) {
  if (auto complete = form_->complete(); !complete) return showFailure(complete.error());
  banner().clear();
  starting_ = true;
  store().setPreparingStopped(false);
  updateButtons();
  const TrainRequest asked = request();
  store().supervise([asked, queue](Project&, RunSupervisor& s) { return s.start(asked, queue); }, this,
                    [this](Result<QString> run) {
                      starting_ = false;
                      Q_EMIT taskEnded(kPreparing);
                      if (!run && run.error().kind == FailureKind::Stopped) {
                        banner().note(FailureBanner::Tone::Warning, tr("Stopped as asked; no run was started."));
                      } else if (!run) {
                        showFailure(run.error());
                      } else {
                        // The chart takes the page while a run is on, unless the person keeps the recipe open.
                        if (!recipeChosen_) recipeToggle_->setChecked(false);
                        showRun(*run);
                      }
                      updateButtons();
                    });
}

void TrainPage::stopTask(const QString& task) {
  if (task == kPreparing) store().setPreparingStopped(true);
}

void TrainPage::stopShown() {
  const QString run = shown_;
  store().supervise([run](Project&, RunSupervisor& s) { return s.requestStop(run); }, this,
                    [this](Result<void> done) {
                      if (!done) showFailure(done.error());
                    });
}

void TrainPage::resumeShown() {
  const QString run = shown_;
  banner().clear();
  store().supervise([run](Project&, RunSupervisor& s) { return s.resume(run); }, this,
                    [this](Result<void> done) {
                      if (!done) showFailure(done.error());
                    });
}

void TrainPage::showRun(const QString& run) {
  if (run.isEmpty()) return;
  shown_ = run;
  const int row = runs_->rowOf(run);
  if (row >= 0 && runsView_->currentIndex().row() != row) runsView_->selectRow(row);
  updateChart();
  updateButtons();
  updateStatus();
}

void TrainPage::loadCurves(const QString& run) {
  if (curves_.contains(run) || loading_.contains(run)) return;
  loading_.insert(run, {});
  store().read([run](Project& p) { return readRunEvents(p.runDir(run)); }, this,
               [this, run](Result<QList<RunEvent>> events) {
                 if (!loading_.contains(run)) return;  // another project was opened meanwhile
                 const QList<RunEvent> meanwhile = loading_.take(run);
                 auto curves = std::make_shared<RunCurves>();
                 if (events) curves->append(*events);
                 curves->append(events ? withoutOverlap(*events, meanwhile) : meanwhile);
                 curves_[run] = curves;
                 updateChart();
                 updateStatus();
               });
}

void TrainPage::eventsArrived(const QString& run, const QList<RunEvent>& events) {
  if (const auto reading = loading_.find(run); reading != loading_.end()) {
    *reading += events;  // some of them the reader has already passed, others not
    return;
  }
  const auto it = curves_.constFind(run);
  if (it == curves_.constEnd()) {
    if (run == shown_) loadCurves(run);
    return;
  }
  (*it)->append(events);
  if (run == shown_ || runs_->overlaid().contains(run)) chart_->grown();
  if (run == shown_) updateStatus();
}

void TrainPage::updateChart() {
  QList<QPair<QString, std::shared_ptr<RunCurves>>> shown;
  QStringList ids;
  if (!shown_.isEmpty()) ids << shown_;
  for (const QString& id : runs_->overlaid())
    if (id != shown_) ids << id;
  for (const QString& id : ids) {
    if (const auto it = curves_.constFind(id); it != curves_.constEnd()) shown << qMakePair(id, *it);
    else loadCurves(id);
  }
  chart_->setRuns(shown);
}

void TrainPage::updateButtons() {
  QString state;
  for (const RunRecord& r : store().state().runs)
    if (r.id == shown_) state = r.state;
  const bool active = !store().state().activeRuns().isEmpty();
  stop_->setVisible(isActive(state));
  stop_->setEnabled(state != u"stopping");
  stop_->setText(state == u"queued" ? tr("Take out of the queue") : tr("Stop with checkpoint"));
  resume_->setVisible(canResume(state));
  resume_->setEnabled(!active);
  queue_->setVisible(active);
  queue_->setEnabled(!starting_);
  const bool next = state == u"finished" && !active && !recipeToggle_->isChecked();
  setPrimaryText(next ? tr("Evaluate this run") : starting_ ? tr("Starting…") : tr("Start training"));
  primary()->setEnabled(next || (!starting_ && !active && schemaLoaded_));
}

void TrainPage::updateStatus() {
  const auto it = curves_.constFind(shown_);
  written_->show(it == curves_.constEnd() ? QList<RunCurves::Written>() : (*it)->written());
  if (it == curves_.constEnd()) return status_->clear();
  const RunCurves& c = **it;
  QStringList parts{shown_};
  for (const RunRecord& r : store().state().runs)
    if (r.id == shown_) parts << RunsModel::stateText(r.state);
  if (c.totalSteps() > 0) parts << tr("step %1 of %2").arg(words::number(qint64(c.lastStep())), words::number(qint64(c.totalSteps())));
  if (c.epoch() > 0) parts << tr("epoch %1").arg(words::figures(c.epoch()));
  if (const double v = c.last(QStringLiteral("train/loss")); std::isfinite(v)) parts << tr("loss %1").arg(words::figures(v));
  if (const double v = c.last(QStringLiteral("validation/auc")); std::isfinite(v)) parts << tr("validation AUC %1").arg(words::figures(v));
  if (store().state().isLanguage()) {
    if (const double v = c.last(QStringLiteral("validation/loss")); std::isfinite(v))
      parts << tr("validation loss %1").arg(words::figures(v));
    if (const double v = c.last(QStringLiteral("validation/perplexity")); std::isfinite(v))
      parts << tr("perplexity %1").arg(words::figures(v));
  }
  if (const double v = c.last(QStringLiteral("learning_rate")); std::isfinite(v)) parts << tr("learning rate %1").arg(words::figures(v));
  if (const double v = c.last(QStringLiteral("samples_per_second")); std::isfinite(v)) parts << tr("%1 images/s").arg(words::figures(v));
  if (const double v = c.last(QStringLiteral("tokens_per_second")); std::isfinite(v)) parts << tr("%1 tokens/s").arg(words::figures(v));
  bool active = false;
  for (const RunRecord& r : store().state().activeRuns()) active = active || r.id == shown_;
  if (active && c.secondsLeft() >= 0) parts << words::timeLeft(c.secondsLeft());
  status_->setText(parts.join(QStringLiteral(" · ")));
  if (!c.failure().isEmpty() && !active) showFailure(Failure::fromJson(c.failure()));
}

void TrainPage::retranslate() {
  familyLabel_->setText(tr("Kind of model"));
  family_->setAccessibleName(tr("Kind of model"));
  for (int i = 0; i < family_->count(); ++i) family_->setItemText(i, familyName(family_->itemData(i).toString()));
  baseLabel_->setText(tr("Base model"));
  base_->setAccessibleName(tr("Base model to start from"));
  if (base_->count() > 0) base_->setItemText(0, tr("None: train from scratch"));
  tokenizerLabel_->setText(tr("Tokenizer"));
  tokenizer_->setAccessibleName(tr("Tokenizer that cuts the texts"));
  tokenizer_->setPlaceholderText(tr("None: train one on the Data page"));
  showModels();
  weightsLabel_->setText(tr("Start from weights"));
  weights_->line()->setPlaceholderText(tr("None: train from scratch"));
  weights_->setName(tr("Weights file to start from"));
  seedLabel_->setText(tr("Seed"));
  seed_->setAccessibleName(tr("Seed"));
  processesLabel_->setText(tr("Processes"));
  processes_->setAccessibleName(tr("Number of processes"));
  runsTitle_->setText(tr("Runs"));
  runsView_->setAccessibleName(tr("Runs of this project"));
  recipeToggle_->setText(tr("Recipe"));
  recipeToggle_->setToolTip(tr("Show or hide the recipe"));
  resume_->setText(tr("Resume"));
  queue_->setText(tr("Queue after the current run"));
  alignLabels();
  runs_->retranslate();
  written_->retranslate();
  fit_->retranslate();
  chart_->retranslate();
  updateButtons();
  updateStatus();
}

}  // namespace cloister
