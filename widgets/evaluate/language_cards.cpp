#include "widgets/evaluate/language_cards.h"

#include <QCoreApplication>
#include <QFrame>
#include <QGridLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>

#include "widgets/common/plot.h"
#include "widgets/common/table.h"
#include "widgets/common/words.h"
#include "widgets/evaluate/report_cards.h"

namespace cloister::report {
namespace {

QLabel* label(const QString& text, const char* role, QWidget* parent) {
  auto* l = new QLabel(text, parent);
  l->setWordWrap(true);
  setRole(l, role);
  return l;
}

/// Base figure and the sentence on chance; empty without a base.
QString besideBase(const QJsonObject& row) {
  if (!row["base"].isObject()) return {};
  QString text = QCoreApplication::translate("Report", "Base model: %1").arg(intervalText(row["base"]));
  if (row["p"].isDouble()) text += QStringLiteral(" · ") + significance(row["p"].toDouble());
  return text;
}

QString oneLine(QString text) { return text.replace('\n', QStringLiteral(" ⏎ ")); }

}  // namespace

QString languageMetricTitle(const QString& name) {
  if (name == u"perplexity") return QCoreApplication::translate("Report", "Perplexity");
  if (name == u"loss") return QCoreApplication::translate("Report", "Loss per token");
  if (name == u"exactMatch") return QCoreApplication::translate("Report", "Exact match (%)");
  if (name.startsWith(u"rouge")) return QStringLiteral("ROUGE-") + name.mid(5);
  return name;
}

QString significance(double p) { return p < 0.001 ? QStringLiteral("p < 0.001") : QStringLiteral("p = ") + words::figures(p, 2); }

QWidget* languageHeadline(const QJsonObject& report, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(space::kS);
  constexpr int kColumns = 4;
  int i = 0;
  const QJsonArray headline = report["headline"].toArray();
  for (const QJsonValue& v : headline) {
    const QJsonObject h = v.toObject();
    auto* card = new QFrame(box);
    setRole(card, "card");
    auto* column = new QVBoxLayout(card);
    const QString title = languageMetricTitle(h["name"].toString());
    column->addWidget(label(title, "quiet", card));
    column->addWidget(label(h["value"].isDouble() ? words::figures(h["value"].toDouble()) : QStringLiteral("–"), "headline", card));
    const QString interval = h["low"].isDouble() ? QCoreApplication::translate("Report", "95 % interval %1–%2")
                                                       .arg(words::figures(h["low"].toDouble()), words::figures(h["high"].toDouble()))
                                                 : QString();
    column->addWidget(label(interval, "small", card));
    const QString base = besideBase(h);
    if (!base.isEmpty()) column->addWidget(label(base, "small", card));
    column->addWidget(label(QCoreApplication::translate("Report", "%1 texts").arg(words::number(h["n"].toInteger())), "small", card));
    card->setAccessibleName(title + QStringLiteral(" ") + intervalText(h) + (base.isEmpty() ? base : QStringLiteral(". ") + base));
    grid->addWidget(card, i / kColumns, i % kColumns);
    ++i;
  }
  for (int c = 0; c < kColumns; ++c) grid->setColumnStretch(c, 1);
  return box;
}

QWidget* answersTable(const QJsonObject& report, QWidget* parent) {
  const QJsonArray samples = report["samples"].toArray();
  const bool base = !samples.isEmpty() && samples[0].toObject().contains("baseOutput");
  QStringList columns{QCoreApplication::translate("Report", "Prompt"), QCoreApplication::translate("Report", "Reference"),
                      QCoreApplication::translate("Report", "This model")};
  if (base) columns << QCoreApplication::translate("Report", "Base model");
  QList<QStringList> rows;
  for (const QJsonValue& s : samples) {
    QStringList row{oneLine(s["prompt"].toString()), oneLine(s["reference"].toString()), oneLine(s["output"].toString())};
    if (base) row << oneLine(s["baseOutput"].toString());
    rows << row;
  }
  auto* table = new CopyTable(columns, rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Answers side by side"));
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  for (int r = 0; r < table->rowCount(); ++r)
    for (int c = 0; c < table->columnCount(); ++c) table->item(r, c)->setToolTip(table->item(r, c)->text());
  return table;
}

QCustomPlot* embeddingAttackPlot(const QJsonObject& report, QWidget* parent) {
  const QJsonArray attacks = report["attacks"].toArray();
  if (attacks.isEmpty()) return nullptr;
  auto* plot = new QCustomPlot(parent);
  plot->setMinimumSize(260, 240);
  plot->setAccessibleName(QCoreApplication::translate("Report", "Attack success rate over ε"));
  plot->xAxis->setLabel(QCoreApplication::translate("Report", "ε as a share of a word's vector"));
  plot->yAxis->setLabel(QCoreApplication::translate("Report", "Attack success rate"));
  plot->yAxis->setRange(0, 1.02);
  double top = 1e-6;
  int index = 0;
  for (const QJsonValue& a : attacks) {
    QVector<double> x, y;
    const QJsonArray points = a["epsilons"].toArray();
    for (const QJsonValue& e : points) {
      x << e["epsilon"].toDouble();
      y << e["successRate"].toDouble();
      top = std::max(top, x.last());
    }
    QCPGraph* g = plot->addGraph();
    g->setData(x, y);
    g->setName(a["kind"].toString().toUpper());
    g->setPen(seriesPen(index));
    g->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ScatterShape(int(QCPScatterStyle::ssDisc) + index % 6), 6));
    ++index;
  }
  plot->xAxis->setRange(0, top * 1.03);
  plot->legend->setVisible(true);
  plot->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignTop | Qt::AlignLeft);
  followTheme(plot);
  return plot;
}

