#include "widgets/common/store_client.h"

#include <optional>

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QDataStream>
#include <QDir>
#include <QFileInfo>
#include <QThreadPool>

#include "widgets/common/store_session.h"

namespace cloister {
namespace {

QByteArray signatureOf(const ProjectState& s) {
  QByteArray bytes;
  QDataStream out(&bytes, QIODevice::WriteOnly);
  const SampleCounts& c = s.counts;
  out << s.dir << s.info.name << c.samples << c.labelled << c.excluded << c.patients << c.duplicates << c.refused << c.problems << c.byLabel
      << c.bySite << c.byModality << s.evaluated << s.exported << s.bundles;
  for (const SnapshotRecord& r : s.snapshots) out << r.digest;
  for (const RunRecord& r : s.runs) out << r.id << r.state << r.step << r.steps << r.attempts << r.finishedAt << r.summary;
  return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256);
}

Result<ProjectState> readState(Project& project) {
  ProjectState s;
  s.open = true;
  s.dir = project.dir();
  s.info = project.info();
  auto counts = project.counts();
  if (!counts) return counts.error();
  auto snapshots = project.snapshots();
  if (!snapshots) return snapshots.error();
  auto runs = project.runs();
  if (!runs) return runs.error();
  s.counts = *counts;
  s.snapshots = *snapshots;
  s.runs = *runs;
  for (const RunRecord& run : s.runs) {
    const QString dir = project.runDir(run.id);
    if (QFileInfo::exists(dir + "/evaluation/report.json")) s.evaluated << run.id;
    if (QFileInfo::exists(dir + "/export/export.json")) s.exported << run.id;
  }
  s.bundles = QDir(project.bundlesDir()).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Time);
  s.signature = signatureOf(s);
  return s;
}

}  // namespace

QList<RunRecord> ProjectState::activeRuns() const {
  QList<RunRecord> active;
  for (const RunRecord& run : runs)
    if (run.state == u"running" || run.state == u"queued" || run.state == u"stopping" || run.state == u"submitted") active << run;
  return active;
}

QString ProjectState::newestFinishedRun() const {
  for (const RunRecord& run : runs)
    if (run.state == u"finished") return run.id;
  return {};
}

StoreClient::StoreClient(QObject* parent) : QObject(parent), writer_(new StoreSession), reader_(new StoreSession) {
  storeThread_.setObjectName(QStringLiteral("store"));
  readThread_.setObjectName(QStringLiteral("reader"));
  writer_->moveToThread(&storeThread_);
  reader_->moveToThread(&readThread_);
  connect(&storeThread_, &QThread::finished, writer_, &QObject::deleteLater);
  connect(&readThread_, &QThread::finished, reader_, &QObject::deleteLater);
  connect(writer_, &StoreSession::importProgressed, this, &StoreClient::importProgressed);
  connect(writer_, &StoreSession::importFinished, this, [this](const ImportSummary& summary) {
    importing_ = false;
    Q_EMIT importFinished(summary);
    refreshState();
  });
  connect(writer_, &StoreSession::importFailed, this, [this](const Failure& failure) {
    importing_ = false;
    Q_EMIT importFailed(failure);
    refreshState();
  });
  connect(writer_, &StoreSession::runChanged, this, [this](const QString& run) {
    Q_EMIT runChanged(run);
    refreshState();
  });
  connect(writer_, &StoreSession::preparing, this, &StoreClient::preparing);
  connect(writer_, &StoreSession::eventsArrived, this, &StoreClient::eventsArrived);
  connect(writer_, &StoreSession::jobEvents, this, &StoreClient::jobEvents);
  connect(writer_, &StoreSession::jobFinished, this, [this](const QString& run, const QString& verb, int code, const QJsonObject& result) {
    Q_EMIT jobFinished(run, verb, code, result);
    refreshState();
  });
  storeThread_.start();
  readThread_.start();
}

StoreClient::~StoreClient() {
  QMetaObject::invokeMethod(writer_, [w = writer_] { w->close(); });
  QMetaObject::invokeMethod(reader_, [r = reader_] { r->close(); });
  storeThread_.quit();
  readThread_.quit();
  storeThread_.wait();
  readThread_.wait();
}

Failure StoreClient::noProject() {
  return {FailureKind::NothingToDo, {{"what", "open project"}, {"next", "Open or create one first."}}, {}};
}

