// Pieces and their ids, and the table of merges: the two look-ups that encoding lives on. Built once, then read by any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cloister {

/// Spreads the bits of a key (the finaliser of MurmurHash3).
inline std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

class Vocabulary {
 public:
  /// False when the id or the piece is taken by another.
  bool add(std::string_view piece, std::int32_t id);
  std::optional<std::int32_t> find(std::string_view piece) const;
  const std::string& pieceOf(std::int32_t id) const;
  bool holds(std::int32_t id) const { return id >= 0 && std::size_t(id) < known_.size() && known_[std::size_t(id)]; }
  std::int32_t size() const { return std::int32_t(pieces_.size()); }  ///< one more than the largest id

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  std::vector<std::string> pieces_;
  std::vector<bool> known_;
};

/// (left id, right id) → rank and merged id; open addressing.
class MergeTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Entry {
    std::uint64_t key = ~0ULL;
    std::uint32_t rank = kNone;
    std::int32_t id = -1;
  };
  explicit MergeTable(std::size_t count = 0);
  /// The last one of a pair counts.
  void add(std::int32_t left, std::int32_t right, std::uint32_t rank, std::int32_t id);
  Entry find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = keyOf(left, right);
    for (std::size_t at = mixed(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at];
      if (slots_[at].rank == kNone) return {};
    }
  }

 private:
  static std::uint64_t keyOf(std::int32_t left, std::int32_t right) {
    return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
  }
  std::vector<Entry> slots_;
  std::size_t mask_ = 0;
};

/// Ids of words met before; bounded, forgets everything when full. Belongs to one thread at a time.
class WordCache {
 public:
  WordCache();
  static constexpr std::size_t kLongestWord = 128;
  /// Appends the ids and returns true when the word is known.
  bool find(std::string_view word, std::uint64_t hash, std::vector<std::int32_t>& ids) const;
  void add(std::string_view word, std::uint64_t hash, const std::int32_t* ids, std::size_t count);
  static std::uint64_t hashOf(std::string_view word);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t text = 0, ids = 0;
    std::uint16_t length = 0, count = 0;  // length 0: free
  };
  void clear();
  std::vector<Slot> slots_;
  std::string texts_;
  std::vector<std::int32_t> ids_;
  std::size_t used_ = 0;
};

}  // namespace cloister
