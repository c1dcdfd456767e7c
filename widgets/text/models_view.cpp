#include "widgets/text/models_view.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include "core/domain/language_plan.h"
#include "core/runs/hardware.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/text/piece_view.h"
#include "widgets/text/scale_planner.h"

namespace cloister {
namespace {
constexpr int kCardWidth = 380;
constexpr int kSequence = 512;  // tokens, as in a first training

}  // namespace

ModelsView::ModelsView(StoreClient& store, QWidget* parent) : QWidget(parent), store_(store) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  empty_ = new QLabel(this);
  empty_->setWordWrap(true);
  setRole(empty_, "quiet");
  column->addWidget(empty_);
  body_ = new QWidget(this);
  column->addWidget(body_, 1);
  column->addStretch(0);
  auto* row = new QHBoxLayout(body_);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kL);
  table_ = new QTableWidget(0, 6, body_);
  prepareTable(table_);
  table_->horizontalHeader()->setStretchLastSection(false);
  table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  row->addWidget(table_, 1);
  card_ = new QFrame(body_);
  setRole(card_, "card");
  card_->setFixedWidth(kCardWidth);
  auto* words = new QVBoxLayout(card_);
  words->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  words->setSpacing(space::kS);
  title_ = new QLabel(card_);
  setRole(title_, "section");
  about_ = new QLabel(card_);
  fitTitle_ = new QLabel(card_);
  setRole(fitTitle_, "strong");
  fit_ = new QLabel(card_);
  fitNote_ = new QLabel(card_);
  setRole(fitNote_, "quiet");
  for (QLabel* l : {title_, about_, fitTitle_, fit_, fitNote_}) {
    l->setWordWrap(true);
    l->setTextInteractionFlags(Qt::TextSelectableByMouse);
    if (l == fitTitle_) words->addSpacing(space::kS);
    words->addWidget(l);
  }
  about_->setTextFormat(Qt::PlainText);
  title_->setTextFormat(Qt::PlainText);
  scale_ = new QPushButton(card_);
  words->addSpacing(space::kS);
  words->addWidget(scale_, 0, Qt::AlignLeft);
  words->addStretch(1);
  row->addWidget(card_);
  planner_ = new ScalePlanner(store, this);
  planner_->hide();
  column->insertWidget(2, planner_, 1);
  connect(scale_, &QPushButton::clicked, this, &ModelsView::planScale);
  connect(planner_, &ScalePlanner::closed, this, [this] {
    planner_->hide();
    body_->show();
    scale_->setFocus();
  });
  connect(table_, &QTableWidget::itemSelectionChanged, this, &ModelsView::showChosen);
  connect(table_, &QTableWidget::cellActivated, this, [this](int r) {
    if (models_[r].hasTokenizer) Q_EMIT tokenizerWanted(models_[r].dir);
  });
  connect(&Theme::current(), &Theme::changed, this, &ModelsView::showChosen);
  whenTranslated(this, [this] { retranslate(); });
}

void ModelsView::setModels(const QList<BaseModel>& models) {
  const int row = table_->currentRow();
  const QString before = row >= 0 && row < models_.size() ? models_[row].name : QString();
  models_ = models;
  asked_.clear();
  fill();
  choose(before);
  for (int i = 0; table_->currentRow() < 0 && i < models_.size(); ++i)
    if (models_[i].hasWeights) table_->selectRow(i);
  if (table_->currentRow() < 0 && !models_.isEmpty()) table_->selectRow(0);
}

void ModelsView::choose(const QString& name) {
  for (int i = 0; i < models_.size(); ++i)
    if (models_[i].name == name) table_->selectRow(i);
}

void ModelsView::fill() {
  empty_->setVisible(models_.isEmpty());
  body_->setVisible(!models_.isEmpty() && planner_->isHidden());
  table_->setRowCount(int(models_.size()));
  for (int i = 0; i < models_.size(); ++i) {
    const QJsonObject m = models_[i].about["model"].toObject(), t = models_[i].about["tokenizer"].toObject();
    const bool w = models_[i].hasWeights;
    table_->setItem(i, 0, tableCell(models_[i].name));
    table_->setItem(i, 1, tableCell(w ? m["modelType"].toString() : tr("Tokenizer alone")));
    table_->setItem(i, 2, tableCell(!m.isEmpty() ? words::number(m["parameters"].toInteger()) : QString(), true));
    table_->setItem(i, 3, tableCell(!m.isEmpty() ? words::number(m["context"].toInteger()) : QString(), true));
    table_->setItem(i, 4, tableCell(!m.isEmpty() ? words::bytes(double(m["bytes"].toInteger())) : QString(), true));
    table_->setItem(
        i, 5,
        tableCell(models_[i].hasTokenizer ? words::number(t["vocabularySize"].toInteger(m["vocabulary"].toInteger())) : tr("none"), true));
  }
  table_->resizeColumnsToContents();
}

