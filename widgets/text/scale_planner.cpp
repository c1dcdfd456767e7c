#include "widgets/text/scale_planner.h"

#include <algorithm>

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTableWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/domain/scale_model.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {

constexpr int kMostGpus = 4096, kMostTokens = 1 << 20, kMostSequences = 1 << 20, kUsualSequence = 4096, kUsualBatch = 1024;

QTableWidgetItem* cell(const QString& text, bool right = true) {
  auto* item = new QTableWidgetItem(text);
  if (right) item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
  return item;
}

QSpinBox* spin(int least, int most, QWidget* parent) {
  auto* box = new QSpinBox(parent);
  box->setRange(least, most);
  box->setKeyboardTracking(false);
  box->setGroupSeparatorShown(true);
  return box;
}

QPlainTextEdit* pages(QWidget* parent) {
  auto* text = new QPlainTextEdit(parent);
  text->setReadOnly(true);
  text->setTabChangesFocus(true);
  return text;
}

QString gigabytes(const QJsonValue& bytes) { return words::figures(bytes.toDouble() / 1e9) + QStringLiteral(" GB"); }

}  // namespace

ScalePlanner::ScalePlanner(StoreClient& store, QWidget* parent) : QFrame(parent), store_(store) {
  QVBoxLayout* column = beginSheet(this, header_);
  machine_ = new QComboBox(this);
  for (const ScaleMachine& m : scaleMachines()) machine_->addItem(m.name, m.id);
  machine_->setCurrentIndex(std::max(0, machine_->findData("h100")));
  compute_ = new QComboBox(this);
  for (const char* precision : {"bf16", "fp16", "fp8", "fp32"}) compute_->addItem(QLatin1String(precision), precision);
  gpus_ = spin(1, kMostGpus, this);
  sequence_ = spin(16, kMostTokens, this);
  batch_ = spin(1, kMostSequences, this);
  auto* row = new QHBoxLayout;
  row->setSpacing(space::kS);
  const std::pair<QLabel**, QWidget*> fields[] = {
      {&machineLabel_, machine_}, {&gpusLabel_, gpus_}, {&sequenceLabel_, sequence_}, {&batchLabel_, batch_}, {&computeLabel_, compute_}};
  for (const auto& [label, field] : fields) {
    *label = new QLabel(this);
    (*label)->setBuddy(field);
    row->addWidget(*label);
    row->addWidget(field);
  }
  row->addStretch(1);
  column->addLayout(row);
  summary_ = new QLabel(this);
  summary_->setWordWrap(true);
  summary_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  column->addWidget(summary_);
  table_ = new QTableWidget(0, 5, this);
  prepareTable(table_);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->horizontalHeader()->setStretchLastSection(false);
  table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  column->addWidget(table_, 2);
  othersTitle_ = new QLabel(this);
  assumedTitle_ = new QLabel(this);
  others_ = pages(this);
  assumed_ = pages(this);
  for (const auto& [title, text] : {std::pair{othersTitle_, others_}, {assumedTitle_, assumed_}}) {
    setRole(title, "strong");
    title->setBuddy(text);
    column->addWidget(title);
    column->addWidget(text, 1);
  }
  connect(header_.close, &QToolButton::clicked, this, &ScalePlanner::closed);
  for (QComboBox* box : {machine_, compute_}) connect(box, &QComboBox::currentIndexChanged, this, &ScalePlanner::ask);
  for (QSpinBox* box : {gpus_, sequence_, batch_}) connect(box, &QSpinBox::valueChanged, this, &ScalePlanner::ask);
  whenTranslated(this, [this] { retranslate(); });
}

void ScalePlanner::begin(const QString& name, const QJsonObject& config) {
  name_ = name;
  config_ = config;
  {
    const QSignalBlocker a(gpus_), b(sequence_), c(batch_);
    const auto decoder = DecoderConfig::fromJson(config, name);
    const int context = decoder ? int(std::min<std::int64_t>(decoder->context, kMostTokens)) : kMostTokens;
    sequence_->setMaximum(std::max(16, context));
    sequence_->setValue(std::min(kUsualSequence, context));
    batch_->setValue(kUsualBatch);
    gpus_->setValue(8);
  }
  retranslate();
  gpus_->setFocus();
}

