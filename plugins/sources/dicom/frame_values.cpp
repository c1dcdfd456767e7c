#include "plugins/sources/dicom/frame_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/domain/wide.h"

namespace cloister::dicom {
namespace {

struct Lut {
  std::vector<std::uint16_t> data;
  double first = 0;
  int bits = 16;
};

std::vector<std::uint16_t> wordsOf(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || !element || element->getLength() == 0) return {};
  const std::size_t count = element->getLength() / 2;
  Uint16* words = nullptr;
  if (element->getUint16Array(words).good() && words) return {words, words + count};
  Sint16* signedWords = nullptr;
  if (element->getSint16Array(signedWords).good() && signedWords) return {signedWords, signedWords + count};
  Uint8* bytes = nullptr;
  std::vector<std::uint16_t> out;
  if (element->getUint8Array(bytes).good() && bytes)
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::uint16_t(bytes[2 * i] | bytes[2 * i + 1] << 8));
  return out;
}

/// Descriptor (entries, first value mapped, bits) and data of PS3.3 C.11.1.1.1; 8-bit tables may be packed two to a word.
Lut readLut(DcmItem& item, const DcmTagKey& descriptorTag, const DcmTagKey& dataTag, bool signedInput) {
  Lut lut;
  const auto descriptor = wordsOf(item, descriptorTag);
  auto data = wordsOf(item, dataTag);
  if (descriptor.size() < 3 || data.empty()) return lut;
  const std::size_t entries = descriptor[0] ? descriptor[0] : 65536;
  lut.first = signedInput ? double(std::int16_t(descriptor[1])) : double(descriptor[1]);
  lut.bits = std::clamp(int(descriptor[2]), 1, 16);
  if (data.size() < entries && data.size() * 2 >= entries && lut.bits <= 8) {
    std::vector<std::uint16_t> bytes;
    bytes.reserve(data.size() * 2);
    for (std::uint16_t w : data) {
      bytes.push_back(w & 0xFF);
      bytes.push_back(w >> 8);
    }
    data = std::move(bytes);
  }
  if (data.size() > entries) data.resize(entries);
  if (data.size() < entries) data.resize(entries, data.back());
  lut.data = std::move(data);
  return lut;
}

/// PS3.3 C.7.9.2: discrete (0), linear (1) and indirect (2) segments.
std::vector<std::uint16_t> expandSegments(const std::vector<std::uint16_t>& in, std::size_t entries) {
  std::vector<std::uint16_t> out;
  const auto expand = [&](std::size_t at, std::size_t segments, const auto& self, int depth) -> void {
    for (std::size_t s = 0; at + 1 < in.size() && s < segments && out.size() < entries; ++s) {
      const std::uint16_t kind = in[at], length = in[at + 1];
      if (kind == 0) {
        for (std::size_t i = 0; i < length && at + 2 + i < in.size(); ++i) out.push_back(in[at + 2 + i]);
        at += 2u + length;
      } else if (kind == 1 && at + 2 < in.size() && !out.empty()) {
        const double from = out.back(), to = in[at + 2];
        for (int i = 1; i <= length; ++i) out.push_back(std::uint16_t(std::lround(from + (to - from) * i / length)));
        at += 3;
      } else if (kind == 2 && at + 3 < in.size() && depth < 2) {
        self(std::size_t(in[at + 2]) | std::size_t(in[at + 3]) << 16, length, self, depth + 1);
        at += 4;
      } else {
        throw SourceError(FailureKind::CorruptFile, QStringLiteral("palette segment of kind %1").arg(kind));
      }
    }
  };
  expand(0, std::size_t(-1), expand, 0);
  return out;
}

Lut paletteOf(File& file, const DcmTagKey& descriptor, const DcmTagKey& data, const DcmTagKey& segmented, bool signedInput) {
  Lut lut = readLut(file.dataset(), descriptor, data, signedInput);
  if (!lut.data.empty()) return lut;
  const auto d = wordsOf(file.dataset(), descriptor);
  const auto segments = wordsOf(file.dataset(), segmented);
  if (d.size() < 3 || segments.empty()) throw SourceError(FailureKind::CorruptFile, QStringLiteral("palette colour without a palette"));
  const std::size_t entries = d[0] ? d[0] : 65536;
  lut.first = signedInput ? double(std::int16_t(d[1])) : double(d[1]);
  lut.bits = std::clamp(int(d[2]), 1, 16);
  lut.data = expandSegments(segments, entries);
  if (lut.data.empty()) throw SourceError(FailureKind::CorruptFile, QStringLiteral("empty palette"));
  lut.data.resize(entries, lut.data.back());
  return lut;
}

