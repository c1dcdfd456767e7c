// Scratch memory of an immutable object that several threads use: taken for one call, given back, kept for the next.
#pragma once
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace cloister {

template <typename T>
class ScratchPool {
 public:
  std::unique_ptr<T> take() {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) return std::make_unique<T>();
    auto taken = std::move(kept_.back());
    kept_.pop_back();
    return taken;
  }
  /// What a call that threw had taken is simply gone.
  void giveBack(std::unique_ptr<T> scratch) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace cloister
