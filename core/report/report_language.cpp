// The page of a language model's evaluation: figures beside those of the base, how it learnt, its best and worst answers, fragility with
// what the changed words read as, memory, speed, and how all of it was measured.
#include <algorithm>
#include <cmath>

#include <QJsonArray>

#include "core/report/report_sections.h"
#include "core/report/svg_chart.h"

namespace cloister::report {
namespace {

QString number(const QJsonValue& v, int digits = 4) {
  return v.isDouble() ? QString::number(v.toDouble(), 'g', digits) : QStringLiteral("–");
}

QString span(const QJsonValue& v) {
  return v["low"].isDouble() ? QStringLiteral("%1 (%2–%3)").arg(number(v["value"]), number(v["low"]), number(v["high"]))
                             : number(v["value"]);
}

QString percent(const QJsonValue& v) {
  return v.isDouble() ? QString::number(100 * v.toDouble(), 'f', 1) + QStringLiteral(" %") : QStringLiteral("–");
}

/// Rows of name and value; those without a value are left out.
QString facts(const QList<QPair<QString, QString>>& rows) {
  QString out;
  for (const auto& [name, value] : rows)
    if (!value.isEmpty()) out += QStringLiteral("<dt>%1</dt><dd>%2</dd>").arg(name.toHtmlEscaped(), value.toHtmlEscaped());
  return QStringLiteral("<dl>%1</dl>").arg(out);
}

QString drawing(const QString& title, const ChartSpec& spec) {
  return QStringLiteral("<figure><figcaption>%1</figcaption>%2</figure>").arg(title.toHtmlEscaped(), lineChart(spec));
}

QString head(const Context& c) {
  const QJsonObject& j = c.json;
  const QString basis =
      c.text("lm.basis").arg(c.text.count(j["texts"].toInteger()), c.text.count(j["perplexity"].toObject()["tokens"].toInteger()));
  const QString method = j["method"].toString(),
                parameters = j["parameters"].isDouble() ? c.text.count(j["parameters"].toInteger()) : QString();
  const std::pair<const char*, QString> rows[] = {{"run", j["run"].toString()},
                                                  {"model", j["architecture"].toString()},
                                                  {"lm.parameters", parameters},
                                                  {"lm.method", method.isEmpty() ? QString() : c.text("lm.method." + method)},
                                                  {"snapshot", j["snapshot"].toString().left(12)},
                                                  {"split", j["part"].isString() ? c.text("split." + j["part"].toString()) : QString()},
                                                  {"created", j["createdAt"].toString().left(16).replace('T', ' ')}};
  QString list;
  for (const auto& [key, value] : rows)
    if (!value.isEmpty())
      list += QStringLiteral("<div><dt>%1</dt><dd>%2</dd></div>").arg(c.text(key).toHtmlEscaped(), value.toHtmlEscaped());
  return QStringLiteral("<header><h1>%1</h1><p class=\"quiet\">%2</p><dl>%3</dl></header><div class=\"notice\"><p>%4</p></div>\n")
      .arg(c.text("lm.title").toHtmlEscaped(), basis.toHtmlEscaped(), list, c.text("lm.notice").toHtmlEscaped());
}

QString card(const QString& title, const QString& big, const QString& interval, const QString& note) {
  return QStringLiteral("<div class=\"card\"><h3>%1</h3><p class=\"big\">%2</p><p>%3</p><p class=\"quiet\">%4</p></div>")
      .arg(title.toHtmlEscaped(), big.toHtmlEscaped(), interval.toHtmlEscaped(), note.toHtmlEscaped());
}

QString intervalOf(const Context& c, const QJsonValue& v) {
  return v["low"].isDouble() ? c.text("interval").arg(number(v["low"]), number(v["high"])) : c.text("interval.none");
}

/// The first glance: perplexity, against the base, the next token, what is known by heart.
QString cards(const Context& c) {
  const QJsonObject p = c.json["perplexity"].toObject(), base = c.json["base"].toObject(), m = c.json["memorisation"].toObject();
  QString out;
  if (p["value"].isDouble()) out += card(c.text("perplexity"), number(p["value"]), intervalOf(c, p), c.text("lm.lower"));
  if (const QJsonValue ratio = base["ratio"]; ratio.isObject())
    out += card(c.text("lm.ratio"), number(ratio["value"], 3), intervalOf(c, ratio), c.text("lm.ratio.note").arg(number(base["p"], 2)));
  if (const QJsonValue next = p["nextTokenAccuracy"]; next.isObject())
    out += card(c.text("lm.next"), percent(next["value"]),
                next["low"].isDouble() ? c.text("interval").arg(percent(next["low"]), percent(next["high"])) : c.text("interval.none"), {});
  if (!m.isEmpty())
    out += card(c.text("lm.heart"), c.text.count(m["repeated"].toInteger()),
                c.text("lm.heart.of").arg(c.text.count(m["texts"].toInteger())), {});
  return QStringLiteral("<div class=\"cards\">%1</div>").arg(out);
}

/// A report of `model evaluate` has no list of figures for the first glance.
QJsonArray headlineOf(const QJsonObject& report) {
  if (report.contains("headline")) return report["headline"].toArray();
  const QJsonObject ours = report["perplexity"].toObject(), base = report["base"].toObject();
  QJsonArray rows;
  for (const char* name : {"perplexity", "loss"}) {
    const bool loss = QLatin1String(name) == QLatin1String("loss");
    const QJsonObject mine = loss ? ours["loss"].toObject() : ours, theirs = loss ? base["loss"].toObject() : base;
    QJsonObject row{{"name", QLatin1String(name)}, {"value", mine["value"]}, {"low", mine["low"]}, {"high", mine["high"]}};
    if (!theirs.isEmpty()) row["base"] = theirs, row["p"] = base["p"];
    rows.append(row);
  }
  if (const QJsonValue right = report["choices"]["accuracy"]; right.isObject()) {
    QJsonObject row = right.toObject();
    row["name"] = "lm.choices";
    rows.append(row);
  }
  return rows;
}

QString figures(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& h : headlineOf(c.json))
    rows << QStringList{c.text(h["name"].toString()), span(h), h["base"].isObject() ? span(h["base"]) : QStringLiteral("–"),
                        number(h["p"], 2)};
  return section(c.text("headline"), c.text("lm.headline.note"),
                 cards(c) + QStringLiteral("<div>") +
                     table({c.text("lm.figure"), c.text("lm.value"), c.text("lm.base"), c.text("lm.p")}, rows) + QStringLiteral("</div>"));
}

std::vector<QPointF> pointsOf(const QJsonValue& pairs) {
  std::vector<QPointF> out;
  for (const QJsonValue& p : pairs.toArray())
    if (p[0].isDouble() && p[1].isDouble()) out.emplace_back(p[0].toDouble(), p[1].toDouble());
  return out;
}

/// How the loss fell: of training and of validation.
QString learning(const Context& c) {
  ChartSpec spec;
  spec.title = c.text("lm.curve");
  spec.xLabel = c.text("lm.step");
  spec.yLabel = c.text("loss");
  spec.xMin = spec.xMax = 0;
  double low = 0, high = 0;
  for (const char* part : {"train", "validation"}) {
    ChartSeries s{c.text(QStringLiteral("lm.curve.") + QLatin1String(part)),
                  pointsOf(c.json["curve"][QLatin1String(part)]),
                  {},
                  QLatin1String(part) == QLatin1String("validation")};
    if (s.points.size() < 2) continue;
    for (const QPointF& p : s.points) {
      if (spec.xMax == 0 && spec.series.empty()) low = high = s.points[0].y();
      spec.xMax = std::max(spec.xMax, p.x());
      low = std::min(low, p.y());
      high = std::max(high, p.y());
    }
    spec.series.push_back(std::move(s));
  }
  if (spec.series.empty() || !(spec.xMax > 0)) return {};
  const double margin = std::max(1e-6, 0.05 * (high - low));
  spec.yMin = std::max(0.0, low - margin);
  spec.yMax = high + margin;
  return section(c.text("lm.curve"), c.text("lm.curve.note"),
                 QStringLiteral("<figure class=\"alone\">") + lineChart(spec) + QStringLiteral("</figure>"));
}

QString answerTable(const Context& c, const QString& title, const QJsonArray& samples) {
  QList<QStringList> rows;
  bool base = false, scored = false;
  for (const QJsonValue& s : samples) base = base || s["baseOutput"].isString(), scored = scored || s["score"].isDouble();
  QStringList header{c.text("lm.prompt"), c.text("lm.reference"), c.text("lm.value")};
  if (base) header << c.text("lm.base");
  if (scored) header << QStringLiteral("chrF");
  for (const QJsonValue& s : samples) {
    QStringList row{s["prompt"].toString(), s["reference"].toString(), s["output"].toString()};
    if (base) row << s["baseOutput"].toString();
    if (scored) row << number(s["score"], 3);
    rows << row;
  }
  if (rows.isEmpty()) return {};
  return (title.isEmpty() ? QString() : QStringLiteral("<h3>%1</h3>").arg(title.toHtmlEscaped())) +
         table(header, rows, int(scored ? header.size() - 1 : header.size()));
}

QString answers(const Context& c) {
  QString body = answerTable(c, {}, c.json["samples"].toArray());
  for (const char* which : {"worst", "best"})
    body += answerTable(c, c.text(QStringLiteral("lm.") + QLatin1String(which)), c.json[QLatin1String(which)].toArray());
  return body.isEmpty() ? QString() : section(c.text("lm.answers"), c.text("lm.answers.note"), body);
}

QString attackName(const QJsonValue& a) {
  return a["kind"].toString().toUpper() + (a["norm"].toString() == u"l2" ? QStringLiteral(" L2") : QStringLiteral(" L∞"));
}

QString attackChart(const Context& c) {
  ChartSpec spec;
  spec.title = c.text("lm.success");
  spec.xLabel = QStringLiteral("ε");
  spec.yLabel = c.text("lm.success");
  spec.xMax = 0;
  for (const QJsonValue& a : c.json["attacks"].toArray()) {
    ChartSeries s{attackName(a), {}, {}, true};
    for (const QJsonValue& e : a["epsilons"].toArray())
      if (e["successRate"].isDouble()) s.points.emplace_back(e["epsilon"].toDouble(), e["successRate"].toDouble());
    for (const QPointF& p : s.points) spec.xMax = std::max(spec.xMax, p.x());
    if (s.points.size() > 1) spec.series.push_back(std::move(s));
  }
  return spec.series.empty() || !(spec.xMax > 0) ? QString() : drawing(spec.title, spec);
}

/// What the changed vectors are nearest to, as text: whether a reader would see the attack.
QString readings(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& a : c.json["attacks"].toArray())
    for (const QJsonValue& e : a["epsilons"].toArray())
      for (const QJsonValue& r : e["readings"].toArray())
        if (r["before"].isString() && r["before"] != r["after"])
          rows << QStringList{attackName(a) + QStringLiteral(", ε ") + number(e["epsilon"]), r["before"].toString(), r["after"].toString()};
  if (rows.isEmpty()) return {};
  return QStringLiteral("<h3>%1</h3><p class=\"note\">%2</p>")
             .arg(c.text("lm.readings").toHtmlEscaped(), c.text("lm.readings.note").toHtmlEscaped()) +
         table({c.text("lm.attack"), c.text("lm.before"), c.text("lm.after")}, rows, 9);
}