void ModelsView::showChosen() {
  const int row = table_->currentRow();
  if (row < 0 || row >= models_.size()) return;
  const BaseModel& model = models_[row];
  const QJsonObject m = model.about["model"].toObject(), t = model.about["tokenizer"].toObject();
  title_->setText(model.name);
  QStringList lines;
  if (model.hasWeights && m.isEmpty()) lines << tr("Nothing is known about it: import its folder, so that it is checked.");
  if (model.hasWeights && !m.isEmpty()) {
    lines << tr("Architecture: %1, %2 layers").arg(m["modelType"].toString(), words::number(m["layers"].toInteger()))
          << tr("Parameters: %1").arg(words::number(m["parameters"].toInteger()));
    if (m["activeParameters"].toInteger() < m["parameters"].toInteger())
      lines << tr("Used for a token: %1").arg(words::number(m["activeParameters"].toInteger()));
    lines << tr("Context: %1 tokens").arg(words::number(m["context"].toInteger()))
          << tr("Weights: %1").arg(words::bytes(double(m["bytes"].toInteger())));
  }
  if (model.hasTokenizer && !t.isEmpty())
    lines << tr("Tokenizer: %1, %2 pieces").arg(PieceView::kindName(t["kind"].toString()), words::number(t["vocabularySize"].toInteger()));
  if (!model.hasTokenizer) lines << tr("Without a tokenizer: it needs one of the project to be trained on texts.");
  about_->setText(lines.join('\n'));
  for (QLabel* l : {fitTitle_, fit_, fitNote_}) l->setVisible(!m.isEmpty());
  scale_->setVisible(!m.isEmpty());
  if (!m.isEmpty()) askFit(model);
}

void ModelsView::askFit(const BaseModel& model) {
  asked_ = model.name;
  store_.background(
      [config = model.about["model"].toObject()["config"].toObject(), dir = model.dir]() -> Result<Fit> {
        const auto decoder = DecoderConfig::fromJson(config, dir);
        if (!decoder) return decoder.error();
        const QJsonObject machine = hardwareInventory(dir);
        const QJsonObject card = machine["gpus"].toArray().first().toObject();
        const qint64 room = card.isEmpty() ? machine["memory"].toObject()["total"].toInteger() : card["memoryTotal"].toInteger();
        Fit fit;
        fit.machine = card["name"].toString() + '\n' + QString::number(room);
        for (const char* method : {"generate", "qlora", "lora", "full"}) {
          const auto options = LanguagePlanOptions::fromJson(
              {{"method", method}, {"sequence", qint64(std::min<std::int64_t>(kSequence, decoder->context))}, {"checkpointing", true}});
          if (!options) return options.error();
          const auto report = languagePlanReport(*decoder, *options, {room});
          if (!report) return report.error();
          const QJsonObject answer = (*report)["cards"].toArray().first().toObject();
          fit.lines << qMakePair(QString::fromLatin1(method), answer["fits"].toBool());
          fit.needed << answer["needed"].toInteger();
        }
        return fit;
      },
      this,
      [this, name = model.name](const Result<Fit>& fit) {
        if (name != asked_) return;
        if (fit) showFit(*fit);
        else fit_->setText(describe(fit.error()).toHtmlEscaped());
      });
}

void ModelsView::planScale() {
  const int row = table_->currentRow();
  if (row < 0 || row >= models_.size()) return;
  body_->hide();
  planner_->show();
  planner_->begin(models_[row].name, models_[row].about["model"].toObject()["config"].toObject());
}

void ModelsView::showFit(const Fit& fit) {
  const Tokens& t = Theme::current().tokens();
  QStringList rows;
  for (qsizetype i = 0; i < fit.lines.size(); ++i) {
    const auto& [method, fits] = fit.lines[i];
    const QString name = method == u"generate" ? tr("Write and try")
                         : method == u"qlora"  ? tr("Train with QLoRA")
                         : method == u"lora"   ? tr("Train with LoRA")
                                               : tr("Train all weights");
    rows << QStringLiteral(
                "<tr><td style='padding-right:16px'>%1</td><td align='right' style='padding-right:16px'>%2</td><td "
                "style='color:%3'>%4</td></tr>")
                .arg(name, words::bytes(double(fit.needed[i])), (fits ? t.good : t.bad).name(), fits ? tr("fits") : tr("does not fit"));
  }
  fit_->setTextFormat(Qt::RichText);
  fit_->setText("<table>" + rows.join(QString()) + "</table>");
  const QString card = fit.machine.section('\n', 0, 0), room = words::bytes(fit.machine.section('\n', 1).toDouble());
  fitNote_->setText(card.isEmpty()
                        ? tr("On the processor, %1 of memory; sequences of %2 tokens, one at a time.").arg(room, words::number(kSequence))
                        : tr("On %1, %2; sequences of %3 tokens, one at a time.").arg(card, room, words::number(kSequence)));
}

void ModelsView::retranslate() {
  empty_->setText(
      tr("There is no model and no tokenizer yet. Bring a base model on a stick and import its folder: training goes on from what it "
         "already knows. For a model from scratch, freeze the texts and train a tokenizer on them."));
  fitTitle_->setText(tr("Does it fit this machine?"));
  scale_->setText(tr("Plan for many GPUs"));
  table_->setAccessibleName(tr("Models and tokenizers"));
  table_->setHorizontalHeaderLabels({tr("Name"), tr("Architecture"), tr("Parameters"), tr("Context"), tr("Size"), tr("Vocabulary")});
  for (int column = 2; column < table_->columnCount(); ++column) headRight(table_, column);
  fill();
  showChosen();
}

}  // namespace cloister
