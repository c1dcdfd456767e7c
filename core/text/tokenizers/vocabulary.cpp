#include "core/text/tokenizers/vocabulary.h"

#include <bit>
#include <cstring>

namespace cloister {
namespace {
constexpr std::size_t kCacheSlots = 1 << 16, kCacheWords = kCacheSlots / 2;
}

bool Vocabulary::add(std::string_view piece, std::int32_t id) {
  if (holds(id) || !ids_.emplace(piece, id).second) return false;
  if (std::size_t(id) >= pieces_.size()) {
    pieces_.resize(std::size_t(id) + 1);
    known_.resize(std::size_t(id) + 1);
  }
  pieces_[std::size_t(id)] = piece;
  known_[std::size_t(id)] = true;
  return true;
}

std::optional<std::int32_t> Vocabulary::find(std::string_view piece) const {
  const auto it = ids_.find(piece);
  if (it == ids_.end()) return {};
  return it->second;
}

const std::string& Vocabulary::pieceOf(std::int32_t id) const {
  static const std::string none;
  return id >= 0 && std::size_t(id) < pieces_.size() ? pieces_[std::size_t(id)] : none;
}

MergeTable::MergeTable(std::size_t count) : slots_(std::bit_ceil(count * 2 + 8)), mask_(slots_.size() - 1) {}

void MergeTable::add(std::int32_t left, std::int32_t right, std::uint32_t rank, std::int32_t id) {
  const std::uint64_t key = keyOf(left, right);
  std::size_t at = mixed(key) & mask_;
  while (slots_[at].rank != kNone && slots_[at].key != key) at = (at + 1) & mask_;
  slots_[at] = {key, rank, id};
}

WordCache::WordCache() : slots_(kCacheSlots) {}

std::uint64_t WordCache::hashOf(std::string_view word) {
  std::uint64_t hash = 0x9E3779B97F4A7C15ULL ^ word.size();
  std::size_t at = 0;
  for (; at + 8 <= word.size(); at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, word.data() + at, 8);
    hash = mixed(hash ^ eight);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, word.data() + at, word.size() - at);
  return mixed(hash ^ rest);
}

bool WordCache::find(std::string_view word, std::uint64_t hash, std::vector<std::int32_t>& ids) const {
  for (std::size_t at = hash & (kCacheSlots - 1);; at = (at + 1) & (kCacheSlots - 1)) {
    const Slot& s = slots_[at];
    if (s.length == 0) return false;
    if (s.hash != hash || s.length != word.size() || std::memcmp(texts_.data() + s.text, word.data(), word.size()) != 0) continue;
    ids.insert(ids.end(), ids_.begin() + s.ids, ids_.begin() + s.ids + s.count);
    return true;
  }
}

void WordCache::add(std::string_view word, std::uint64_t hash, const std::int32_t* ids, std::size_t count) {
  if (used_ >= kCacheWords) clear();
  std::size_t at = hash & (kCacheSlots - 1);
  while (slots_[at].length) at = (at + 1) & (kCacheSlots - 1);
  slots_[at] = {hash, std::uint32_t(texts_.size()), std::uint32_t(ids_.size()), std::uint16_t(word.size()), std::uint16_t(count)};
  texts_ += word;
  ids_.insert(ids_.end(), ids, ids + count);
  ++used_;
}

void WordCache::clear() {
  slots_.assign(kCacheSlots, {});
  texts_.clear();
  ids_.clear();
  used_ = 0;
}

}  // namespace cloister