QString fragility(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& a : c.json["attacks"].toArray())
    for (const QJsonValue& e : a["epsilons"].toArray())
      rows << QStringList{attackName(a),           number(e["epsilon"]),     percent(e["successRate"]), number(e["cleanPerplexity"]),
                          number(e["perplexity"]), percent(e["readTheSame"])};
  if (rows.isEmpty()) return {};
  const QString numbers = table(
      {c.text("lm.attack"), QStringLiteral("ε"), c.text("lm.success"), c.text("lm.clean"), c.text("lm.attacked"), c.text("lm.same")}, rows);
  return section(c.text("lm.attacks"), c.text("lm.attacks.note"),
                 QStringLiteral("<div class=\"pair\">") + attackChart(c) + numbers + QStringLiteral("</div>") + readings(c));
}

QString memory(const Context& c) {
  const QJsonObject m = c.json["memorisation"].toObject();
  if (m.isEmpty()) return {};
  const QString text = c.text("lm.memory.text")
                           .arg(c.text.count(m["promptTokens"].toInteger()), c.text.count(m["texts"].toInteger()),
                                c.text.count(m["repeated"].toInteger()), c.text.count(m["longestVerbatim"].toInteger()));
  return section(c.text("lm.memory"), text, {});
}

QString speed(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& l : c.json["latency"].toArray())
    rows << QStringList{l["runtime"].toString() == u"onnxruntime" ? QStringLiteral("ONNX Runtime") : QStringLiteral("LibTorch"),
                        l["precision"].toString(),
                        number(l["batch"]),
                        number(l["promptTokens"]),
                        number(l["firstTokenMs"], 3),
                        number(l["perTokenMs"], 3),
                        number(l["tokensPerSecond"])};
  if (rows.isEmpty()) return {};
  return section(c.text("lm.latency"), machine(c),
                 table({c.text("runtime"), c.text("lm.format"), c.text("lm.batch"), c.text("lm.read"), c.text("lm.first"),
                        c.text("lm.each"), c.text("lm.rate")},
                       rows, 2));
}

