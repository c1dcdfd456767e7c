#include "plugins/sources/dicom/fragments.h"

#include <algorithm>

#include "core/extension/source_plugin.h"

namespace cloister::dicom {
namespace {

std::vector<std::uint8_t> joined(const FragmentList& fragments, std::size_t from, std::size_t to) {
  std::vector<std::uint8_t> out;
  std::size_t size = 0;
  for (std::size_t i = from; i < to; ++i) size += fragments[i].second;
  out.reserve(size);
  for (std::size_t i = from; i < to; ++i) out.insert(out.end(), fragments[i].first, fragments[i].first + fragments[i].second);
  if (out.empty()) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("the frame is empty"));
  return out;
}

/// Index of the first fragment of each frame, empty when the offsets do not meet the starts of fragments.
std::vector<std::size_t> startsFromOffsets(const FragmentList& fragments, const std::vector<std::uint64_t>& offsets) {
  std::vector<std::size_t> starts;
  std::uint64_t place = 0;
  std::size_t wanted = 0;
  for (std::size_t i = 1; i < fragments.size() && wanted < offsets.size(); ++i) {
    if (place == offsets[wanted]) {
      starts.push_back(i);
      ++wanted;
    }
    place += 8 + std::uint64_t(fragments[i].second);
  }
  if (starts.size() != offsets.size() || starts.empty() || starts.front() != 1) starts.clear();
  return starts;
}

bool startsStream(const std::pair<const std::uint8_t*, std::uint32_t>& f) {
  if (f.second < 4) return false;
  const std::uint8_t* p = f.first;
  return (p[0] == 0xFF && p[1] == 0xD8) || (p[0] == 0xFF && p[1] == 0x4F && p[2] == 0xFF && p[3] == 0x51) ||
         (p[0] == 0 && p[1] == 0 && p[2] == 0 && p[3] == 12);
}

}  // namespace

std::vector<std::uint8_t> assembleFrame(const FragmentList& fragments, const std::vector<std::uint64_t>& extendedOffsets, int frames,
                                        int frame) {
  if (fragments.size() < 2) throw SourceError(FailureKind::TruncatedFile, QStringLiteral("encapsulated pixel data without a fragment"));
  const std::size_t count = fragments.size() - 1, wanted = std::size_t(frames), at = std::size_t(frame);
  if (wanted == 1) return joined(fragments, 1, fragments.size());
  if (count == wanted) return joined(fragments, at + 1, at + 2);
  std::vector<std::size_t> starts = startsFromOffsets(fragments, extendedOffsets);
  if (starts.empty() && fragments[0].second == wanted * 4) {
    std::vector<std::uint64_t> offsets;
    const std::uint8_t* p = fragments[0].first;
    for (std::size_t i = 0; i < wanted; ++i, p += 4)
      offsets.push_back(std::uint64_t(p[0]) | std::uint64_t(p[1]) << 8 | std::uint64_t(p[2]) << 16 | std::uint64_t(p[3]) << 24);
    starts = startsFromOffsets(fragments, offsets);
  }
  if (starts.empty()) {
    for (std::size_t i = 1; i < fragments.size(); ++i)
      if (startsStream(fragments[i])) starts.push_back(i);
  }
  if (starts.size() != wanted)
    throw SourceError(count < wanted ? FailureKind::TruncatedFile : FailureKind::CorruptFile,
                      QStringLiteral("%1 fragments for %2 frames").arg(count).arg(frames));
  return joined(fragments, starts[at], at + 1 < starts.size() ? starts[at + 1] : fragments.size());
}

}  // namespace cloister::dicom
