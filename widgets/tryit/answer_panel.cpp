#include "widgets/tryit/answer_panel.h"

#include <algorithm>

#include <QComboBox>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include "widgets/common/failure_banner.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/common/worker_task.h"
#include "widgets/tryit/transcript.h"

namespace cloister {
namespace {
constexpr int kFlushMs = 30;  // a fast model writes hundreds of tokens a second; the screen needs thirty pictures
const QString kFolder = QStringLiteral(
    "\x01"
    "folder");
}  // namespace

AnswerPanel::AnswerPanel(StoreClient& store, QWidget* parent) : QFrame(parent), task_(new WorkerTask(store, this)) {
  setRole(this, "card");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(space::kM, space::kM, space::kM, space::kM);
  column->setSpacing(space::kS);
  auto* top = new QHBoxLayout;
  top->setSpacing(space::kS);
  heading_ = new QLabel(this);
  setRole(heading_, "strong");
  box_ = new QComboBox(this);
  box_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box_->setMinimumContentsLength(12);
  heading_->setBuddy(box_);
  top->addWidget(heading_);
  top->addWidget(box_, 1);
  column->addLayout(top);
  auto* on = new QHBoxLayout;
  on->setSpacing(space::kS);
  baseLabel_ = new QLabel(this);
  baseBox_ = new QComboBox(this);
  baseBox_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  baseBox_->setMinimumContentsLength(12);
  baseLabel_->setBuddy(baseBox_);
  on->addWidget(baseLabel_);
  on->addWidget(baseBox_, 1);
  column->addLayout(on);
  baseHint_ = new QLabel(this);
  baseHint_->setWordWrap(true);
  setRole(baseHint_, "warning");
  column->addWidget(baseHint_);
  banner_ = new FailureBanner(this);
  column->addWidget(banner_);
  text_ = new Transcript(this);
  column->addWidget(text_, 1);
  auto* bottom = new QHBoxLayout;
  bottom->setSpacing(space::kS);
  rate_ = new QLabel(this);
  setRole(rate_, "strong");
  figures_ = new QLabel(this);
  figures_->setWordWrap(true);
  setRole(figures_, "quiet");
  whenThemed(this, [this] { figures_->setMinimumHeight(2 * figures_->fontMetrics().lineSpacing()); });  // both columns alike
  figures_->setAlignment(Qt::AlignTop);
  bottom->addWidget(rate_, 0, Qt::AlignTop);
  bottom->addWidget(figures_, 1);
  column->addLayout(bottom);

  flushTimer_.setSingleShot(true);
  flushTimer_.setInterval(kFlushMs);
  connect(&flushTimer_, &QTimer::timeout, this, &AnswerPanel::flush);
  connect(box_, &QComboBox::currentIndexChanged, this, [this] {
    const QString id = box_->currentData().toString();
    if (id == kFolder) {
      fill();  // the choice stays until a folder is named
      Q_EMIT folderWanted();
      return;
    }
    if (id == chosen_) return;
    chosen_ = id;
    fillBases();
    startOver();
    Q_EMIT modelChanged();
  });
  connect(baseBox_, &QComboBox::currentIndexChanged, this, [this] {
    const QString folder = baseBox_->currentData().toString();
    const auto bases = bases_.find(chosen_);
    if (bases == bases_.end()) return;
    if (folder == kFolder) {
      fillBases();  // the choice stays until a folder is named
      Q_EMIT baseFolderWanted(chosen_);
      return;
    }
    if (folder == bases->chosen) return;
    bases->chosen = folder;
    fillBases();
    startOver();
    Q_EMIT modelChanged();
  });
  whenTranslated(this, [this] { retranslate(); });
}

void AnswerPanel::setWords(const QString& heading, const QString& emptyHint) {
  heading_->setText(heading);
  box_->setAccessibleName(heading);
  text_->setAccessibleName(tr("%1: what it wrote").arg(heading));
  text_->setPlaceholderText(emptyHint);
}

void AnswerPanel::setModels(const QList<TryModel>& models, const QString& preferred) {
  models_ = models;
  const auto is = [this](const TryModel& m) { return m.id == chosen_; };
  const bool there = std::any_of(models_.begin(), models_.end(), is) || std::any_of(extra_.begin(), extra_.end(), is);
  if (!there && !running_) chosen_ = preferred;
  fill();
}

void AnswerPanel::addModel(const TryModel& model) {
  extra_.removeIf([&](const TryModel& m) { return m.id == model.id; });
  const bool known = std::any_of(models_.begin(), models_.end(), [&](const TryModel& m) { return m.id == model.id; });
  if (!known) extra_ << model;
  chosen_ = model.id;
  fill();
  startOver();
  Q_EMIT modelChanged();
}

void AnswerPanel::fill() {
  const QSignalBlocker quiet(box_);
  box_->clear();
  box_->addItem(tr("None"), QString());
  for (const TryModel& m : models_ + extra_)
    box_->addItem(m.run.isEmpty() ? m.name : m.adapter.isEmpty() ? tr("%1, best state").arg(m.run) : tr("%1, adapter").arg(m.run), m.id);
  for (int i = 1; i < box_->count(); ++i) box_->setItemData(i, box_->itemData(i), Qt::ToolTipRole);
  box_->addItem(tr("Choose a folder…"), kFolder);
  box_->setCurrentIndex(std::max(0, box_->findData(chosen_)));
  fillBases();
}

void AnswerPanel::setBases(const QString& adapter, const QList<TryModel>& fitting, const QString& chosen, const QString& named) {
  bases_[adapter] = {fitting, chosen, named};
  fillBases();
  if (chosen_ != adapter) return;
  startOver();
  Q_EMIT modelChanged();
}

QList<TryModel> AnswerPanel::others() const {
  QList<TryModel> whole;
  for (const TryModel& m : extra_)
    if (m.adapter.isEmpty()) whole << m;
  return whole;
}

// An adapter changes a model: without the one it was made on it says nothing.
void AnswerPanel::fillBases() {
  const auto bases = bases_.constFind(chosen_);
  const bool any = bases != bases_.constEnd();
  for (QWidget* w : std::initializer_list<QWidget*>{baseLabel_, baseBox_}) w->setVisible(any);
  baseHint_->setVisible(any && bases->chosen.isEmpty());
  if (!any) return;
  const QSignalBlocker quiet(baseBox_);
  baseBox_->clear();
  baseBox_->addItem(tr("None"), QString());
  for (const TryModel& m : bases->fitting) baseBox_->addItem(m.run.isEmpty() ? m.name : tr("%1, best state").arg(m.run), m.model);
  for (int i = 1; i < baseBox_->count(); ++i) baseBox_->setItemData(i, baseBox_->itemData(i), Qt::ToolTipRole);
  baseBox_->addItem(tr("Choose a folder…"), kFolder);
  baseBox_->setCurrentIndex(std::max(0, baseBox_->findData(bases->chosen)));
  if (!bases->fitting.isEmpty()) baseHint_->setText(tr("Choose the model that this adapter was made on."));
  else if (bases->named.isEmpty())
    baseHint_->setText(tr("No model of this project has the layers of this adapter. Choose the folder of the model that it was made on."));
  else
    baseHint_->setText(
        tr("No model of this project has the layers of this adapter, which was made on \"%1\". Choose the folder of that model.")
            .arg(bases->named));
}

const TryModel* AnswerPanel::chosenModel() const {
  for (const QList<TryModel>* list : {&models_, &extra_})
    for (const TryModel& m : *list)
      if (m.id == chosen_) return &m;
  return nullptr;
}

std::optional<TryModel> AnswerPanel::model() const {
  const TryModel* m = chosenModel();
  if (!m) return {};
  const auto bases = bases_.constFind(m->id);
  if (bases == bases_.constEnd()) return *m;
  for (const TryModel& base : bases->fitting)
    if (base.model == bases->chosen) {
      TryModel whole = *m;
      whole.model = base.model;
      whole.tokenizer = base.tokenizer;
      whole.bytes += base.bytes;
      return whole;
    }
  return {};  // nothing to run
}

void AnswerPanel::startOver() {
  if (running_) return;
  banner_->clear();
  text_->clearAll();
  phase_ = Phase::Empty;
  showFigures();
}

void AnswerPanel::show_(const Question& q) {
  if (shownQuestion_) return;
  shownQuestion_ = true;
  banner_->clear();
  if (!q.chat) text_->clearAll();
  text_->add(q.chat ? Transcript::Kind::Question : Transcript::Kind::Given, q.text);
}

void AnswerPanel::wait(const Question& q) {
  show_(q);
  running_ = true;
  phase_ = Phase::Waiting;
  box_->setEnabled(false);
  showFigures();
}

void AnswerPanel::ask(const Question& q) {
  const auto m = model();
  if (!m) return;
  show_(q);
  shownQuestion_ = false;
  QJsonObject request = q.sampling;
  request["model"] = m->model;
  if (!m->adapter.isEmpty()) request["adapter"] = m->adapter;
  if (!m->tokenizer.isEmpty()) request["tokenizer"] = m->tokenizer;
  if (q.chat) {
    QJsonArray turns;
    if (!q.system.isEmpty()) turns.append(QJsonObject{{"role", "system"}, {"content", q.system}});
    for (const Transcript::Part& part : text_->parts())
      turns.append(QJsonObject{{"role", part.kind == Transcript::Kind::Answer ? "assistant" : "user"}, {"content", part.text}});
    request["messages"] = turns;
  } else {
    request["prompts"] = QJsonArray{q.text};
  }
  running_ = true;
  box_->setEnabled(false);
  phase_ = Phase::Loading;
  reason_.clear();
  template_.clear();
  coming_.clear();
  promptTokens_ = tokens_ = 0;
  firstSeconds_ = seconds_ = 0;
  text_->add(Transcript::Kind::Answer, QString());
  showFigures();
  task_->setThreads(q.threads);
  task_->start(
      {QStringLiteral("generate")}, request, [this](const QJsonObject& o) { line(o); }, [this](const Result<QJsonObject>& r) { done(r); });
}

void AnswerPanel::line(const QJsonObject& o) {
  const QString type = o["type"].toString();
  if (type == u"ready") {
    phase_ = Phase::Reading;
    promptTokens_ = o["promptTokens"].toArray().first().toInteger();
    template_ = o["template"].toString();
  } else if (type == u"token") {
    phase_ = Phase::Writing;
    ++tokens_;
    seconds_ = o["seconds"].toDouble();
    if (tokens_ == 1) firstSeconds_ = seconds_;
    coming_ += o["text"].toString();
  } else {
    return;
  }
  if (!flushTimer_.isActive()) flushTimer_.start();
}

void AnswerPanel::flush() {
  text_->grow(std::exchange(coming_, {}));
  showFigures();
}

void AnswerPanel::done(const Result<QJsonObject>& answer) {
  flushTimer_.stop();
  flush();
  running_ = false;
  box_->setEnabled(true);
  if (answer) {
    const QJsonObject sequence = (*answer)["sequences"].toArray().first().toObject();
    text_->replaceLast(sequence["text"].toString());  // without the text that ended it
    reason_ = sequence["reason"].toString();
    phase_ = Phase::Done;
  } else if (answer.error().kind == FailureKind::Stopped) {
    phase_ = Phase::Stopped;
    if (tokens_ == 0) text_->removeLast(2);
  } else {
    phase_ = Phase::Failed;
    banner_->show_(answer.error());
    text_->removeLast(2);  // the question can be asked again
  }
  showFigures();
  Q_EMIT ended();
}

void AnswerPanel::stop() {
  if (task_->running()) return task_->stop();
  if (!running_) return;
  running_ = shownQuestion_ = false;  // it was only waiting
  box_->setEnabled(true);
  text_->removeLast(1);
  phase_ = Phase::Stopped;
  showFigures();
  Q_EMIT ended();
}

QString AnswerPanel::reasonText() const {
  if (phase_ == Phase::Stopped) return tr("stopped");
  if (reason_ == u"end") return tr("the model ended");
  if (reason_ == u"stop") return tr("ended at the stop text");
  if (reason_ == u"length") return tr("length limit");
  if (reason_ == u"context") return tr("the model's context is full");
  return {};
}

void AnswerPanel::showFigures() {
  // The first token costs the reading of the prompt; the speed of writing is that of the others.
  const bool timed = tokens_ > 1 && seconds_ > firstSeconds_ && phase_ != Phase::Empty && phase_ != Phase::Waiting;
  rate_->setText(timed ? tr("%1 tokens/s").arg(words::figures(double(tokens_ - 1) / (seconds_ - firstSeconds_))) : QString());
  rate_->setVisible(timed);
  QStringList parts;
  switch (phase_) {
    case Phase::Empty:
    case Phase::Failed:
      break;
    case Phase::Waiting:
      parts << tr("Waits for the other model");
      break;
    case Phase::Loading:
      parts << tr("Loading the model …");
      break;
    case Phase::Reading:
      parts << tr("Reading %Ln token(s) …", nullptr, int(promptTokens_));
      break;
    default:
      if (tokens_ > 0) {
        parts << tr("first token after %1 s").arg(words::figures(firstSeconds_));
        parts << words::counted(tokens_, words::Noun::Token);
      }
      if (const QString why = reasonText(); !why.isEmpty()) parts << why;
      if (!template_.isEmpty()) parts << tr("template %1").arg(template_);
  }
  figures_->setText(parts.join(QStringLiteral(" · ")));
}

void AnswerPanel::retranslate() {
  baseLabel_->setText(tr("on"));
  baseBox_->setAccessibleName(tr("Model that the adapter is used on"));
  fill();
  showFigures();
}

}  // namespace cloister
