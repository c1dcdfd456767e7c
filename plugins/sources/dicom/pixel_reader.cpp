#include "plugins/sources/dicom/pixel_reader.h"

#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

#include <algorithm>
#include <cstring>

#include "plugins/sources/dicom/codecs.h"
#include "plugins/sources/dicom/fragments.h"

namespace cloister::dicom {
namespace {

/// Widens or narrows samples to a container of the given size, taking the low bits.
std::vector<std::uint8_t> inContainer(const std::vector<std::uint8_t>& in, int from, int to) {
  if (from == to) return in;
  const std::size_t count = in.size() / std::size_t(from);
  std::vector<std::uint8_t> out(count * std::size_t(to), 0);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(&out[i * std::size_t(to)], &in[i * std::size_t(from)], std::size_t(std::min(from, to)));
  return out;
}

/// Shifts away what lies below, removes what lies above, and extends the sign.
template <typename T>
void keepBits(std::vector<std::uint8_t>& bytes, int shift, int bits, bool isSigned) {
  const int width = int(sizeof(T)) * 8;
  if (bits >= width && shift == 0) return;
  const T mask = bits >= width ? T(~T(0)) : T((T(1) << bits) - 1), sign = T(T(1) << (bits - 1));
  T* p = reinterpret_cast<T*>(bytes.data());
  for (std::size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T v = T(T(p[i] >> shift) & mask);
    if (isSigned && (v & sign)) v = T(v | T(~mask));
    p[i] = v;
  }
}

/// Planes one after the other → interleaved.
std::vector<std::uint8_t> interleave(const std::vector<std::uint8_t>& planes, std::size_t pixels, std::size_t samples, std::size_t bytes) {
  std::vector<std::uint8_t> out(planes.size());
  for (std::size_t s = 0; s < samples; ++s)
    for (std::size_t i = 0; i < pixels; ++i) std::memcpy(&out[(i * samples + s) * bytes], &planes[(s * pixels + i) * bytes], bytes);
  return out;
}

/// Y1 Y2 Cb Cr for each pair of pixels → Y Cb Cr per pixel.
std::vector<std::uint8_t> expand422(const std::vector<std::uint8_t>& in, std::size_t pixels) {
  std::vector<std::uint8_t> out(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* pair = &in[(i / 2) * 4];
    out[i * 3] = pair[i & 1];
    out[i * 3 + 1] = pair[2];
    out[i * 3 + 2] = pair[3];
  }
  return out;
}

int intOr(File& file, const DcmTagKey& tag, int otherwise) { return int(file.integer(tag).value_or(otherwise)); }

}  // namespace

PixelReader::PixelReader(File& file) : file_(file) {
  PixelFormat& f = format_;
  const auto holds = [&](const DcmTagKey& tag) { return file.dataset().findAndGetElement(tag, element_).good() && element_; };
  if (file.plain()) plain_ = file.plain()->find(0x7FE00010);
  if (plain_ || holds(DCM_PixelData)) f.kind = PixelFormat::Integer;
  else if (holds(DCM_FloatPixelData)) f.kind = PixelFormat::Float;
  else if (holds(DCM_DoubleFloatPixelData)) f.kind = PixelFormat::Double;
  else throw SourceError(FailureKind::NoPixelData, QStringLiteral("SOP class %1").arg(file.text(DCM_SOPClassUID)));

  f.rows = intOr(file, DCM_Rows, 0);
  f.columns = intOr(file, DCM_Columns, 0);
  f.samples = intOr(file, DCM_SamplesPerPixel, 1);
  const int natural = f.kind == PixelFormat::Float ? 32 : f.kind == PixelFormat::Double ? 64 : 0;
  f.bitsAllocated = intOr(file, DCM_BitsAllocated, natural);
  f.bitsStored = intOr(file, DCM_BitsStored, f.bitsAllocated);
  f.highBit = intOr(file, DCM_HighBit, f.bitsStored - 1);
  f.isSigned = intOr(file, DCM_PixelRepresentation, 0) == 1;
  f.planar = f.samples > 1 && intOr(file, DCM_PlanarConfiguration, 0) == 1;
  f.photometric = file.text(DCM_PhotometricInterpretation).toUpper();
  if (f.photometric.isEmpty()) f.photometric = f.samples == 1 ? QStringLiteral("MONOCHROME2") : QStringLiteral("RGB");
  if (natural) f.bitsAllocated = f.bitsStored = natural, f.highBit = natural - 1;

  if (f.rows < 1 || f.columns < 1)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("Rows %1, Columns %2").arg(f.rows).arg(f.columns));
  if (f.bitsAllocated != 1 && f.bitsAllocated != 8 && f.bitsAllocated != 16 && f.bitsAllocated != 32 && f.bitsAllocated != 64)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("Bits Allocated %1").arg(f.bitsAllocated));
  if (f.bitsAllocated == 64 && f.kind == PixelFormat::Integer)
    throw SourceError(FailureKind::UnsupportedEncoding, {}, {{"encoding", QStringLiteral("64-bit integers")}});
  if (f.bitsStored < 1 || f.bitsStored > f.bitsAllocated)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("Bits Stored %1 of %2").arg(f.bitsStored).arg(f.bitsAllocated));
  if (f.highBit < f.bitsStored - 1 || f.highBit >= f.bitsAllocated) f.highBit = f.bitsStored - 1;
  if (f.samples != 1 && f.samples != 3 && f.samples != 4)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("Samples per Pixel %1").arg(f.samples));
  checkFrameSize(f.columns, f.rows, f.samples, std::max(1, f.bitsAllocated / 8));

  if (file.hasValue(DCM_NumberOfFrames)) {
    const auto count = file.integer(DCM_NumberOfFrames);
    if (!count || *count < 0 || *count > (1 << 20))
      throw SourceError(FailureKind::CorruptFile, QStringLiteral("Number of Frames %1").arg(file.text(DCM_NumberOfFrames)));
    f.framesRepaired = *count == 0;
    f.frames = int(std::max(1L, *count));
  }
  if (!file.encapsulated() || f.kind != PixelFormat::Integer) checkNativeLength();
}

