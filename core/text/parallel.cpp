#include "core/text/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace cloister {
namespace {
constexpr std::size_t kMostAtOnce = 64;
}

Result<void> onAllCores(std::size_t count, int threads, const std::function<Result<void>(std::size_t)>& item) {
  const auto cores = threads > 0 ? std::size_t(threads) : std::size_t(std::max(1u, std::thread::hardware_concurrency()));
  const std::size_t atOnce = std::clamp<std::size_t>(count / (cores * 8), 1, kMostAtOnce);  // few long things are shared as well
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Failure failure;
  const auto fail = [&](const Failure& why) {
    const std::lock_guard lock(mutex);
    if (!failed.exchange(true)) failure = why;
  };
  const auto work = [&] {
    try {
      for (std::size_t from = next.fetch_add(atOnce); from < count && !failed; from = next.fetch_add(atOnce))
        for (std::size_t i = from; i < std::min(from + atOnce, count); ++i)
          if (auto done = item(i); !done) return fail(done.error());
    } catch (const std::bad_alloc&) {
      fail({FailureKind::OutOfMemory, {}, QStringLiteral("std::bad_alloc")});
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(cores, (count + atOnce - 1) / atOnce); ++i) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  if (failed) return failure;
  return {};
}

}  // namespace cloister
