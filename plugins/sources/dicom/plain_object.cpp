#include "plugins/sources/dicom/plain_object.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <QStringList>

namespace cloister::dicom {
namespace {

constexpr std::uint16_t vr(const char (&name)[3]) { return std::uint16_t(std::uint8_t(name[0]) << 8 | std::uint8_t(name[1])); }

constexpr std::uint32_t kUndefined = 0xFFFFFFFF, kItem = 0xFFFEE000, kItemEnd = 0xFFFEE00D, kSequenceEnd = 0xFFFEE0DD;
constexpr std::uint32_t kPixelData = 0x7FE00010;
constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxInflated = std::size_t(256) << 20;

struct Known {
  std::uint32_t tag;
  std::uint16_t vr;
};

/// The elements that are read, with the value representation of PS3.6; in order.
constexpr std::array kKnown{
    Known{0x00080005, vr("CS")}, Known{0x00080016, vr("UI")}, Known{0x00080018, vr("UI")}, Known{0x00080020, vr("DA")},
    Known{0x00080060, vr("CS")}, Known{0x00080070, vr("LO")}, Known{0x00080080, vr("LO")}, Known{0x0008103E, vr("LO")},
    Known{0x00100010, vr("PN")}, Known{0x00100020, vr("LO")}, Known{0x00100040, vr("CS")}, Known{0x00101010, vr("AS")},
    Known{0x00180015, vr("CS")}, Known{0x00185101, vr("CS")}, Known{0x0020000D, vr("UI")}, Known{0x0020000E, vr("UI")},
    Known{0x00204000, vr("LT")}, Known{0x00280002, vr("US")}, Known{0x00280004, vr("CS")}, Known{0x00280006, vr("US")},
    Known{0x00280008, vr("IS")}, Known{0x00280010, vr("US")}, Known{0x00280011, vr("US")}, Known{0x00280100, vr("US")},
    Known{0x00280101, vr("US")}, Known{0x00280102, vr("US")}, Known{0x00280103, vr("US")}, Known{0x00280301, vr("CS")},
    Known{0x00281050, vr("DS")}, Known{0x00281051, vr("DS")}, Known{0x00281052, vr("DS")}, Known{0x00281053, vr("DS")},
    Known{0x00281055, vr("LO")}, Known{0x00281056, vr("CS")}, Known{0x7FE00001, vr("OV")}};

/// Objects with one of these are read by DCMTK: indexes, look-up tables, palettes, functional groups, pixels in floating point.
constexpr std::array<std::uint32_t, 18> kElsewhere{0x00041220, 0x00281101, 0x00281102, 0x00281103, 0x00281104, 0x00281201,
                                                   0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223,
                                                   0x00283000, 0x00283010, 0x52009229, 0x52009230, 0x7FE00008, 0x7FE00009};

std::uint16_t little16(const std::uint8_t* p) { return std::uint16_t(p[0] | p[1] << 8); }
std::uint32_t little32(const std::uint8_t* p) {
  return std::uint32_t(p[0]) | std::uint32_t(p[1]) << 8 | std::uint32_t(p[2]) << 16 | std::uint32_t(p[3]) << 24;
}
std::uint32_t tagAt(const std::uint8_t* p) { return std::uint32_t(little16(p)) << 16 | little16(p + 2); }

/// 2 or 4 bytes of length; 0: no value representation of the standard.
int lengthBytes(std::uint16_t v) {
  switch (v) {
    case vr("AE"):
    case vr("AS"):
    case vr("AT"):
    case vr("CS"):
    case vr("DA"):
    case vr("DS"):
    case vr("DT"):
    case vr("FD"):
    case vr("FL"):
    case vr("IS"):
    case vr("LO"):
    case vr("LT"):
    case vr("PN"):
    case vr("SH"):
    case vr("SL"):
    case vr("SS"):
    case vr("ST"):
    case vr("TM"):
    case vr("UI"):
    case vr("UL"):
    case vr("US"):
      return 2;
    case vr("OB"):
    case vr("OD"):
    case vr("OF"):
    case vr("OL"):
    case vr("OV"):
    case vr("OW"):
    case vr("SQ"):
    case vr("SV"):
    case vr("UC"):
    case vr("UN"):
    case vr("UR"):
    case vr("UT"):
    case vr("UV"):
      return 4;
    default:
      return 0;
  }
}

bool isString(std::uint16_t v) { return v != vr("US") && v != vr("OV"); }

const Known* known(std::uint32_t tag) {
  const auto it = std::lower_bound(kKnown.begin(), kKnown.end(), tag, [](const Known& k, std::uint32_t t) { return k.tag < t; });
  return it != kKnown.end() && it->tag == tag ? &*it : nullptr;
}

/// Tag, value representation and length of the element at `at`, which moves to the value. False: cut, odd, or no such representation.
bool readHead(const std::uint8_t*& at, const std::uint8_t* end, bool explicitVr, PlainElement& e) {
  if (end - at < 8) return false;
  e.tag = tagAt(at);
  if (!explicitVr) {
    e.vr = 0;
    e.length = little32(at + 4);
    at += 8;
  } else {
    e.vr = std::uint16_t(at[4] << 8 | at[5]);
    const int bytes = lengthBytes(e.vr);
    if (bytes == 2) {
      e.length = little16(at + 6);
      at += 8;
    } else if (bytes == 4 && end - at >= 12 && at[6] == 0 && at[7] == 0) {
      e.length = little32(at + 8);
      at += 12;
    } else {
      return false;
    }
  }
  e.data = at;
  return e.length == kUndefined || (e.length % 2 == 0 && e.length <= std::size_t(end - at));
}

bool startsWithItem(const PlainElement& e) { return e.length >= 8 && tagAt(e.data) == kItem; }

/// Walks over a sequence that nobody asks for, only to know that it is whole and where it ends.
class Sequence {
 public:
  explicit Sequence(bool explicitVr) : explicitVr_(explicitVr) {}