std::int64_t PixelReader::length() const { return plain_ ? plain_->length : element_->getLength(); }

void PixelReader::checkNativeLength() {
  const PixelFormat& f = format_;
  const std::int64_t pixels = std::int64_t(f.rows) * f.columns * f.frames;
  const bool half = f.photometric == u"YBR_FULL_422" || f.photometric == u"YBR_PARTIAL_422";
  // Two pixels share their colour; an odd one out has none.
  if (half && f.samples == 3 && std::int64_t(f.rows) * f.columns % 2 != 0)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("%1 with %2×%3 pixels").arg(f.photometric).arg(f.columns).arg(f.rows));
  const std::int64_t bits = pixels * (half && f.samples == 3 ? 2 : f.samples) * f.bitsAllocated;
  if (length() * 8 < bits)
    throw SourceError(FailureKind::TruncatedFile,
                      QStringLiteral("pixel data has %1 bytes, %2 are needed").arg(length()).arg((bits + 7) / 8));
}

void PixelReader::checkFrame(int frame) const {
  if (frame < 0 || frame >= format_.frames)
    throw SourceError(FailureKind::InvalidArgument, {},
                      {{"name", "frame"}, {"value", frame}, {"allowed", QStringLiteral("0…%1").arg(format_.frames - 1)}});
}

bool PixelReader::hasSmaller() const {
  const QString uid = file_.transferSyntax();
  return plain_ && format_.samples == 1 && (uid == u"1.2.840.10008.1.2.4.90" || uid == u"1.2.840.10008.1.2.4.91");
}

Pixels PixelReader::preview(int frame, int side) {
  if (!hasSmaller()) return read(frame);
  checkFrame(frame);
  Pixels pixels = readEncapsulated(frame, side);
  finish(pixels);
  return pixels;
}

Pixels PixelReader::read(int frame) {
  checkFrame(frame);
  Pixels pixels = file_.encapsulated() && format_.kind == PixelFormat::Integer ? readEncapsulated(frame) : readNative(frame);
  finish(pixels);
  return pixels;
}

std::vector<std::uint8_t> PixelReader::nativeBytes(std::int64_t offset, std::int64_t count) {
  const std::int64_t length = this->length();
  if (offset + count > length) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("pixel data ends too early"));
  if (plain_) return {plain_->data + offset, plain_->data + offset + count};
  std::vector<std::uint8_t> bytes(std::size_t(count) + 8);
  // Words are read whole, so that byte order is put right: start and length on multiples of 8.
  const std::int64_t from = offset & ~std::int64_t(7);
  const std::int64_t to = std::min(length, (offset + count + 7) & ~std::int64_t(7));
  bytes.resize(std::size_t(to - from));
  const OFCondition got = element_->getPartialValue(bytes.data(), Uint32(from), Uint32(to - from), nullptr, EBO_LittleEndian);
  if (got.bad()) throw errorFor(got, QStringLiteral("pixel data"));
  bytes.erase(bytes.begin(), bytes.begin() + (offset - from));
  bytes.resize(std::size_t(count));
  return bytes;
}

