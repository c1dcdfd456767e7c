#include "widgets/evaluate/report_cards.h"

#include <cmath>

#include <QCoreApplication>
#include <QFrame>
#include <QGridLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>

#include "widgets/common/plot.h"
#include "widgets/common/table.h"
#include "widgets/common/words.h"

namespace cloister::report {
namespace {

constexpr int kThumb = 96;

QString tr(const char* text) { return QCoreApplication::translate("Report", text); }

QVector<double> numbers(const QJsonValue& array) {
  QVector<double> out;
  const QJsonArray a = array.toArray();
  out.reserve(a.size());
  for (const QJsonValue& v : a) out << v.toDouble();
  return out;
}

QLabel* label(const QString& text, const char* role, QWidget* parent) {
  auto* l = new QLabel(text, parent);
  l->setWordWrap(true);
  if (role) setRole(l, role);
  return l;
}

QCustomPlot* plotFor(const QString& name, const QString& x, const QString& y, QWidget* parent) {
  auto* plot = new QCustomPlot(parent);
  plot->setMinimumSize(260, 240);
  plot->xAxis->setLabel(x);
  plot->yAxis->setLabel(y);
  plot->xAxis->setRange(0, 1);
  plot->yAxis->setRange(0, 1.02);
  plot->setAccessibleName(name);
  return plot;
}

void diagonal(QCustomPlot* plot) {
  auto* line = new QCPItemLine(plot);
  line->start->setCoords(0, 0);
  line->end->setCoords(1, 1);
  QObject::connect(&Theme::current(), &Theme::changed, plot,
                   [line] { line->setPen(QPen(Theme::current().tokens().divider, 1, Qt::DashLine)); });
  line->setPen(QPen(Theme::current().tokens().divider, 1, Qt::DashLine));
}

/// One curve a class; in a two-class problem only the second, positive class says something new.
void classCurves(QCustomPlot* plot, const QJsonArray& curves, const char* xs, const char* ys) {
  int index = 0;
  for (qsizetype i = curves.size() == 2 ? 1 : 0; i < curves.size(); ++i, ++index) {
    const QJsonObject c = curves[i].toObject();
    auto* line = new QCPCurve(plot->xAxis, plot->yAxis);  // a curve, because x may repeat
    line->setData(numbers(c[QLatin1String(xs)]), numbers(c[QLatin1String(ys)]));
    line->setName(c["class"].toString());
    line->setPen(seriesPen(index));
  }
  plot->legend->setVisible(curves.size() > 2);
  plot->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
  followTheme(plot);
}

QString attackTitle(const QJsonObject& attack) {
  return attack["name"].toString().toUpper() + (attack["norm"].toString() == u"l2" ? QStringLiteral(" L2") : QStringLiteral(" L∞"));
}

QLabel* picture(const QString& path, const QString& what, QWidget* parent) {
  auto* l = new QLabel(parent);
  const QPixmap p(path);
  if (!p.isNull()) l->setPixmap(p.scaled(kThumb, kThumb, Qt::KeepAspectRatio, Qt::SmoothTransformation));
  l->setFixedSize(kThumb, kThumb);
  l->setAccessibleName(what);
  l->setToolTip(what);
  return l;
}

}  // namespace

QString intervalText(const QJsonValue& v) {
  const QJsonObject o = v.toObject();
  if (!o["value"].isDouble()) return QStringLiteral("–");
  if (!o["low"].isDouble()) return words::figures(o["value"].toDouble());
  return words::interval(o["value"].toDouble(), o["low"].toDouble(), o["high"].toDouble());
}

QString metricTitle(const QString& name) {
  static const QMap<QString, const char*> kTitles{
      {QStringLiteral("accuracy"), QT_TRANSLATE_NOOP("Report", "Accuracy")},
      {QStringLiteral("balanced_accuracy"), QT_TRANSLATE_NOOP("Report", "Balanced accuracy")},
      {QStringLiteral("auc_macro"), QT_TRANSLATE_NOOP("Report", "AUC")},
      {QStringLiteral("f1_macro"), QT_TRANSLATE_NOOP("Report", "F1")},
      {QStringLiteral("sensitivity"), QT_TRANSLATE_NOOP("Report", "Sensitivity")},
      {QStringLiteral("specificity"), QT_TRANSLATE_NOOP("Report", "Specificity")},
      {QStringLiteral("ece"), QT_TRANSLATE_NOOP("Report", "Calibration error (ECE)")},
      {QStringLiteral("brier"), QT_TRANSLATE_NOOP("Report", "Brier score")},
      {QStringLiteral("log_loss"), QT_TRANSLATE_NOOP("Report", "Log loss")},
      {QStringLiteral("average_precision_macro"), QT_TRANSLATE_NOOP("Report", "Average precision")}};
  const auto it = kTitles.constFind(name);
  return it == kTitles.constEnd() ? name : tr(*it);
}

QWidget* headlineCards(const QJsonObject& report, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(space::kS);
  constexpr int kColumns = 5;
  const QJsonArray headline = report["headline"].toArray();
  int i = 0;
  for (const QJsonValue& v : headline) {
    const QJsonObject h = v.toObject();
    auto* card = new QFrame(box);
    setRole(card, "card");
    auto* column = new QVBoxLayout(card);
    column->addWidget(label(metricTitle(h["name"].toString()), "quiet", card));
    column->addWidget(label(h["value"].isDouble() ? words::figures(h["value"].toDouble()) : QStringLiteral("–"), "headline", card));
    const QString interval = h["low"].isDouble() ? QCoreApplication::translate("Report", "95 % interval %1–%2")
                                                       .arg(words::figures(h["low"].toDouble()), words::figures(h["high"].toDouble()))
                                                 : QString();
    column->addWidget(label(interval, "small", card));
    column->addWidget(label(QCoreApplication::translate("Report", "%1, %2")
                                .arg(words::counted(h["n"].toInteger(report["samples"].toInteger()), words::Noun::Sample),
                                     words::counted(report["groups"].toInteger(), words::Noun::Patient)),
                            "small", card));
    card->setAccessibleName(metricTitle(h["name"].toString()) + QStringLiteral(" ") + intervalText(h));
    grid->addWidget(card, i / kColumns, i % kColumns);
    ++i;
  }
  for (int c = 0; c < kColumns; ++c) grid->setColumnStretch(c, 1);
  return box;
}

QWidget* confusionTable(const QJsonObject& report, QWidget* parent) {
  const QJsonArray rows = report["confusion"].toArray(), classes = report["classes"].toArray();
  QStringList columns{QCoreApplication::translate("Report", "True class")};
  for (const QJsonValue& c : classes) columns << QCoreApplication::translate("Report", "Said: %1").arg(c.toString());
  QList<QStringList> cells;
  QList<double> sums;
  for (qsizetype r = 0; r < rows.size(); ++r) {
    QStringList line{classes[r].toString()};
    double sum = 0;
    const QJsonArray row = rows[r].toArray();
    for (const QJsonValue& v : row) sum += v.toDouble();
    sums << sum;
    for (const QJsonValue& v : row)
      line << (sum > 0
                   ? QCoreApplication::translate("Report", "%1 (%2)").arg(words::number(v.toInteger()), words::percent(v.toDouble() / sum))
                   : words::number(v.toInteger()));
    cells << line;
  }
  auto* table = new CopyTable(columns, cells, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Confusion matrix"));
  table->horizontalHeader()->setStretchLastSection(false);
  whenThemed(table, [table, rows, sums] {
    const Tokens& t = Theme::current().tokens();
    for (int r = 0; r < table->rowCount(); ++r)
      for (int c = 1; c < table->columnCount(); ++c) {
        const double share = sums[r] > 0 ? rows[r].toArray()[c - 1].toDouble() / sums[r] : 0;
        QColor ground = r == c - 1 ? t.good : t.bad;
        ground.setAlphaF(float(0.35 * share));
        table->item(r, c)->setBackground(ground);
      }
  });
  return table;
}

QCustomPlot* rocPlot(const QJsonObject& report, QWidget* parent) {
  auto* plot = plotFor(QCoreApplication::translate("Report", "ROC curve"), QCoreApplication::translate("Report", "False positive rate"),
                       QCoreApplication::translate("Report", "True positive rate"), parent);
  diagonal(plot);
  classCurves(plot, report["roc"].toArray(), "fpr", "tpr");
  return plot;
}

QCustomPlot* precisionRecallPlot(const QJsonObject& report, QWidget* parent) {
  auto* plot = plotFor(QCoreApplication::translate("Report", "Precision–recall curve"), QCoreApplication::translate("Report", "Recall"),
                       QCoreApplication::translate("Report", "Precision"), parent);
  classCurves(plot, report["pr"].toArray(), "recall", "precision");
  return plot;
}

QCustomPlot* calibrationPlot(const QJsonObject& report, QWidget* parent) {
  auto* plot = plotFor(QCoreApplication::translate("Report", "Calibration plot"), QCoreApplication::translate("Report", "Confidence"),
                       QCoreApplication::translate("Report", "Accuracy"), parent);
  diagonal(plot);
  QVector<double> x, y;
  const QJsonArray bins = report["calibration"].toObject()["bins"].toArray();
  for (const QJsonValue& b : bins)
    if (b["count"].toInteger() > 0) {
      x << b["confidence"].toDouble();
      y << b["accuracy"].toDouble();
    }
  QCPGraph* g = plot->addGraph();
  g->setData(x, y);
  g->setPen(seriesPen(0));
  g->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, 6));
  followTheme(plot);
  return plot;
}

