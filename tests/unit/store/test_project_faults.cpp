// What can befall a project: another program has it, it is newer, foreign, damaged, read-only, the disk is full, the writer is killed.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <random>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/store/database.h"
#include "core/store/migrator.h"
#include "core/store/project.h"

using namespace cloister;

namespace {

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}

Sample sample(int number) {
  Sample s;
  s.key = QStringLiteral("k%1").arg(number);
  s.source = "images";
  s.file = s.key;
  s.sha256 = sha256Hex(QByteArray::number(number));
  s.label = QStringLiteral("c%1").arg(number % 3);
  s.patient = QStringLiteral("p%1").arg(number / 2);
  return s;
}

struct Fixture {
  QTemporaryDir folder;
  QString dir = folder.filePath("p");
  Fixture() { get(Project::create(dir, "Test", "image-classification")); }
  QString database() const { return dir + "/project.sqlite"; }
  void execute(const QByteArray& sql) const {
    auto db = get(Database::open(database(), Database::Mode::ReadWrite));
    if (auto done = db->execute(sql); !done) qFatal("%s", qPrintable(done.error().detail));
  }
  void overwrite(qint64 at, const QByteArray& bytes) const {
    execute("PRAGMA wal_checkpoint(TRUNCATE)");
    QFile file(database());
    if (!file.open(QIODevice::ReadWrite) || !file.seek(at)) qFatal("overwrite");
    file.write(bytes);
  }
};

FailureKind kindOf(const Result<std::unique_ptr<Project>>& opened) { return opened ? FailureKind::Internal : opened.error().kind; }

