#include "core/onnx/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/onnx/session.h"

namespace cloister::onnx {
namespace {

constexpr std::size_t kBins = 2048;
constexpr int kBatch = 8;  // bounds the memory of all inner values at once

// Σ p log(p/q) of two unnormalised distributions; a bin where q is empty although p is not gets a small share, as in smoothing of
// n-gram models: the divergence stays finite and such clippings stay unattractive.
double divergence(const std::vector<double>& p, const std::vector<double>& q) {
  constexpr double kEpsilon = 1e-4;
  const double sumP = std::accumulate(p.begin(), p.end(), 0.0), sumQ = std::accumulate(q.begin(), q.end(), 0.0);
  if (sumP <= 0 || sumQ <= 0) return std::numeric_limits<double>::infinity();
  double kl = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] <= 0) continue;
    kl += p[i] / sumP * std::log(p[i] / sumP / std::max(q[i] / sumQ, kEpsilon / double(p.size())));
  }
  return kl;
}

// What quantization to `levels` leaves of counts: each level's mass spread evenly over its non-empty bins.
std::vector<double> quantized(const std::vector<double>& counts, const std::vector<double>& reference, int levels) {
  std::vector<double> q(counts.size(), 0.0);
  const double step = double(counts.size()) / levels;
  for (int level = 0; level < levels; ++level) {
    const auto from = std::size_t(std::llround(level * step));
    const auto to = level == levels - 1 ? counts.size() : std::size_t(std::llround((level + 1) * step));
    double mass = 0;
    int filled = 0;
    for (std::size_t i = from; i < to; ++i) {
      mass += counts[i];
      filled += reference[i] > 0;
    }
    for (std::size_t i = from; i < to; ++i)
      if (reference[i] > 0) q[i] = mass / filled;
  }
  return q;
}

// The divergence when only bins [from, to) are kept and what lies outside is moved into the end bins.
double clippedDivergence(const std::vector<double>& counts, std::size_t from, std::size_t to, int levels) {
  const std::vector<double> kept(counts.begin() + std::ptrdiff_t(from), counts.begin() + std::ptrdiff_t(to));
  std::vector<double> p = kept;
  p.front() += std::accumulate(counts.begin(), counts.begin() + std::ptrdiff_t(from), 0.0);
  p.back() += std::accumulate(counts.begin() + std::ptrdiff_t(to), counts.end(), 0.0);
  return divergence(p, quantized(kept, p, levels));
}

struct Observed {
  float minimum = std::numeric_limits<float>::max(), maximum = std::numeric_limits<float>::lowest();
  std::vector<double> channelSum;
  std::int64_t perChannel = 0;
  Histogram histogram;

  void first(const HostTensor& t) {
    for (const float v : t.floats()) {
      minimum = std::min(minimum, v);
      maximum = std::max(maximum, v);
    }
    means(t);
  }
  void means(const HostTensor& t) {
    if (t.shape.size() < 2) return;
    const bool image = t.shape.size() == 4;
    const auto channels = std::size_t(image ? t.shape[1] : t.shape.back());
    const std::size_t inner = image ? std::size_t(t.shape[2] * t.shape[3]) : 1;
    channelSum.resize(channels, 0.0);
    const auto values = t.floats();
    for (std::size_t at = 0; at < values.size(); at += channels * inner)
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t k = 0; k < inner; ++k) channelSum[c] += double(values[at + c * inner + k]);
    perChannel += std::int64_t(values.size() / channels);
  }
};

Range chosen(const Observed& o, Calibration method, const CalibrationOptions& options) {
  switch (method) {
    case Calibration::Entropy:
      return entropyRange(o.histogram);
    case Calibration::Percentile:
      return percentileRange(o.histogram, options.percentile);
    case Calibration::MinMax:
      break;
  }
  return {o.minimum, o.maximum};
}

Histogram emptyHistogram(const Observed& o) {
  Histogram h;
  h.counts.assign(kBins, 0.0);
  // One-sided when nothing is below 0, otherwise symmetric, so that zero is the edge between two bins.
  if (o.minimum >= 0) {
    h.maximum = std::max(o.maximum, 1e-12F);
  } else {
    h.maximum = std::max(std::abs(o.minimum), std::abs(o.maximum));
    h.minimum = -h.maximum;
  }
  return h;
}

}  // namespace

QString calibrationName(Calibration c) {
  switch (c) {
    case Calibration::MinMax:
      return QStringLiteral("minmax");
    case Calibration::Entropy:
      return QStringLiteral("entropy");
    case Calibration::Percentile:
      return QStringLiteral("percentile");
  }
  return {};
}

Result<Calibration> calibrationFromName(const QString& name) {
  for (const Calibration c : {Calibration::MinMax, Calibration::Entropy, Calibration::Percentile})
    if (calibrationName(c) == name) return c;
  return Failure{FailureKind::InvalidArgument, {{"name", "calibration"}, {"value", name}, {"allowed", "minmax, entropy, percentile"}}, {}};
}