void StoreClient::answer(const Reply& reply, bool changes) {
  reply();
  --pending_;
  if (changes) refreshState();
}

void StoreClient::post(Lane lane, Job job) {
  ++pending_;
  StoreSession* session = lane == Lane::Write ? writer_ : reader_;
  const bool changes = lane == Lane::Write;
  QMetaObject::invokeMethod(session, [this, session, changes, job = std::move(job)] {
    Reply reply = job(session->project(), session->supervisor());
    QMetaObject::invokeMethod(this, [this, reply = std::move(reply), changes] { answer(reply, changes); });
  });
}

void StoreClient::pool(std::function<Reply()> job) {
  ++pending_;
  QThreadPool::globalInstance()->start([guard = QPointer<StoreClient>(this), job = std::move(job)] {
    Reply reply = job();
    QMetaObject::invokeMethod(QCoreApplication::instance(), [guard, reply = std::move(reply)] {
      if (guard) guard->answer(reply, false);
    });
  });
}

void StoreClient::open(std::function<Result<std::unique_ptr<Project>>()> how, const QString& dir) {
  ++pending_;
  QMetaObject::invokeMethod(writer_, [this, how = std::move(how), dir] {
    // The old project stays open when the new one cannot be opened.
    auto trial = how();
    std::optional<Failure> failure;
    if (!trial) {
      failure = trial.error();
    } else {
      auto held = std::make_shared<std::unique_ptr<Project>>(std::move(*trial));
      if (auto opened = writer_->open([held]() -> Result<std::unique_ptr<Project>> { return std::move(*held); }, true); !opened)
        failure = opened.error();
    }
    if (!failure) {
      QMetaObject::invokeMethod(reader_, [this, real = writer_->project()->dir()] {
        const auto opened = reader_->open([real] { return Project::open(real, Project::Mode::ReadOnly); }, false);
        QMetaObject::invokeMethod(this, [this, real, failed = opened ? std::optional<Failure>() : std::optional<Failure>(opened.error())] {
          --pending_;
          if (failed) {
            Q_EMIT openFailed(real, *failed);
            return;
          }
          state_ = {};
          state_.open = true;
          state_.dir = real;
          Q_EMIT this->opened();
          refreshState();
        });
      });
      return;
    }
    QMetaObject::invokeMethod(this, [this, dir, failure] {
      --pending_;
      Q_EMIT openFailed(dir, *failure);
    });
  });
}

void StoreClient::openProject(const QString& dir) {
  if (state_.open && QDir(dir) == QDir(state_.dir)) {  // its lock is our own
    Q_EMIT opened();
    return;
  }
  open([dir] { return Project::open(dir); }, dir);
}

void StoreClient::createProject(const QString& dir, const QString& name, const QString& task) {
  open([dir, name, task] { return Project::create(dir, name, task); }, dir);
}

void StoreClient::closeProject() {
  QMetaObject::invokeMethod(writer_, [w = writer_] { w->close(); });
  QMetaObject::invokeMethod(reader_, [r = reader_] { r->close(); });
  state_ = {};
  Q_EMIT closed();
  Q_EMIT stateChanged();
}

void StoreClient::refreshState() {
  if (!state_.open) return;
  if (refreshing_) {
    refreshAgain_ = true;
    return;
  }
  refreshing_ = true;
  read(readState, this, [this](Result<ProjectState> state) {
    refreshing_ = false;
    if (state && state_.open) {
      const bool differs = state->signature != state_.signature;
      state_ = *state;
      if (differs) Q_EMIT stateChanged();
    }
    if (std::exchange(refreshAgain_, false)) refreshState();
  });
}

void StoreClient::startImport(const ImportRequest& request) {
  importing_ = true;
  Q_EMIT importStarted();
  QMetaObject::invokeMethod(writer_, [w = writer_, request] { w->startImport(request, 0); });
}

void StoreClient::resumeImport(qint64 id) {
  importing_ = true;
  Q_EMIT importStarted();
  QMetaObject::invokeMethod(writer_, [w = writer_, id] { w->startImport({}, id); });
}

void StoreClient::setPreparingStopped(bool stopped) { writer_->setPreparingStopped(stopped); }

void StoreClient::stopImport() {
  QMetaObject::invokeMethod(writer_, [w = writer_] { w->stopImport(); });
}

}  // namespace cloister
