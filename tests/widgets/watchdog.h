// Measures how long single events hold the main thread, for tests: an application whose notify() takes the time of every outermost event
// and leaves out the time that the thread stood in the scheduler's queue (/proc/thread-self/schedstat), so that a busy machine is not
// mistaken for a blocking program while a sleep, a lock or a slow disk is. Events of other threads pass through unmeasured.
#pragma once
#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

#include <QApplication>
#include <QElapsedTimer>
#include <QThread>

namespace cloister {

class WatchedApplication : public QApplication {
 public:
  static constexpr qint64 kLimitNs = 50'000'000;

  WatchedApplication(int& argc, char** argv)
      : QApplication(argc, argv), stat_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  ~WatchedApplication() override { ::close(stat_); }

  bool notify(QObject* receiver, QEvent* event) override {
    if (QThread::currentThread() != thread() || depth_ > 0 || !watching_) return QApplication::notify(receiver, event);
    const QByteArray name = receiver->metaObject()->className();
    const int type = event->type();
    ++depth_;
    const qint64 waited = queued();
    QElapsedTimer timer;
    timer.start();
    const bool handled = QApplication::notify(receiver, event);
    const qint64 held = timer.nsecsElapsed() - (queued() - waited);
    --depth_;
    if (held > longest_) {
      longest_ = held;
      culprit_ = name + ", event " + QByteArray::number(type);
    }
    return handled;
  }

  /// More than two processes wait for each processor: then work of a millisecond takes many, and a limit in milliseconds says nothing
  /// about the program.
  static bool machineIsBusy() {
    double load[1] = {};
    return ::getloadavg(load, 1) == 1 && load[0] > 2.0 * QThread::idealThreadCount();
  }

  void watch(bool on) {
    watching_ = on;
    longest_ = 0;
    culprit_.clear();
  }
  qint64 longestNs() const { return longest_; }
  QByteArray report() const { return "held for " + QByteArray::number(double(longest_) / 1e6, 'f', 1) + " ms by " + culprit_; }

 private:
  // Nanoseconds that this thread was runnable and not running.
  qint64 queued() const {
    char text[96] = {};
    if (::pread(stat_, text, sizeof text - 1, 0) <= 0) return 0;
    long long ran = 0, waited = 0;
    std::sscanf(text, "%lld %lld", &ran, &waited);
    return waited;
  }
  int stat_;
  int depth_ = 0;
  bool watching_ = false;
  qint64 longest_ = 0;
  QByteArray culprit_;
};

}  // namespace cloister