void Histogram::add(std::span<const float> values) {
  const float width = maximum - minimum;
  const float scale = width > 0 ? float(counts.size()) / width : 0;
  const auto last = std::ptrdiff_t(counts.size()) - 1;
  for (const float v : values) counts[std::size_t(std::clamp(std::ptrdiff_t((v - minimum) * scale), std::ptrdiff_t(0), last))] += 1;
}

Range percentileRange(const Histogram& h, double percent) {
  const double total = std::accumulate(h.counts.begin(), h.counts.end(), 0.0);
  const bool oneSided = h.minimum >= 0;
  const double outside = total * (100 - percent) / 100 / (oneSided ? 1 : 2);
  const double width = double(h.maximum - h.minimum) / double(h.counts.size());
  // Walks from one end until `outside` values are left behind; the place inside the last bin is linear.
  const auto inward = [&](bool fromAbove) {
    double left = outside;
    for (std::size_t i = 0; i < h.counts.size(); ++i) {
      const double c = h.counts[fromAbove ? h.counts.size() - 1 - i : i];
      if (c > left) {
        const double distance = width * (double(i) + (c > 0 ? left / c : 0));
        return float(fromAbove ? h.maximum - distance : h.minimum + distance);
      }
      left -= c;
    }
    return fromAbove ? h.maximum : h.minimum;
  };
  return {oneSided ? 0.0F : std::min(inward(false), 0.0F), std::max(inward(true), 0.0F)};
}

Range entropyRange(const Histogram& h, int levels) {
  const std::size_t n = h.counts.size();
  const bool oneSided = h.minimum >= 0;
  std::vector<double> counts = h.counts;
  // The zeros of a Relu are exact in any range; counted, their spike would make every wide range look bad.
  if (oneSided && n > 1) counts[0] = counts[1];
  double best = std::numeric_limits<double>::infinity();
  std::size_t bestKept = n;
  // Every 8th threshold: 2048 bins, 256 levels; finer steps change the range by less than half a quantization step.
  for (std::size_t kept = std::size_t(levels); kept <= n; kept += 8) {
    const std::size_t from = oneSided ? 0 : (n - kept) / 2;
    const double kl = clippedDivergence(counts, from, from + kept, levels);
    if (kl < best) {
      best = kl;
      bestKept = kept;
    }
  }
  const std::size_t from = oneSided ? 0 : (n - bestKept) / 2;
  return {h.edge(from), h.edge(from + bestKept)};
}

Result<std::vector<Statistics>> calibrate(const Model& model, const std::vector<std::string>& values, const Samples& given,
                                          const CalibrationOptions& options) {
  Model probe = model;
  const std::string image = probe.inputs.front().name;
  std::vector<std::string> names;  // without the image, which no session gives back
  bool imageWanted = false;
  for (const std::string& v : values) {
    imageWanted |= v == image;
    if (v == image) continue;
    names.push_back(v);
    const auto same = [&](const ValueInfo& o) { return o.name == v; };
    if (std::none_of(probe.outputs.begin(), probe.outputs.end(), same)) probe.outputs.push_back({v, ElementType::Float, {}, false});
  }
  auto session = Session::fromModel(probe, {.threads = options.threads, .optimise = false, .saveOptimised = {}});
  if (!session) return session.error();

  const Samples samples = given.spread(options.samples);
  if (samples.count() == 0) return Failure{FailureKind::NothingToDo, {{"what", "calibration sample"}, {"next", ""}}, {}};
  const bool histograms =
      std::any_of(options.methods.begin(), options.methods.end(), [](Calibration c) { return c != Calibration::MinMax; });
  const int passes = histograms ? 2 : 1, total = passes * samples.count();
  std::map<std::string, Observed> observed;
  for (int pass = 0; pass < passes; ++pass) {
    for (int first = 0; first < samples.count(); first += kBatch) {
      const std::vector<float> batch = samples.batch(first, kBatch);
      const TensorView view = samples.view(batch);
      auto outputs = session->run({{image, view}}, names);
      if (!outputs) return outputs.error();
      const auto observe = [&](const std::string& name, const HostTensor& t) {
        Observed& o = observed[name];
        if (pass == 0) o.first(t);
        else o.histogram.add(t.floats());
      };
      for (std::size_t i = 0; i < names.size(); ++i) observe(names[i], (*outputs)[i]);
      if (imageWanted) observe(image, {DType::F32, view.shape, {view.data, view.data + view.bytes}});
      if (options.progress && !options.progress(pass * samples.count() + std::min(first + kBatch, samples.count()), total))
        return Failure{FailureKind::Stopped, {}, {}};
    }
    if (pass == 0)
      for (auto& [name, o] : observed) o.histogram = emptyHistogram(o);
  }
  std::vector<Statistics> all(options.methods.size());
  for (const auto& [name, o] : observed) {
    std::vector<double> means;
    for (const double sum : o.channelSum) means.push_back(sum / double(std::max<std::int64_t>(o.perChannel, 1)));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Range r = chosen(o, options.methods[i], options);
      // Never beyond what was seen: a symmetric cut reaches past the smaller side.
      all[i][name] = {{std::max(r.minimum, o.minimum), std::min(r.maximum, o.maximum)}, means};
    }
  }
  return all;
}

}  // namespace cloister::onnx
