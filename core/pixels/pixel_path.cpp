#include "core/pixels/pixel_path.h"

#include <algorithm>
#include <cmath>

#include <QStringList>

#include "core/domain/wide.h"

namespace cloister {
namespace {

/// numpy.percentile with linear interpolation; reorders values.
double percentileOf(std::vector<float>& values, double percent) {
  const double place = percent / 100.0 * double(values.size() - 1);
  const size_t low = size_t(place);
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(low), values.end());
  const double a = values[low];
  if (low + 1 >= values.size()) return a;
  const double b = *std::min_element(values.begin() + std::ptrdiff_t(low) + 1, values.end());
  return a + (b - a) * (place - double(low));
}

struct Range {
  float low, high;
  bool far;  ///< NaN, or a number too large to be exact
};

constexpr float kExact = 1 << 24;

CLOISTER_WIDE Range rangeOf(const float* values, size_t count) {
  // Several at a time: the order in which the least is looked for does not matter, but the compiler may not know.
  constexpr size_t kLanes = 32;
  float low[kLanes], high[kLanes];
  std::uint32_t far[kLanes] = {};
  std::fill_n(low, kLanes, kExact);
  std::fill_n(high, kLanes, -kExact);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t k = 0; k < kLanes; ++k) {
      const float v = values[i + k];
      low[k] = v < low[k] ? v : low[k];
      high[k] = v > high[k] ? v : high[k];
      far[k] |= std::fabs(v) <= kExact ? 0u : 1u;
    }
  Range all{*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes),
            std::any_of(far, far + kLanes, [](auto f) { return f; })};
  for (; i < count; ++i) {
    all.low = values[i] < all.low ? values[i] : all.low;
    all.high = values[i] > all.high ? values[i] : all.high;
    all.far |= !(std::fabs(values[i]) <= kExact);
  }
  return all;
}

/// values minus least; false when one is not whole. All are within kExact.
CLOISTER_WIDE bool wholeNumbers(const float* values, size_t count, int least, int* whole) {
  int broken = 0;
  for (size_t i = 0; i < count; ++i) {
    const int v = int(values[i]);
    broken |= float(v) != values[i] ? 1 : 0;
    whole[i] = v - least;
  }
  return broken == 0;
}

/// How often each whole number occurs, where all values are whole and lie close together, as those of CT and X-ray do.
struct Histogram {
  int least = 0;
  size_t total = 0;
  std::vector<std::uint32_t> counts;  ///< empty: the values are not of that kind

  explicit Histogram(const std::vector<float>& values) {
    const Range range = rangeOf(values.data(), values.size());
    if (values.empty() || range.far || range.high - range.low > float(1 << 16)) return;
    least = int(range.low);
    std::vector<int> whole(values.size());
    if (!wholeNumbers(values.data(), values.size(), least, whole.data())) return;
    counts.assign(size_t(int(range.high) - least) + 1, 0);
    for (int v : whole) ++counts[size_t(v)];
    total = values.size();
  }

  /// As percentileOf.
  double percentile(double percent) const {
    const double place = percent / 100.0 * double(total - 1);
    const size_t low = size_t(place);
    size_t at = 0, below = counts[0];  // below: values up to and with this one
    while (below <= low) below += counts[++at];
    const double a = double(least) + double(at);
    if (low + 1 >= total) return a;
    while (below <= low + 1) below += counts[++at];
    const double b = double(least) + double(at);
    return a + (b - a) * (place - double(low));
  }
};

/// A window whose ends map exactly to 0 and 1.
GreyWindow between(double low, double high) {
  if (!(high > low)) high = low + 1;
  return {(low + high) / 2, high - low, VoiFunction::LinearExact, false};
}

GreyWindow percentileWindow(const DecodedFrame& frame) {
  if (const Histogram histogram(frame.grey); !histogram.counts.empty()) {
    const double low = histogram.percentile(0.5), high = histogram.percentile(99.5);
    return high > low ? between(low, high) : between(histogram.least, histogram.least + double(histogram.counts.size()) - 1);
  }
  std::vector<float> values;
  values.reserve(frame.grey.size());
  for (float v : frame.grey)
    if (std::isfinite(v)) values.push_back(v);
  if (values.empty()) return between(0, 1);
  const double low = percentileOf(values, 0.5), high = percentileOf(values, 99.5);
  if (high > low) return between(low, high);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return between(*least, *most);
}