Pixels PixelReader::unpackBits(const std::uint8_t* bits, std::int64_t firstBit) const {
  const std::int64_t count = std::int64_t(format_.rows) * format_.columns * format_.samples;
  Pixels p;
  p.precision = 1;
  p.frame = {format_.columns, format_.rows, format_.samples, 1, 'u', std::vector<std::uint8_t>(std::size_t(count))};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t bit = firstBit + i;
    p.frame.bytes[std::size_t(i)] = (bits[bit >> 3] >> (bit & 7)) & 1;  // first pixel in the lowest bit
  }
  return p;
}

Pixels PixelReader::readNative(int frame) {
  const PixelFormat& f = format_;
  const std::int64_t pixels = std::int64_t(f.rows) * f.columns;
  if (f.bitsAllocated == 1) {
    const std::int64_t first = pixels * f.samples * frame, last = first + pixels * f.samples;
    const auto bits = nativeBytes(first / 8, (last + 7) / 8 - first / 8);
    return unpackBits(bits.data(), first % 8);
  }
  const int bytes = f.bitsAllocated / 8;
  const bool half = f.samples == 3 && bytes == 1 && (f.photometric == u"YBR_FULL_422" || f.photometric == u"YBR_PARTIAL_422");
  const std::int64_t size = pixels * (half ? 2 : f.samples) * bytes;
  Pixels p;
  p.precision = f.bitsStored;
  p.frame = {f.columns,
             f.rows,
             f.samples,
             bytes,
             f.kind == PixelFormat::Integer ? (f.isSigned ? 'i' : 'u') : 'f',
             nativeBytes(size * frame, size)};
  if (half) p.frame.bytes = expand422(p.frame.bytes, std::size_t(pixels));
  else if (f.planar) p.frame.bytes = interleave(p.frame.bytes, std::size_t(pixels), std::size_t(f.samples), std::size_t(bytes));
  // DCMTK turns big-endian OW words around two bytes at a time; a 32-bit sample needs its two words exchanged as well.
  if (bytes == 4 && f.kind == PixelFormat::Integer && !plain_ && file_.dataset().getOriginalXfer() == EXS_BigEndianExplicit) {
    auto* words = reinterpret_cast<std::uint16_t*>(p.frame.bytes.data());
    for (std::size_t i = 0; i + 1 < p.frame.bytes.size() / 2; i += 2) std::swap(words[i], words[i + 1]);
  }
  return p;
}

std::vector<std::uint64_t> PixelReader::extendedOffsets() {
  const std::size_t size = std::size_t(format_.frames) * 8;
  const std::uint8_t* raw = nullptr;
  if (plain_) {
    const PlainElement* table = file_.plain()->find(0x7FE00001);
    if (table && table->length == size) raw = table->data;
  } else {
    DcmElement* table = nullptr;
    Uint8* bytes = nullptr;
    if (file_.dataset().findAndGetElement(DcmTagKey(0x7FE0, 0x0001), table).good() && table && table->getLength() == size &&
        table->getUint8Array(bytes).good())
      raw = bytes;
  }
  std::vector<std::uint64_t> offsets;
  if (!raw) return offsets;
  offsets.resize(std::size_t(format_.frames));
  std::memcpy(offsets.data(), raw, size);
  return offsets;
}

std::vector<std::uint8_t> PixelReader::compressedFrame(int frame) {
  if (plain_) return assembleFrame(file_.plain()->fragments(), extendedOffsets(), format_.frames, frame);
  auto* pixelData = dynamic_cast<DcmPixelData*>(element_);
  DcmPixelSequence* sequence = nullptr;
  E_TransferSyntax xfer = EXS_Unknown;
  const DcmRepresentationParameter* parameter = nullptr;
  if (pixelData) {
    pixelData->getOriginalRepresentationKey(xfer, parameter);
    pixelData->getEncapsulatedRepresentation(xfer, parameter, sequence);
  }
  if (!sequence) throw SourceError(FailureKind::CorruptFile, QStringLiteral("the pixel data is not encapsulated"));
  FragmentList fragments;
  for (unsigned long i = 0; i < sequence->card(); ++i) {
    DcmPixelItem* item = nullptr;
    Uint8* bytes = nullptr;
    if (sequence->getItem(item, i).bad() || !item) throw SourceError(FailureKind::CorruptFile, QStringLiteral("fragment %1").arg(i));
    const Uint32 length = item->getLength();
    if (length > 0) {
      const OFCondition got = item->getUint8Array(bytes);
      if (got.bad()) throw errorFor(got, QStringLiteral("fragment %1").arg(i));
    }
    fragments.push_back({bytes, length});
  }
  return assembleFrame(fragments, extendedOffsets(), format_.frames, frame);
}

