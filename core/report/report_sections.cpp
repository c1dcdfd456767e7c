#include "core/report/report_sections.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QRegularExpression>
#include <QtEndian>

#include "core/report/svg_chart.h"

namespace cloister::report {
namespace {

double numberOf(const QJsonValue& v) { return v.isDouble() ? v.toDouble() : std::numeric_limits<double>::quiet_NaN(); }

std::vector<QPointF> pointsOf(const QJsonArray& x, const QJsonArray& y) {
  std::vector<QPointF> out;
  for (qsizetype i = 0; i < std::min(x.size(), y.size()); ++i)
    if (x[i].isDouble() && y[i].isDouble()) out.emplace_back(x[i].toDouble(), y[i].toDouble());
  return out;
}

QString figureBlock(const QString& title, const QString& note, const QString& drawing) {
  return QStringLiteral("<figure><figcaption>%1</figcaption>").arg(title.toHtmlEscaped()) + drawing +
         (note.isEmpty() ? QString() : QStringLiteral("<p class=\"quiet\">%1</p>").arg(note.toHtmlEscaped())) + QStringLiteral("</figure>");
}

/// A picture as data URI. Small ones are enlarged without blurring, as the model sees them.
QString picture(const Context& c, const QString& path, const QString& alternative) {
  // Only names the worker writes: a report from elsewhere must not pull other files into the page.
  if (!path.startsWith(u"images/") || path.contains(u"..")) return {};
  QFile file(c.folder + '/' + path);
  if (!file.open(QIODevice::ReadOnly) || file.size() > (8 << 20)) return {};
  const QByteArray bytes = file.readAll();
  if (!bytes.startsWith("\x89PNG") || bytes.size() < 24) return {};
  const bool small = qFromBigEndian<quint32>(bytes.constData() + 16) < 128;
  return QStringLiteral("<img class=\"%1\" alt=\"%2\" src=\"data:image/png;base64,%3\">")
      .arg(small ? QStringLiteral("small") : QString(), alternative.toHtmlEscaped(), QString::fromLatin1(bytes.toBase64()));
}

/// Curves of two classes mirror each other: the positive one says all.
bool drawn(const Context& c, qsizetype index) { return c.classes().size() != 2 || index == 1; }

QString curves(const Context& c, const QString& name, const char* x, const char* y, bool diagonal) {
  ChartSpec spec;
  spec.title = c.text(name);
  spec.xLabel = c.text(name + ".x");
  spec.yLabel = c.text(name + ".y");
  spec.diagonal = diagonal;
  const QJsonArray all = c.json[name].toArray();
  for (qsizetype i = 0; i < all.size(); ++i) {
    const QJsonObject o = all[i].toObject();
    auto points = pointsOf(o[QLatin1String(x)].toArray(), o[QLatin1String(y)].toArray());
    if (drawn(c, i) && points.size() > 1) spec.series.push_back({o["class"].toString(), std::move(points), {}, false});
  }
  if (spec.series.empty()) return {};
  return figureBlock(spec.title, spec.series.size() == 1 ? c.text("positive").arg(spec.series[0].name) : QString(), lineChart(spec));
}

QString calibration(const Context& c) {
  ChartSpec spec;
  spec.title = c.text("calibration");
  spec.xLabel = c.text("calibration.x");
  spec.yLabel = c.text("calibration.y");
  spec.diagonal = true;
  const QJsonArray bins = c.json["calibration"]["bins"].toArray();
  ChartSeries s{spec.title, {}, {}, true};
  double most = 0;
  for (const QJsonValue& b : bins) most = std::max(most, b["count"].toDouble());
  spec.barWidth = bins.isEmpty() ? 0 : 1.0 / static_cast<double>(bins.size());
  for (qsizetype i = 0; i < bins.size(); ++i) {
    const QJsonObject b = bins[i].toObject();
    if (b["count"].toDouble() <= 0) continue;
    s.points.emplace_back(b["confidence"].toDouble(), b["accuracy"].toDouble());
    spec.bars.emplace_back((static_cast<double>(i) + 0.5) * spec.barWidth, 0.35 * b["count"].toDouble() / most);
  }
  if (s.points.empty()) return {};
  spec.series.push_back(std::move(s));
  return figureBlock(spec.title, c.text("calibration.note"), lineChart(spec));
}

QString confusion(const Context& c) {
  std::vector<std::vector<double>> counts;
  for (const QJsonValue& row : c.json["confusion"].toArray()) {
    counts.emplace_back();
    for (const QJsonValue& v : row.toArray()) counts.back().push_back(v.toDouble());
  }
  return figureBlock(c.text("confusion"), c.text("confusion.note"),
                     QStringLiteral("<div class=\"scroll\">") +
                         confusionChart(c.text("confusion"), c.classes(), counts, c.text("confusion.true"), c.text("confusion.predicted")) +
                         QStringLiteral("</div>"));
}

QString attackTitle(const QJsonObject& a) { return a["name"].toString().toUpper(); }

/// Three significant digits, never with an exponent: 0.0157, 12.3, 1220.
QString significant(double v) {
  if (std::isnan(v)) return QStringLiteral("–");
  if (std::abs(v) < 1000) return QString::number(v, 'g', 3);
  const double power = std::pow(10.0, std::floor(std::log10(std::abs(v))) - 2);
  return QString::number(std::round(v / power) * power, 'f', 0);
}

/// One chart a norm, FGSM and PGD in it.
QString attackChart(const Context& c, const QString& norm) {
  ChartSpec spec;
  spec.title = c.text("attacks." + norm);
  spec.xLabel = c.text(norm == u"l2" ? "attacks.x.l2" : "attacks.x");
  spec.yLabel = c.text("attacks.y");
  spec.xMax = 0;
  for (const QJsonValue& v : c.json["attacks"].toArray()) {
    const QJsonObject a = v.toObject();
    if (a["norm"].toString() != norm) continue;
    ChartSeries s{attackTitle(a), {}, {}, true};
    for (const QJsonValue& e : a["epsilons"].toArray()) {
      const double success = numberOf(e["successRate"]["value"]), x = e["epsilonGreyLevels"].toDouble();
      if (std::isnan(success)) continue;
      s.points.emplace_back(x, success);
      const double low = numberOf(e["successRate"]["low"]), high = numberOf(e["successRate"]["high"]);
      // Nothing was changed at ε = 0, so nothing is uncertain there.
      s.band.emplace_back(x == 0 && std::isnan(low) ? 0 : low, x == 0 && std::isnan(high) ? 0 : high);
      spec.xMax = std::max(spec.xMax, x);
    }
    if (s.points.size() > 1) spec.series.push_back(std::move(s));
  }
  if (spec.series.empty()) return {};
  return figureBlock(spec.title, {}, lineChart(spec));
}

QString attackTable(const Context& c, const QString& norm) {
  QStringList header{c.text("attack"), c.text("epsilon.grey")};
  bool window = false;
  const QJsonArray all = c.json["attacks"].toArray();
  for (const QJsonValue& a : all) window = window || a["windowWidth"].isDouble();
  if (window) header << c.text("epsilon.window");
  header << c.text("robust") << c.text("success");
  QList<QStringList> rows;
  for (const QJsonValue& v : all) {
    const QJsonObject a = v.toObject();
    if (a["norm"].toString() != norm) continue;
    for (const QJsonValue& e : a["epsilons"].toArray()) {
      const bool clean = e["epsilon"].toDouble() == 0;
      if (clean && !rows.isEmpty()) continue;  // the unchanged row is the same for each attack
      QStringList row{clean ? c.text("clean") : attackTitle(a), significant(e["epsilonGreyLevels"].toDouble())};
      if (window) row << significant(numberOf(e["epsilonWindowUnits"]));
      rows << (row << withInterval(e["robustAccuracy"]) << (clean ? QStringLiteral("–") : withInterval(e["successRate"])));
    }
  }
  return rows.isEmpty() ? QString() : table(header, rows);
}

QString attackExamples(const Context& c) {
  QString out;
  const QJsonArray all = c.json["attacks"].toArray();
  const bool iterated = std::any_of(
      all.begin(), all.end(), [](const QJsonValue& a) { return a["name"].toString() == u"pgd" && !a["examples"].toArray().isEmpty(); });
  for (const QJsonValue& v : all) {
    const QJsonObject a = v.toObject();
    if (iterated && a["name"].toString() != u"pgd") continue;  // the stronger attack shows the smaller changes
    for (const QJsonValue& value : a["examples"].toArray()) {
      const QJsonObject e = value.toObject();
      const QString name = attackTitle(a) + (a["norm"].toString() == u"l2" ? QStringLiteral(" L2") : QStringLiteral(" L∞"));
      const QString caption =
          c.text("example.caption").arg(e["before"].toString(), e["after"].toString(), significant(e["epsilon"].toDouble() * 255), name);
      out += QStringLiteral("<figure class=\"triplet\"><div>") + picture(c, e["original"].toString(), e["before"].toString()) +
             picture(c, e["difference"].toString(), QStringLiteral("× 10")) + picture(c, e["attacked"].toString(), e["after"].toString()) +
             QStringLiteral("</div><figcaption>%1<br><span class=\"key\">%2</span></figcaption></figure>")
                 .arg(caption.toHtmlEscaped(), e["key"].toString().toHtmlEscaped());
    }
  }
  if (out.isEmpty()) return {};
  return QStringLiteral("<h3>%1</h3><p class=\"quiet\">%2</p><div class=\"triplets\">%3</div>")
      .arg(c.text("examples").toHtmlEscaped(), c.text("examples.note").toHtmlEscaped(), out);
}

QString attackSigns(const Context& c) {
  QStringList out;
  for (const QJsonValue& a : c.json["attacks"].toArray())
    for (const QJsonValue& s : a["signs"].toArray()) {
      const QString words = c.text("sign." + s["kind"].toString()).arg(QString::number(s["value"].toDouble() * 100, 'f', 1));
      const QString item = QStringLiteral("<li>%1</li>").arg(words.toHtmlEscaped());
      if (!out.contains(item)) out << item;
    }
  return out.isEmpty() ? QString() : QStringLiteral("<ul class=\"warning\">%1</ul>").arg(out.join(QString()));
}

QString card(const Context& c, const QJsonObject& h) {
  const QString name = h["name"].toString();
  const bool interval = h["low"].isDouble() && h["high"].isDouble();
  QString note;
  if (name == u"ece" || name == u"brier") note = c.text("ece.note");
  else if (name == u"sensitivity" || name == u"specificity")
    note = c.classes().size() == 2 ? c.text("positive").arg(c.classes()[1]) : c.text("macro");
  else if (name == u"auc_macro" && c.classes().size() > 2) note = c.text("macro");
  return QStringLiteral("<div class=\"card\"><h3>%1</h3><p class=\"big\">%2</p><p>%3</p><p class=\"quiet\">%4</p></div>")
      .arg(c.text(name).toHtmlEscaped(), h["value"].isDouble() ? figure(h["value"]) : c.text("undefined").toHtmlEscaped(),
           interval ? c.text("interval").arg(figure(h["low"]), figure(h["high"])).toHtmlEscaped() : c.text("interval.none").toHtmlEscaped(),
           note.toHtmlEscaped());
}

bool perfect(const QJsonObject& h) { return h["value"].toDouble() == 1 && h["low"].toDouble() == 1 && h["high"].toDouble() == 1; }

QString groupTable(const Context& c, const QString& name, const QJsonArray& groups) {
  QList<QStringList> rows;
  for (const QJsonValue& g : groups)
    rows << QStringList{g["name"].toString().isEmpty() ? c.text("notgiven") : g["name"].toString(),
                        c.text.count(g["n"].toInteger()),
                        c.text.count(g["groups"].toInteger()),
                        withInterval(g["accuracy"]),
                        withInterval(g["auc_macro"]),
                        withInterval(g["sensitivity"]),
                        withInterval(g["specificity"])};
  return table({c.text(name), c.text("support"), c.text(c.unit() == u"patient" ? "patients" : "groupcount"), c.text("accuracy"), "AUC",
                c.text("sensitivity"), c.text("specificity")},
               rows);
}

QString factRow(const QString& name, const QString& value) {
  return QStringLiteral("<dt>%1</dt><dd>%2</dd>").arg(name.toHtmlEscaped(), value.toHtmlEscaped());
}

QString decision(const Context& c) {
  if (c.classes().size() != 2) return c.text("method.decision.many");
  const bool youden = c.json["thresholdSource"].toString() == u"youden";
  return c.text(youden ? "method.decision.youden" : "method.decision.two").arg(c.classes()[1], figure(c.json["threshold"]));
}

QString attackMethod(const Context& c) {
  for (const QJsonValue& a : c.json["attacks"].toArray()) {
    if (a["name"].toString() != u"pgd") continue;
    return c.text("method.attack.text")
        .arg(QString::number(a["steps"].toInt()), significant(a["relativeStepSize"].toDouble()), QString::number(a["restarts"].toInt()));
  }
  return {};
}

}  // namespace

QStringList Context::classes() const {
  QStringList out;
  for (const QJsonValue& v : json["classes"].toArray()) out << v.toString();
  return out;
}

QString Context::unit() const {
  const QString by = json["groupedBy"].toString();
  if (by == u"patient" || by == u"sample") return by;
  return json["bootstrap"]["by"].toString() == u"sample" ? QStringLiteral("sample") : QStringLiteral("group");
}

QString basis(const Context& c) {
  const QString samples = c.text.counted("sample", c.json["samples"].toInteger());
  if (c.unit() == u"sample") return samples;
  return c.text("basis." + c.unit()).arg(samples, c.text.counted(c.unit(), c.json["groups"].toInteger()));
}

QString figure(const QJsonValue& value) { return value.isDouble() ? QString::number(value.toDouble(), 'f', 3) : QStringLiteral("–"); }

QString withInterval(const QJsonValue& object) {
  if (!object["value"].isDouble()) return QStringLiteral("–");
  if (!object["low"].isDouble() || !object["high"].isDouble()) return figure(object["value"]);
  return QStringLiteral("%1 (%2–%3)").arg(figure(object["value"]), figure(object["low"]), figure(object["high"]));
}

QString section(const QString& title, const QString& note, const QString& body) {
  return QStringLiteral("<section><h2>%1</h2>").arg(title.toHtmlEscaped()) +
         (note.isEmpty() ? QString() : QStringLiteral("<p class=\"note\">%1</p>").arg(note.toHtmlEscaped())) + body +
         QStringLiteral("</section>\n");
}

QString table(const QStringList& header, const QList<QStringList>& rows, int firstNumber) {
  const auto cells = [&](const QStringList& row, const QString& tag) {
    QString out;
    for (qsizetype i = 0; i < row.size(); ++i)
      out +=
          QStringLiteral("<%1%2>%3</%1>").arg(tag, i >= firstNumber ? QStringLiteral(" class=\"n\"") : QString(), row[i].toHtmlEscaped());
    return QStringLiteral("<tr>%1</tr>").arg(out);
  };
  QString body;
  for (const QStringList& row : rows) body += cells(row, QStringLiteral("td"));
  return QStringLiteral("<div class=\"scroll\"><table><thead>") + cells(header, QStringLiteral("th")) + QStringLiteral("</thead><tbody>") +
         body + QStringLiteral("</tbody></table></div>");
}

QString headline(const Context& c) {
  QString cards;
  bool anyPerfect = false;
  for (const QJsonValue& v : c.json["headline"].toArray()) {
    const QString name = v["name"].toString();
    if (name == u"log_loss") continue;  // among the conditions; too much for the first glance
    cards += card(c, v.toObject());
    anyPerfect = anyPerfect || perfect(v.toObject());
  }
  if (anyPerfect) cards += QStringLiteral("</div><div><p class=\"quiet\">%1</p>").arg(c.text("headline.perfect").toHtmlEscaped());
  const int resamples = c.json["bootstrap"]["resamples"].toInt();
  const QString note = resamples > 0 ? c.text("headline.note").arg(basis(c), c.text.count(resamples), c.text("per." + c.unit()))
                                     : c.text("headline.nonote").arg(basis(c));
  return section(c.text("headline"), note, QStringLiteral("<div class=\"cards\">%1</div>").arg(cards));
}

QString classTable(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& v : c.json["perClass"].toArray())
    rows << QStringList{v["class"].toString(),
                        withInterval(v["auc"]),
                        withInterval(v["sensitivity"]),
                        withInterval(v["specificity"]),
                        withInterval(v["f1"]),
                        withInterval(v["average_precision"]),
                        c.text.count(v["support"].toInteger())};
  return section(
      c.text("classes"), c.text("classes.note"),
      table({c.text("class"), "AUC", c.text("sensitivity"), c.text("specificity"), "F1", c.text("average_precision"), c.text("support")},
            rows));
}

