// A made-up chest radiograph: body, lungs, ribs, spine, heart, vessels, noise, and on request soft opacities in the lungs. Nobody's
// anatomy. Pure function of its arguments; any thread.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister::dicom {

/// splitmix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }
  double between(double a, double b) { return a + (b - a) * uniform(); }
  int below(int n) { return int(next() % std::uint64_t(n)); }
  double normal();

 private:
  std::uint64_t state_;
};

struct PhantomRequest {
  int width = 256, height = 288;
  std::uint64_t patientSeed = 1, imageSeed = 1;  ///< anatomy, and position, exposure and noise
  bool opacity = false;
  double exposure = 1.0, noise = 0.02;  ///< of the device
};

/// Brightness 0…1, bone and heart bright, [height][width].
std::vector<float> phantom(const PhantomRequest&);

}  // namespace cloister::dicom
