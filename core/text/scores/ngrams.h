// Counting n-grams of one segment without an allocation per n-gram: words become numbers, and an n-gram is the pair (its first n-1 words,
// its last word), which is a number again: its place in the table. Keys are compared whole, so no two n-grams are ever taken for one.
// One table a thread; begin() empties it in constant time. Header only: this is the inner loop of BLEU, chrF and ROUGE.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace cloister::scores {

constexpr std::uint32_t kNone = 0xFFFFFFFFU;

/// Words of the references of one segment → 0, 1, 2 … The views must outlive the segment.
class WordTable {
 public:
  /// Forgets all; room for so many words.
  void begin(std::size_t words) {
    const std::size_t wanted = std::bit_ceil(2 * words + 16);
    if (slots_.size() < wanted) {
      slots_.assign(wanted, {});
      shift_ = 64 - std::countr_zero(wanted);
      stamp_ = 0;
    }
    if (++stamp_ == 0) {
      std::fill(slots_.begin(), slots_.end(), Slot{});
      stamp_ = 1;
    }
    words_.clear();
  }
  std::uint32_t add(std::string_view word) {
    const std::uint64_t hash = hashOf(word);
    Slot& slot = slots_[place(word, hash)];
    if (slot.stamp != stamp_) {
      slot = {hash, stamp_, static_cast<std::uint32_t>(words_.size())};
      words_.push_back(word);
    }
    return slot.id;
  }
  /// kNone when it was not added.
  std::uint32_t find(std::string_view word) const {
    const Slot& slot = slots_[place(word, hashOf(word))];
    return slot.stamp == stamp_ ? slot.id : kNone;
  }
  std::size_t size() const { return words_.size(); }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t stamp = 0, id = 0;
  };
  static std::uint64_t load(const char* p, std::size_t bytes) {
    std::uint64_t v = 0;
    std::memcpy(&v, p, bytes);
    return v;
  }
  static std::uint64_t hashOf(std::string_view word) {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
    const char* p = word.data();
    const std::size_t n = word.size();
    std::uint64_t h = n * kMultiplier;
    const auto mix = [&h](std::uint64_t v) { h = (std::rotl(h, 29) ^ v) * kMultiplier; };
    if (n >= 8) {
      for (std::size_t i = 0; i + 8 <= n; i += 8) mix(load(p + i, 8));
      mix(load(p + n - 8, 8));
    } else if (n >= 4) {
      mix(load(p, 4) << 32 | load(p + n - 4, 4));
    } else if (n > 0) {
      mix(std::uint64_t(static_cast<unsigned char>(p[0])) << 16 | std::uint64_t(static_cast<unsigned char>(p[n / 2])) << 8 |
          static_cast<unsigned char>(p[n - 1]));
    }
    return h ^ h >> 32;
  }
  std::size_t place(std::string_view word, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash * 0x9E3779B97F4A7C15ULL >> shift_;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.stamp != stamp_ || (slot.hash == hash && words_[slot.id] == word)) return i;
    }
  }

  std::vector<Slot> slots_;
  std::vector<std::string_view> words_;
  std::uint32_t stamp_ = 0;
  int shift_ = 60;
};

/// N-grams with a payload, keyed by (place of the first n-1 symbols or kNone, last symbol). Payload{} is its first value.
template <typename Payload>
class NgramTable {
 public:
  /// Forgets all; room for so many n-grams, more must not be added.
  void begin(std::size_t ngrams) {
    const std::size_t wanted = std::bit_ceil(2 * ngrams + 16);
    if (slots_.size() < wanted) {
      slots_.assign(wanted, {});
      shift_ = 64 - std::countr_zero(wanted);
      stamp_ = 0;
    }
    if (++stamp_ == 0) {
      std::fill(slots_.begin(), slots_.end(), Slot{});
      stamp_ = 1;
    }
  }
  /// Its place, where it now is.
  std::uint32_t add(std::uint32_t prefix, std::uint32_t symbol) {
    const std::uint64_t key = std::uint64_t(prefix) << 32 | symbol;
    const std::size_t i = place(key);
    if (slots_[i].stamp != stamp_) slots_[i] = {key, stamp_, Payload{}};
    return static_cast<std::uint32_t>(i);
  }
  /// Its place or kNone.
  std::uint32_t find(std::uint32_t prefix, std::uint32_t symbol) const {
    const std::size_t i = place(std::uint64_t(prefix) << 32 | symbol);
    return slots_[i].stamp == stamp_ ? static_cast<std::uint32_t>(i) : kNone;
  }
  Payload& operator[](std::uint32_t at) { return slots_[at].payload; }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t stamp = 0;
    Payload payload{};
  };
  std::size_t place(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = key * 0x9E3779B97F4A7C15ULL >> shift_;; i = (i + 1) & mask)
      if (slots_[i].stamp != stamp_ || slots_[i].key == key) return i;
  }

  std::vector<Slot> slots_;
  std::uint32_t stamp_ = 0;
  int shift_ = 60;
};

}  // namespace cloister::scores