/// Data, signatures, machine and program: enough to do it again.
QString measured(const Context& c) {
  const QJsonObject& j = c.json;
  const QJsonObject b = j["bootstrap"].toObject(), g = j["generation"].toObject();
  QStringList signatures;
  for (const QJsonValue& s : j["scores"].toArray())
    if (const QString one = s["signature"].toString(); !one.isEmpty() && !signatures.contains(s["name"].toString() + ": " + one))
      signatures << s["name"].toString() + ": " + one;
  QString intervals, writing;
  if (b["resamples"].toInt() > 0)
    intervals = c.text("method.intervals.text")
                    .arg(c.text.count(b["resamples"].toInteger()), c.text("per.text"), QString::number(b["seed"].toInteger()));
  if (!g.isEmpty())
    writing = c.text("lm.writing.text")
                  .arg(c.text.count(g["n"].toInteger()), c.text.count(g["asked"].toInteger()), c.text.count(g["newTokens"].toInteger()),
                       c.text.count(g["ended"].toInteger()));
  QList<QPair<QString, QString>> rows{{c.text("lm.digest"), j["snapshot"].toString()},
                                      {c.text("lm.kind"), j["kind"].isString() ? c.text("lm.kind." + j["kind"].toString()) : QString()},
                                      {c.text("lm.template"), j["template"].toString()},
                                      {c.text("lm.writing"), writing},
                                      {c.text("method.intervals"), intervals}};
  for (const QString& s : signatures) rows.append({c.text("lm.signature"), s});
  rows.append({c.text("method.machine"), machine(c)});
  if (j["version"].isString())
    rows.append({c.text("method.program"), QStringLiteral("Cloister %1 (%2)").arg(j["version"].toString(), j["commit"].toString())});
  if (j["seconds"].isDouble())
    rows.append({c.text("method.time"), c.text("seconds").arg(QString::number(j["seconds"].toDouble(), 'f', 0))});
  return section(c.text("method"), {}, facts(rows));
}

}  // namespace

QString languageReport(const Context& c) {
  return head(c) + figures(c) + learning(c) + answers(c) + fragility(c) + memory(c) + speed(c) + measured(c);
}

}  // namespace cloister::report
