#include "core/text/tokenizers/sentencepiece_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>

#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

using Type = SentencePieceModel::PieceType;
constexpr std::string_view kSpace = "▁";
constexpr float kUnknownPenalty = 10;

bool goesOnBehindSpace(std::string_view piece) {
  std::size_t at = 0;
  while (piece.substr(at).starts_with(kSpace)) at += kSpace.size();
  return piece.find(kSpace, at) != std::string_view::npos;
}

// A unit of a darts-clone double array.
std::uint32_t labelOf(std::uint32_t unit) { return unit & (1u << 31 | 0xFF); }
std::uint32_t offsetOf(std::uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }
bool hasLeaf(std::uint32_t unit) { return unit >> 8 & 1; }

}  // namespace

std::unique_ptr<SentencePieceEncoder> SentencePieceEncoder::make(const SentencePieceModel& model) {
  using Kind = SentencePieceModel::Kind;
  if ((model.kind != Kind::Bpe && model.kind != Kind::Unigram) || model.spaceAsSuffix) return nullptr;
  std::unique_ptr<SentencePieceEncoder> e(new SentencePieceEncoder);
  e->bytes_.fill(-1);
  e->byteFallback_ = model.byteFallback;
  e->dummyPrefix_ = model.dummyPrefix;
  e->removeExtraSpaces_ = model.removeExtraSpaces;
  e->escapeSpaces_ = model.escapeSpaces;
  e->scores_.resize(model.pieces.size());
  e->wordsEndAtSpaces_ = model.escapeSpaces;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const auto& p = model.pieces[i];
    const auto id = std::int32_t(i);
    if (p.type == Type::UserDefined || p.type == Type::Unused) return nullptr;
    e->scores_[i] = p.score;
    if (p.type == Type::Unknown) e->unknown_ = id;
    unsigned byte = 0;
    if (p.type == Type::Byte && std::sscanf(std::string(p.piece).c_str(), "<0x%02X>", &byte) == 1 && byte < 256) e->bytes_[byte] = id;
    if (p.type != Type::Normal) continue;
    if (!e->vocabulary_.add(p.piece, id)) return nullptr;
    if (goesOnBehindSpace(p.piece)) e->wordsEndAtSpaces_ = false;
  }
  const bool allBytes = std::all_of(e->bytes_.begin(), e->bytes_.end(), [](std::int32_t id) { return id >= 0; });
  if (e->unknown_ < 0 || (model.byteFallback && !allBytes)) return nullptr;
  e->readMap(model.characterMap);
  if (!e->vocabulary_.find(kSpace)) e->wordsEndAtSpaces_ = false;  // an unknown space would belong to the unknown part before it
  if (model.kind == Kind::Unigram) e->readUnigram(model);
  else if (!e->readBpe(model)) return nullptr;
  return e;
}

void SentencePieceEncoder::readMap(std::string_view map) {
  if (map.empty()) return;
  std::uint32_t size = 0;
  std::memcpy(&size, map.data(), 4);  // the reader of the model checked it
  units_.resize(size / 4);
  std::memcpy(units_.data(), map.data() + 4, size);
  replacements_ = map.substr(4 + size);
}

/// The library merges whatever pair makes a piece, the best score first: each way to make a piece of two is a merge with the piece's rank.
bool SentencePieceEncoder::readBpe(const SentencePieceModel& model) {
  struct Merge {
    std::int32_t left, right, id;
  };
  std::map<float, std::vector<Merge>, std::greater<>> byScore;
  std::size_t count = 0;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const auto& p = model.pieces[i];
    if (p.type != Type::Normal) continue;
    for (std::size_t at = 0; at < p.piece.size();) {
      const std::size_t from = at;
      (void)nextCodePoint(p.piece, at);
      const bool whole = from == 0 && at == p.piece.size();
      if (!whole && !vocabulary_.find(p.piece.substr(from, at - from))) return false;  // pieces of unknown characters
      if (at == p.piece.size()) break;
      const auto left = vocabulary_.find(p.piece.substr(0, at)), right = vocabulary_.find(p.piece.substr(at));
      if (left && right) byScore[p.score].push_back({*left, *right, std::int32_t(i)}), ++count;
    }
  }
  MergeTable table(count);
  std::uint32_t rank = 0;
  for (const auto& [score, merges] : byScore) {
    for (const Merge& m : merges) table.add(m.left, m.right, rank, m.id);
    ++rank;
  }
  BpeOptions options;
  options.fuseUnknown = true;
  options.unknown = unknown_;
  bpe_ = std::make_unique<BpeModel>(vocabulary_, std::move(table), options);
  return true;
}

