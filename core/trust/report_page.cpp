#include "core/trust/bundle_documents.h"

namespace cloister {
namespace {

QString text(const QJsonValue& v) {
  if (v.isDouble()) return QString::number(v.toDouble(), 'g', 4);
  return v.isString() ? v.toString().toHtmlEscaped() : QStringLiteral("–");
}

QString interval(const QJsonValue& v) {
  const QJsonObject o = v.toObject();
  if (!v.isObject()) return text(v);
  if (!o["value"].isDouble()) return QStringLiteral("–");
  return o["low"].isDouble() ? QStringLiteral("%1 <small>%2 – %3</small>").arg(text(o["value"]), text(o["low"]), text(o["high"]))
                             : text(o["value"]);
}

struct Column {
  const char* member;
  const char* title;
};

QString table(const QJsonArray& rows, std::initializer_list<Column> columns) {
  if (rows.isEmpty()) return QStringLiteral("<p>Not measured.</p>\n");
  QString html = QStringLiteral("<table><tr>");
  for (const Column& c : columns) html += QStringLiteral("<th scope=\"col\">%1</th>").arg(QString::fromUtf8(c.title));
  html += QStringLiteral("</tr>\n");
  for (const QJsonValue& row : rows) {
    html += QStringLiteral("<tr>");
    for (const Column& c : columns) html += "<td>" + interval(row.toObject()[QLatin1String(c.member)]) + "</td>";
    html += QStringLiteral("</tr>\n");
  }
  return html + QStringLiteral("</table>\n");
}

/// The headline's rows carry value, low and high themselves.
QJsonArray headlineRows(const QJsonArray& headline) {
  QJsonArray rows;
  for (const QJsonValue& v : headline) rows.append(QJsonObject{{"name", v.toObject()["name"]}, {"value", v}, {"n", v.toObject()["n"]}});
  return rows;
}

QString confusion(const QJsonArray& matrix, const QJsonArray& classes) {
  if (matrix.isEmpty()) return QStringLiteral("<p>Not measured.</p>\n");
  QString html = QStringLiteral("<table><tr><th>true \\ predicted</th>");
  for (const QJsonValue& c : classes) html += "<th scope=\"col\">" + text(c) + "</th>";
  html += QStringLiteral("</tr>\n");
  for (qsizetype i = 0; i < matrix.size(); ++i) {
    html += "<tr><th scope=\"row\">" + text(classes.at(i)) + "</th>";
    for (const QJsonValue& n : matrix[i].toArray()) html += "<td>" + text(n) + "</td>";
    html += QStringLiteral("</tr>\n");
  }
  return html + QStringLiteral("</table>\n");
}

/// A curve in the unit square as inline SVG; every n-th point of a long one.
QString curve(const QJsonObject& o, const char* x, const char* y) {
  const QJsonArray xs = o[QLatin1String(x)].toArray(), ys = o[QLatin1String(y)].toArray();
  const qsizetype n = std::min(xs.size(), ys.size()), step = std::max<qsizetype>(1, n / 400);
  QString points;
  const auto add = [&](qsizetype i) {
    points += QStringLiteral("%1,%2 ").arg(xs[i].toDouble() * 200, 0, 'f', 1).arg(200 - ys[i].toDouble() * 200, 0, 'f', 1);
  };
  for (qsizetype i = 0; i < n; i += step) add(i);
  if (n > 0) add(n - 1);
  return QStringLiteral(
             "<figure><svg viewBox=\"-4 -4 208 208\" width=\"220\" height=\"220\" role=\"img\" aria-label=\"%1\"><rect width=\"200\" "
             "height=\"200\" "
             "fill=\"none\" stroke=\"#999\"/><path d=\"M0 200L200 0\" stroke=\"#ccc\"/><polyline fill=\"none\" stroke=\"#0b62a4\" "
             "stroke-width=\"1.5\" "
             "points=\"%2\"/></svg><figcaption>%1</figcaption></figure>\n")
      .arg(text(o["class"]), points);
}

QString attacks(const QJsonArray& list) {
  if (list.isEmpty()) return QStringLiteral("<p>Not measured.</p>\n");
  QString html;
  for (const QJsonValue& v : list) {
    const QJsonObject a = v.toObject();
    html += QStringLiteral("<h3>%1, %2, steps: %3</h3>\n").arg(text(a["name"]), text(a["norm"]), text(a["steps"]));
    html += table(a["epsilons"].toArray(), {{"epsilon", "ε (0…1)"},
                                            {"epsilonGreyLevels", "grey levels"},
                                            {"epsilonWindowUnits", "window units"},
                                            {"robustAccuracy", "robust accuracy"},
                                            {"successRate", "attack success"}});
    for (const QJsonValue& w : a["warnings"].toArray()) html += "<p>" + text(w) + "</p>\n";
  }
  return html;
}

}  // namespace

QByteArray reportPage(const QJsonObject& r, const QString& title) {
  const QString name = title.toHtmlEscaped();
  QString html =
      QStringLiteral(
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src "
          "'none'; style-src 'unsafe-inline'\"><title>Evaluation: %1</title><style>body{font:15px/1.5 sans-serif;max-width:60em;margin:2em "
          "auto;padding:0 1em;color:#222}table{border-collapse:collapse;margin:.5em 0}td,th{border:1px solid "
          "#ccc;padding:.2em "
          ".6em;text-align:right}th{background:#f4f4f4}td:first-child,th:first-child{text-align:left}small{color:#666}figure{"
          "display:inline-block;margin:.5em}figcaption{text-align:center}</style></head><body>\n<h1>Evaluation of %1</h1>\n")
          .arg(name);
  html += QStringLiteral(
              "<p><strong>Not a medical device.</strong> Run %1, %2 split, samples: %3, groups: %4, threshold %5, made %6. Intervals: 95 % "
              "bootstrap. "
              "Pictures and names of samples were left out of this copy.</p>\n")
              .arg(text(r["run"]), text(r["split"]), text(r["samples"]), text(r["groups"]), text(r["threshold"]), text(r["createdAt"]));
  html += "<h2>In short</h2>\n" + table(headlineRows(r["headline"].toArray()), {{"name", "Metric"}, {"value", "Value"}, {"n", "n"}});
  html += "<h2>By class</h2>\n" + table(r["perClass"].toArray(), {{"class", "Class"},
                                                                  {"auc", "AUC"},
                                                                  {"sensitivity", "Sensitivity"},
                                                                  {"specificity", "Specificity"},
                                                                  {"f1", "F1"},
                                                                  {"support", "Support"}});
  html += "<h2>Confusion</h2>\n" + confusion(r["confusion"].toArray(), r["classes"].toArray());
  html += QStringLiteral("<h2>ROC curves</h2>\n");
  for (const QJsonValue& c : r["roc"].toArray()) html += curve(c.toObject(), "fpr", "tpr");
  html += QStringLiteral("<h2>Precision and recall</h2>\n");
  for (const QJsonValue& c : r["pr"].toArray()) html += curve(c.toObject(), "recall", "precision");
  html +=
      "<h2>Calibration</h2>\n<p>Expected calibration error: " + text(r["calibration"].toObject()["ece"]) + "</p>\n" +
      table(r["calibration"].toObject()["bins"].toArray(), {{"confidence", "Confidence"}, {"accuracy", "Accuracy"}, {"count", "Samples"}});
  const QJsonObject by = r["groupsBy"].toObject();
  for (auto it = by.begin(); it != by.end(); ++it)
    html += "<h2>By " + it.key().toHtmlEscaped() + "</h2>\n" +
            table(it->toArray(), {{"name", "Group"}, {"n", "n"}, {"accuracy", "Accuracy"}, {"auc_macro", "AUC"}});
  html += "<h2>Attacks</h2>\n" + attacks(r["attacks"].toArray());
  html += "<h2>Latency in milliseconds</h2>\n" + table(r["latency"].toArray(), {{"runtime", "Runtime"},
                                                                                {"precision", "Precision"},
                                                                                {"batch", "Batch"},
                                                                                {"p50", "p50"},
                                                                                {"p95", "p95"},
                                                                                {"p99", "p99"},
                                                                                {"threads", "Threads"},
                                                                                {"warmup", "Warm-up"},
                                                                                {"iterations", "Iterations"}});
  return (html + QStringLiteral("</body></html>\n")).toUtf8();
}

}  // namespace cloister