  /// at: the first item. With a length, it must be met exactly.
  bool skip(const std::uint8_t*& at, const std::uint8_t* end, bool defined, int depth) const {
    if (depth > kMaxDepth) return false;
    while (!defined || at < end) {
      if (end - at < 8) return false;
      const std::uint32_t tag = tagAt(at), length = little32(at + 4);
      at += 8;
      if (tag == kSequenceEnd) return !defined && length == 0;
      if (tag != kItem || (length != kUndefined && length > std::size_t(end - at))) return false;
      const std::uint8_t* itemEnd = length == kUndefined ? end : at + length;
      if (!skipItem(at, itemEnd, length != kUndefined, depth)) return false;
    }
    return at == end;
  }

 private:
  bool skipItem(const std::uint8_t*& at, const std::uint8_t* end, bool defined, int depth) const {
    std::uint32_t last = 0;
    while (!defined || at < end) {
      if (!defined && end - at >= 8 && tagAt(at) == kItemEnd) {
        const bool good = little32(at + 4) == 0;
        at += 8;
        return good;
      }
      PlainElement e;
      if (!readHead(at, end, explicitVr_, e) || e.tag <= last || e.tag >= kItem) return false;
      last = e.tag;
      const bool sequence = explicitVr_ ? e.vr == vr("SQ") : e.length == kUndefined || startsWithItem(e);
      if (e.length == kUndefined && (!sequence || e.tag == kPixelData)) return false;
      if (!sequence) at += e.length;
      else if (!skip(at, e.length == kUndefined ? end : at + e.length, e.length != kUndefined, depth + 1)) return false;
    }
    return at == end;
  }

  bool explicitVr_;
};

/// Without trailing spaces and NULs.
std::size_t trimmedLength(const PlainElement& e) {
  std::size_t length = e.length;
  while (length > 0 && (e.data[length - 1] == ' ' || e.data[length - 1] == 0)) --length;
  return length;
}

bool isNumberList(const PlainElement& e) {
  const QByteArrayView all(reinterpret_cast<const char*>(e.data), qsizetype(trimmedLength(e)));
  if (all.trimmed().isEmpty()) return true;
  bool good = false;
  const double value = firstOf(all).toDouble(&good);
  return good && std::isfinite(value);
}

}  // namespace

QByteArrayView firstOf(QByteArrayView values) {
  const qsizetype end = values.indexOf('\\');
  return (end < 0 ? values : values.first(end)).trimmed();
}

std::unique_ptr<PlainObject> PlainObject::read(const QByteArray& file) {
  std::unique_ptr<PlainObject> object(new PlainObject);
  object->file_ = file;
  if (!object->readAll()) object.reset();
  return object;
}

bool PlainObject::readAll() {
  std::size_t start = 0;
  if (!readMeta(start)) return false;
  if (deflated_ && !inflate(start)) return false;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(file_.constData());
  const std::uint8_t* from = deflated_ ? inflated_.data() : begin + start;
  const std::uint8_t* end = deflated_ ? from + inflated_.size() : begin + file_.size();
  // An explicit data set under the name of the implicit syntax is for DCMTK to find out.
  if (!explicitVr_ && end - from >= 6 && from[4] >= 'A' && from[4] <= 'Z' && from[5] >= 'A' && from[5] <= 'Z') return false;
  return readElements(from, end);
}

bool PlainObject::readMeta(std::size_t& start) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(file_.constData());
  const auto size = std::size_t(file_.size());
  if (size < 160 || std::memcmp(p + 128, "DICM\x02\x00\x00\x00UL\x04\x00", 12) != 0) return false;
  const std::uint32_t length = little32(p + 140);
  if (length > size - 144) return false;
  start = 144 + length;
  const std::uint8_t* at = p + 144;
  std::uint32_t last = 0x00020000;
  while (at < p + start) {
    PlainElement e;
    if (!readHead(at, p + start, true, e) || e.length == kUndefined || e.tag <= last || e.tag >> 16 != 2) return false;
    last = e.tag;
    at += e.length;
    if (e.tag == 0x00020010) transferSyntax_ = QString::fromLatin1(reinterpret_cast<const char*>(e.data), qsizetype(trimmedLength(e)));
  }
  static const QString base = QStringLiteral("1.2.840.10008.1.2");
  if (!transferSyntax_.startsWith(base)) return false;
  const auto rest = QStringView(transferSyntax_).mid(base.size());
  static const QStringList frames{".5",    ".4.50", ".4.51", ".4.53", ".4.55",  ".4.57",  ".4.70",  ".4.80", ".4.81",
                                  ".4.90", ".4.91", ".4.92", ".4.93", ".4.201", ".4.202", ".4.203", ".8.1"};
  explicitVr_ = !rest.isEmpty();
  deflated_ = rest == u".1.99";
  encapsulated_ = frames.contains(rest);
  return rest.isEmpty() || rest == u".1" || deflated_ || encapsulated_;
}

