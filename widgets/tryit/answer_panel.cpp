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
}

std::optional<TryModel> AnswerPanel::model() const {
  for (const TryModel& m : models_ + extra_)
    if (m.id == chosen_) return m;
  return {};
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
  request["model"] = m->model.isEmpty() ? q.base : m->model;
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
  fill();
  showFigures();
}

}  // namespace cloister