Pixels PixelReader::readEncapsulated(int frame, int side) {
  const PixelFormat& f = format_;
  const std::vector<std::uint8_t> data = compressedFrame(frame);
  const QString uid = file_.transferSyntax();
  const QString last = uid.mid(uid.lastIndexOf('.') + 1);
  const bool jpegFamily = uid.startsWith(u"1.2.840.10008.1.2.4.");
  CodecImage image;
  if (isDeflatedFrames(uid)) {
    const std::size_t bits = std::size_t(f.rows) * std::size_t(f.columns) * std::size_t(f.samples) * std::size_t(f.bitsAllocated);
    std::vector<std::uint8_t> bytes = inflateFrame(data.data(), data.size(), (bits + 7) / 8);
    if (f.bitsAllocated == 1) return unpackBits(bytes.data(), 0);
    const std::size_t each = std::size_t(f.bitsAllocated) / 8;
    if (f.planar) bytes = interleave(bytes, std::size_t(f.rows) * std::size_t(f.columns), std::size_t(f.samples), each);
    Pixels p;
    p.precision = f.bitsStored;
    p.frame = {f.columns, f.rows, f.samples, int(each), f.isSigned ? 'i' : 'u', std::move(bytes)};
    return p;
  }
  if (uid == u"1.2.840.10008.1.2.5") {
    if (f.bitsAllocated == 1) {
      const auto bits =
          decodeRleBits(data.data(), data.size(), (std::size_t(f.rows) * std::size_t(f.columns) * std::size_t(f.samples) + 7) / 8);
      return unpackBits(bits.data(), 0);
    }
    image = decodeRle(data.data(), data.size(), f.columns, f.rows, f.samples, f.bitsAllocated / 8);
  } else if (jpegFamily && (last == u"80" || last == u"81")) {
    image = decodeJpegLs(data.data(), data.size());
  } else if (jpegFamily && (last == u"90" || last == u"91" || last == u"92" || last == u"93" || isHighThroughputJ2k(uid))) {
    image = side > 0 ? previewJpeg2000(data.data(), data.size(), f.columns, f.rows, side, f.bitsStored, f.isSigned)
                     : decodeJpeg2000(data.data(), data.size(), f.columns, f.rows);
  } else if (jpegFamily && last.toInt() >= 50 && last.toInt() <= 70) {
    image = decodeJpeg(data.data(), data.size());
  } else {
    throw SourceError(FailureKind::UnsupportedEncoding, {},
                      {{"encoding", QString::fromLatin1(DcmXfer(uid.toLatin1().constData()).getXferName())}});
  }
  const bool smaller = side > 0 && image.width < f.columns && image.height < f.rows;
  if ((!smaller && (image.width != f.columns || image.height != f.rows)) || image.samples != f.samples)
    throw SourceError(FailureKind::CorruptFile, QStringLiteral("the stream holds %1×%2×%3, the header says %4×%5×%6")
                                                    .arg(image.width)
                                                    .arg(image.height)
                                                    .arg(image.samples)
                                                    .arg(f.columns)
                                                    .arg(f.rows)
                                                    .arg(f.samples));
  Pixels p;
  const bool j2k = jpegFamily && last.toInt() >= 90;
  p.precision = j2k ? std::min(image.precision, std::max(8, f.bitsAllocated)) : f.bitsStored;
  p.ycc = image.ycc && jpegFamily && last.toInt() < 57;
  p.saysRgb = image.saysRgb && jpegFamily && last.toInt() < 57;
  const int bytes = std::max(1, f.bitsAllocated / 8);
  p.frame = {image.width, image.height, f.samples, bytes, f.isSigned ? 'i' : 'u', inContainer(image.bytes, image.bytesPerSample, bytes)};
  return p;
}

void PixelReader::finish(Pixels& p) const {
  if (p.frame.type == 'f' || format_.bitsAllocated == 1) return;
  const int shift = file_.encapsulated() ? 0 : format_.highBit + 1 - format_.bitsStored;
  if (p.frame.bytesPerSample == 1) keepBits<std::uint8_t>(p.frame.bytes, shift, p.precision, format_.isSigned);
  else if (p.frame.bytesPerSample == 2) keepBits<std::uint16_t>(p.frame.bytes, shift, p.precision, format_.isSigned);
  else if (p.frame.bytesPerSample == 4) keepBits<std::uint32_t>(p.frame.bytes, shift, p.precision, format_.isSigned);
}

}  // namespace cloister::dicom
