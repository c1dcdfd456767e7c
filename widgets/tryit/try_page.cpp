#include "widgets/tryit/try_page.h"

#include <QButtonGroup>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QThread>
#include <QVBoxLayout>

#include "core/runs/hardware.h"
#include "widgets/common/failure_banner.h"
#include "widgets/common/icons.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/common/worker_task.h"
#include "widgets/tryit/sampling_form.h"

namespace cloister {
namespace {
constexpr int kSamplingWidth = 272;
constexpr double kRoomForCache = 1.2;  // weights, and what the answer needs beside them
}  // namespace

TryPage::TryPage(StoreClient& client, QWidget* parent) : Page(page::kTry, client, parent), adapters_(new WorkerTask(client, this)) {
  build();
  connect(primary(), &QPushButton::clicked, this, &TryPage::generate);
  connect(stop_, &QPushButton::clicked, this, &TryPage::stop);
  connect(again_, &QPushButton::clicked, this, &TryPage::startOver);
  connect(text_, &QPushButton::clicked, this, [this] { setChat(false); });
  connect(chat_, &QPushButton::clicked, this, [this] { setChat(true); });
  connect(prompt_, &QPlainTextEdit::textChanged, this, &TryPage::updateButtons);
  for (AnswerPanel* panel : {first_, second_}) {
    connect(panel, &AnswerPanel::folderWanted, this, [this, panel] { chooseFolder(panel); });
    connect(panel, &AnswerPanel::baseFolderWanted, this, [this, panel](const QString& adapter) { chooseBase(panel, adapter); });
    connect(panel, &AnswerPanel::ended, this, &TryPage::next);
    connect(panel, &AnswerPanel::modelChanged, this, [this] {
      if (isChat_ && !running()) startOver();  // both hear the same conversation
      updateButtons();
    });
  }
  connect(&client, &StoreClient::stateChanged, this, [this] {
    if (isVisible()) refresh();
  });
  connect(&client, &StoreClient::closed, this, [this] {
    stop();
    startOver();
    signature_.clear();
  });
  setChat(false);
}

void TryPage::build() {
  auto* modes = new QButtonGroup(this);
  text_ = new QPushButton(this);
  chat_ = new QPushButton(this);
  for (QPushButton* b : {text_, chat_}) {
    b->setCheckable(true);
    setRole(b, "chip");
    modes->addButton(b);
    headerTools()->addWidget(b);
  }
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kL);
  auto* left = new QVBoxLayout;
  left->setSpacing(space::kM);
  auto* answers = new QHBoxLayout;
  answers->setSpacing(space::kM);
  first_ = new AnswerPanel(store(), this);
  second_ = new AnswerPanel(store(), this);
  answers->addWidget(first_, 1);
  answers->addWidget(second_, 1);
  left->addLayout(answers, 1);
  note_ = new QLabel(this);
  note_->setWordWrap(true);
  setRole(note_, "quiet");
  note_->hide();
  left->addWidget(note_);
  systemLabel_ = new QLabel(this);
  system_ = new QLineEdit(this);
  systemLabel_->setBuddy(system_);
  auto* rule = new QHBoxLayout;
  rule->setSpacing(space::kS);
  rule->addWidget(systemLabel_);
  rule->addWidget(system_, 1);
  left->addLayout(rule);
  promptLabel_ = new QLabel(this);
  setRole(promptLabel_, "strong");
  hint_ = new QLabel(this);
  setRole(hint_, "small");
  prompt_ = new QPlainTextEdit(this);
  prompt_->setTabChangesFocus(true);
  prompt_->installEventFilter(this);
  promptLabel_->setBuddy(prompt_);
  auto* line = new QHBoxLayout;
  line->addWidget(promptLabel_);
  line->addStretch(1);
  line->addWidget(hint_);
  auto* ask = new QVBoxLayout;
  ask->setSpacing(space::kXs);
  ask->addLayout(line);
  ask->addWidget(prompt_);
  left->addLayout(ask);
  row->addLayout(left, 1);
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFixedWidth(kSamplingWidth);
  sampling_ = new SamplingForm(scroll);
  setRole(sampling_, "clear");
  scroll->setWidget(sampling_);
  row->addWidget(scroll);
  body()->addLayout(row, 1);
  again_ = new QPushButton(this);
  again_->setIcon(themedIcon("refresh"));
  stop_ = new QPushButton(this);
  stop_->setIcon(themedIcon("stop", Role::Bad));
  footerTools()->addWidget(again_);
  footerTools()->addWidget(stop_);
  whenThemed(this, [this] { prompt_->setFixedHeight(3 * prompt_->fontMetrics().lineSpacing() + space::kL); });
}

QString TryPage::title() const { return tr("Try it"); }

QString TryPage::subtitle() const { return tr("The same words for the base model and for the tuned one."); }

Page::Missing TryPage::missing() const { return projectMissing(); }

