// libcuda.so.1 for tests: answers what $FAKE_CUDA_VERSION (13000), $FAKE_CUDA_CARDS (1) and $FAKE_CUDA_INIT (0) say.
#include <cstdlib>

namespace {
int number(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : fallback;
}
}  // namespace

extern "C" {
int cuInit(unsigned) { return number("FAKE_CUDA_INIT", 0); }
int cuDriverGetVersion(int* version) {
  *version = number("FAKE_CUDA_VERSION", 13000);
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = number("FAKE_CUDA_CARDS", 1);
  return 0;
}
}
