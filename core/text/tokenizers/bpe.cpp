#include "core/text/tokenizers/bpe.h"

#include <algorithm>
#include <cstdio>

#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

constexpr std::size_t kShortWord = 32;  // symbols; above, a heap is cheaper than looking at all pairs again
constexpr std::uint32_t kEnd = 0xFFFFFFFF;

std::array<char32_t, 256> alphabetCharacters() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 256;
  for (char32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
    alphabet[b] = printable ? b : next++;
  }
  return alphabet;
}

}  // namespace

const std::array<std::string, 256>& byteAlphabet() {
  static const auto alphabet = [] {
    std::array<std::string, 256> spelled;
    const auto characters = alphabetCharacters();
    for (std::size_t b = 0; b < 256; ++b) appendUtf8(spelled[b], characters[b]);
    return spelled;
  }();
  return alphabet;
}

int byteOfAlphabet(char32_t c) {
  static const auto bytes = [] {
    std::array<int, 512> back;
    back.fill(-1);
    const auto characters = alphabetCharacters();
    for (int b = 0; b < 256; ++b) back[characters[std::size_t(b)]] = b;
    return back;
  }();
  return c < bytes.size() ? bytes[c] : -1;
}

BpeModel::BpeModel(const Vocabulary& vocabulary, MergeTable merges, BpeOptions options)
    : vocabulary_(vocabulary), merges_(std::move(merges)), options_(options) {
  for (unsigned b = 0; b < 256; ++b) {
    char code[8];
    std::snprintf(code, sizeof code, "<0x%02X>", b);
    bytes_[b] = vocabulary.find(options.byteLevel ? std::string_view(byteAlphabet()[b]) : std::string_view(code)).value_or(-1);
  }
  ascii_.fill(-1);
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string& piece = vocabulary.pieceOf(id);
    if (piece.empty() || piece.size() > 4) continue;
    std::size_t at = 0;
    const char32_t c = nextCodePoint(piece, at);
    if (at != piece.size()) continue;
    if (c < 128) ascii_[c] = id;
    characters_[c] = id;
  }
}

void BpeModel::spell(std::string_view word, BpeScratch& s) const {
  s.symbols.clear();
  std::uint32_t unknownEnd = 0;  // an unknown part waits until the next known character: it may grow
  const auto push = [&](std::int32_t id, std::size_t end) { s.symbols.push_back({id, std::uint32_t(end), 0, 0}); };
  const auto known = [&](std::int32_t id, std::size_t end) {
    if (unknownEnd) push(options_.unknown, unknownEnd), unknownEnd = 0;
    push(id, end);
  };
  const auto unknown = [&](std::size_t end) {
    if (options_.unknown < 0) return;
    if (unknownEnd && !options_.fuseUnknown) push(options_.unknown, unknownEnd);
    unknownEnd = std::uint32_t(end);
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t from = at;
    if (options_.byteLevel) {
      const std::int32_t id = bytes_[static_cast<unsigned char>(word[at++])];
      if (id >= 0) known(id, at);
      else unknown(at);
      continue;
    }
    const char32_t c = nextCodePoint(word, at);
    std::int32_t id = -1;
    if (c < 128) id = ascii_[c];
    else if (const auto it = characters_.find(c); it != characters_.end()) id = it->second;
    if (id >= 0) {
      known(id, at);
      continue;
    }
    bool bytes = options_.byteFallback;
    for (std::size_t i = from; i < at && bytes; ++i) bytes = bytes_[static_cast<unsigned char>(word[i])] >= 0;
    if (!bytes) unknown(at);
    else
      for (std::size_t i = from; i < at; ++i) push(bytes_[static_cast<unsigned char>(word[i])], i + 1);
  }
  if (unknownEnd) push(options_.unknown, unknownEnd);
}