QWidget* embeddingAttackTable(const QJsonObject& report, QWidget* parent) {
  QList<QStringList> rows;
  const QJsonArray attacks = report["attacks"].toArray();
  for (const QJsonValue& a : attacks) {
    const QJsonArray points = a["epsilons"].toArray();
    for (const QJsonValue& e : points)
      rows << QStringList{a["kind"].toString().toUpper(),
                          words::figures(e["epsilon"].toDouble()),
                          e["successRate"].isDouble() ? words::percent(e["successRate"].toDouble()) : QStringLiteral("–"),
                          words::figures(e["perplexity"].toDouble()),
                          words::percent(e["readTheSame"].toDouble()),
                          oneLine(e["readings"].toArray().first()["after"].toString())};
  }
  auto* table = new CopyTable(
      {QCoreApplication::translate("Report", "Attack"), QStringLiteral("ε"), QCoreApplication::translate("Report", "Success rate"),
       QCoreApplication::translate("Report", "Perplexity"), QCoreApplication::translate("Report", "Still reads the same"),
       QCoreApplication::translate("Report", "Reads as, for example")},
      rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Attacks in embedding space"));
  return table;
}

QWidget* languageLatencyTable(const QJsonArray& latency, QWidget* parent) {
  QList<QStringList> rows;
  for (const QJsonValue& l : latency)
    rows << QStringList{l["precision"].toString(),
                        l["runtime"].toString() == u"onnxruntime" ? QStringLiteral("ONNX Runtime") : QStringLiteral("LibTorch"),
                        words::number(l["batch"].toInteger()),
                        words::milliseconds(l["firstTokenMs"].toDouble()),
                        words::milliseconds(l["perTokenMs"].toDouble()),
                        words::figures(l["tokensPerSecond"].toDouble()),
                        QCoreApplication::translate("Report", "%1, prompt of %2 tokens, %3 rounds")
                            .arg(words::counted(l["threads"].toInt(), words::Noun::Thread))
                            .arg(l["promptTokens"].toInt())
                            .arg(l["rounds"].toInt())};
  auto* table =
      new CopyTable({QCoreApplication::translate("Report", "Number format"), QCoreApplication::translate("Report", "Runtime"),
                     QCoreApplication::translate("Report", "Batch"), QCoreApplication::translate("Report", "First token"),
                     QCoreApplication::translate("Report", "Each further token"),
                     QCoreApplication::translate("Report", "Tokens per second"), QCoreApplication::translate("Report", "Conditions")},
                    rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Latency"));
  return table;
}

QString memorisationText(const QJsonObject& report) {
  const QJsonObject m = report["memorisation"].toObject();
  if (m["texts"].toInteger() == 0) return QCoreApplication::translate("Report", "The training texts are too short to be asked for.");
  return QCoreApplication::translate("Report",
                                     "Given the first %1 tokens of %2 training texts, the model repeated %3 of them word for word; the "
                                     "longest run was %4 tokens.")
      .arg(m["promptTokens"].toInt())
      .arg(words::number(m["texts"].toInteger()), words::number(m["repeated"].toInteger()))
      .arg(m["longestVerbatim"].toInt());
}

QString judgedText(const QJsonObject& report) {
  const QString tokens = words::number(report["perplexity"].toObject()["tokens"].toInteger()),
                texts = words::number(report["texts"].toInteger());
  return report["part"].toString() == u"test"
             ? QCoreApplication::translate("Report", "On %1 texts of the test split, %2 tokens.").arg(texts, tokens)
             : QCoreApplication::translate("Report", "There is no test split: on %1 texts of the validation split, %2 tokens.")
                   .arg(texts, tokens);
}

}  // namespace cloister::report