/// Calls use(index, value) for each sample as a double.
template <typename Use>
void eachSample(const StoredFrame& f, const Use& use) {
  const std::size_t count = f.bytes.size() / std::size_t(f.bytesPerSample);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const T* p = reinterpret_cast<const T*>(f.bytes.data());
    for (std::size_t i = 0; i < count; ++i) use(i, double(p[i]));
  };
  if (f.type == 'f') f.bytesPerSample == 4 ? run(float{}) : run(double{});
  else if (f.bytesPerSample == 1) f.type == 'i' ? run(std::int8_t{}) : run(std::uint8_t{});
  else if (f.bytesPerSample == 2) f.type == 'i' ? run(std::int16_t{}) : run(std::uint16_t{});
  else f.type == 'i' ? run(std::int32_t{}) : run(std::uint32_t{});
}

CLOISTER_WIDE void toFloat(const std::uint8_t* in, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = float(in[i]);
}
CLOISTER_WIDE void toFloat(const std::uint16_t* in, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = float(in[i]);
}
CLOISTER_WIDE void toFloat(const std::int16_t* in, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = float(in[i]);
}
CLOISTER_WIDE void addTo(float* values, std::size_t count, float add) {
  for (std::size_t i = 0; i < count; ++i) values[i] += add;
}

/// Stored values whose slope is 1 and whose intercept is whole, as those of nearly all CT and X-ray: exact in single precision. False:
/// another kind.
bool wholeValues(const StoredFrame& f, double slope, double add, std::vector<float>& out) {
  if (slope != 1 || add != std::floor(add) || std::fabs(add) > (1 << 20) || f.type == 'f' || f.bytesPerSample > 2) return false;
  if (f.bytesPerSample == 1 && f.type == 'i') return false;
  if (f.bytesPerSample == 1) toFloat(f.bytes.data(), out.data(), out.size());
  else if (f.type == 'u') toFloat(reinterpret_cast<const std::uint16_t*>(f.bytes.data()), out.data(), out.size());
  else toFloat(reinterpret_cast<const std::int16_t*>(f.bytes.data()), out.data(), out.size());
  if (add != 0) addTo(out.data(), out.size(), float(add));
  return true;
}

std::vector<float> modalityValues(File& file, const PixelFormat& format, const StoredFrame& stored, int frame) {
  std::vector<float> out(std::size_t(stored.width) * std::size_t(stored.height));
  if (DcmItem* lutItem = format.kind == PixelFormat::Integer ? file.firstItem(nullptr, DCM_ModalityLUTSequence) : nullptr) {
    const Lut lut = readLut(*lutItem, DCM_LUTDescriptor, DCM_LUTData, format.isSigned);
    if (!lut.data.empty()) {
      eachSample(stored, [&](std::size_t i, double v) {
        out[i] = float(lut.data[std::size_t(std::clamp(v - lut.first, 0.0, double(lut.data.size() - 1)))]);
      });
      return out;
    }
  }
  DcmItem* const holder = file.functionalGroup(frame, DCM_PixelValueTransformationSequence);
  double slope = file.number(holder, DCM_RescaleSlope).value_or(1.0);
  const double intercept = file.number(holder, DCM_RescaleIntercept).value_or(0.0);
  if (!std::isfinite(slope) || slope == 0) slope = 1;
  const double add = std::isfinite(intercept) ? intercept : 0;
  if (!wholeValues(stored, slope, add, out)) eachSample(stored, [&](std::size_t i, double v) { out[i] = float(v * slope + add); });
  return out;
}

std::vector<std::uint8_t> throughPalette(File& file, const PixelFormat& format, const StoredFrame& stored) {
  const Lut luts[3] = {paletteOf(file, DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData,
                                 DCM_SegmentedRedPaletteColorLookupTableData, format.isSigned),
                       paletteOf(file, DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData,
                                 DCM_SegmentedGreenPaletteColorLookupTableData, format.isSigned),
                       paletteOf(file, DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData,
                                 DCM_SegmentedBluePaletteColorLookupTableData, format.isSigned)};
  std::vector<std::uint8_t> rgb(std::size_t(stored.width) * std::size_t(stored.height) * 3);
  for (int k = 0; k < 3; ++k) {
    const Lut& lut = luts[k];
    // Some writers say 16 bits and store 8-bit values; then nothing must be shifted away.
    const bool small = lut.bits <= 8 || *std::max_element(lut.data.begin(), lut.data.end()) <= 255;
    eachSample(stored, [&](std::size_t i, double v) {
      const std::uint16_t entry = lut.data[std::size_t(std::clamp(v - lut.first, 0.0, double(lut.data.size() - 1)))];
      rgb[i * 3 + std::size_t(k)] = std::uint8_t(small ? entry : entry >> 8);
    });
  }
  return rgb;
}

/// Any depth → 8 bits by shifting.
std::vector<std::uint8_t> eightBit(const StoredFrame& stored, int precision) {
  const std::size_t pixels = std::size_t(stored.width) * std::size_t(stored.height), samples = std::size_t(stored.samples);
  std::vector<std::uint8_t> rgb(pixels * 3);
  const double scale = std::ldexp(1.0, 8 - precision);
  eachSample(stored, [&](std::size_t i, double v) {
    const std::size_t sample = i % samples;
    if (sample < 3) rgb[i / samples * 3 + sample] = std::uint8_t(std::clamp(std::floor(v * scale), 0.0, 255.0));
  });
  return rgb;
}

