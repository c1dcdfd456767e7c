#include "core/trust/language_bundle.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/domain/version.h"
#include "core/report/report_html.h"
#include "core/trust/bundle_folder.h"
#include "core/trust/bundle_sources.h"

namespace cloister {
namespace {

// What an export may hold. Anything else in the folder is not ours and stays where it is.
const QStringList kModelFiles{"model.onnx", "model.onnx.data", "model.gguf", "adapter_model.safetensors", "adapter_config.json"};
const QStringList kCompanions{
    "config.json",           "genai_config.json",       "generation_config.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",      "vocab.json",     "merges.txt",
    "chat_template.jinja",   "chat_template.json"};

const QString kStatement = QStringLiteral(
    "This model writes text that can be wrong, and it can repeat what it was trained on. It is not a medical device and must not decide "
    "about "
    "people without one who answers for it.");

/// Without what speaks of single texts of the house.
QJsonObject publicReport(const QJsonObject& whole) {
  QJsonObject report;
  for (const char* name : {"format",   "task",         "run",       "snapshot",   "architecture", "parameters", "vocabulary", "context",
                           "method",   "part",         "kind",      "template",   "texts",        "createdAt",  "commit",     "version",
                           "hardware", "threads",      "bootstrap", "perplexity", "base",         "choices",    "scores",     "generation",
                           "headline", "memorisation", "attacks",   "latency",    "split",        "curve",      "seconds"})
    if (const QJsonValue v = whole[QLatin1String(name)]; !v.isUndefined()) report[QLatin1String(name)] = v;
  QJsonArray attacks;
  for (const QJsonValue& v : report.value("attacks").toArray()) {
    QJsonObject attack = v.toObject();
    QJsonArray points;
    for (const QJsonValue& e : attack["epsilons"].toArray()) {
      QJsonObject point = e.toObject();
      point.remove("readings");
      points.append(point);
    }
    attack["epsilons"] = points;
    attacks.append(attack);
  }
  if (!attacks.isEmpty()) report["attacks"] = attacks;
  if (QJsonObject memory = report.value("memorisation").toObject(); !memory.isEmpty()) {
    memory.remove("found");
    report["memorisation"] = memory;
  }
  if (QJsonObject base = report.value("base").toObject(); !base.isEmpty()) {
    base.remove("model");
    report["base"] = base;
  }
  return report;
}

QString cell(QString text) { return text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', ' ').replace('<', "&lt;"); }
QString number(const QJsonValue& v) { return v.isDouble() ? QString::number(v.toDouble(), 'g', 5) : QStringLiteral("–"); }
QString interval(const QJsonObject& o) {
  return o.contains("low") ? QStringLiteral("%1 (%2 – %3)").arg(number(o["value"]), number(o["low"]), number(o["high"]))
                           : number(o["value"]);
}

class Markdown {
 public:
  void row(const QString& name, const QString& value) { text_ += "| " + cell(name) + " | " + cell(value) + " |\n"; }
  void table(const QString& a, const QString& b) { text_ += "| " + a + " | " + b + " |\n|---|---|\n"; }
  void add(const QString& text) { text_ += text; }
  QByteArray bytes() const { return text_.toUtf8(); }

 private:
  QString text_;
};

void measured(Markdown& md, const QJsonObject& report) {
  if (report.isEmpty()) return md.add("Nothing was measured.\n\n");
  md.table("Metric", "Value (95 % interval)");
  md.row("perplexity", interval(report["perplexity"].toObject()));
  md.row("next token right", interval(report["perplexity"]["nextTokenAccuracy"].toObject()));
  if (const QJsonObject base = report.value("base").toObject(); !base.isEmpty()) {
    md.row("perplexity of the base model", interval(base));
    md.row("ratio to the base model", interval(base["ratio"].toObject()) + ", p = " + number(base["p"]));
  }
  for (const QJsonValue& v : report["scores"].toArray()) {
    const QJsonObject score = v.toObject(), base = score["base"].toObject();
    md.row(score["name"].toString(),
           interval(score) + (base.isEmpty() ? QString() : "; base model " + interval(base) + ", p = " + number(score["p"])));
  }
  if (const QJsonObject c = report["choices"].toObject(); !c.isEmpty()) md.row("right choices", interval(c["accuracy"].toObject()));
  if (const QJsonObject m = report["memorisation"].toObject(); !m.isEmpty())
    md.row("training texts repeated word for word", QStringLiteral("%1 of %2").arg(m["repeated"].toInteger()).arg(m["texts"].toInteger()));
  for (const QJsonValue& a : report["attacks"].toArray())
    for (const QJsonValue& e : a["epsilons"].toArray())
      md.row(
          QStringLiteral("%1 %2, ε %3: first choices lost").arg(a["kind"].toString().toUpper(), a["norm"].toString(), number(e["epsilon"])),
          number(e["successRate"]));
  for (const QJsonValue& l : report["latency"].toArray())
    md.row(QStringLiteral("%1 %2, batch %3: first token, each further (ms)")
               .arg(l["runtime"].toString(), l["precision"].toString())
               .arg(l["batch"].toInt(1)),
           number(l["firstTokenMs"]) + ", " + number(l["perTokenMs"]));
  md.add("\n");
  QStringList signatures;
  for (const QJsonValue& v : report["scores"].toArray())
    if (const QString one = v["signature"].toString(); !one.isEmpty()) signatures << v["name"].toString() + " `" + one + '`';
  if (!signatures.isEmpty()) md.add("Signatures: " + signatures.join(", ") + ".\n\n");
  if (const QString machine = report["hardware"].toString(); !machine.isEmpty()) md.add("Measured on " + cell(machine) + ".\n\n");
}

class LanguageBuilder {
 public:
  LanguageBuilder(const LanguageBundleRequest& request, BundleFolder& folder) : r_(request), folder_(folder) {}

  Result<BundleResult> build() {
    if (auto done = readSources(); !done) return done.error();
    if (auto done = copyFiles(); !done) return done.error();
    if (auto done = writePapers(); !done) return done.error();
    return folder_.seal(manifest(), r_.statement);
  }

 private:
  Result<void> readSources() {
    auto exported = readJson(r_.exportDir + "/export.json", 1 << 20);
    if (!exported) return exported.error();
    exported_ = *exported;
    if (exported_.contains("passed") && !exported_["passed"].toBool())
      return Failure{FailureKind::PolicyRefused, {{"what", exported_["quantize"].toString()}}, "the export is outside its limit"};
    if (r_.reportFile.isEmpty()) return {};
    auto report = readJson(r_.reportFile);
    if (!report) return report.error();
    if (!(*report)["perplexity"].isObject())
      return Failure{FailureKind::CorruptFile, {{"path", r_.reportFile}}, "not a report of model evaluate"};
    report_ = publicReport(*report);
    return {};
  }

  /// Of a Hugging Face folder, one file or shards and their index: those that were written down at export.
  QStringList weightsFiles() const {
    QStringList names;
    for (const QString& name : exported_["files"].toObject().keys())
      if (!name.contains('/') && name.startsWith(u"model")) names << name;
    return names;
  }
  Failure notChecked(const QString& name) const {
    return {FailureKind::CorruptFile, {{"path", r_.exportDir + '/' + name}}, "not the file that was checked at export"};
  }

  Result<void> copyFiles() {
    const QString named = exported_["file"].toString();
    const QJsonObject digests = exported_["files"].toObject();
    for (const QString& name : kModelFiles + weightsFiles() + kCompanions) {
      if (!digests.contains(name) && !QFileInfo(r_.exportDir + '/' + name).isFile()) continue;
      auto file = folder_.copy(r_.exportDir + '/' + name, name);
      if (!file) return file.error();
      const QString checked = name == named ? exported_["sha256"].toString() : digests[name].toString();
      if (!checked.isEmpty() && file->sha256 != checked) return notChecked(name);
      if (name != named) continue;
      if (checked.isEmpty()) return notChecked(name);
      facts_.model = {{"file", name},
                      {"candidate", exported_["quantize"]},
                      {"variant", exported_["variant"]},
                      {"bytes", file->bytes},
                      {"sha256", file->sha256}};
    }
    if (facts_.model.isEmpty()) return Failure{FailureKind::NotFound, {{"path", r_.exportDir + '/' + named}}, {}};
    facts_.name = r_.name.isEmpty() ? QFileInfo(r_.toDir).fileName() : r_.name;
    facts_.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
    facts_.version = facts_.createdAt.left(10) + "-" + facts_.model["sha256"].toString().left(8);
    facts_.intendedUse = r_.intendedUse;
    facts_.limits = r_.limits;
    return {};
  }

  QJsonObject card() const {
    return {{"format", 1},
            {"name", facts_.name},
            {"version", facts_.version},
            {"createdAt", facts_.createdAt},
            {"notAMedicalDevice", true},
            {"statement", kStatement},
            {"modelDetails", QJsonObject{{"baseModel", r_.baseModel},
                                         {"bundledBy", QStringLiteral("Cloister %1 (%2)").arg(programVersion(), codeCommit())}}},
            {"intendedUse", QJsonObject{{"primary", r_.intendedUse}, {"limits", r_.limits}}},
            {"delivered", exported_},
            {"evaluation", report_}};
  }

  QString libraryName() const {
    const QString file = facts_.model["file"].toString();
    if (file == u"model.gguf") return QStringLiteral("gguf");
    if (file.startsWith(u"adapter")) return QStringLiteral("peft");
    return file.contains(u"safetensors") ? QStringLiteral("transformers") : QStringLiteral("onnx");
  }

  QByteArray cardMarkdown() const {
    Markdown md;
    md.add("---\nlibrary_name: " + libraryName() +
           "\npipeline_tag: text-generation\nlicense: other\ntags:\n- cloister\n- not-a-medical-device\n---\n\n");
    md.add("# " + cell(facts_.name) + "\n\n> **" + kStatement + "**\n\nVersion " + facts_.version + ", made " + facts_.createdAt + ".\n\n");
    const auto orSilent = [](const QString& text) { return text.isEmpty() ? QStringLiteral("Not stated by the maker.") : cell(text); };
    md.add("## Model details\n\n");
    md.table("", "");
    md.row("base model", orSilent(r_.baseModel));
    for (const char* key : {"variant", "quantize", "block", "context", "bytes", "sha256"})
      if (exported_.contains(QLatin1String(key))) md.row(key, exported_[QLatin1String(key)].toVariant().toString());
    const QJsonObject parity = exported_["parity"].toObject(), perplexity = exported_["perplexity"].toObject();
    if (!parity.isEmpty())
      md.row("next tokens as the original", QStringLiteral("%1 of %2").arg(parity["sameToken"].toInt()).arg(parity["steps"].toInt()));
    if (!perplexity.isEmpty())
      md.row("rise of perplexity by the export", number(perplexity["rise"]) + ", limit " + number(perplexity["limit"]));
    for (const char* key : {"method", "parameters", "context", "kind"})
      if (report_.contains(QLatin1String(key)))
        md.row(QStringLiteral("trained: ") + key, report_[QLatin1String(key)].toVariant().toString());
    if (!r_.snapshot.isEmpty()) md.row("digest of the training data", r_.snapshot);
    md.add("\n## Intended use\n\n" + orSilent(r_.intendedUse) + "\n\n## Metrics\n\n");
    measured(md, report_);
    md.add("## Limits and caveats\n\n" + orSilent(r_.limits) +
           "\n\n- The figures hold for texts like those they were measured on.\n- Intervals are bootstrap intervals over whole texts.\n");
    if (report_["memorisation"].toObject().isEmpty()) md.add("- Whether it repeats training texts was not measured.\n");
    if (report_["attacks"].toArray().isEmpty()) md.add("- Robustness against attacks was not measured.\n");
    return md.bytes();
  }

  Result<void> writePapers() {
    if (auto done = folder_.write(QStringLiteral("export.json"), exported_); !done) return done;
    if (!report_.isEmpty())
      if (auto done = writeReport(); !done) return done;
    if (!r_.lineage.isEmpty())
      if (auto done = folder_.write(QStringLiteral("lineage.jsonl"), r_.lineage); !done) return done;
    if (auto done = folder_.write(QStringLiteral("model_card.json"), card()); !done) return done;
    if (auto done = folder_.write(QStringLiteral("model_card.md"), cardMarkdown()); !done) return done;
    return folder_.write(QStringLiteral("sbom.spdx.json"), spdxDocument(r_.snapshot, facts_, folder_.files()));
  }

  /// The figures, and pages of them for people in both languages, made from what may leave and nothing else.
  Result<void> writeReport() {
    if (auto done = folder_.write(QStringLiteral("evaluation/report.json"), report_); !done) return done;
    QJsonObject page = report_;
    page["task"] = "language-model";
    if (auto done = folder_.write(QStringLiteral("evaluation/report.html"), reportHtml(page, {}, "en")); !done) return done;
    return folder_.write(QStringLiteral("evaluation/report.zh_CN.html"), reportHtml(page, {}, "zh_CN"));
  }

  QJsonObject manifest() const {
    QJsonObject all = r_.manifest;
    const QJsonObject own{{"format", 1},
                          {"name", facts_.name},
                          {"version", facts_.version},
                          {"createdAt", facts_.createdAt},
                          {"task", "text-generation"},
                          {"notAMedicalDevice", true},
                          {"model", facts_.model}};
    for (auto it = own.begin(); it != own.end(); ++it) all[it.key()] = it.value();
    return all;
  }

  const LanguageBundleRequest& r_;
  BundleFolder& folder_;
  QJsonObject exported_, report_;
  BundleFacts facts_;
};

}  // namespace

Result<BundleResult> createLanguageBundle(const LanguageBundleRequest& request, const KeyStore& keys) {
  auto folder = BundleFolder::begin(request.toDir, keys, request.key, request.passphrase);
  if (!folder) return folder.error();
  auto result = LanguageBuilder(request, **folder).build();
  if (!result) return result;
  if (request.beforePublish)
    if (auto allowed = request.beforePublish(*result); !allowed) return allowed.error();
  if (auto moved = (*folder)->publish(); !moved) return moved.error();
  return result;
}

bool isLanguageExport(const QString& runDir) {
  const auto exported = readJson(runDir + "/export/export.json");
  return exported && isLanguageTask((*exported)["task"].toString());
}

Result<BundleResult> createLanguageRunBundle(const BundleRequest& request, const KeyStore& keys) {
  auto sources = readLanguageSources(request);
  if (!sources) return sources.error();
  const RunSpec& spec = sources->spec;
  LanguageBundleRequest r;
  r.exportDir = request.runDir + "/export/" + sources->candidate["name"].toString();
  r.reportFile = request.runDir + "/evaluation/report.json";
  r.toDir = request.toDir;
  r.key = request.key;
  r.passphrase = request.passphrase;
  r.name = request.name;
  // The name of the folder, never where it lies on this machine.
  r.baseModel = spec.baseWeights.isEmpty() ? QString() : QFileInfo(spec.baseWeights).fileName() + " (" + spec.baseWeightsSha256 + ")";
  r.intendedUse = request.intendedUse;
  r.limits = request.limits;
  r.snapshot = spec.snapshot;
  r.lineage = sources->lineage;
  r.manifest = {{"run", spec.run},
                {"family", spec.family},
                {"snapshot", spec.snapshot},
                {"preparedDigest", spec.preparedDigest},
                {"splitDigest", sha256Hex(sources->lineage)}};
  r.statement = {{"auditCheckpoint", request.auditCheckpoint}, {"run", spec.run}, {"snapshot", spec.snapshot}};
  r.beforePublish = request.beforePublish;
  return createLanguageBundle(r, keys);
}

}  // namespace cloister
