// A fixed team of threads that do one thing together and wait for each other once: the micro-batches of a step run side by side, each on
// one thread, instead of every small operation being cut in pieces with a barrier after each. Barriers inside operations spin, which on a
// busy desktop costs ten times the work. run() is called on the training thread, which is member 0.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cloister {

class Team {
 public:
  explicit Team(int members) {
    for (int i = 1; i < members; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~Team() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    start_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  int members() const { return int(threads_.size()) + 1; }

  /// Calls task(0 … members-1), each on its thread; returns when all are done. The first exception is thrown on.
  void run(const std::function<void(int)>& task) {
    {
      const std::lock_guard lock(mutex_);
      task_ = &task;
      pending_ = int(threads_.size());
      error_ = nullptr;
      ++round_;
    }
    start_.notify_all();
    attempt(0, task);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return pending_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void attempt(int member, const std::function<void(int)>& task) {
    try {
      task(member);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void work(int member) {
    long seen = 0;
    for (;;) {
      const std::function<void(int)>* task = nullptr;
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) return;
        seen = round_;
        task = task_;
      }
      attempt(member, *task);
      const std::lock_guard lock(mutex_);
      if (--pending_ == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int)>* task_ = nullptr;
  std::exception_ptr error_;
  long round_ = 0;
  int pending_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloister
