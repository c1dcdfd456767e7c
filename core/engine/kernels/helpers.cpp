#include "core/engine/kernels/helpers.h"

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace cloister::kernels {
namespace {

constexpr int kMost = 64;                // threads
constexpr int kLooksBeforeSleep = 4000;  // some 0.1 ms: the next product of the same token comes sooner

inline void breathe() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct alignas(64) Stretch {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

class Helpers {
 public:
  ~Helpers() {
    stopping_ = true;
    round_.fetch_add(1);
    round_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

  void run(std::int64_t pieces, int threads, void (*work)(const void*, std::int64_t), const void* context) {
    while (int(threads_.size()) < threads - 1) threads_.emplace_back([this, own = int(threads_.size()) + 1] { help(own); });
    work_ = work;
    context_ = context;
    stretches_ = threads;
    for (int t = 0; t < threads; ++t) {
      stretch_[std::size_t(t)].next.store(pieces * t / threads, std::memory_order_relaxed);
      stretch_[std::size_t(t)].end = pieces * (t + 1) / threads;
    }
    open_ = true;
    round_.fetch_add(1);
    round_.notify_all();
    takePieces(0);
    // Whoever looks at open_ from here on goes away; whoever saw it open is counted in inside_ and ends its piece.
    open_ = false;
    for (int looks = 0; inside_ != 0; ++looks) looks < kLooksBeforeSleep ? breathe() : std::this_thread::yield();
  }

  std::mutex one;

 private:
  void takePieces(int own) {
    for (int t = 0; t < stretches_; ++t) {
      Stretch& s = stretch_[std::size_t((own + t) % stretches_)];
      for (std::int64_t i = s.next.fetch_add(1); i < s.end; i = s.next.fetch_add(1)) work_(context_, i);
    }
  }

  void help(int own) {
    for (int seen = 0;;) {
      for (int looks = 0; looks < kLooksBeforeSleep && round_.load() == seen; ++looks) breathe();
      round_.wait(seen);
      seen = round_.load();
      if (stopping_) return;
      inside_.fetch_add(1);
      if (open_ && own < stretches_) takePieces(own);
      inside_.fetch_sub(1);
    }
  }

  std::array<Stretch, kMost> stretch_;
  void (*work_)(const void*, std::int64_t) = nullptr;
  const void* context_ = nullptr;
  int stretches_ = 0;
  // All sequentially consistent: a helper counts itself in before it looks at open_, the caller closes before it looks at the count.
  std::atomic<int> round_{0}, inside_{0};
  std::atomic<bool> open_{false}, stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

void shareOut(std::int64_t pieces, int threads, void (*work)(const void*, std::int64_t), const void* context) {
  static Helpers helpers;
  if (threads > kMost) threads = kMost;
  if (threads > pieces) threads = int(pieces);
  std::unique_lock only(helpers.one, std::defer_lock);
  if (threads > 1 && only.try_lock()) return helpers.run(pieces, threads, work, context);
  for (std::int64_t i = 0; i < pieces; ++i) work(context, i);
}

}  // namespace cloister::kernels