/// PS3.3 C.7.6.3.1.2; ITU-R BT.601.
void yccToRgb(std::vector<std::uint8_t>& p, bool partial) {
  const auto clip = [](double v) { return std::uint8_t(std::clamp(std::floor(v + 0.5), 0.0, 255.0)); };
  for (std::size_t i = 0; i + 2 < p.size(); i += 3) {
    double y = p[i];
    double cb = p[i + 1] - 128.0, cr = p[i + 2] - 128.0;
    if (partial) {
      y = (y - 16) * 255.0 / 219.0;
      cb *= 255.0 / 224.0;
      cr *= 255.0 / 224.0;
    }
    p[i] = clip(y + 1.402 * cr);
    p[i + 1] = clip(y - 0.344136 * cb - 0.714136 * cr);
    p[i + 2] = clip(y + 1.772 * cb);
  }
}

bool needsColourConversion(const PixelFormat& format, const Pixels& pixels) {
  if (pixels.saysRgb) return false;
  if (format.photometric == u"YBR_ICT" || format.photometric == u"YBR_RCT") return false;  // undone by the JPEG 2000 decoder
  return format.photometric.startsWith(u"YBR_") || pixels.ycc;
}

}  // namespace

VoiDescription voiOf(File& file, int frame, bool withLut) {
  VoiDescription voi;
  DcmItem* const holder = file.functionalGroup(frame, DCM_FrameVOILUTSequence);
  const QList<QByteArray> centers = file.values(holder, DCM_WindowCenter).split('\\');
  const QList<QByteArray> widths = file.values(holder, DCM_WindowWidth).split('\\');
  const QStringList words = file.text(holder, DCM_WindowCenterWidthExplanation).split('\\');
  for (qsizetype i = 0; i < std::min({centers.size(), widths.size(), qsizetype(64)}); ++i) {
    bool a = false, b = false;
    const double center = centers[i].trimmed().toDouble(&a), width = widths[i].trimmed().toDouble(&b);
    if (a && b && std::isfinite(center) && std::isfinite(width) && width > 0) voi.windows.push_back({center, width, words.value(i)});
  }
  const QString function = file.text(holder, DCM_VOILUTFunction).toUpper();
  if (function == u"LINEAR_EXACT") voi.function = VoiFunction::LinearExact;
  if (function == u"SIGMOID") voi.function = VoiFunction::Sigmoid;
  if (DcmItem* lutItem = withLut ? file.firstItem(holder, DCM_VOILUTSequence) : nullptr) {
    const Lut lut = readLut(*lutItem, DCM_LUTDescriptor, DCM_LUTData, true);
    const float top = float((1 << lut.bits) - 1);
    for (std::uint16_t v : lut.data) voi.lut.push_back(std::min(1.f, float(v) / top));
    voi.lutFirst = lut.first;
  }
  return voi;
}

namespace {

DecodedFrame valuesOf(File& file, PixelReader& reader, int frame, const Pixels& pixels) {
  const PixelFormat& format = reader.format();
  DecodedFrame out;
  out.width = pixels.frame.width;
  out.height = pixels.frame.height;
  if (format.photometric == u"PALETTE COLOR") {
    out.channels = 3;
    out.rgb = throughPalette(file, format, pixels.frame);
    return out;
  }
  if (format.samples >= 3) {
    out.channels = 3;
    out.rgb = eightBit(pixels.frame, pixels.precision);
    if (needsColourConversion(format, pixels)) yccToRgb(out.rgb, format.photometric.startsWith(u"YBR_PARTIAL"));
    return out;
  }
  out.grey = modalityValues(file, format, pixels.frame, frame);
  out.inverted = format.photometric == u"MONOCHROME1";
  VoiDescription voi = voiOf(file, frame, true);
  if (!voi.windows.empty()) {
    out.windowCenter = voi.windows.front().center;
    out.windowWidth = voi.windows.front().width;
  }
  out.voiFunction = voi.function;
  out.voiLut = std::move(voi.lut);
  out.voiLutFirst = voi.lutFirst;
  return out;
}

}  // namespace

DecodedFrame decodedFrame(File& file, PixelReader& reader, int frame) { return valuesOf(file, reader, frame, reader.read(frame)); }

DecodedFrame previewFrame(File& file, PixelReader& reader, int frame, int side) {
  if (!reader.hasSmaller() || voiOf(file, frame, false).windows.empty()) return decodedFrame(file, reader, frame);
  DecodedFrame out = valuesOf(file, reader, frame, reader.preview(frame, side));
  out.fullWidth = reader.format().columns;
  out.fullHeight = reader.format().rows;
  while ((out.fullWidth + (1 << out.halved) - 1) >> out.halved > out.width) ++out.halved;
  return out;
}

}  // namespace cloister::dicom