QString quality(const Context& c) {
  return section(c.text("curves"), {},
                 QStringLiteral("<div class=\"charts\">") + curves(c, "roc", "fpr", "tpr", true) +
                     curves(c, "pr", "recall", "precision", false) + calibration(c) + confusion(c) + QStringLiteral("</div>"));
}

QString groups(const Context& c) {
  const QJsonObject by = c.json["groupsBy"].toObject();
  QStringList order{"site", "modality"};
  for (const QString& name : by.keys())
    if (!order.contains(name)) order << name;
  QString body;
  for (const QString& name : order)
    if (by.contains(name)) body += groupTable(c, name, by[name].toArray());
  return body.isEmpty() ? QString() : section(c.text("groups"), c.text("groups.note"), body);
}

QString attacks(const Context& c) {
  const QJsonArray all = c.json["attacks"].toArray();
  if (all.isEmpty()) return section(c.text("attacks"), c.text("attacks.none"), {});
  QString body = attackSigns(c);
  for (const char* norm : {"linf", "l2"}) {
    const QString drawing = attackChart(c, QLatin1String(norm)) + attackTable(c, QLatin1String(norm));
    if (!drawing.isEmpty()) body += QStringLiteral("<div class=\"pair\">") + drawing + QStringLiteral("</div>");
  }
  return section(c.text("attacks"), c.text("attacks.note").arg(c.text.count(all[0]["samples"].toInteger())), body + attackExamples(c));
}