/// Runs work in a forked copy of this process and gives its exit code, or minus the signal.
int inChild(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(work());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

constexpr int kNoMount = 77;

/// A disk of 3 MB in a mount namespace of this (forked) process alone; needs no rights where user namespaces are allowed.
bool mountSmallDisk(const QString& path) {
  if (::unshare(CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("none", QFile::encodeName(path).constData(), "tmpfs", 0, "size=3m") == 0;
}

}  // namespace

class TestProjectFaults : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void secondWriterIsToldWhoHasIt() {
    Fixture f;
    auto first = get(Project::open(f.dir));
    auto second = Project::open(f.dir);
    QCOMPARE(kindOf(second), FailureKind::DatabaseLocked);
    QCOMPARE(second.error().args["pid"].toInteger(), qint64(::getpid()));
    QVERIFY(describe(second.error()).contains(QString::number(::getpid())));
    auto reader = Project::open(f.dir, Project::Mode::ReadOnly);  // looking is always possible
    QVERIFY(reader);
    QCOMPARE(get((*reader)->counts()).samples, 0);
    first.reset();
    QVERIFY(Project::open(f.dir));
  }

  void lockOfAKilledWriterIsTakenOver() {
    Fixture f;
    int ready[2];
    QCOMPARE(::pipe(ready), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      auto project = Project::open(f.dir);
      const char byte = project ? '1' : '0';
      if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
      ::pause();
    }
    char byte = 0;
    QCOMPARE(::read(ready[0], &byte, 1), 1);
    QCOMPARE(byte, '1');
    auto locked = Project::open(f.dir);
    QCOMPARE(kindOf(locked), FailureKind::DatabaseLocked);
    QCOMPARE(locked.error().args["pid"].toInteger(), qint64(pid));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    QVERIFY(Project::open(f.dir));
  }

  void databaseHeldByAnotherProgramIsSaid() {
    Fixture f;
    auto project = get(Project::open(f.dir));
    auto other = get(Database::open(f.database(), Database::Mode::ReadWrite));
    QVERIFY(other->execute("BEGIN IMMEDIATE"));
    auto written = project->setSetting("k", 1);
    QVERIFY(!written);
    QCOMPARE(written.error().kind, FailureKind::DatabaseLocked);
    QVERIFY(other->execute("ROLLBACK"));
    QVERIFY(project->setSetting("k", 1));
  }

  void newerAndForeignAreLeftAlone() {
    Fixture f;
    f.execute("PRAGMA user_version=99");
    auto newer = Project::open(f.dir);
    QCOMPARE(kindOf(newer), FailureKind::NewerVersion);
    QCOMPARE(newer.error().args["found"].toInt(), 99);
    QCOMPARE(kindOf(Project::open(f.dir, Project::Mode::ReadOnly)), FailureKind::NewerVersion);
    f.execute("PRAGMA user_version=1; PRAGMA application_id=7");
    QCOMPARE(kindOf(Project::open(f.dir)), FailureKind::UnsupportedFormat);
    Fixture g;
    QVERIFY(writeJsonAtomically(g.dir + "/project.json", {{"format", 2}, {"id", "x"}}));
    QCOMPARE(kindOf(Project::open(g.dir)), FailureKind::NewerVersion);
    QVERIFY(writeFileAtomically(g.dir + "/project.json", "{"));
    QCOMPARE(kindOf(Project::open(g.dir)), FailureKind::CorruptFile);
  }

  void missingFolderAndDatabase() {
    Fixture f;
    QCOMPARE(kindOf(Project::open(f.folder.filePath("none"))), FailureKind::NotFound);
    QVERIFY(QFile::remove(f.database()));
    QCOMPARE(kindOf(Project::open(f.dir)), FailureKind::NotFound);
    QVERIFY(!QFileInfo::exists(f.database()));  // never replaced by an empty one
  }

  void damageIsNamed() {
    {
      Fixture f;
      f.overwrite(0, QByteArray(200, 'x'));
      QCOMPARE(kindOf(Project::open(f.dir)), FailureKind::DatabaseCorrupt);
    }
    {
      Fixture f;  // emptied by a file system after a power cut: not a new project
      for (const char* suffix : {"", "-wal", "-shm"}) QFile::remove(f.database() + suffix);
      QFile file(f.database());
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.close();
      QCOMPARE(kindOf(Project::open(f.dir)), FailureKind::DatabaseCorrupt);
      QCOMPARE(kindOf(Project::open(f.dir, Project::Mode::ReadOnly)), FailureKind::DatabaseCorrupt);
      QCOMPARE(QFileInfo(f.database()).size(), 0);
    }
    {
      Fixture f;
      auto project = get(Project::open(f.dir));
      const qint64 import = get(project->beginImport("images", {}));
      QList<Sample> many;
      for (int i = 0; i < 3000; ++i) many.append(sample(i));
      get(project->addSamples(import, many));
      project.reset();
      const qint64 size = QFileInfo(f.database()).size();
      f.overwrite(4096, QByteArray(size - 8192, '\xff'));
      auto damaged = Project::open(f.dir);
      if (damaged) {
        auto all = (*damaged)->samples({}, 0, 10'000);
        QVERIFY(!all);
        QCOMPARE(all.error().kind, FailureKind::DatabaseCorrupt);
      } else {
        QCOMPARE(kindOf(damaged), FailureKind::DatabaseCorrupt);
      }
    }
  }

  void fullDiskLosesNothing() {
    Fixture f;
    const QString small = f.folder.filePath("small");
    QDir().mkpath(small);
    const int code = inChild([&] {
      if (!mountSmallDisk(small)) return kNoMount;
      auto project = Project::create(small + "/p", "a", "t");
      if (!project) return 10;
      const qint64 import = *(*project)->beginImport("images", {});
      QList<Sample> first, many;
      for (int i = 0; i < 100; ++i) first.append(sample(i));
      if (!(*project)->addSamples(import, first)) return 11;
      for (int i = 100; i < 20'000; ++i) many.append(sample(i));
      auto added = (*project)->addSamples(import, many);
      if (added) return 13;
      if (added.error().kind != FailureKind::DiskFull) return 14;
      auto counts = (*project)->counts();
      if (!counts || counts->samples != 100) return 15;
      project->reset();
      auto again = Project::open(small + "/p");
      if (!again) return 16;
      auto all = (*again)->samples({}, 0, 1000);
      return all && all->size() == 100 ? 0 : 17;
    });
    if (code == kNoMount) QSKIP("this machine lets a test mount no small disk");
    QCOMPARE(code, 0);
  }

  void readOnlyMediumCanBeRead() {
    Fixture f;
    const QString medium = f.folder.filePath("medium");
    QDir().mkpath(medium);
    const int code = inChild([&] {
      if (!mountSmallDisk(medium)) return kNoMount;
      {
        auto project = Project::create(medium + "/p", "a", "t");
        if (!project) return 10;
        if (!(*project)->addSamples(*(*project)->beginImport("images", {}), {sample(1)})) return 11;
      }
      if (::mount("none", QFile::encodeName(medium).constData(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) return kNoMount;
      auto writing = Project::open(medium + "/p");
      if (writing || writing.error().kind != FailureKind::ReadOnly) return 12;
      auto reading = Project::open(medium + "/p", Project::Mode::ReadOnly);
      if (!reading) return 13;
      auto counts = (*reading)->counts();
      return counts && counts->samples == 1 ? 0 : 14;
    });
    if (code == kNoMount) QSKIP("this machine lets a test mount no disk");
    QCOMPARE(code, 0);
  }

  void fullDiskAtCreationIsSaid() {
    QTemporaryDir folder;
    const int code = inChild([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{4096, 4096};
      if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 12;
      auto project = Project::create(folder.filePath("p"), "a", "t");
      if (project) return 13;
      return project.error().kind == FailureKind::DiskFull ? 0 : 14;
    });
    QCOMPARE(code, 0);
    QVERIFY(!QFileInfo::exists(folder.filePath("p/project.json")));
    QVERIFY(Project::create(folder.filePath("p"), "a", "t"));  // with space again it goes
  }

  void folderOfSomebodyElse() {
    Fixture f;
    {
      auto project = get(Project::open(f.dir));
      get(project->addSamples(get(project->beginImport("images", {})), {sample(1)}));
    }
    for (const QString& path : {f.folder.path(), f.dir}) ::chmod(QFile::encodeName(path).constData(), 0555);
    const int code = inChild([&] {
      // root may write anywhere; as nobody the folder is what it says.
      if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 10;
      auto writing = Project::open(f.dir);
      if (writing) return 11;
      if (writing.error().kind != FailureKind::PermissionDenied) return 12;
      auto reading = Project::open(f.dir, Project::Mode::ReadOnly);
      if (!reading) return 13;
      auto counts = (*reading)->counts();
      if (!counts || counts->samples != 1) return 14;
      auto written = (*reading)->setSetting("k", 1);
      if (written || written.error().kind != FailureKind::ReadOnly) return 15;
      auto created = Project::create(f.folder.filePath("new"), "a", "t");
      return !created && created.error().kind == FailureKind::PermissionDenied ? 0 : 16;
    });
    for (const QString& path : {f.folder.path(), f.dir}) ::chmod(QFile::encodeName(path).constData(), 0755);
    QCOMPARE(code, 0);
  }

  void olderProjectIsBroughtUpAfterACopy() {
    Fixture f;
    // A project as the first format wrote it.
    for (const char* suffix : {"", "-wal", "-shm"}) QFile::remove(f.database() + suffix);
    QTemporaryDir first;
    QVERIFY(QFile::copy(QStringLiteral(CLOISTER_SOURCE_DIR "/resources/migrations/0001_initial.sql"), first.filePath("0001_initial.sql")));
    {
      auto db = get(Database::open(f.database(), Database::Mode::Create));
      QVERIFY(Migrator(first.path()).migrate(*db));
      QVERIFY(db->execute("INSERT INTO imports (source, state, started_at, request) VALUES ('images', 'finished', 't', '{}')"));
      for (int i = 0; i < 10; ++i)
        QVERIFY(db->run(
            "INSERT INTO samples VALUES (NULL,1,?,0,?,'images','f',1,1,1,1,8,1,'','site',?,'','','',?,'folder','',0,0,-1,0,0,1,0,0)",
            QByteArray(32, char('a' + i)), QStringLiteral("k%1").arg(i), QStringLiteral("p%1").arg(i / 2), QString(i % 2 ? "x" : "")));
    }
    QCOMPARE(kindOf(Project::open(f.dir, Project::Mode::ReadOnly)), FailureKind::PolicyRefused);
    auto project = get(Project::open(f.dir));
    const SampleCounts counts = get(project->counts());
    QCOMPARE(counts.samples, 10);
    QCOMPARE(counts.labelled, 5);
    QCOMPARE(counts.patients, 5);
    QCOMPARE(counts.bySite["site"], 10);
    QVERIFY(project->changeSamples({{1, QStringLiteral("x"), {}, {}, {}, "person"}}, "l"));
    QCOMPARE(get(project->counts()).byLabel["x"], 6);
    auto copy = get(Database::open(f.database() + ".before-0002", Database::Mode::ReadOnly));
    QCOMPARE(get(Migrator::versionOf(*copy)), 1);
    QCOMPARE(get(copy->number("SELECT count(*) FROM samples WHERE label <> ''")), 5);
  }

  void failedMigrationChangesNothing() {
    QTemporaryDir folder, steps;
    QVERIFY(QFile::copy(QStringLiteral(CLOISTER_SOURCE_DIR "/resources/migrations/0001_initial.sql"), steps.filePath("0001_initial.sql")));
    auto db = get(Database::open(folder.filePath("x.sqlite"), Database::Mode::Create));
    QVERIFY(Migrator(steps.path()).migrate(*db));
    QFile second(steps.filePath("0002_broken.sql"));
    QVERIFY(second.open(QIODevice::WriteOnly));
    second.write("CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);");
    second.close();
    QVERIFY(!Migrator(steps.path()).migrate(*db));
    QCOMPARE(get(Migrator::versionOf(*db)), 1);
    QCOMPARE(get(db->number("SELECT count(*) FROM sqlite_schema WHERE name = 'half'")), 0);
  }

  void killedWriterLeavesWholeBatches() {
    Fixture f;
    std::mt19937 random(1);
    int next = 0;
    for (int round = 0; round < 25; ++round) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        auto project = Project::open(f.dir);
        if (!project) ::_exit(1);
        auto import = (*project)->beginImport("images", {});
        for (int i = next; import; i += 50) {
          QList<Sample> batch;
          for (int k = 0; k < 50; ++k) batch.append(sample(i + k));
          if (!(*project)->addSamples(*import, batch)) ::_exit(1);
        }
        ::_exit(1);
      }
      ::usleep(5'000 + random() % 60'000);
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      auto project = get(Project::open(f.dir));
      const auto all = get(project->samples({}, 0, 1'000'000));
      QCOMPARE(all.size() % 50, 0);
      QMap<QString, qint64> labels;
      QSet<QString> patients;
      for (const Sample& s : all) ++labels[s.label], patients.insert(s.patient);
      const SampleCounts counts = get(project->counts());
      QCOMPARE(counts.samples, all.size());
      QCOMPARE(counts.byLabel, labels);
      QCOMPARE(counts.patients, patients.size());
      next = int(all.size());
    }
    QVERIFY(next > 0);  // otherwise the kills came before any work and nothing was tried
    auto db = get(Database::open(f.database(), Database::Mode::ReadOnly));
    auto check = get(db->query("PRAGMA integrity_check"));
    QVERIFY(get(check.step()));
    QCOMPARE(check.text(0), "ok");
  }
};

QTEST_GUILESS_MAIN(TestProjectFaults)
#include "test_project_faults.moc"
