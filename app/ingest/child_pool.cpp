#include "app/ingest/child_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include <QCoreApplication>
#include <QFile>

#include "app/ingest/decode_child.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;

volatile sig_atomic_t g_stop = 0;
void onStop(int) { g_stop = 1; }

void limit(int resource, rlim_t value) {
  const struct rlimit r { value, value };
  ::setrlimit(resource, &r);
}

}  // namespace

bool stopAsked() { return g_stop != 0; }

void installStopHandler() {
  struct sigaction action {};
  action.sa_handler = onStop;  // without SA_RESTART: poll returns at once
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int childCount(int asked) {
  if (asked <= 0) asked = int(std::max(1u, std::thread::hardware_concurrency()));
  return std::min(asked, 64);
}

struct ChildPool::Pending {
  Answer answer;
  bool done = false;
};

struct ChildPool::Child {
  pid_t pid = -1;
  int in = -1, out = -1;  // we write to in, read from out
  MessageReader reader;
  std::shared_ptr<Pending> job;
  Clock::time_point since;
};

ChildPool::ChildPool(int children, PoolLimits limits, SandboxPaths paths) : limits_(limits), confine_{paths.toJson(), {}} {
  confine_.json["op"] = QStringLiteral("confine");
  if (const Sandbox sandbox = possibleSandbox(); !sandbox.reason.isEmpty())
    std::fprintf(stderr, "cloister-ingest: decoders are confined less than they could be: %s\n", qUtf8Printable(sandbox.reason));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  limits_.addressSpace = 0;  // the sanitizers' shadow alone is larger
#endif
  for (int i = 0; i < children; ++i) children_.push_back(std::make_unique<Child>());
}

ChildPool::~ChildPool() {
  for (auto& c : children_) stop(*c, c->job != nullptr);
}

bool ChildPool::start(Child& child) {
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0) return false;
  if (::pipe2(from, O_CLOEXEC) != 0) {
    ::close(to[0]);
    ::close(to[1]);
    return false;
  }
  // Everything that allocates happens before fork.
  const QByteArray self = QFile::encodeName(QCoreApplication::applicationFilePath());
  char* const arguments[] = {const_cast<char*>(self.constData()), const_cast<char*>("--decode"), nullptr};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) ::dup2(nowhere, 2);  // decoders print what they like
    ::signal(SIGTERM, SIG_IGN);            // the supervisor decides when a child ends
    ::signal(SIGINT, SIG_IGN);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // A network namespace of its own, without any interface, where the system allows it: nothing a file does can reach out. Only root may
    // have one without a user namespace, and only in its own does it keep its right to read the files of others.
    (void)!::unshare(::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET);
    limit(RLIMIT_CORE, 0);
    if (limits_.addressSpace) limit(RLIMIT_AS, limits_.addressSpace);
    ::execv(arguments[0], arguments);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  if (pid < 0) {
    ::close(to[1]);
    ::close(from[0]);
    return false;
  }
  child.pid = pid;
  child.in = to[1];
  child.out = from[0];
  child.reader = {};
  return writeMessage(child.in, confine_);
}

void ChildPool::stop(Child& child, bool kill) {
  if (child.pid < 0) return;
  ::close(child.in);
  if (kill) ::kill(child.pid, SIGKILL);
  ::close(child.out);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.pid = child.in = child.out = -1;
}

Failure ChildPool::deathOf(Child& child, bool timedOut, bool garbled) {
  const QString path = child.job->answer.job["file"].toString();
  ::close(child.in);
  if (timedOut || garbled) ::kill(child.pid, SIGKILL);
  ::close(child.out);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.pid = child.in = child.out = -1;
  if (timedOut) return {FailureKind::Timeout, {{"path", path}, {"seconds", limits_.seconds}}, {}};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kStackExhausted)
    return {FailureKind::CorruptFile, {{"path", path}}, QStringLiteral("nested too deeply")};
  const QString signal =
      WIFSIGNALED(status) ? QString::fromLatin1(::sigabbrev_np(WTERMSIG(status))) : QStringLiteral("exit %1").arg(WEXITSTATUS(status));
  return {FailureKind::Crashed, {{"path", path}, {"program", QStringLiteral("The decoder of ") + path}, {"signal", signal}}, {}};
}

