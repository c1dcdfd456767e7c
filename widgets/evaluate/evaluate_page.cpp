#include "widgets/evaluate/evaluate_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QFile>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QToolButton>
#include <QUrl>

#include "core/domain/files.h"
#include "core/domain/task.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/flow_layout.h"
#include "widgets/common/icons.h"
#include "widgets/common/language.h"
#include "widgets/common/plot.h"
#include "widgets/common/run_box.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/evaluate/language_cards.h"
#include "widgets/evaluate/report_cards.h"

namespace cloister {

namespace {

constexpr int kAnswers = 200, kAnswerTokens = 256;  // what a worker that is told nothing does

/// A field with its words before it; wraps as one.
QWidget* pairOf(QLabel* label, QWidget* field, QWidget* parent) {
  auto* pair = new QWidget(parent);
  auto* row = new QHBoxLayout(pair);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kS);
  label->setBuddy(field);
  row->addWidget(label);
  row->addWidget(field);
  return pair;
}

QSpinBox* numberOf(int least, int most, int value, QWidget* parent) {
  auto* box = new QSpinBox(parent);
  box->setRange(least, most);
  box->setGroupSeparatorShown(true);
  box->setValue(value);
  return box;
}

}  // namespace

// What evaluation does, over two lines where one is too short.
void EvaluatePage::buildBar() {
  auto* bar = new QWidget(this);
  auto* flow = new FlowLayout(bar, space::kM);
  runs_ = new QComboBox(bar);
  runs_->setMinimumWidth(200);
  answers_ = numberOf(0, 100'000, kAnswers, bar);
  length_ = numberOf(1, 100'000, kAnswerTokens, bar);
  attacks_ = new QCheckBox(bar);
  attacks_->setChecked(true);
  epsilons_ = new QLineEdit(QStringLiteral("0.5 1 2 4 8"), bar);
  epsilons_->setMaximumWidth(160);
  samples_ = numberOf(8, 100'000, 256, bar);
  flow->addWidget(pairOf(runLabel_ = new QLabel(bar), runs_, bar));
  flow->addWidget(answersPair_ = pairOf(answersLabel_ = new QLabel(bar), answers_, bar));
  flow->addWidget(lengthPair_ = pairOf(lengthLabel_ = new QLabel(bar), length_, bar));
  auto* attack = new QWidget(bar);  // what belongs together wraps together
  auto* together = new QHBoxLayout(attack);
  together->setContentsMargins(0, 0, 0, 0);
  together->setSpacing(space::kM);
  together->addWidget(attacks_);
  together->addWidget(pairOf(epsilonLabel_ = new QLabel(bar), epsilons_, attack));
  together->addWidget(pairOf(samplesLabel_ = new QLabel(bar), samples_, attack));
  flow->addWidget(attack);
  body()->addWidget(bar);
}

EvaluatePage::EvaluatePage(StoreClient& client, QWidget* parent) : Page(page::kEvaluate, client, parent) {
  buildBar();
  scroll_ = new QScrollArea(this);
  scroll_->setWidgetResizable(true);
  scroll_->setFrameShape(QFrame::NoFrame);
  body()->addWidget(scroll_, 1);

  report_ = new QToolButton(this);
  report_->setPopupMode(QToolButton::InstantPopup);
  report_->setMenu(new QMenu(report_));
  report_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  report_->setIcon(themedIcon("chevron-down"));
  report_->setLayoutDirection(Qt::RightToLeft);  // the arrow after the word
  headerTools()->addWidget(report_);
  again_ = new QPushButton(this);
  stop_ = new QPushButton(this);
  footerTools()->addWidget(again_);
  footerTools()->addWidget(stop_);

  connect(runs_, &QComboBox::currentIndexChanged, this, [this] { load(false); });
  connect(attacks_, &QCheckBox::toggled, this, [this](bool on) {
    epsilons_->setEnabled(on);
    samples_->setEnabled(on);
  });
  connect(again_, &QPushButton::clicked, this, &EvaluatePage::start);
  connect(stop_, &QPushButton::clicked, this, &EvaluatePage::stop);
  connect(primary(), &QPushButton::clicked, this, [this] {
    if (evaluated()) Q_EMIT goTo(page::kExport);
    else start();
  });
  connect(&client, &StoreClient::jobEvents, this, [this](const QString& r, const QString& verb) {
    if (verb != u"evaluate") return;
    if (std::exchange(running_, r) == r) return;
    update_();
    Q_EMIT markChanged();
  });
  connect(&client, &StoreClient::jobFinished, this, [this](const QString& r, const QString& verb, int, const QJsonObject& result) {
    if (verb != u"evaluate") return;
    running_.clear();
    if (result.contains("failure")) showFailure(Failure::fromJson(result["failure"].toObject()));
    store().refreshState();
    if (r == run()) load(true);
    retranslate();
    Q_EMIT markChanged();
  });
  connect(&client, &StoreClient::stateChanged, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&Language::current(), &Language::changed, this, &EvaluatePage::showReport);
  connect(&client, &StoreClient::closed, this, [this] {
    loaded_.clear();
    json_ = {};
    running_.clear();
  });
}

QString EvaluatePage::title() const { return tr("Evaluate"); }

Page::Missing EvaluatePage::missing() const {
  const ProjectState& s = store().state();
  if (!s.open) return projectMissing();
  if (s.newestFinishedRun().isEmpty())
    return {tr("There is no finished run to evaluate. Train a model first."), page::kTrain, tr("Go to Train")};
  return {};
}

Page::Mark EvaluatePage::mark() const {
  if (!running_.isEmpty()) return Mark::Running;
  return store().state().evaluated.isEmpty() ? Mark::None : Mark::Done;
}

QString EvaluatePage::help() const {
  if (language())
    return tr(
        "<p>All figures are from the test part, which training never saw. <b>Perplexity</b> says between how many tokens the model wavers: "
        "lower is better. BLEU, chrF and ROUGE compare its answers with those of the data; p tells whether the difference to the base "
        "model "
        "could be chance.</p>"
        "<p><b>Fragility</b>: FGSM and PGD shift the vectors of the words by at most ε to mislead the model. <b>Memory</b>: training texts "
        "that it repeats word for word could leave the house with it.</p>");
  return tr(
      "<p>All figures are from the frozen test split, which training never saw. Intervals are 95 % bootstrap intervals that draw whole "
      "patients.</p>"
      "<p><b>Fragility</b>: FGSM and PGD change every pixel by at most ε to mislead the model. A success rate that rises early means a "
      "fragile model.</p>"
      "<p>A good result on data of the same hospital does not promise the same elsewhere.</p>");
}

QString EvaluatePage::run() const { return runs_->currentData().toString(); }

bool EvaluatePage::evaluated() const { return !json_.isEmpty() && loaded_ == run(); }

bool EvaluatePage::language() const { return store().state().isLanguage(); }

void EvaluatePage::refresh() {
  // Strengths of attacks mean another thing for words than for pixels.
  if (std::exchange(languageShown_, language()) != language()) {
    epsilons_->setText(language() ? QStringLiteral("0.02 0.05 0.1 0.2") : QStringLiteral("0.5 1 2 4 8"));
    samples_->setValue(language() ? 16 : 256);
    retranslate();
  }
  fillRuns();
  load(false);
}

void EvaluatePage::fillRuns() {
  QStringList ids;
  for (const RunRecord& r : store().state().runs)
    if (r.state == u"finished" || r.state == u"stopped") ids << r.id;
  fillRunBox(runs_, store().state().runs, ids, store().state().newestFinishedRun());
}

void EvaluatePage::load(bool again) {
  const QString id = run();
  if (id.isEmpty() || (id == loaded_ && !again)) return;
  loaded_ = id;
  store().read(
      [id](Project& p) -> Result<QJsonObject> {
        const QString folder = p.runDir(id) + QStringLiteral("/evaluation");
        if (!QFile::exists(folder + QStringLiteral("/report.json"))) return QJsonObject();
        auto json = readJson(folder + QStringLiteral("/report.json"));
        if (!json) return json.error();
        json->insert("__folder", folder);
        return *json;
      },
      this,
      [this, id](Result<QJsonObject> json) {
        if (id != run()) return;
        if (!json) showFailure(json.error());
        json_ = json ? *json : QJsonObject();
        folder_ = json_.take("__folder").toString();
        showReport();
      });
}

void EvaluatePage::start() {
  QJsonArray epsilons;
  for (const QString& word : epsilons_->text().split(QRegularExpression(QStringLiteral("[\\s,;]+")), Qt::SkipEmptyParts)) {
    bool ok = false;
    const double given = word.toDouble(&ok);
    const int most = language() ? 100 : 255;
    if (!ok || given < 0 || given > most)
      return showFailure(
          {FailureKind::InvalidArgument, {{"name", epsilonLabel_->text()}, {"value", word}, {"allowed", QString("0 – %1").arg(most)}}, {}});
    epsilons.append(language() ? given : given / 255);
  }
  QJsonObject options{{"attacks", attacks_->isChecked()}, {"epsilons", epsilons}, {"language", Language::current().code()}};
  options[language() ? QStringLiteral("attackedTexts") : QStringLiteral("samples")] = samples_->value();
  if (language()) {
    options["answers"] = answers_->value();
    options["newTokens"] = length_->value();
  }
  const QString id = run();
  banner().clear();
  running_ = id;
  update_();
  Q_EMIT markChanged();
  store().supervise([id, options](Project&, RunSupervisor& s) { return s.startJob(id, QStringLiteral("evaluate"), options); }, this,
                    [this](Result<QString> started) {
                      if (started) return;
                      running_.clear();
                      showFailure(started.error());
                      retranslate();
                    });
}

void EvaluatePage::stop() {
  const QString id = running_;
  store().supervise([id](Project&, RunSupervisor& s) { return s.stopJob(id, QStringLiteral("evaluate")); }, this,
                    [this](Result<void> done) {
                      if (!done) showFailure(done.error());
                    });
}

QWidget* EvaluatePage::section(const QString& title, const QString& explanation, const QList<QWidget*>& content, QWidget* parent) {
  auto* card = new QFrame(parent);
  setRole(card, "card");
  auto* column = new QVBoxLayout(card);
  column->setSpacing(space::kS);
  auto* heading = new QLabel(title, card);
  setRole(heading, "section");
  column->addWidget(heading);
  if (!explanation.isEmpty()) {
    auto* text = new QLabel(explanation, card);
    text->setWordWrap(true);
    setRole(text, "quiet");
    column->addWidget(text);
  }
  for (QWidget* w : content) column->addWidget(w);
  return card;
}

void EvaluatePage::showReport() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, space::kS, 0);
  column->setSpacing(space::kL);
  if (json_.isEmpty()) {
    auto* hint = new QLabel(tr("This run was not evaluated yet. Evaluation measures it on the test split: quality with intervals, how "
                               "easily it is misled, and how fast it answers."),
                            page);
    hint->setWordWrap(true);
    setRole(hint, "quiet");
    column->addWidget(hint);
    column->addStretch(1);
    scroll_->setWidget(page);
    return retranslate();
  }
  if (isLanguageTask(json_.value(QStringLiteral("task")).toString())) {
    showLanguage(column, page);
    scroll_->setWidget(page);
    return retranslate();
  }
  column->addWidget(report::headlineCards(json_, page));

  auto* plots = new QWidget(page);
  auto* row = new QHBoxLayout(plots);
  row->setContentsMargins(0, 0, 0, 0);
  for (QWidget* p : std::initializer_list<QWidget*>{report::rocPlot(json_, plots), report::precisionRecallPlot(json_, plots),
                                                    report::calibrationPlot(json_, plots)})
    row->addWidget(p, 1);
  column->addWidget(
      section(tr("Quality"),
              tr("On the test split, %1 of %2; threshold %3.")
                  .arg(words::counted(json_["samples"].toInteger(), words::Noun::Sample),
                       words::counted(json_["groups"].toInteger(), words::Noun::Patient), words::figures(json_["threshold"].toDouble(0.5))),
              {plots, report::confusionTable(json_, page), report::perClassTable(json_, page)}, page));

  if (!json_["attacks"].toArray().isEmpty()) {
    auto* fragile = new QWidget(page);
    auto* pair = new QHBoxLayout(fragile);
    pair->setContentsMargins(0, 0, 0, 0);
    for (const char* norm : {"linf", "l2"})
      if (auto* plot = report::attackPlot(json_, QString::fromLatin1(norm), fragile)) pair->addWidget(plot, 1);
    pair->addWidget(report::attackExamples(json_, folder_, fragile), 1);
    column->addWidget(section(
        tr("Fragility"), tr("Share of correctly classified samples that a change of at most ε misleads. ") + report::maskingSigns(json_),
        {fragile}, page));
  }
  column->addWidget(section(tr("Speed"), {}, {report::latencyTable(json_["latency"].toArray(), page)}, page));
  auto* worstTitle = new QLabel(tr("Most wrong"), page);
  auto* bestTitle = new QLabel(tr("Most certain"), page);
  column->addWidget(section(tr("Samples"), {},
                            {worstTitle, report::sampleStrip(json_, QStringLiteral("worst"), folder_, page), bestTitle,
                             report::sampleStrip(json_, QStringLiteral("best"), folder_, page)},
                            page));
  if (!json_["groupsBy"].toObject().isEmpty()) column->addWidget(section(tr("Groups"), {}, {report::groupsTable(json_, page)}, page));
  column->addStretch(1);
  scroll_->setWidget(page);
  retranslate();
}

void EvaluatePage::showLanguage(QVBoxLayout* column, QWidget* page) {
  const QJsonObject& json = json_;
  auto* judged = new QLabel(report::judgedText(json), page);
  judged->setWordWrap(true);
  setRole(judged, "quiet");
  column->addWidget(judged);
  column->addWidget(report::languageHeadline(json, page));
  if (!json["samples"].toArray().isEmpty())
    column->addWidget(section(tr("Answers side by side"),
                              tr("Written greedily: always the most likely token. Point at a cell to read all of it."),
                              {report::answersTable(json, page)}, page));
  if (auto* plot = report::embeddingAttackPlot(json, page))
    column->addWidget(section(tr("Fragility"),
                              tr("Share of rightly predicted tokens that a change of the words' vectors by at most ε turns. Readers would "
                                 "see no change where the vectors still read as the same words."),
                              {plot, report::embeddingAttackTable(json, page)}, page));
  if (!json["latency"].toArray().isEmpty())
    column->addWidget(section(tr("Speed"), {}, {report::languageLatencyTable(json["latency"].toArray(), page)}, page));
  if (!json["memorisation"].toObject().isEmpty()) column->addWidget(section(tr("Memory"), report::memorisationText(json), {}, page));
  column->addStretch(1);
}

void EvaluatePage::saveReport(const QString& suffix) {
  const QString from = folder_ + QStringLiteral("/report.") + suffix;
  auto* dialog = new QFileDialog(this, tr("Save the report"), run() + QStringLiteral("-report.") + suffix, QStringLiteral("*.") + suffix);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, [this, from](const QString& to) {
    store().background(
        [from, to]() -> Result<void> {
          auto bytes = readFile(from, 512LL << 20);
          if (!bytes) return bytes.error();
          return writeFileAtomically(to, *bytes);
        },
        this,
        [this](Result<void> saved) {
          if (!saved) showFailure(saved.error());
        });
  });
  dialog->open();
}