GreyWindow minMaxWindow(const DecodedFrame& frame) {
  double low = INFINITY, high = -INFINITY;
  for (float v : frame.grey) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, double(v));
    high = std::max(high, double(v));
  }
  return low <= high ? between(low, high) : between(0, 1);
}

float throughLut(const DecodedFrame& frame, float value) {
  const double index = std::clamp(std::floor(double(value) - frame.voiLutFirst + 0.5), 0.0, double(frame.voiLut.size() - 1));
  return frame.voiLut[size_t(index)];
}

CLOISTER_WIDE void applySlope(const float* in, float* out, size_t count, double slope, double offset) {
  for (size_t i = 0; i < count; ++i) {
    const double y = double(in[i]) * slope + offset;
    const double positive = y > 0 ? y : 0;  // NaN becomes 0
    out[i] = float(positive < 1 ? positive : 1);
  }
}

/// value → 0…1, as y = slope·x + offset, clamped, except for the sigmoid.
void applyLinear(const std::vector<float>& in, std::vector<float>& out, double center, double width, bool exact) {
  if (!exact && width <= 1) {
    for (size_t i = 0; i < in.size(); ++i) out[i] = in[i] > center - 0.5 ? 1.f : 0.f;
    return;
  }
  const double range = exact ? width : width - 1;
  const double middle = exact ? center : center - 0.5;
  const double slope = 1.0 / range, offset = 0.5 - middle / range;
  applySlope(in.data(), out.data(), in.size(), slope, offset);
}

/// For each output place: the first input place and the weights from there on.
struct AxisWeights {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<float> weights;
  int stride = 0;
};

/// Areas of a halved image: its pixel k is the low pass around pixel k·2^halved, half a pixel of the whole to the left of where it is
/// drawn.
AxisWeights halvedAxisWeights(int in, int out, int full, int halved) {
  const double each = double(1 << halved), scale = full / each / out, shift = 0.5 - 0.5 / each;
  AxisWeights a;
  a.stride = int(std::ceil(scale)) + 2;
  a.first.resize(size_t(out));
  a.count.resize(size_t(out));
  a.weights.assign(size_t(out) * size_t(a.stride), 0.f);
  for (int o = 0; o < out; ++o) {
    const double from = o == 0 ? 0 : std::min(o * scale + shift, in - 1.0), to = std::min((o + 1) * scale + shift, double(in));
    const int begin = int(from), end = std::min({int(std::ceil(to)), in, begin + a.stride});
    a.first[size_t(o)] = begin;
    a.count[size_t(o)] = std::max(1, end - begin);
    float* w = &a.weights[size_t(o) * size_t(a.stride)];
    for (int i = begin; i < begin + a.count[size_t(o)]; ++i)
      w[i - begin] = float((std::min(to, i + 1.0) - std::max(from, double(i))) / (to - from));
  }
  return a;
}

AxisWeights axisWeights(int in, int out) {
  AxisWeights a;
  const double scale = double(in) / out;
  a.stride = scale > 1 ? int(std::ceil(scale)) + 1 : 2;
  a.first.resize(size_t(out));
  a.count.resize(size_t(out));
  a.weights.assign(size_t(out) * size_t(a.stride), 0.f);
  for (int o = 0; o < out; ++o) {
    float* w = &a.weights[size_t(o) * size_t(a.stride)];
    if (scale > 1) {
      const double from = o * scale, to = std::min((o + 1) * scale, double(in));
      const int begin = int(from), end = std::min(int(std::ceil(to)), in);
      a.first[size_t(o)] = begin;
      a.count[size_t(o)] = end - begin;
      for (int i = begin; i < end; ++i) w[i - begin] = float((std::min(to, i + 1.0) - std::max(from, double(i))) / (to - from));
    } else {
      const double place = std::clamp((o + 0.5) * scale - 0.5, 0.0, double(in - 1));
      const int begin = int(place);
      const float part = float(place - begin);
      a.first[size_t(o)] = begin;
      a.count[size_t(o)] = begin + 1 < in ? 2 : 1;
      w[0] = begin + 1 < in ? 1 - part : 1.f;
      w[1] = part;
    }
  }
  return a;
}