// The worker writes "NAME, N processors"; the name stays, the count is said in the report's language.
QString machine(const Context& c) {
  static const QRegularExpression kLine(QStringLiteral("^(.*), (\\d+) processors?$"));
  const QString line = c.json["hardware"].toString();
  const QRegularExpressionMatch m = kLine.match(line);
  if (!m.hasMatch()) return line;
  const QString key = m.captured(2) == u"1" ? QStringLiteral("machine.one") : QStringLiteral("machine.many");
  return c.text(key).arg(m.captured(1), m.captured(2));
}

QString latency(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& l : c.json["latency"].toArray()) {
    const auto ms = [&](const char* key) { return significant(numberOf(l[QLatin1String(key)])); };
    rows << QStringList{l["runtime"].toString() == u"onnxruntime" ? QStringLiteral("ONNX Runtime") : QStringLiteral("LibTorch"),
                        l["precision"].toString(),
                        QString::number(l["batch"].toInt()),
                        ms("p50"),
                        ms("p95"),
                        ms("p99"),
                        QString::number(l["threads"].toInt()),
                        QStringLiteral("%1 + %2").arg(l["warmup"].toInt()).arg(l["iterations"].toInt())};
  }
  if (rows.isEmpty()) return section(c.text("latency"), c.text("latency.none"), {});
  return section(
      c.text("latency"), c.text("latency.note").arg(machine(c)),
      table({c.text("runtime"), c.text("precision"), c.text("batch"), "p50 ms", "p95 ms", "p99 ms", c.text("threads"), c.text("rounds")},
            rows, 2));
}