QCustomPlot* attackPlot(const QJsonObject& report, const QString& norm, QWidget* parent) {
  QJsonArray attacks;
  const QJsonArray all = report["attacks"].toArray();
  for (const QJsonValue& a : all)
    if (a["norm"].toString() == norm) attacks.append(a);
  if (attacks.isEmpty()) return nullptr;
  const bool greyLevels = norm == u"linf";
  auto* plot = plotFor(QCoreApplication::translate("Report", "Attack success rate over ε"),
                       greyLevels ? QCoreApplication::translate("Report", "ε in grey levels (of 255)")
                                  : QCoreApplication::translate("Report", "ε, length of the whole change (L2)"),
                       QCoreApplication::translate("Report", "Attack success rate"), parent);
  int index = 0;
  double top = 1e-6;
  for (const QJsonValue& a : std::as_const(attacks)) {
    QVector<double> x, y;
    const QJsonArray epsilons = a["epsilons"].toArray();
    for (const QJsonValue& e : epsilons) {
      x << e["epsilon"].toDouble() * (greyLevels ? 255 : 1);
      y << e["successRate"]["value"].toDouble();
      top = std::max(top, x.last());
    }
    QCPGraph* g = plot->addGraph();
    g->setData(x, y);
    g->setName(attackTitle(a.toObject()));
    g->setPen(seriesPen(index));
    g->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ScatterShape(int(QCPScatterStyle::ssDisc) + index % 6), 6));
    ++index;
  }
  plot->xAxis->setRange(0, top * 1.03);
  plot->legend->setVisible(index > 0);
  plot->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
  followTheme(plot);
  return plot;
}