/// out[o] = sum of weight × row, for rows of the given length. Rows are added up many values at a time.
CLOISTER_WIDE void combineRows(const float* in, const AxisWeights& a, size_t rowLength, float* out) {
  for (size_t o = 0; o < a.first.size(); ++o) {
    float* to = out + o * rowLength;
    const float* w = &a.weights[o * size_t(a.stride)];
    const float* from = in + size_t(a.first[o]) * rowLength;
    for (size_t x = 0; x < rowLength; ++x) to[x] = w[0] * from[x];
    for (int i = 1; i < a.count[o]; ++i) {
      const float weight = w[i];
      const float* row = from + size_t(i) * rowLength;
      for (size_t x = 0; x < rowLength; ++x) to[x] += weight * row[x];
    }
  }
}

/// Columns of pixels of c values become rows.
void transpose(const float* in, size_t width, size_t height, size_t c, float* out) {
  constexpr size_t kBlock = 16;
  for (size_t left = 0; left < width; left += kBlock)
    for (size_t top = 0; top < height; top += kBlock)
      for (size_t x = left; x < std::min(width, left + kBlock); ++x) {
        const float* from = in + (top * width + x) * c;
        float* to = out + (x * height + top) * c;
        const size_t rows = std::min(height - top, kBlock);
        if (c == 1)
          for (size_t y = 0; y < rows; ++y) to[y] = from[y * width];
        else
          for (size_t y = 0; y < rows; ++y)
            for (size_t k = 0; k < c; ++k) to[y * c + k] = from[y * width * c + k];
      }
}

UnitImage combinedColumns(const UnitImage& image, int width, const AxisWeights& a) {
  const size_t c = size_t(image.channels), rows = size_t(image.height);
  UnitImage out{width, image.height, image.channels, std::vector<float>(size_t(width) * rows * c), 0, 0, 0};
  std::vector<float> turned(image.values.size()), combined(out.values.size());
  transpose(image.values.data(), size_t(image.width), rows, c, turned.data());
  combineRows(turned.data(), a, rows * c, combined.data());
  transpose(combined.data(), rows, size_t(width), c, out.values.data());
  return out;
}

UnitImage combinedRows(const UnitImage& image, int height, const AxisWeights& a) {
  const size_t rowLength = size_t(image.width) * size_t(image.channels);
  UnitImage out{image.width, height, image.channels, std::vector<float>(rowLength * size_t(height))};
  combineRows(image.values.data(), a, rowLength, out.values.data());
  return out;
}

UnitImage resizedHorizontally(const UnitImage& image, int width) {
  return width == image.width ? image : combinedColumns(image, width, axisWeights(image.width, width));
}

UnitImage resizedVertically(const UnitImage& image, int height) {
  return height == image.height ? image : combinedRows(image, height, axisWeights(image.height, height));
}

UnitImage withChannels(UnitImage image, int channels) {
  if (image.channels == channels) return image;
  const size_t pixels = size_t(image.width) * size_t(image.height);
  UnitImage out{image.width, image.height, channels, std::vector<float>(pixels * size_t(channels))};
  for (size_t i = 0; i < pixels; ++i) {
    if (channels == 1) {
      const float* p = &image.values[i * 3];
      out.values[i] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
    } else {
      for (size_t k = 0; k < 3; ++k) out.values[i * 3 + k] = image.values[i];
    }
  }
  return out;
}

UnitImage centreSquare(const UnitImage& image) {
  const int side = std::min(image.width, image.height);
  const int left = (image.width - side) / 2, top = (image.height - side) / 2;
  const size_t c = size_t(image.channels);
  UnitImage out{side, side, image.channels, {}};
  out.values.reserve(size_t(side) * size_t(side) * c);
  for (int y = 0; y < side; ++y) {
    const auto from = image.values.begin() + std::ptrdiff_t((size_t(top + y) * size_t(image.width) + size_t(left)) * c);
    out.values.insert(out.values.end(), from, from + std::ptrdiff_t(size_t(side) * c));
  }
  return out;
}