void ScalePlanner::ask() {
  if (config_.isEmpty()) return;
  const QJsonObject request{{"machine", machine_->currentData().toString()},
                            {"compute", compute_->currentData().toString()},
                            {"gpus", gpus_->value()},
                            {"sequence", sequence_->value()},
                            {"globalBatch", batch_->value()}};
  store_.background(
      [config = config_, name = name_, request]() -> Result<QJsonObject> {
        const auto decoder = DecoderConfig::fromJson(config, name);
        return decoder ? scaleReport(*decoder, request) : Result<QJsonObject>(decoder.error());
      },
      this,
      [this, number = ++asked_](const Result<QJsonObject>& report) {
        if (number != asked_) return;
        if (report) return showReport(*report);
        table_->setRowCount(0);
        summary_->setText(describe(report.error()));
      });
}

void ScalePlanner::showReport(const QJsonObject& report) {
  const QJsonArray best = report["best"].toArray();
  table_->setRowCount(int(best.size()));
  for (int i = 0; i < best.size(); ++i) {
    const QJsonObject p = best[i].toObject();
    table_->setItem(i, 0, cell(p["layout"].toString(), false));
    table_->setItem(i, 1, cell(words::figures(p["stepSeconds"].toDouble())));
    table_->setItem(i, 2, cell(words::number(qint64(p["tokensPerSecond"].toDouble()))));
    table_->setItem(i, 3, cell(words::percent(p["mfu"].toDouble(), 1)));
    table_->setItem(i, 4, cell(gigabytes(p["memory"].toObject()["total"])));
  }
  table_->resizeColumnsToContents();
  QStringList sentences;
  if (best.isEmpty()) sentences << tr("No layout of these GPUs fits.");
  for (const QJsonValue& v : report["changes"].toArray()) {
    const QJsonObject change = v.toObject();
    const QString what = change.contains("machine") ? tr("on %1").arg(change["machine"].toString())
                                                    : tr("with sequences of %1 tokens").arg(words::number(change["sequence"].toInteger()));
    sentences << tr("It fits %1: %2.").arg(what, change["layout"].toString());
  }
  if (const QJsonObject smallest = report["smallest"].toObject(); !smallest.isEmpty())
    sentences << tr("The fewest of these GPUs that train it: %1 (%2).")
                     .arg(words::number(smallest["gpus"].toInteger()), smallest["layout"].toString());
  else sentences << tr("4,096 of these GPUs do not hold it.");
  summary_->setText(sentences.join(' '));
  QStringList others, assumed;
  for (const QJsonValue& v : report["others"].toArray()) {
    const QJsonObject o = v.toObject();
    const QString slower = o.contains("slower") ? tr("%1 times as long: ").arg(words::figures(o["slower"].toDouble())) : QString();
    others << QStringLiteral("tp=%1, pp=%2: ").arg(o["tensor"].toInt()).arg(o["pipeline"].toInt()) + slower + o["sentence"].toString();
  }
  for (const QJsonValue& v : report["assumptions"].toArray()) assumed << v.toObject()["text"].toString();
  others_->setPlainText(others.join('\n'));
  assumed_->setPlainText(assumed.join('\n'));
}

void ScalePlanner::retranslate() {
  header_.setTexts(tr("%1 on many GPUs").arg(name_), tr("Back to the models"));
  machineLabel_->setText(tr("GPUs of"));
  machine_->setAccessibleName(tr("Kind of GPU"));
  gpusLabel_->setText(tr("Number"));
  gpus_->setAccessibleName(tr("Number of GPUs"));
  sequenceLabel_->setText(tr("Tokens of a sequence"));
  sequence_->setAccessibleName(tr("Tokens of a sequence"));
  batchLabel_->setText(tr("Sequences of a step"));
  batch_->setAccessibleName(tr("Sequences of a step"));
  computeLabel_->setText(tr("Computed in"));
  compute_->setAccessibleName(tr("Precision of the computation"));
  table_->setHorizontalHeaderLabels({tr("Layout"), tr("Seconds a step"), tr("Tokens a second"), tr("MFU"), tr("Memory of a GPU")});
  table_->setAccessibleName(tr("Proposed layouts, the quickest first"));
  othersTitle_->setText(tr("Why not others"));
  others_->setAccessibleName(othersTitle_->text());
  assumedTitle_->setText(tr("Assumed"));
  assumed_->setAccessibleName(assumedTitle_->text());
  ask();
}

}  // namespace cloister