Page::Mark TryPage::mark() const { return running() ? Mark::Running : Mark::None; }

QString TryPage::help() const {
  return tr(
      "<p>Choose a base model on the left and what you made of it on the right: the best state of a run, or any model folder. <b>Continue "
      "a "
      "text</b> lets both write on from your words; <b>Chat</b> puts your question into the form that the model was trained with.</p>"
      "<p><b>Tokens per second</b> is the speed of writing. The time to the first token is that of reading your text. While both models "
      "write at once they share the processor; tick <b>One after the other</b> to compare their speeds.</p>"
      "<p>A model writes what is likely, not what is true. What one answer shows is an impression; figures are on the Evaluate page.</p>"
      "<p>Ctrl+Enter generates, Esc stops.</p>");
}

void TryPage::refresh() {
  const ProjectState& s = store().state();
  if (!s.open) return;
  QStringList parts{s.dir};
  for (const RunRecord& r : s.runs) parts << r.id + r.state;
  if (parts.join('\n') == signature_) return;
  signature_ = parts.join('\n');
  fillModels();
}

// Models may have come by other ways meanwhile.
void TryPage::showEvent(QShowEvent* event) {
  signature_.clear();
  Page::showEvent(event);
}

void TryPage::fillModels() {
  store().read([](Project& p) { return modelsToTry(p); }, this,
               [this](const Result<QList<TryModel>>& models) {
                 if (!models) return showFailure(models.error());
                 models_ = *models;
                 QString base, tuned;
                 for (const TryModel& m : *models) {
                   if (m.run.isEmpty() && base.isEmpty()) base = m.id;
                   if (!m.run.isEmpty() && tuned.isEmpty()) tuned = m.id;
                 }
                 if (tuned.isEmpty() && models->size() > 1) tuned = (*models)[1].id;
                 // A tuned model stands beside the model it was made from.
                 for (const TryModel& m : *models)
                   if (m.id == tuned && !m.adapter.isEmpty()) base = m.model;
                 first_->setModels(*models, base);
                 second_->setModels(*models, tuned);
                 updateButtons();
               });
}

void TryPage::setChat(bool chat) {
  text_->setChecked(!chat);
  chat_->setChecked(chat);
  if (running()) return;
  isChat_ = chat;
  systemLabel_->setVisible(chat);
  system_->setVisible(chat);
  startOver();
  retranslate();
}

bool TryPage::running() const { return asking_ || waiting_ || first_->running() || second_->running(); }

void TryPage::generate() {
  if (running() || prompt_->toPlainText().isEmpty()) return;
  banner().clear();
  AnswerPanel::Question q{prompt_->toPlainText(), isChat_ ? system_->text().trimmed() : QString(), isChat_, sampling_->values(), 0};
  asking_ = true;
  updateButtons();
  store().background([] { return memoryFree(); }, this,
                     [this, q](qint64 free) {
                       asking_ = false;
                       begin(q, free);
                     });
}

void TryPage::begin(const AnswerPanel::Question& asked, qint64 memoryFree) {
  question_ = asked;
  const auto a = first_->model(), b = second_->model();
  const double needed = kRoomForCache * double((a ? a->bytes : 0) + (b ? b->bytes : 0));
  const bool both = a && b, tight = both && needed > double(memoryFree);
  const bool sequential = both && (tight || sampling_->oneAfterTheOther());
  note_->setVisible(tight);
  note_->setText(tr("Both models do not fit in memory together (%1 needed, %2 free): they answer one after the other.")
                     .arg(words::bytes(needed), words::bytes(double(memoryFree))));
  question_.threads = both && !sequential ? std::max(1, QThread::idealThreadCount() / 2) : 0;
  waiting_ = sequential;
  if (a) first_->ask(question_);
  if (b && sequential) second_->wait(question_);
  else if (b) second_->ask(question_);
  if (isChat_) prompt_->clear();
  updateButtons();
  Q_EMIT markChanged();
}

void TryPage::next() {
  if (waiting_ && !first_->running()) {
    waiting_ = false;
    second_->ask(question_);
  }
  updateButtons();
  Q_EMIT markChanged();
}

void TryPage::stop() {
  waiting_ = false;
  first_->stop();
  second_->stop();
}

void TryPage::startOver() {
  first_->startOver();
  second_->startOver();
  note_->hide();
}

void TryPage::askFolder(const QString& title, std::function<void(const TryModel&)> then) {
  auto* dialog = new QFileDialog(window(), title);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::fileSelected, this, [this, then = std::move(then)](const QString& dir) {
    store().background([dir] { return modelInFolder(dir); }, this,
                       [this, then](const Result<TryModel>& model) {
                         if (!model) return showFailure(model.error());
                         banner().clear();
                         then(*model);
                       });
  });
  dialog->open();
}

