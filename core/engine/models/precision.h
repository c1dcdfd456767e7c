// bf16 autocast as a scope: matrix products and convolutions in bfloat16, sums, norms and the loss in float32. Any thread (thread-local).
#pragma once

#include <ATen/autocast_mode.h>

namespace cloister {

class Autocast {
 public:
  explicit Autocast(bool bf16, at::DeviceType device = at::kCPU) : device_(device), before_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(false);  // a forward pass reads each weight once; the cache is shared by all threads
    at::autocast::set_autocast_enabled(device, bf16);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, before_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool before_;
};

}  // namespace cloister
