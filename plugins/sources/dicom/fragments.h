// Which fragments of encapsulated pixel data belong to which frame (PS3.5 A.4). Pure; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cloister::dicom {

/// Address and length; the first one is the basic offset table (may be empty).
using FragmentList = std::vector<std::pair<const std::uint8_t*, std::uint32_t>>;

/// The bytes of one frame. Order of trust: one fragment per frame, the extended then the basic offset table when they fit the fragments,
/// then start-of-stream marks. Throws SourceError when frames and fragments cannot be matched.
std::vector<std::uint8_t> assembleFrame(const FragmentList& fragments, const std::vector<std::uint64_t>& extendedOffsets, int frames,
                                        int frame);

}  // namespace cloister::dicom