void EvaluatePage::retranslate() {
  fillRuns();
  runLabel_->setText(tr("Run"));
  runs_->setAccessibleName(tr("Run to evaluate"));
  answersLabel_->setText(tr("Answers, at most"));
  answers_->setAccessibleName(tr("Answers written and judged, at most"));
  answers_->setToolTip(
      tr("How many questions of the test part the model answers; its answers are compared with those of the data. 0: none. Of running text "
         "a few continuations are written to be read."));
  lengthLabel_->setText(tr("Longest answer"));
  length_->setAccessibleName(tr("Longest answer, in tokens"));
  length_->setSuffix(tr(" tokens"));
  length_->setToolTip(tr("An answer that does not end before is cut here; writing takes time in proportion."));
  for (QWidget* w : {answersPair_, lengthPair_}) w->setVisible(language());
  attacks_->setText(tr("With attacks (FGSM, PGD)"));
  epsilonLabel_->setText(language() ? tr("ε as a share of a word") : tr("ε in grey levels"));
  epsilons_->setAccessibleName(language() ? tr("Attack strengths ε as a share of a word's vector")
                                          : tr("Attack strengths ε in grey levels"));
  samplesLabel_->setText(language() ? tr("Texts attacked, at most") : tr("Samples attacked, at most"));
  samples_->setAccessibleName(samplesLabel_->text());
  report_->setText(tr("Report"));
  report_->setToolTip(tr("Open or save the report"));
  report_->setAccessibleName(report_->toolTip());
  report_->setEnabled(evaluated());
  report_->menu()->clear();
  report_->menu()->addAction(tr("Open in the browser"), this,
                             [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder_ + QStringLiteral("/report.html"))); });
  report_->menu()->addAction(tr("Save as a web page (HTML)"), this, [this] { saveReport(QStringLiteral("html")); });
  report_->menu()->addAction(tr("Save as numbers (JSON)"), this, [this] { saveReport(QStringLiteral("json")); });
  again_->setText(tr("Evaluate again"));
  again_->setVisible(evaluated() && running_.isEmpty());
  stop_->setText(tr("Stop"));
  stop_->setVisible(!running_.isEmpty());
  setPrimaryText(evaluated() ? tr("Export this model") : tr("Evaluate on the test split"));
  primary()->setEnabled(running_.isEmpty());
}

}  // namespace cloister
