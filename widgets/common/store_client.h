// The door from the GUI to the core. Owns the store thread (Project, RunSupervisor, ImportJob live there) and a reading thread with a
// read-only Project, so that a long write never holds up the thumbnails. The main thread posts functions and gets Result<T> back by a
// callback on the main thread; nothing here ever blocks it.
//
//   store.read([](Project& p) { return p.counts(); }, this, [this](Result<SampleCounts> counts) { … });
//
// Without an open project the callback gets NothingToDo. The callback is dropped when context is gone.
#pragma once
#include <functional>
#include <memory>
#include <type_traits>

#include <QObject>
#include <QPointer>
#include <QSet>
#include <QThread>

#include "core/curation/import_job.h"
#include "core/domain/result.h"
#include "core/domain/task.h"
#include "core/runs/run_supervisor.h"
#include "core/store/project.h"

namespace cloister {

/// What the frame and the pages' "what is missing" are made from: read anew after each change, a plain value on the main thread.
struct ProjectState {
  bool open = false;
  QString dir;
  ProjectInfo info;
  SampleCounts counts;
  QList<SnapshotRecord> snapshots;  ///< newest first
  QList<RunRecord> runs;            ///< newest first
  QStringList evaluated;            ///< runs with evaluation/report.json
  QStringList exported;             ///< runs with export/export.json
  QStringList bundles;              ///< folder names below bundles/
  QByteArray signature;             ///< equal states have equal signatures: stateChanged is sent only when it differs

  const Task& task() const { return Task::named(info.task); }
  bool isLanguage() const { return task().is(Task::Kind::LanguageModel); }  ///< texts and language models instead of images
  QList<RunRecord> activeRuns() const;                                      ///< queued, running, stopping
  QString newestFinishedRun() const;                                        ///< empty without
};

class StoreSession;

class StoreClient : public QObject {
  Q_OBJECT
 public:
  explicit StoreClient(QObject* parent = nullptr);
  ~StoreClient() override;

  void openProject(const QString& dir);
  void createProject(const QString& dir, const QString& name, const QString& task);
  void closeProject();
  const ProjectState& state() const { return state_; }
  /// Reads the state anew; stateChanged follows. Called by itself after every run() and supervise().
  void refreshState();
  /// Requests that have not called back yet; the tour and tests wait for 0.
  int pending() const { return pending_; }

  /// fn(Project&) → Result<T> on the store thread (the only writer), done(Result<T>) on the main thread.
  template <typename Fn, typename Done>
  void run(Fn fn, QObject* context, Done done) {
    using R = std::invoke_result_t<Fn, Project&>;
    post(Lane::Write,
         [fn = std::move(fn), guard = QPointer<QObject>(context), done = std::move(done)](Project* p, RunSupervisor*) mutable -> Reply {
           auto result = std::make_shared<R>(p ? fn(*p) : R(noProject()));
           return [result, guard, done = std::move(done)]() mutable {
             if (guard) done(std::move(*result));
           };
         });
  }
  /// The same on the reading thread: queries, thumbnails, checks. Never writes.
  template <typename Fn, typename Done>
  void read(Fn fn, QObject* context, Done done) {
    using R = std::invoke_result_t<Fn, Project&>;
    post(Lane::Read,
         [fn = std::move(fn), guard = QPointer<QObject>(context), done = std::move(done)](Project* p, RunSupervisor*) mutable -> Reply {
           auto result = std::make_shared<R>(p ? fn(*p) : R(noProject()));
           return [result, guard, done = std::move(done)]() mutable {
             if (guard) done(std::move(*result));
           };
         });
  }
  /// fn(Project&, RunSupervisor&) → Result<T> on the store thread.
  template <typename Fn, typename Done>
  void supervise(Fn fn, QObject* context, Done done) {
    using R = std::invoke_result_t<Fn, Project&, RunSupervisor&>;
    post(Lane::Write,
         [fn = std::move(fn), guard = QPointer<QObject>(context), done = std::move(done)](Project* p, RunSupervisor* s) mutable -> Reply {
           auto result = std::make_shared<R>(p && s ? fn(*p, *s) : R(noProject()));
           return [result, guard, done = std::move(done)]() mutable {
             if (guard) done(std::move(*result));
           };
         });
  }
  /// fn() → T on a pool thread, for work that needs no project (hashing, verifying a bundle, reading a report).
  template <typename Fn, typename Done>
  void background(Fn fn, QObject* context, Done done) {
    using R = std::invoke_result_t<Fn>;
    pool([fn = std::move(fn), guard = QPointer<QObject>(context), done = std::move(done)]() mutable -> Reply {
      auto result = std::make_shared<R>(fn());
      return [result, guard, done = std::move(done)]() mutable {
        if (guard) done(std::move(*result));
      };
    });
  }

  void startImport(const ImportRequest&);
  void resumeImport(qint64 importId);
  void stopImport();
  bool importing() const { return importing_; }
  /// Starting a run prepares its data; true stops that, false before a start allows it again.
  void setPreparingStopped(bool);
  /// For children that a page starts itself (QProcess): keeps pending() honest.
  void begin() { ++pending_; }
  void end() { --pending_; }

 Q_SIGNALS:
  void opened();  ///< state().dir is set; the full state follows with stateChanged
  void closed();
  void openFailed(QString dir, cloister::Failure);
  void stateChanged();
  void importStarted();
  void importProgressed(cloister::ImportProgress);
  void importFinished(cloister::ImportSummary);
  void importFailed(cloister::Failure);
  // Forwarded from the RunSupervisor
  void runChanged(QString run);
  void preparing(qint64 done, qint64 total);  ///< before a run starts: bytes of texts, or samples
  void eventsArrived(QString run, QList<cloister::RunEvent> events);
  void jobEvents(QString run, QString verb, QList<cloister::RunEvent> events);
  void jobFinished(QString run, QString verb, int exitCode, QJsonObject result);

 private:
  using Reply = std::function<void()>;
  using Job = std::function<Reply(Project*, RunSupervisor*)>;
  enum class Lane { Write, Read };
  static Failure noProject();
  void post(Lane, Job);
  void pool(std::function<Reply()>);
  void answer(const Reply&, bool changes);
  void open(std::function<Result<std::unique_ptr<Project>>()> how, const QString& dir);

  ProjectState state_;
  int pending_ = 0;
  bool importing_ = false, refreshing_ = false, refreshAgain_ = false;
  QThread storeThread_, readThread_;
  StoreSession* writer_ = nullptr;
  StoreSession* reader_ = nullptr;
};

}  // namespace cloister