UnitImage letterboxed(const UnitImage& image, int size) {
  const int longest = std::max(image.width, image.height);
  const int width = std::max(1, int(std::lround(double(image.width) * size / longest)));
  const int height = std::max(1, int(std::lround(double(image.height) * size / longest)));
  const UnitImage small = resized(image, width, height);
  const size_t c = size_t(image.channels);
  UnitImage out{size, size, image.channels, std::vector<float>(size_t(size) * size_t(size) * c, 0.f)};
  const int left = (size - width) / 2, top = (size - height) / 2;
  for (int y = 0; y < height; ++y)
    std::copy_n(&small.values[size_t(y) * size_t(width) * c], size_t(width) * c,
                &out.values[(size_t(top + y) * size_t(size) + size_t(left)) * c]);
  return out;
}

}  // namespace

GreyWindow chooseWindow(const DecodedFrame& frame, const QString& window) {
  if (frame.channels != 1) return {};
  if (window == u"minmax") return minMaxWindow(frame);
  if (window == u"percentile") return percentileWindow(frame);
  const QStringList numbers = window.split(',');
  if (numbers.size() == 2) {
    bool a = false, b = false;
    const double center = numbers[0].toDouble(&a), width = numbers[1].toDouble(&b);
    if (a && b && width > 0) return {center, width, VoiFunction::Linear, false};
  }
  if (frame.windowWidth > 0) return {frame.windowCenter, frame.windowWidth, frame.voiFunction, false};
  if (!frame.voiLut.empty()) return {0, 0, VoiFunction::Linear, true};
  return percentileWindow(frame);
}

UnitImage toUnit(const DecodedFrame& frame, const GreyWindow& window) {
  UnitImage out{frame.width, frame.height, frame.channels, {}, frame.halved, frame.fullWidth, frame.fullHeight};
  if (frame.channels == 3) {
    out.values.resize(frame.rgb.size());
    for (size_t i = 0; i < frame.rgb.size(); ++i) out.values[i] = float(frame.rgb[i]) / 255.f;
    return out;
  }
  out.values.resize(frame.grey.size());
  if (window.lut && !frame.voiLut.empty()) {
    for (size_t i = 0; i < frame.grey.size(); ++i) out.values[i] = std::isfinite(frame.grey[i]) ? throughLut(frame, frame.grey[i]) : 0.f;
  } else if (window.function == VoiFunction::Sigmoid) {
    for (size_t i = 0; i < frame.grey.size(); ++i) {
      const double y = 1.0 / (1.0 + std::exp(-4.0 * (double(frame.grey[i]) - window.center) / window.width));
      out.values[i] = std::isfinite(y) ? float(y) : 0.f;
    }
  } else {
    applyLinear(frame.grey, out.values, window.center, window.width, window.function == VoiFunction::LinearExact);
  }
  if (frame.inverted)
    for (float& v : out.values) v = 1.f - v;
  return out;
}

UnitImage resized(const UnitImage& image, int width, int height) {
  if (width == image.width && height == image.height) return image;
  // Rows are added up many pixels at a time, so the axis of rows goes first where it makes the image smaller.
  if (height < image.height) return resizedHorizontally(resizedVertically(image, height), width);
  return resizedVertically(resizedHorizontally(image, width), height);
}

UnitImage fitted(const UnitImage& image, int size, const QString& fit, int channels) {
  UnitImage square;
  if (fit == u"stretch") square = resized(image, size, size);
  else if (fit == u"crop") square = resized(centreSquare(image), size, size);
  else square = letterboxed(image, size);
  return withChannels(std::move(square), channels);
}

std::vector<std::uint8_t> toBytes(const UnitImage& image) {
  std::vector<std::uint8_t> out(image.values.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::uint8_t(std::clamp(image.values[i] * 255.f + 0.5f, 0.f, 255.f));
  return out;
}

quint64 differenceHash(const UnitImage& image) {
  const UnitImage grey = withChannels(image, 1);
  const UnitImage small = image.halved > 0
                              ? combinedColumns(combinedRows(grey, 8, halvedAxisWeights(grey.height, 8, image.fullHeight, image.halved)), 9,
                                                halvedAxisWeights(grey.width, 9, image.fullWidth, image.halved))
                              : resized(grey, 9, 8);
  quint64 hash = 0;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) hash = (hash << 1) | (small.values[size_t(y * 9 + x)] < small.values[size_t(y * 9 + x + 1)] ? 1u : 0u);
  return hash;
}

}  // namespace cloister
