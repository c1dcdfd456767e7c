#include "app/cli/data_common.h"

#include <QJsonArray>

#include "app/cli/project_option.h"
#include "core/curation/finding_words.h"

namespace cloister::cli {
namespace {

Failure badOption(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", "--" + name}, {"value", value}, {"allowed", allowed}}, {}};
}

/// "70/15/15", "70,15,15" or "0.7/0.15/0.15": parts of their sum.
template <typename Request>
Result<void> readShares(const QString& text, Request& request) {
  const Failure bad = badOption("split", text, QStringLiteral("70/15/15"));
  const QStringList parts = QString(text).replace(',', '/').split('/');
  if (parts.size() != 3) return bad;
  double shares[3], sum = 0;
  for (int i = 0; i < 3; ++i) {
    bool ok = false;
    shares[i] = parts[i].trimmed().toDouble(&ok);
    if (!ok || !(shares[i] >= 0) || shares[i] > 1e6) return bad;
    sum += shares[i];
  }
  if (sum <= 0) return bad;
  request.train = shares[0] / sum;
  request.validation = shares[1] / sum;
  request.test = shares[2] / sum;
  return {};
}

}  // namespace

Result<std::unique_ptr<Project>> openForReading(const Context& context) {
  auto project = openProject(context, Project::Mode::ReadOnly);
  if (project || project.error().kind != FailureKind::PolicyRefused) return project;
  auto migrated = openProject(context, Project::Mode::ReadWrite);
  return migrated;
}

QList<QCommandLineOption> splitOptions() {
  return {
      {"split", tr("Shares of training, validation and test (default: 70/15/15, of texts 90/5/5)."), "T/V/T"},
      {"group", tr("What must stay on one side: patient, site, study, series, or sample (needs --override-reason)."), "GROUP", "patient"},
      {"seed", tr("The same seed gives the same split."), "N", "1"},
      {"kind", tr("Texts: only those of this kind: plain, instructions, pairs or preferences."), "KIND"},
      {"no-stratify", tr("Do not balance the labels between the sides.")},
      {"override-reason", tr("Why a rule may be broken; it is kept in the snapshot."), "TEXT"}};
}

Result<SplitRequest> splitRequest(const Context& context) {
  SplitRequest request;
  if (context.isSet("split"))
    if (auto ok = readShares(context.value("split"), request); !ok) return ok.error();
  auto seed = context.integer("seed", 0, std::numeric_limits<int>::max());
  if (!seed) return seed.error();
  request.seed = *seed;
  request.groupBy = context.value("group");
  static const QStringList groups{"patient", "site", "study", "series", "sample"};
  if (!groups.contains(request.groupBy)) return badOption("group", request.groupBy, groups.join(", "));
  request.stratify = !context.isSet("no-stratify");
  request.overrideReason = context.value("override-reason");
  return request;
}

Result<TextSplit> textSplit(const Context& context) {
  TextSplit split;
  if (context.isSet("split"))
    if (auto ok = readShares(context.value("split"), split); !ok) return ok.error();
  auto seed = context.integer("seed", 0, std::numeric_limits<int>::max());
  if (!seed) return seed.error();
  split.seed = *seed;
  split.kind = context.value("kind");
  static const QStringList kinds{"plain", "instructions", "pairs", "preferences"};
  if (!split.kind.isEmpty() && !kinds.contains(split.kind)) return badOption("kind", split.kind, kinds.join(", "));
  return split;
}

QList<QCommandLineOption> preprocessingOptions() {
  const Preprocessing usual;
  return {{"size", tr("Side of the square image in pixels."), "N", QString::number(usual.size)},
          {"channels", tr("1 for grey, 3 for colour."), "N", QString::number(usual.channels)},
          {"window", tr("Grey window: voi (as stored), minmax, percentile, or \"center,width\"."), "W", usual.window},
          {"fit", tr("letterbox, stretch or crop."), "F", usual.fit}};
}

Result<Preprocessing> preprocessing(const Context& context) {
  auto size = context.integer("size", 16, 2048);
  if (!size) return size.error();
  auto channels = context.integer("channels", 1, 3);
  if (!channels) return channels.error();
  if (*channels == 2) return badOption("channels", "2", "1, 3");
  return Preprocessing{int(*size), int(*channels), context.value("window"), context.value("fit")};
}

QJsonObject sampleJson(const Sample& s) {
  QJsonObject o = s.toJson();
  o.remove("header");
  o.remove("thumb");
  o["id"] = s.id;
  o["import"] = s.importId;
  return o;
}

QJsonObject countsJson(const QMap<QString, qint64>& counts) {
  QJsonObject o;
  for (auto it = counts.begin(); it != counts.end(); ++it) o[it.key()] = it.value();
  return o;
}

QJsonObject snapshotJson(const Snapshot& s) {
  return {{"digest", s.digest},
          {"dir", s.dir},
          {"createdAt", s.json["createdAt"]},
          {"classes", QJsonArray::fromStringList(s.classes)},
          {"samples", s.samples},
          {"groups", s.groups},
          {"splitCounts", countsJson(s.splitCounts)},
          {"split", s.json["split"]},
          {"preprocessing", s.json["preprocessing"]},
          {"overrideReason", s.json["overrideReason"]}};
}

QJsonArray findingsJson(const QList<Finding>& findings) {
  QJsonArray all;
  for (const Finding& f : findings) all.append(f.toJson());
  return all;
}

void printFindings(Context& context, const QList<Finding>& findings) {
  for (const Finding& f : findings) {
    const QString mark = f.severity == u"blocking" ? tr("Stop") : f.severity == u"warning" ? tr("Warning") : tr("Note");
    context.print(QStringLiteral("%1: %2").arg(mark, describeFinding(f)));
    for (const QString& key : f.keys.mid(0, 5)) context.print("    " + key);
  }
}

QString countsText(const QMap<QString, qint64>& counts) {
  QStringList parts;
  for (auto it = counts.begin(); it != counts.end(); ++it) parts.append(QStringLiteral("%1 %2").arg(it.key()).arg(it.value()));
  return parts.join(", ");
}

}  // namespace cloister::cli