void SentencePieceEncoder::readUnigram(const SentencePieceModel& model) {
  std::size_t bytes = 0;
  float least = 0;
  bool any = false;
  for (const auto& p : model.pieces) {
    if (p.type != Type::Normal) continue;
    bytes += p.piece.size();
    least = any ? std::min(least, p.score) : p.score;
    any = true;
  }
  unknownScore_ = least - kUnknownPenalty;
  edges_ = MergeTable(bytes);
  pieceAt_.assign(1, -1);
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    if (model.pieces[i].type != Type::Normal) continue;
    std::int32_t node = 0;
    for (const char c : model.pieces[i].piece) {
      const auto byte = std::int32_t(static_cast<unsigned char>(c));
      std::int32_t next = edges_.find(node, byte).id;
      if (next < 0) {
        next = std::int32_t(pieceAt_.size());
        edges_.add(node, byte, 0, next);
        pieceAt_.push_back(-1);
      }
      node = next;
    }
    pieceAt_[std::size_t(node)] = std::int32_t(i);
  }
}

std::pair<std::string_view, std::size_t> SentencePieceEncoder::prefixAt(std::string_view text, std::size_t at) const {
  std::size_t length = 0, value = 0;
  if (!units_.empty()) {
    std::size_t node = offsetOf(units_[0]);
    for (std::size_t i = at; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      node ^= byte;
      if (node >= units_.size() || labelOf(units_[node]) != byte) break;
      const std::uint32_t unit = units_[node];
      node ^= offsetOf(unit);
      if (node >= units_.size()) break;
      if (hasLeaf(unit)) length = i + 1 - at, value = units_[node] & 0x7FFFFFFF;
    }
  }
  if (length && value < replacements_.size()) return {std::string_view(replacements_.data() + value), length};  // ends with NUL
  std::size_t next = at;
  (void)nextCodePoint(text, next);
  return {text.substr(at, next - at), next - at};
}

void SentencePieceEncoder::normalize(EditedText& text) const {
  const std::string_view view = text.view(), space = escapeSpaces_ ? kSpace : std::string_view(" ");
  std::size_t at = 0;
  while (removeExtraSpaces_ && at < view.size()) {
    const auto [put, taken] = prefixAt(view, at);
    if (put != " ") break;
    at += taken;
  }
  text.begin();
  if (at < view.size() && dummyPrefix_) text.put(space, at, at);
  bool afterSpace = removeExtraSpaces_;
  while (at < view.size()) {
    auto [put, taken] = prefixAt(view, at);
    while (afterSpace && put.starts_with(' ')) put.remove_prefix(1);
    for (std::size_t i = 0; i < put.size();) {
      const std::size_t hit = escapeSpaces_ ? std::min(put.find(' ', i), put.size()) : put.size();
      text.put(put.substr(i, hit - i), at, at + taken);
      if (hit < put.size()) text.put(space, at, at + taken);
      i = hit + 1;
    }
    if (!put.empty()) afterSpace = put.ends_with(' ');
    if (!removeExtraSpaces_) afterSpace = false;
    at += taken;
  }
  text.finish();
  if (!removeExtraSpaces_) return;
  std::size_t end = text.view().size();
  while (text.view().substr(0, end).ends_with(space)) end -= space.size();
  if (end == text.view().size()) return;
  text.begin();
  text.copy(0, end);
  text.finish();
}

void SentencePieceEncoder::encode(std::string_view normal, SentencePieceScratch& s, std::vector<std::int32_t>& ids,
                                  std::vector<std::uint32_t>* ends) const {
  if (!bpe_ || !wordsEndAtSpaces_) return encodeWord(normal, s, ids, ends);
  for (std::size_t from = 0, at = 0; at < normal.size(); from = at) {
    while (normal.substr(at).starts_with(kSpace)) at += kSpace.size();
    at = std::min(normal.find(kSpace, at), normal.size());
    const std::size_t before = ends ? ends->size() : 0;
    encodeWord(normal.substr(from, at - from), s, ids, ends);
    for (std::size_t i = before; ends && i < ends->size(); ++i) (*ends)[i] += std::uint32_t(from);
  }
}

