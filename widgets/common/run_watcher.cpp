#include "widgets/common/run_watcher.h"

#include <QJsonObject>

#include "widgets/common/language.h"
#include "widgets/common/page.h"
#include "widgets/common/store_client.h"
#include "widgets/common/words.h"

namespace cloister {

RunWatcher::RunWatcher(StoreClient& store, ProgressStrip& strip, QObject* parent) : QObject(parent), store_(store), strip_(strip) {
  connect(&store, &StoreClient::eventsArrived, this, &RunWatcher::runEvents);
  connect(&store, &StoreClient::jobEvents, this, &RunWatcher::jobEvents);
  connect(&store, &StoreClient::jobFinished, this, [this](const QString& run, const QString& verb) {
    jobs_.remove("job/" + run + '/' + verb);
    strip_.removeTask("job/" + run + '/' + verb);
  });
  connect(&Language::current(), &Language::changed, this, [this] {
    stateChanged();
    for (const Job& job : std::as_const(jobs_)) showJob(job);
  });
  connect(&store, &StoreClient::stateChanged, this, &RunWatcher::stateChanged);
  connect(&store, &StoreClient::importStarted, this, [this] {
    strip_.setTask("import", {tr("Import"), tr("Looking for files"), -1, -1, true, true});
  });
  connect(&store, &StoreClient::importProgressed, this, [this](const ImportProgress& p) {
    const QString detail = tr("%1 of %2 · %3 files/s")
                               .arg(words::number(p.done), words::counted(p.total, words::Noun::File), words::figures(p.filesPerSecond));
    strip_.setTask("import", {tr("Import"), detail, p.total > 0 ? double(p.done) / double(p.total) : -1, p.secondsLeft, true, true});
  });
  connect(&store, &StoreClient::importFinished, this, [this] { strip_.removeTask("import"); });
  connect(&store, &StoreClient::importFailed, this, [this] { strip_.removeTask("import"); });
  connect(&strip, &ProgressStrip::stopRequested, this, &RunWatcher::stop);
  connect(&strip, &ProgressStrip::opened, this, [this](const QString& id) {
    if (id == u"import") Q_EMIT pageWanted(page::kData);
    else if (id.startsWith(u"job/")) Q_EMIT pageWanted(id.endsWith(u"evaluate") ? page::kEvaluate : page::kExport);
    else if (id.startsWith(u"r-")) Q_EMIT pageWanted(page::kTrain);
  });
}

QString RunWatcher::detail(const Progress& p) const {
  QStringList parts;
  if (p.loss >= 0) parts << tr("loss %1").arg(words::figures(p.loss));
  if (p.rate >= 0) parts << tr("%1 images/s").arg(words::figures(p.rate));
  if (p.tokenRate >= 0) parts << tr("%1 tokens/s").arg(words::figures(p.tokenRate));
  return parts.join(QStringLiteral(" · "));
}

void RunWatcher::runEvents(const QString& run, const QList<RunEvent>& events) {
  Progress& p = progress_[run];
  for (const RunEvent& e : events) {
    if (e.type == u"started") p.steps = e.body["steps"].toInteger();
    p.step = std::max(p.step, e.body["step"].toInteger());
    if (e.type == u"progress") p.secondsLeft = e.body["secondsLeft"].toDouble(-1);
    if (e.type != u"metric") continue;
    const QJsonObject values = e.body["values"].toObject();
    p.loss = values["train/loss"].toDouble(p.loss);
    p.rate = values["samples_per_second"].toDouble(p.rate);
    p.tokenRate = values["tokens_per_second"].toDouble(p.tokenRate);
  }
  for (const RunRecord& r : store_.state().activeRuns())
    if (r.id == run)
      strip_.setTask(run,
                     {tr("Run %1").arg(run), detail(p), p.steps > 0 ? double(p.step) / double(p.steps) : -1, p.secondsLeft, true, true});
}

QString RunWatcher::jobTitle(const QString& run, const QString& verb) const {
  return verb == u"evaluate" ? tr("Evaluating %1").arg(run) : tr("Exporting %1").arg(run);
}

QString RunWatcher::phaseText(const QString& phase) {
  static const QMap<QString, const char*> kPhases{{QStringLiteral("loading"), QT_TR_NOOP("loading")},
                                                  {QStringLiteral("choosing-threshold"), QT_TR_NOOP("choosing the threshold")},
                                                  {QStringLiteral("predicting"), QT_TR_NOOP("answering for the test split")},
                                                  {QStringLiteral("measuring"), QT_TR_NOOP("working out the figures")},
                                                  {QStringLiteral("drawing"), QT_TR_NOOP("drawing examples")},
                                                  {QStringLiteral("attacking"), QT_TR_NOOP("trying to mislead the model")},
                                                  {QStringLiteral("timing"), QT_TR_NOOP("measuring the speed")},
                                                  {QStringLiteral("writing"), QT_TR_NOOP("writing the report")},
                                                  {QStringLiteral("exporting"), QT_TR_NOOP("making and measuring the candidates")}};
  const auto it = kPhases.constFind(phase);
  return it == kPhases.constEnd() ? QString() : tr(*it);
}

void RunWatcher::jobEvents(const QString& run, const QString& verb, const QList<RunEvent>& events) {
  for (const RunEvent& e : events)
    if (e.type == u"progress" || e.type == u"phase") {
      const double total = e.body["total"].toDouble();
      const Job job{run, verb, e.body["name"].toString(), total > 0 ? e.body["done"].toDouble() / total : -1,
                    e.body["secondsLeft"].toDouble(-1)};
      jobs_["job/" + run + '/' + verb] = job;
      showJob(job);
    }
}

void RunWatcher::showJob(const Job& job) {
  strip_.setTask("job/" + job.run + '/' + job.verb,
                 {jobTitle(job.run, job.verb), phaseText(job.phase), job.fraction, job.secondsLeft, true, true});
}

void RunWatcher::stateChanged() {
  QStringList active;
  for (const RunRecord& r : store_.state().activeRuns()) {
    active << r.id;
    Progress& p = progress_[r.id];
    p.step = std::max(p.step, r.step);
    if (p.steps == 0) p.steps = r.steps;
    const QString text = r.state == u"queued"      ? tr("waits for another run")
                         : r.state == u"submitted" ? tr("waits for its launcher")
                         : r.state == u"stopping"  ? tr("stopping after a checkpoint")
                                                   : detail(p);
    const double fraction = p.steps > 0 ? double(p.step) / double(p.steps) : r.state == u"queued" ? 0 : -1;
    strip_.setTask(r.id, {tr("Run %1").arg(r.id), text, fraction, p.secondsLeft, r.state != u"stopping", true});
  }
  for (const QString& id : progress_.keys())
    if (!active.contains(id)) {
      strip_.removeTask(id);
      progress_.remove(id);
    }
}

void RunWatcher::stop(const QString& id) {
  if (id == u"import") store_.stopImport();
  else if (id.startsWith(u"job/"))
    store_.supervise([run = id.section('/', 1, 1), verb = id.section('/', 2)](Project&, RunSupervisor& s) { return s.stopJob(run, verb); },
                     this, [](const Result<void>&) {});
  else if (id.startsWith(u"r-"))
    store_.supervise([id](Project&, RunSupervisor& s) { return s.requestStop(id); }, this, [](const Result<void>&) {});
}

}  // namespace cloister