QString samples(const Context& c, const QString& which) {
  QString body;
  for (const QJsonValue& v : c.json[which].toArray()) {
    const QJsonObject s = v.toObject();
    const bool right = s["label"].toString() == s["predicted"].toString();
    const QString caption = c.text("sample.caption").arg(s["label"].toString(), s["predicted"].toString(), figure(s["probability"]));
    body += QStringLiteral("<figure class=\"sample %1\">").arg(right ? QStringLiteral("right") : QStringLiteral("wrong")) +
            picture(c, s["image"].toString(), s["label"].toString()) +
            QStringLiteral("<figcaption>%1<br><span class=\"key\">%2</span></figcaption></figure>")
                .arg(caption.toHtmlEscaped(), s["key"].toString().toHtmlEscaped());
  }
  if (body.isEmpty()) return {};
  return section(c.text(which), c.text(which + ".note"), QStringLiteral("<div class=\"samples\">%1</div>").arg(body));
}

QString method(const Context& c) {
  const QJsonObject b = c.json["bootstrap"].toObject();
  QString body = factRow(c.text("method.decision"), decision(c));
  if (b["resamples"].toInt() > 0)
    body += factRow(c.text("method.intervals"),
                    c.text("method.intervals.text")
                        .arg(c.text.count(b["resamples"].toInteger()), c.text("per." + c.unit()), QString::number(b["seed"].toInteger())));
  body += factRow(c.text("method.ece"), c.text("method.ece.text"));
  if (const QString how = attackMethod(c); !how.isEmpty()) body += factRow(c.text("method.attack"), how);
  if (const QJsonValue w = c.json["attacks"][0]["windowWidth"]; w.isDouble())
    body += factRow(c.text("method.window"), c.text("method.window.text").arg(significant(w.toDouble())));
  for (const QJsonValue& h : c.json["headline"].toArray())
    if (h["name"].toString() == u"log_loss") body += factRow(c.text("log_loss"), withInterval(h));
  body += factRow(c.text("method.machine"), machine(c));
  body +=
      factRow(c.text("method.program"), QStringLiteral("Cloister %1 (%2)").arg(c.json["version"].toString(), c.json["commit"].toString()));
  if (c.json["seconds"].isDouble())
    body += factRow(c.text("method.time"), c.text("seconds").arg(QString::number(c.json["seconds"].toDouble(), 'f', 0)));
  return section(c.text("method"), {}, QStringLiteral("<dl>%1</dl>").arg(body));
}

}  // namespace cloister::report