/// Unknown characters become their bytes; without byte fallback those beside each other are one.
void SentencePieceEncoder::pushUnknown(std::string_view word, std::size_t from, std::size_t to, SentencePieceScratch& s) const {
  if (byteFallback_) {
    for (std::size_t i = from; i < to; ++i)
      s.ids.push_back(bytes_[static_cast<unsigned char>(word[i])]), s.ends.push_back(std::uint32_t(to));
  } else if (!s.ids.empty() && s.ids.back() == unknown_) {
    s.ends.back() = std::uint32_t(to);
  } else {
    s.ids.push_back(unknown_);
    s.ends.push_back(std::uint32_t(to));
  }
}

void SentencePieceEncoder::encodeWord(std::string_view word, SentencePieceScratch& s, std::vector<std::int32_t>& ids,
                                      std::vector<std::uint32_t>* ends) const {
  const bool cached = !ends && word.size() <= WordCache::kLongestWord && !word.empty();
  const std::uint64_t hash = cached ? WordCache::hashOf(word) : 0;
  if (cached && s.bpe.cache.find(word, hash, ids)) return;
  s.ids.clear();
  s.ends.clear();
  if (bpe_) {
    std::vector<std::int32_t> found;
    std::vector<std::uint32_t> stops;
    bpe_->encode(word, s.bpe, found, &stops);
    for (std::size_t i = 0, from = 0; i < found.size(); from = stops[i++]) {
      if (found[i] == unknown_) pushUnknown(word, from, stops[i], s);
      else s.ids.push_back(found[i]), s.ends.push_back(stops[i]);
    }
  } else {
    viterbi(word, s);
  }
  ids.insert(ids.end(), s.ids.begin(), s.ids.end());
  if (ends) ends->insert(ends->end(), s.ends.begin(), s.ends.end());
  if (cached) s.bpe.cache.add(word, hash, s.ids.data(), s.ids.size());
}

/// The best way to each end; of equals the one that came first, which is the longest last piece. Sums are of single precision and begin
/// anew beyond 100,000, because that decides between cuts that are equally good, and the reference does so.
void SentencePieceEncoder::viterbi(std::string_view word, SentencePieceScratch& s) const {
  constexpr float kLargestSum = 100'000;
  auto& nodes = s.nodes;
  nodes.assign(word.size() + 1, {0, 0, -1});
  std::size_t furthest = 0;
  const auto reach = [&](std::size_t from, std::size_t to, float score, std::int32_t id) {
    furthest = std::max(furthest, to);
    if (nodes[to].id < 0 || score > nodes[to].score) nodes[to] = {score, std::uint32_t(from), id};
  };
  for (std::size_t from = 0; from < word.size();) {
    if (const float sum = nodes[from].score; std::abs(sum) > kLargestSum)
      for (std::size_t i = from; i <= furthest; ++i)
        if (i == from || nodes[i].id >= 0) nodes[i].score -= sum;
    std::size_t single = from;
    (void)nextCodePoint(word, single);
    bool known = false;
    std::int32_t node = 0;
    for (std::size_t at = from; at < word.size(); ++at) {
      node = edges_.find(node, static_cast<unsigned char>(word[at])).id;
      if (node < 0) break;
      const std::int32_t id = pieceAt_[std::size_t(node)];
      if (id < 0) continue;
      reach(from, at + 1, nodes[from].score + scores_[std::size_t(id)], id);
      known = known || at + 1 == single;
    }
    if (!known) reach(from, single, nodes[from].score + unknownScore_, unknown_);
    from = single;
  }
  std::vector<std::uint32_t> path;
  for (auto at = std::uint32_t(word.size()); at > 0; at = nodes[at].from) path.push_back(at);
  for (auto at = path.rbegin(); at != path.rend(); ++at) {
    if (nodes[*at].id == unknown_) pushUnknown(word, nodes[*at].from, *at, s);
    else s.ids.push_back(nodes[*at].id), s.ends.push_back(*at);
  }
}

}  // namespace cloister
