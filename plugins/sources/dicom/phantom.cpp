#include "plugins/sources/dicom/phantom.h"

#include <algorithm>
#include <cmath>

namespace cloister::dicom {
namespace {

struct Anatomy {
  double bodyWidth, lungWidth, lungHeight, lungGap, heart, ribs, ribPhase, ribSlope, tissue;
};

Anatomy anatomyOf(std::uint64_t seed) {
  Random r(seed);
  return {r.between(0.82, 0.95), r.between(0.17, 0.21), r.between(0.32, 0.38), r.between(0.20, 0.235), r.between(0.10, 0.15),
          r.between(9.5, 12.0),  r.between(0, 6.28),    r.between(0.25, 0.5),  r.between(0.52, 0.64)};
}

/// 1 inside an ellipse, falling smoothly to 0 at its edge.
double inside(double x, double y, double cx, double cy, double rx, double ry, double soft) {
  const double d = std::hypot((x - cx) / rx, (y - cy) / ry);
  return 1.0 / (1.0 + std::exp((d - 1.0) / soft));
}

struct Blob {
  double x, y, radius, strength;
};

std::vector<Blob> blobs(Random& r, const Anatomy& a, int count, double least, double most, double smallest, double largest) {
  std::vector<Blob> out;
  for (int i = 0; i < count; ++i) {
    const double side = r.below(2) ? 1 : -1;
    const double angle = r.between(0, 6.2831853), far = std::sqrt(r.uniform()) * 0.75;
    out.push_back({0.5 + side * a.lungGap + std::cos(angle) * far * a.lungWidth, 0.46 + std::sin(angle) * far * a.lungHeight,
                   r.between(smallest, largest), r.between(least, most)});
  }
  return out;
}

}  // namespace

double Random::normal() {
  const double u = std::max(uniform(), 1e-12), v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
}

std::vector<float> phantom(const PhantomRequest& q) {
  const Anatomy a = anatomyOf(q.patientSeed);
  Random r(q.imageSeed);
  const double shiftX = r.between(-0.04, 0.04), shiftY = r.between(-0.04, 0.04), turn = r.between(-0.06, 0.06),
               zoom = r.between(0.93, 1.07);
  const double exposure = q.exposure * r.between(0.92, 1.08);
  // Vessels are small and faint and in every image; opacities are wider, softer and only in the ill.
  const std::vector<Blob> vessels = blobs(r, a, 26, 0.03, 0.09, 0.006, 0.014);
  std::vector<Blob> opacities;
  if (q.opacity) opacities = blobs(r, a, 1 + r.below(3), 0.13, 0.26, 0.035, 0.075);

  std::vector<float> out(std::size_t(q.width) * std::size_t(q.height));
  for (int py = 0; py < q.height; ++py) {
    for (int px = 0; px < q.width; ++px) {
      const double x0 = ((px + 0.5) / q.width - 0.5) / zoom - shiftX, y0 = ((py + 0.5) / q.height - 0.5) / zoom - shiftY;
      const double x = 0.5 + x0 * std::cos(turn) - y0 * std::sin(turn), y = 0.5 + x0 * std::sin(turn) + y0 * std::cos(turn);
      const double body = inside(x, y, 0.5, 0.60, a.bodyWidth / 2, 0.62, 0.03);
      const double lungs = std::max(inside(x, y, 0.5 - a.lungGap, 0.46, a.lungWidth, a.lungHeight, 0.05),
                                    inside(x, y, 0.5 + a.lungGap, 0.46, a.lungWidth * 0.95, a.lungHeight, 0.05));
      double value = 0.04 + body * a.tissue * (1.0 - 0.72 * lungs);
      value += 0.22 * body * std::exp(-std::pow((x - 0.5) / 0.045, 2));  // spine
      value += 0.22 * inside(x, y, 0.545, 0.60, a.heart, 0.15, 0.10);    // heart
      const double wave = std::sin(a.ribs * 6.2831853 * (y + a.ribSlope * std::pow(std::abs(x - 0.5), 1.5)) + a.ribPhase);
      value += 0.07 * body * lungs * std::max(0.0, wave);
      value += 0.10 * body * std::exp(-std::pow((y - 0.13 - 0.25 * std::abs(x - 0.5)) / 0.018, 2));  // clavicles
      for (const Blob& b : vessels)
        value += b.strength * std::exp(-(std::pow(x - b.x, 2) + std::pow(y - b.y, 2)) / (2 * b.radius * b.radius));
      double opaque = 0;
      for (const Blob& b : opacities)
        opaque += b.strength * std::exp(-(std::pow(x - b.x, 2) + std::pow(y - b.y, 2)) / (2 * b.radius * b.radius));
      value += opaque * (0.35 + 0.65 * lungs);
      value = value * exposure + q.noise * std::sqrt(std::max(0.05, value)) * r.normal();
      out[std::size_t(py) * std::size_t(q.width) + std::size_t(px)] = float(std::clamp(value, 0.0, 1.0));
    }
  }
  return out;
}

}  // namespace cloister::dicom
