// The page of a language model's evaluation: figures beside those of the base, answers, fragility, memory, speed.
#include <QJsonArray>

#include "core/report/report_sections.h"

namespace cloister::report {
namespace {

QString number(const QJsonValue& v, int digits = 4) {
  return v.isDouble() ? QString::number(v.toDouble(), 'g', digits) : QStringLiteral("–");
}

QString span(const QJsonValue& v) {
  return v["low"].isDouble() ? QStringLiteral("%1 (%2–%3)").arg(number(v["value"]), number(v["low"]), number(v["high"]))
                             : number(v["value"]);
}

QString head(const Context& c) {
  const QJsonObject& j = c.json;
  const QString basis =
      c.text("lm.basis").arg(c.text.count(j["texts"].toInteger()), c.text.count(j["perplexity"].toObject()["tokens"].toInteger()));
  QString facts;
  const std::pair<const char*, QString> rows[] = {{"run", j["run"].toString()},
                                                  {"model", j["architecture"].toString()},
                                                  {"snapshot", j["snapshot"].toString().left(12)},
                                                  {"split", c.text("split." + j["part"].toString())},
                                                  {"created", j["createdAt"].toString().left(16).replace('T', ' ')}};
  for (const auto& [key, value] : rows)
    facts += QStringLiteral("<div><dt>%1</dt><dd>%2</dd></div>").arg(c.text(key).toHtmlEscaped(), value.toHtmlEscaped());
  return QStringLiteral("<header><h1>%1</h1><p class=\"quiet\">%2</p><dl>%3</dl></header><div class=\"notice\"><p>%4</p></div>\n")
      .arg(c.text("lm.title").toHtmlEscaped(), basis.toHtmlEscaped(), facts, c.text("lm.notice").toHtmlEscaped());
}

QString figures(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& h : c.json["headline"].toArray())
    rows << QStringList{c.text(h["name"].toString()), span(h), h["base"].isObject() ? span(h["base"]) : QStringLiteral("–"),
                        number(h["p"], 2)};
  return section(c.text("headline"), c.text("lm.headline.note"),
                 table({c.text("lm.figure"), c.text("lm.value"), c.text("lm.base"), c.text("lm.p")}, rows));
}

QString answers(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& s : c.json["samples"].toArray())
    rows << QStringList{s["prompt"].toString(), s["reference"].toString(), s["output"].toString(), s["baseOutput"].toString()};
  if (rows.isEmpty()) return {};
  return section(c.text("lm.answers"), c.text("lm.answers.note"),
                 table({c.text("lm.prompt"), c.text("lm.reference"), c.text("lm.value"), c.text("lm.base")}, rows, 9));
}

QString fragility(const Context& c) {
  QList<QStringList> rows;
  for (const QJsonValue& a : c.json["attacks"].toArray())
    for (const QJsonValue& e : a["epsilons"].toArray())
      rows << QStringList{a["kind"].toString().toUpper(), number(e["epsilon"]), number(e["successRate"], 3), number(e["perplexity"]),
                          number(e["readTheSame"], 3)};
  if (rows.isEmpty()) return {};
  return section(c.text("lm.attacks"), c.text("lm.attacks.note"),
                 table({c.text("lm.attack"), QStringLiteral("ε"), c.text("lm.success"), c.text("perplexity"), c.text("lm.same")}, rows));
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
    rows << QStringList{l["precision"].toString(), number(l["batch"]), number(l["firstTokenMs"], 3), number(l["perTokenMs"], 3),
                        number(l["tokensPerSecond"])};
  if (rows.isEmpty()) return {};
  return section(c.text("lm.latency"), c.json["hardware"].toString(),
                 table({c.text("lm.format"), c.text("lm.batch"), c.text("lm.first"), c.text("lm.each"), c.text("lm.rate")}, rows));
}

}  // namespace

QString languageReport(const Context& c) { return head(c) + figures(c) + answers(c) + fragility(c) + memory(c) + speed(c); }

}  // namespace cloister::report