void TryPage::chooseFolder(AnswerPanel* panel) {
  askFolder(tr("Choose a model folder"), [this, panel](const TryModel& model) {
    if (!model.adapter.isEmpty()) panel->setBases(model.id, {}, {}, {});
    panel->addModel(model);
    if (!model.adapter.isEmpty()) findBases(panel, model.id);
  });
}

void TryPage::chooseBase(AnswerPanel* panel, const QString& adapter) {
  askFolder(tr("Choose the model that the adapter was made on"), [this, panel, adapter](const TryModel& model) {
    if (!model.adapter.isEmpty())
      return banner().note(FailureBanner::Tone::Warning,
                           tr("%1 is an adapter itself. Choose a folder with a whole model.").arg(model.name));
    findBases(panel, adapter, model);
  });
}

void TryPage::findBases(AnswerPanel* panel, const QString& adapter, const TryModel& another) {
  QList<TryModel> asked;
  for (const TryModel& m : models_ + first_->others() + second_->others())
    if (m.adapter.isEmpty()) asked << m;
  if (!another.model.isEmpty()) asked.prepend(another);
  QJsonArray folders;
  for (const TryModel& m : asked) folders.append(m.model);
  adapters_->start({QStringLiteral("adapter-show")}, {{"adapter", adapter}, {"models", folders}}, {},
                   [this, panel, adapter, another, asked](const Result<QJsonObject>& said) {
                     if (!said) return showFailure(said.error());
                     const QString named = (*said)["base"].toString(), folder = QFileInfo(named).fileName();
                     QList<TryModel> fitting;
                     QString chosen;
                     const QJsonArray answers = (*said)["models"].toArray();
                     for (qsizetype i = 0; i < asked.size(); ++i) {
                       const TryModel& m = asked[i];
                       if (!answers[i]["fits"].toBool()) continue;
                       fitting << m;
                       // By its name before any other that has the same shapes.
                       if (chosen.isEmpty() && (m.model == another.model || m.model == named || QFileInfo(m.model).fileName() == folder))
                         chosen = m.model;
                     }
                     if (chosen.isEmpty() && fitting.size() == 1) chosen = fitting.first().model;
                     panel->setBases(adapter, fitting, chosen, named);
                     if (!another.model.isEmpty() && chosen != another.model)
                       banner().note(FailureBanner::Tone::Warning,
                                     tr("The adapter does not fit the model %1: its layers have other names or shapes.").arg(another.name));
                     updateButtons();
                   });
}

bool TryPage::eventFilter(QObject* watched, QEvent* event) {
  if (watched == prompt_ && event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
    if (enter && key->modifiers() & Qt::ControlModifier) {
      if (primary()->isEnabled()) generate();
      return true;
    }
    if (key->key() == Qt::Key_Escape && running()) {
      stop();
      return true;
    }
  }
  return Page::eventFilter(watched, event);
}

void TryPage::openView(const QString& name) {
  setChat(name == u"chat");
  if (name == u"answers") prompt_->setPlainText(tr("The report says:"));
  if (name == u"chat") prompt_->setPlainText(tr("What does the report say?"));
  if (!name.isEmpty() && (first_->model() || second_->model())) generate();
}

void TryPage::updateButtons() {
  const bool any = first_->model() || second_->model();
  stop_->setVisible(running());
  again_->setVisible(isChat_);
  again_->setEnabled(!running());
  for (QPushButton* b : {text_, chat_}) b->setEnabled(!running());
  setPrimaryText(running() ? tr("Writing …") : isChat_ ? tr("Ask") : tr("Generate"));
  primary()->setEnabled(any && !running() && !prompt_->toPlainText().isEmpty());
  primary()->setToolTip(any ? QString() : tr("Choose a model first."));
}

void TryPage::retranslate() {
  text_->setText(tr("Continue a text"));
  chat_->setText(tr("Chat"));
  for (QPushButton* b : {text_, chat_}) b->setAccessibleName(b->text());
  const QString hint = isChat_ ? tr("Ask something below: the answer appears here, word by word.")
                               : tr("Write a beginning below and press Generate: the model goes on from it here, word by word.");
  first_->setWords(tr("Base"), hint);
  second_->setWords(tr("Tuned"), hint);
  promptLabel_->setText(isChat_ ? tr("Your question") : tr("Beginning of the text"));
  prompt_->setAccessibleName(promptLabel_->text());
  prompt_->setPlaceholderText(isChat_ ? tr("For example: Summarise this finding in one sentence.")
                                      : tr("For example: The examination shows"));
  hint_->setText(tr("Ctrl+Enter generates, Esc stops"));
  systemLabel_->setText(tr("Instruction"));
  system_->setAccessibleName(tr("Instruction for the model"));
  system_->setPlaceholderText(tr("How the model shall behave; may stay empty"));
  again_->setText(tr("New conversation"));
  again_->setAccessibleName(again_->text());
  stop_->setText(tr("Stop"));
  stop_->setAccessibleName(tr("Stop writing"));
  updateButtons();
}

}  // namespace cloister
