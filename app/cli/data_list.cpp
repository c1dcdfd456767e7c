// data list: samples by filter, page by page.
#include <QJsonArray>

#include "app/cli/data_common.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

SampleFilter filterFrom(const Context& context) {
  SampleFilter filter;
  filter.text = context.value("text");
  filter.label = context.isSet("unlabelled") ? QStringLiteral("\x01unlabelled") : context.value("label");
  filter.patient = context.value("patient");
  filter.site = context.value("site");
  filter.modality = context.value("modality");
  filter.problem = context.value("problem");
  filter.split = context.value("split");
  filter.snapshot = context.value("snapshot");
  filter.includeExcluded = !context.isSet("included");
  return filter;
}

class DataList : public Verb {
 public:
  QStringList path() const override { return {"data", "list"}; }
  QString summary() const override { return tr("Lists samples, or with --refused the files that were not taken."); }
  QStringList examples() const override { return {"cloister-cli data list --project chest --label NORMAL --split test --limit 20"}; }
  QList<QCommandLineOption> options() const override {
    return {{"text", tr("Part of key, patient or label."), "TEXT"},
            {"label", tr("This label."), "LABEL"},
            {"unlabelled", tr("Without a label.")},
            {"patient", tr("This patient."), "PATIENT"},
            {"site", tr("This site."), "SITE"},
            {"modality", tr("This modality."), "MODALITY"},
            {"problem", tr("Accepted with this warning; * for any."), "KIND"},
            {"split", tr("train, validation or test of the snapshot."), "SPLIT"},
            {"snapshot", tr("Digest or its beginning (default: the newest, with --split)."), "DIGEST"},
            {"included", tr("Without excluded samples.")},
            {"refused", tr("The refused files instead.")},
            {"after", tr("Start after this id."), "ID", "0"},
            {"limit", tr("At most so many."), "N", "100"}};
  }
  int execute(Context& context) override {
    auto after = context.integer("after", 0, std::numeric_limits<qint64>::max());
    if (!after) return context.fail(after.error());
    auto limit = context.integer("limit", 1, 1'000'000);
    if (!limit) return context.fail(limit.error());
    const QString split = context.value("split");
    if (!split.isEmpty() && !splitFromName(split))
      return context.fail(
          {FailureKind::InvalidArgument, {{"name", "--split"}, {"value", split}, {"allowed", "train, validation, test"}}, {}});
    auto project = openForReading(context);
    if (!project) return context.fail(project.error());
    if (context.isSet("refused")) return listRefused(context, **project);
    SampleFilter filter = filterFrom(context);
    if (!filter.split.isEmpty() || !filter.snapshot.isEmpty()) {
      auto snapshot = openSnapshot(**project, filter.snapshot);
      if (!snapshot) return context.fail(snapshot.error());
      filter.snapshot = snapshot->digest;
    }
    auto total = (*project)->countSamples(filter);
    if (!total) return context.fail(total.error());
    auto samples = (*project)->samples(filter, *after, int(*limit));
    if (!samples) return context.fail(samples.error());
    QJsonArray list;
    for (const Sample& s : *samples) {
      if (context.json()) list.append(sampleJson(s));
      context.print(QStringLiteral("%1\t%2\t%3\t%4\t%5").arg(s.id).arg(s.key, s.label, s.patient, s.site));
    }
    context.emitJson({{"total", *total}, {"samples", list}, {"next", samples->size() == *limit ? samples->last().id : 0}});
    return 0;
  }

 private:
  static int listRefused(Context& context, const Project& project) {
    auto refused = project.refusals();
    if (!refused) return context.fail(refused.error());
    QJsonArray list;
    for (const RefusedFile& r : *refused) {
      list.append(QJsonObject{{"file", r.file}, {"kind", r.kind}, {"message", r.message}});
      context.print(r.file + '\t' + r.kind + '\t' + r.message);
    }
    context.emitJson({{"total", list.size()}, {"refused", list}});
    return 0;
  }
};
VerbRegistration<DataList> registration;

}  // namespace
}  // namespace cloister::cli