/// All pairs are looked at for each merge; the vectors shrink in place.
void BpeModel::mergeShort(BpeScratch& s) const {
  auto& symbols = s.symbols;
  auto& pairs = s.pairs;
  std::size_t n = symbols.size();
  if (n < 2) return;
  pairs.resize(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) pairs[i] = merges_.find(symbols[i].id, symbols[i + 1].id);
  for (;;) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i)
      if (pairs[i].rank < pairs[best].rank) best = i;
    if (n < 2 || pairs[best].rank == MergeTable::kNone) break;
    symbols[best].id = pairs[best].id;
    symbols[best].end = symbols[best + 1].end;
    symbols.erase(symbols.begin() + std::ptrdiff_t(best) + 1);
    pairs.erase(pairs.begin() + std::ptrdiff_t(best));
    --n;
    if (best > 0) pairs[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id);
    if (best + 1 < n) pairs[best] = merges_.find(symbols[best].id, symbols[best + 1].id);
    if (n < 2) break;
  }
}

void BpeModel::mergeLong(BpeScratch& s) const {
  auto& symbols = s.symbols;
  auto& heap = s.heap;
  heap.clear();
  const std::uint32_t n = std::uint32_t(symbols.size());
  const auto offer = [&](std::uint32_t left) {
    const std::uint32_t right = symbols[left].next;
    if (right == kEnd) return false;
    const auto merge = merges_.find(symbols[left].id, symbols[right].id);
    if (merge.rank == MergeTable::kNone) return false;
    heap.push_back({merge.rank, left, merge.id});
    return true;
  };
  for (std::uint32_t i = 0; i < n; ++i) {
    symbols[i].previous = i ? i - 1 : kEnd;
    symbols[i].next = i + 1 < n ? i + 1 : kEnd;
  }
  for (std::uint32_t i = 0; i < n; ++i) offer(i);
  std::make_heap(heap.begin(), heap.end());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const auto top = heap.back();
    heap.pop_back();
    const std::uint32_t right = symbols[top.at].id < 0 ? kEnd : symbols[top.at].next;
    // What was offered may have been merged otherwise since.
    if (right == kEnd || merges_.find(symbols[top.at].id, symbols[right].id).id != top.id) continue;
    symbols[top.at].id = top.id;
    symbols[top.at].end = symbols[right].end;
    symbols[top.at].next = symbols[right].next;
    symbols[right].id = -1;
    if (symbols[right].next != kEnd) symbols[symbols[right].next].previous = top.at;
    if (symbols[top.at].previous != kEnd && offer(symbols[top.at].previous)) std::push_heap(heap.begin(), heap.end());
    if (offer(top.at)) std::push_heap(heap.begin(), heap.end());
  }
  std::erase_if(symbols, [](const BpeScratch::Symbol& symbol) { return symbol.id < 0; });
}

std::int32_t BpeModel::wholeWord(std::string_view word, BpeScratch& s) const {
  if (!options_.byteLevel) return vocabulary_.find(word).value_or(-1);
  s.key.clear();
  for (const char c : word) s.key += byteAlphabet()[static_cast<unsigned char>(c)];
  return vocabulary_.find(s.key).value_or(-1);
}

void BpeModel::encode(std::string_view word, BpeScratch& s, std::vector<std::int32_t>& ids, std::vector<std::uint32_t>* ends) const {
  if (word.empty()) return;
  const bool cached = !ends && word.size() <= WordCache::kLongestWord;
  const std::uint64_t hash = cached ? WordCache::hashOf(word) : 0;
  if (cached && s.cache.find(word, hash, ids)) return;
  const std::size_t before = ids.size();
  const std::int32_t whole = options_.ignoreMerges ? wholeWord(word, s) : -1;
  if (whole >= 0) {
    ids.push_back(whole);
    if (ends) ends->push_back(std::uint32_t(word.size()));
  } else {
    spell(word, s);
    if (s.symbols.size() <= kShortWord) mergeShort(s);
    else mergeLong(s);
    for (const auto& symbol : s.symbols) {
      ids.push_back(symbol.id);
      if (ends) ends->push_back(symbol.end);
    }
  }
  if (cached) s.cache.add(word, hash, ids.data() + before, ids.size() - before);
  if (s.symbols.capacity() > 1 << 20) s.symbols = {}, s.heap = {};
}

}  // namespace cloister