void ChildPool::dispatch(const NextJob& next) {
  // Answers are taken in order, so a slow file may hold back this many quick ones.
  const size_t room = children_.size() * 32;
  exhausted_ = false;  // an answer may have brought new jobs
  for (auto& child : children_) {
    if (child->job || exhausted_ || stopAsked() || window_.size() >= room) continue;
    auto job = next();
    if (!job) {
      exhausted_ = true;
      return;
    }
    auto pending = std::make_shared<Pending>();
    pending->answer.job = *job;
    window_.push_back(pending);
    child->job = pending;
    child->since = Clock::now();
    bool sent = (child->pid >= 0 || start(*child)) && writeMessage(child->in, {*job, {}});
    if (!sent && child->pid >= 0) {  // died between jobs: once more with a fresh one
      stop(*child, true);
      sent = start(*child) && writeMessage(child->in, {*job, {}});
    }
    if (!sent) {
      pending->answer.failure = Failure{FailureKind::WorkerFailed, {{"program", QStringLiteral("cloister-ingest --decode")}}, {}};
      pending->done = true;
      child->job.reset();
    }
  }
}

void ChildPool::serve(Child& child, const std::function<void(const Message&)>& onPart) {
  const MessageReader::State state = child.reader.readSome(child.out);
  Message message;
  while (child.job && child.reader.take(message)) {
    child.since = Clock::now();
    const bool last = !message.json["more"].toBool();
    if (onPart && !last) onPart(message);
    else child.job->answer.parts.push_back(std::move(message));
    if (last) {
      child.job->done = true;
      child.job.reset();
    }
  }
  if (state == MessageReader::State::Open) return;
  if (child.job) {
    child.job->answer.failure = deathOf(child, false, state == MessageReader::State::Garbled);
    child.job->done = true;
    child.job.reset();
  } else {
    stop(child, true);
  }
}

bool ChildPool::deliver(const TakeAnswer& take) {
  while (!window_.empty() && window_.front()->done) {
    auto first = window_.front();
    window_.erase(window_.begin());
    if (!take(std::move(first->answer))) return false;
  }
  return true;
}

Result<void> ChildPool::run(const NextJob& next, const TakeAnswer& take, const std::function<void(const Message&)>& onPart) {
  for (;;) {
    dispatch(next);
    const size_t before = window_.size();
    if (!deliver(take)) return Failure{FailureKind::Stopped, {}, {}};
    if (window_.size() < before && !stopAsked()) continue;  // room again, and perhaps new jobs
    if (window_.empty() && (exhausted_ || stopAsked())) break;
    if (limits_.stopsAtOnce && stopAsked()) break;  // the children end with this pool
    std::vector<pollfd> wanted;
    std::vector<Child*> who;
    int wait = 1000;
    for (auto& c : children_) {
      if (c->pid < 0 || !c->job) continue;
      wanted.push_back({c->out, POLLIN, 0});
      who.push_back(c.get());
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(c->since + std::chrono::seconds(limits_.seconds) - Clock::now()).count();
      wait = std::clamp(int(left) + 1, 0, wait);
    }
    if (wanted.empty()) continue;
    ::poll(wanted.data(), nfds_t(wanted.size()), wait);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].revents) serve(*who[i], onPart);
      else if (who[i]->job && Clock::now() - who[i]->since > std::chrono::seconds(limits_.seconds)) {
        who[i]->job->answer.failure = deathOf(*who[i], true, false);
        who[i]->job->done = true;
        who[i]->job.reset();
      }
    }
  }
  if (stopAsked()) return Failure{FailureKind::Stopped, {}, {}};
  return {};
}

}  // namespace cloister