QString maskingSigns(const QJsonObject& report) {
  static const QMap<QString, const char*> kSigns{
      {QStringLiteral("zero_gradient"), QT_TRANSLATE_NOOP("Report", "Some gradients are exactly zero, so the attacks may be blind there.")},
      {QStringLiteral("random_output"),
       QT_TRANSLATE_NOOP("Report", "The model answers differently each time, which hides weaknesses from these attacks.")},
      {QStringLiteral("probabilities_given"),
       QT_TRANSLATE_NOOP("Report", "The model gives probabilities instead of logits, which weakens the attacks.")},
      {QStringLiteral("pgd_weaker"),
       QT_TRANSLATE_NOOP("Report", "PGD did worse than FGSM, which a sound attack does not: more steps are needed.")},
      {QStringLiteral("not_monotone"),
       QT_TRANSLATE_NOOP("Report", "The success rate falls for a larger ε, which a sound attack does not show.")},
      {QStringLiteral("full_range_resists"),
       QT_TRANSLATE_NOOP("Report", "Even the full range of grey levels does not mislead the model: its gradients are probably masked.")}};
  QStringList texts;
  const QJsonArray attacks = report["attacks"].toArray();
  for (const QJsonValue& a : attacks) {
    const QJsonArray signs = a["signs"].toArray();
    for (const QJsonValue& s : signs)
      if (const auto it = kSigns.constFind(s["kind"].toString()); it != kSigns.constEnd()) texts << tr(*it);
  }
  texts.removeDuplicates();
  return texts.join(' ');
}

QWidget* attackExamples(const QJsonObject& report, const QString& folder, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(space::kS);
  int row = 0;
  const QJsonArray attacks = report["attacks"].toArray();
  for (const QJsonValue& a : attacks) {
    const QJsonArray examples = a["examples"].toArray();
    for (const QJsonValue& e : examples) {
      if (row == 3) break;
      grid->addWidget(picture(folder + '/' + e["original"].toString(),
                              QCoreApplication::translate("Report", "Original: %1").arg(e["before"].toString()), box),
                      row, 0);
      grid->addWidget(picture(folder + '/' + e["difference"].toString(), QCoreApplication::translate("Report", "Difference × 10"), box),
                      row, 1);
      grid->addWidget(picture(folder + '/' + e["attacked"].toString(),
                              QCoreApplication::translate("Report", "Attacked: %1").arg(e["after"].toString()), box),
                      row, 2);
      grid->addWidget(label(QCoreApplication::translate("Report", "%1, ε %2 grey levels: %3 → %4")
                                .arg(attackTitle(a.toObject()), words::figures(e["epsilon"].toDouble() * 255), e["before"].toString(),
                                     e["after"].toString()),
                            "small", box),
                      row, 3);
      ++row;
    }
  }
  grid->setColumnStretch(3, 1);
  box->setVisible(row > 0);
  return box;
}

