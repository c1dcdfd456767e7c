#include <QDate>

#include "core/domain/version.h"
#include "core/trust/bundle_documents.h"

namespace cloister {
namespace {

const QString kNotADevice = QStringLiteral(
    "This model is not a medical device. It has not been cleared or approved by any authority and must not be used for diagnosis, "
    "treatment or "
    "triage of patients without the assessment that the law asks for.");

QJsonObject attackSummary(const QJsonObject& report) {
  QJsonObject out;
  for (const QJsonValue& v : report["attacks"].toArray()) {
    const QJsonObject a = v.toObject();
    out[a["name"].toString() + " " + a["norm"].toString()] = a["epsilons"];
  }
  return out;
}

/// Parameters without paths: where files lay on this machine is nobody's business.
QJsonObject publicParameters(QJsonObject parameters) {
  for (auto it = parameters.begin(); it != parameters.end(); ++it)
    if (const QString text = it->toString(); text.contains('/')) *it = text.mid(text.lastIndexOf('/') + 1);
  return parameters;
}

QJsonArray caveats(const BundleSources& s) {
  QJsonArray list{kNotADevice,
                  "The figures hold for data like the test split: other scanners, protocols, ages or prevalences can change them.",
                  "Intervals are bootstrap intervals over the test split; they do not cover a change of population."};
  if (const QString reason = s.snapshot["overrideReason"].toString(); !reason.isEmpty())
    list.append(QStringLiteral("A rule of the data split was overridden: %1").arg(reason));
  if (s.report["attacks"].toArray().isEmpty()) list.append("Robustness against attacks was not measured.");
  if (s.report["split"].toString() != u"test") list.append("The evaluation is not on a test split that training never saw.");
  return list;
}

// ---- Markdown ----

QString cell(QString text) { return text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', ' ').replace('<', "&lt;"); }

QString number(const QJsonValue& v) { return v.isDouble() ? QString::number(v.toDouble(), 'g', 4) : QStringLiteral("–"); }

QString interval(const QJsonObject& o) {
  if (!o["value"].isDouble()) return QStringLiteral("–");
  return QStringLiteral("%1 (%2 – %3)").arg(number(o["value"]), number(o["low"]), number(o["high"]));
}

QString plain(const QJsonValue& v) {
  if (v.isString()) return v.toString();
  if (v.isBool()) return v.toBool() ? QStringLiteral("yes") : QStringLiteral("no");
  if (v.isDouble()) return QString::number(v.toDouble(), 'g', 10);
  if (v.isArray()) {
    QStringList parts;
    for (const QJsonValue& one : v.toArray()) parts.append(plain(one));
    return parts.join(QStringLiteral(", "));
  }
  if (v.isObject()) {
    QStringList parts;
    const QJsonObject o = v.toObject();
    for (auto it = o.begin(); it != o.end(); ++it) parts.append(it.key() + " " + plain(it.value()));
    return parts.join(QStringLiteral(", "));
  }
  return QStringLiteral("–");
}

QString rows(const QJsonObject& o) {
  QString out = QStringLiteral("| | |\n|---|---|\n");
  for (auto it = o.begin(); it != o.end(); ++it) out += "| " + cell(it.key()) + " | " + cell(plain(it.value())) + " |\n";
  return out + '\n';
}

QString headlineTable(const QJsonArray& headline) {
  QString out = QStringLiteral("| Metric | Value (95 % interval) | n |\n|---|---|---|\n");
  for (const QJsonValue& v : headline) {
    const QJsonObject o = v.toObject();
    out += "| " + cell(o["name"].toString()) + " | " + interval(o) + " | " + number(o["n"]) + " |\n";
  }
  return out + '\n';
}

QString classTable(const QJsonArray& classes) {
  QString out = QStringLiteral("| Class | AUC | Sensitivity | Specificity | F1 | Support |\n|---|---|---|---|---|---|\n");
  for (const QJsonValue& v : classes) {
    const QJsonObject o = v.toObject();
    const auto value = [&o](const char* name) {
      const QJsonValue x = o[QLatin1String(name)];
      return x.isObject() ? interval(x.toObject()) : number(x);
    };
    out += "| " + cell(o["class"].toString()) + " | " + value("auc") + " | " + value("sensitivity") + " | " + value("specificity") + " | " +
           value("f1") + " | " + value("support") + " |\n";
  }
  return out + '\n';
}

QString factorTables(const QJsonObject& groupsBy) {
  QString out;
  for (auto it = groupsBy.begin(); it != groupsBy.end(); ++it) {
    out += QStringLiteral("By %1:\n\n| Group | n | Accuracy | AUC |\n|---|---|---|---|\n").arg(cell(it.key()));
    for (const QJsonValue& v : it->toArray()) {
      const QJsonObject o = v.toObject();
      out += "| " + cell(o["name"].toString()) + " | " + number(o["n"]) + " | " + interval(o["accuracy"].toObject()) + " | " +
             interval(o["auc_macro"].toObject()) + " |\n";
    }
    out += '\n';
  }
  return out.isEmpty() ? QStringLiteral("Not measured by subgroup.\n\n") : out;
}

QString attackTables(const QJsonObject& attacks) {
  QString out;
  for (auto it = attacks.begin(); it != attacks.end(); ++it) {
    out += QStringLiteral("%1:\n\n| ε (0…1) | Robust accuracy | Attack success |\n|---|---|---|\n").arg(cell(it.key()));
    for (const QJsonValue& v : it->toArray()) {
      const QJsonObject o = v.toObject();
      out += "| " + number(o["epsilon"]) + " | " + interval(o["robustAccuracy"].toObject()) + " | " +
             interval(o["successRate"].toObject()) + " |\n";
    }
    out += '\n';
  }
  return out.isEmpty() ? QStringLiteral("Not measured.\n\n") : out;
}

QString yamlText(const QString& text) {
  QString t = text;
  return '"' + t.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', ' ') + '"';
}

QString frontMatter(const QJsonObject& card) {
  QString out = QStringLiteral(
      "---\nlibrary_name: onnx\npipeline_tag: image-classification\nlicense: other\ntags:\n- cloister\n- "
      "not-a-medical-device\nmodel-index:\n");
  out += "- name: " + yamlText(card["name"].toString()) +
         "\n  results:\n  - task:\n      type: image-classification\n    dataset:\n      name: " +
         yamlText("snapshot " + card["trainingData"].toObject()["snapshotDigest"].toString().left(12)) +
         "\n      type: private\n      split: " + yamlText(card["evaluation"].toObject()["split"].toString()) + "\n    metrics:\n";
  const QJsonArray headline = card["evaluation"].toObject()["headline"].toArray();
  for (const QJsonValue& v : headline)
    if (v.toObject()["value"].isDouble())
      out += "    - type: " + yamlText(v.toObject()["name"].toString()) + "\n      value: " + number(v.toObject()["value"]) + '\n';
  if (headline.isEmpty()) out += "    []\n";
  return out + "---\n\n";
}

}  // namespace

QJsonObject modelCard(const BundleSources& s, const BundleFacts& f) {
  const QJsonObject details{{"family", s.spec.family},
                            {"run", s.spec.run},
                            {"seed", s.spec.seed},
                            {"processes", s.spec.processes},
                            {"trainedBy", s.spec.codeVersion},
                            {"trainingCommit", s.started["commit"]},
                            {"trainingDevice", s.started["device"]},
                            {"trainingThreads", s.started["threads"]},
                            {"precision", s.started["precision"]},
                            {"weights", s.started["parameters"]},
                            {"evaluationHardware", s.report["hardware"]},
                            {"bundledBy", QStringLiteral("Cloister %1 (%2)").arg(programVersion(), codeCommit())},
                            {"baseWeightsSha256", s.spec.baseWeightsSha256},
                            {"parameters", publicParameters(s.spec.parameters)}};
  const QJsonObject data{{"snapshotDigest", s.spec.snapshot},
                         {"preparedDigest", s.spec.preparedDigest},
                         {"splitDigest", f.splitDigest},
                         {"samples", s.snapshot["samples"]},
                         {"groups", s.snapshot["groups"]},
                         {"splitCounts", s.snapshot["splitCounts"]},
                         {"classes", s.snapshot["classes"]},
                         {"split", s.snapshot["split"]},
                         {"overrideReason", s.snapshot["overrideReason"]},
                         {"findings", s.snapshot["findings"].toArray().size()}};
  QJsonObject evaluation{{"attacks", attackSummary(s.report)}};
  for (const char* name : {"split", "samples", "groups", "threshold", "headline", "perClass", "bootstrap", "latency"})
    evaluation[QLatin1String(name)] = s.report[QLatin1String(name)];
  evaluation["ece"] = s.report["calibration"].toObject()["ece"];
  return {{"format", 1},
          {"name", f.name},
          {"version", f.version},
          {"createdAt", f.createdAt},
          {"notAMedicalDevice", true},
          {"statement", kNotADevice},
          {"modelDetails", details},
          {"intendedUse",
           QJsonObject{
               {"primary", f.intendedUse},
               {"limits", f.limits},
               {"outOfScope",
                "Every use on patients without the assessment that the law asks for; images of other kinds than the training data's."}}},
          {"factors", s.report["groupsBy"]},
          {"trainingData", data},
          {"evaluation", evaluation},
          {"delivered", QJsonObject{{"model", f.model},
                                    {"input", s.exported["input"]},
                                    {"outputs", s.exported["outputs"]},
                                    {"accuracy", s.candidate["accuracy"]},
                                    {"parity", s.candidate["parity"]},
                                    {"latency", s.candidate["latency"]},
                                    {"floatLayers", s.candidate["floatLayers"]},
                                    {"calibration", s.candidate["calibration"]},
                                    {"maximumAccuracyDrop", s.exported["maximumAccuracyDrop"]}}},
          {"caveats", caveats(s)}};
}

QByteArray modelCardMarkdown(const QJsonObject& card) {
  const QJsonObject details = card["modelDetails"].toObject(), use = card["intendedUse"].toObject(), data = card["trainingData"].toObject(),
                    evaluation = card["evaluation"].toObject(), delivered = card["delivered"].toObject();
  const auto orSilent = [](const QString& text) { return text.isEmpty() ? QStringLiteral("Not stated by the maker.") : cell(text); };
  QJsonObject shortDetails = details, model = delivered;
  shortDetails.remove("parameters");
  model.remove("latency");
  QString md = frontMatter(card);
  md += "# " + cell(card["name"].toString()) + "\n\n> **" + card["statement"].toString() + "**\n\n";
  md += "## Model details\n\nVersion " + cell(card["version"].toString()) + ", made " + card["createdAt"].toString() + ".\n\n" +
        rows(shortDetails);
  md += "Training parameters:\n\n" + rows(details["parameters"].toObject());
  md += "What is delivered:\n\n" + rows(model);
  md += "## Intended use\n\n" + orSilent(use["primary"].toString()) + "\n\nOut of scope: " + use["outOfScope"].toString() + "\n\n";
  md += "## Factors\n\n" + factorTables(card["factors"].toObject());
  md += QStringLiteral("## Metrics\n\nOn the %1 split (samples: %2, groups: %3); decision threshold %4.\n\n")
            .arg(cell(evaluation["split"].toString()), number(evaluation["samples"]), number(evaluation["groups"]),
                 number(evaluation["threshold"]));
  md += headlineTable(evaluation["headline"].toArray());
  md +=
      "## Evaluation data\n\nThe frozen split of the same snapshot; groups (patients) never stand on both sides unless a caveat below says "
      "so.\n\n";
  md += "## Training data\n\n" + rows(data);
  md += "## Quantitative analyses\n\n" + classTable(evaluation["perClass"].toArray()) +
        "Expected calibration error: " + number(evaluation["ece"]) + "\n\nRobustness:\n\n" + attackTables(evaluation["attacks"].toObject());
  md +=
      "## Ethical considerations\n\nThe bundle holds no pictures, no file names and no names of people; `lineage.jsonl` names samples by "
      "digest only. "
      "Performance can differ between groups that were not measured.\n\n";
  md += "## Limits and caveats\n\n" + (use["limits"].toString().isEmpty() ? QString() : cell(use["limits"].toString()) + "\n\n");
  for (const QJsonValue& c : card["caveats"].toArray()) md += "- " + cell(c.toString()) + '\n';
  return md.toUtf8();
}

}  // namespace cloister