bool PlainObject::inflate(std::size_t start) {
  static libdeflate_decompressor* const decompressor = libdeflate_alloc_decompressor();
  if (!decompressor) return false;
  const char* in = file_.constData() + start;
  const auto size = std::size_t(file_.size()) - start;
  for (std::size_t room = std::max<std::size_t>(size * 3, 1 << 16); room <= kMaxInflated; room *= 4) {
    inflated_.resize(room);
    std::size_t used = 0, made = 0;
    const libdeflate_result done = libdeflate_deflate_decompress_ex(decompressor, in, size, inflated_.data(), room, &used, &made);
    if (done == LIBDEFLATE_INSUFFICIENT_SPACE) continue;
    inflated_.resize(made);
    // A byte may follow that makes the length even.
    return done == LIBDEFLATE_SUCCESS && size - used <= 1;
  }
  return false;
}

bool PlainObject::ordinary(PlainElement& e) const {
  if (std::binary_search(kElsewhere.begin(), kElsewhere.end(), e.tag)) return false;
  const Known* k = known(e.tag);
  if (!k) return true;
  if (e.length == kUndefined || (explicitVr_ && e.vr != k->vr)) return false;
  e.vr = k->vr;
  if (k->vr == vr("US") && e.length != 2) return false;
  if (k->vr == vr("DS") && !isNumberList(e)) return false;
  return !isString(k->vr) || !std::memchr(e.data, 0, trimmedLength(e));
}

bool PlainObject::readElements(const std::uint8_t* at, const std::uint8_t* end) {
  elements_.reserve(128);
  while (at < end) {
    PlainElement e;
    if (!readHead(at, end, explicitVr_, e) || e.tag <= (elements_.empty() ? 0x0007FFFF : elements_.back().tag) || e.tag >= kItem)
      return false;
    if (e.tag == kPixelData) {
      if (explicitVr_ && e.vr != vr("OB") && e.vr != vr("OW")) return false;
      if (encapsulated_ != (e.length == kUndefined)) return false;
      if (encapsulated_ && !readFragments(at, end)) return false;
      if (!encapsulated_) at += e.length;
      elements_.push_back(e);
      continue;
    }
    if (!ordinary(e)) return false;
    const bool sequence = explicitVr_ ? e.vr == vr("SQ") : !e.vr && (e.length == kUndefined || startsWithItem(e));
    if (e.length == kUndefined && !sequence) return false;
    if (!sequence) at += e.length;
    else if (!Sequence(explicitVr_).skip(at, e.length == kUndefined ? end : at + e.length, e.length != kUndefined, 0)) return false;
    elements_.push_back(e);
  }
  return find(kPixelData) != nullptr;
}

bool PlainObject::readFragments(const std::uint8_t*& at, const std::uint8_t* end) {
  for (;;) {
    if (end - at < 8) return false;
    const std::uint32_t tag = tagAt(at), length = little32(at + 4);
    at += 8;
    if (tag == kSequenceEnd) return length == 0 && !fragments_.empty();
    if (tag != kItem || length % 2 != 0 || length > std::size_t(end - at)) return false;
    fragments_.emplace_back(at, length);
    at += length;
  }
}

const PlainElement* PlainObject::find(std::uint32_t tag) const {
  const auto it =
      std::lower_bound(elements_.begin(), elements_.end(), tag, [](const PlainElement& e, std::uint32_t t) { return e.tag < t; });
  return it != elements_.end() && it->tag == tag ? &*it : nullptr;
}

QByteArray PlainObject::string(std::uint32_t tag) const {
  const PlainElement* e = find(tag);
  return e ? QByteArray(reinterpret_cast<const char*>(e->data), qsizetype(trimmedLength(*e))) : QByteArray();
}

}  // namespace cloister::dicom