QWidget* latencyTable(const QJsonArray& latency, QWidget* parent) {
  QList<QStringList> rows;
  for (const QJsonValue& l : latency)
    rows << QStringList{l["precision"].toString(),
                        l["runtime"].toString() == u"onnxruntime" ? QStringLiteral("ONNX Runtime") : QStringLiteral("LibTorch"),
                        words::number(l["batch"].toInteger()),
                        words::milliseconds(l["p50"].toDouble()),
                        words::milliseconds(l["p95"].toDouble()),
                        words::milliseconds(l["p99"].toDouble()),
                        QCoreApplication::translate("Report", "%1, %2 warm-up, %3 timed")
                            .arg(words::counted(l["threads"].toInt(), words::Noun::Thread))
                            .arg(l["warmup"].toInt())
                            .arg(l["iterations"].toInt())};
  auto* table = new CopyTable({QCoreApplication::translate("Report", "Number format"), QCoreApplication::translate("Report", "Runtime"),
                               QCoreApplication::translate("Report", "Batch"), QCoreApplication::translate("Report", "p50"),
                               QCoreApplication::translate("Report", "p95"), QCoreApplication::translate("Report", "p99"),
                               QCoreApplication::translate("Report", "Conditions")},
                              rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Latency"));
  return table;
}

QWidget* perClassTable(const QJsonObject& report, QWidget* parent) {
  QList<QStringList> rows;
  const QJsonArray classes = report["perClass"].toArray();
  auto figure = [](const QJsonValue& v) {
    return v.isObject() ? intervalText(v) : v.isDouble() ? words::figures(v.toDouble()) : QStringLiteral("–");
  };
  for (const QJsonValue& c : classes)
    rows << QStringList{c["class"].toString(),    figure(c["auc"]), figure(c["sensitivity"]),
                        figure(c["specificity"]), figure(c["f1"]),  words::number(c["support"].toInteger())};
  auto* table = new CopyTable({QCoreApplication::translate("Report", "Class"), QCoreApplication::translate("Report", "AUC"),
                               QCoreApplication::translate("Report", "Sensitivity"), QCoreApplication::translate("Report", "Specificity"),
                               QCoreApplication::translate("Report", "F1"), QCoreApplication::translate("Report", "Samples")},
                              rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Results by class"));
  return table;
}

QWidget* groupsTable(const QJsonObject& report, QWidget* parent) {
  QList<QStringList> rows;
  const QJsonObject by = report["groupsBy"].toObject();
  static const QMap<QString, const char*> kBy{{QStringLiteral("site"), QT_TRANSLATE_NOOP("Report", "Site")},
                                              {QStringLiteral("modality"), QT_TRANSLATE_NOOP("Report", "Modality")}};
  for (auto it = by.begin(); it != by.end(); ++it) {
    const QJsonArray groups = it.value().toArray();
    for (const QJsonValue& g : groups)
      rows << QStringList{kBy.contains(it.key()) ? tr(kBy[it.key()]) : it.key(),
                          g["name"].toString().isEmpty() ? QCoreApplication::translate("Report", "(not given)") : g["name"].toString(),
                          words::number(g["n"].toInteger()), intervalText(g["accuracy"]), intervalText(g["auc_macro"])};
  }
  auto* table = new CopyTable({QCoreApplication::translate("Report", "By"), QCoreApplication::translate("Report", "Group"),
                               QCoreApplication::translate("Report", "Samples"), QCoreApplication::translate("Report", "Accuracy"),
                               QCoreApplication::translate("Report", "AUC")},
                              rows, parent);
  table->setAccessibleName(QCoreApplication::translate("Report", "Results by group"));
  return table;
}

QWidget* sampleStrip(const QJsonObject& report, const QString& which, const QString& folder, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* grid = new QGridLayout(box);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(space::kS);
  int i = 0;
  const QJsonArray samples = report[which].toArray();
  for (const QJsonValue& s : samples) {
    if (i == 8) break;
    const QString text = QCoreApplication::translate("Report", "True: %1\nSaid: %2 (%3)")
                             .arg(s["label"].toString(), s["predicted"].toString(), words::percent(s["probability"].toDouble()));
    grid->addWidget(picture(folder + '/' + s["image"].toString(), s["key"].toString() + '\n' + text, box), 0, i, Qt::AlignLeft);
    auto* caption = label(text, "small", box);
    caption->setMaximumWidth(kThumb + space::kXl);
    grid->addWidget(caption, 1, i, Qt::AlignTop);
    ++i;
  }
  grid->setColumnStretch(i, 1);
  return box;
}

}  // namespace cloister::report
