#include "core/text/data/near_texts.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <QJsonArray>

#include "core/text/parallel.h"
#include "core/text/scores/python_text.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

constexpr std::size_t kShingle = 5, kAtOnce = 4096, kBytesAtOnce = 32 << 20;
constexpr std::size_t kMostInBucket = 200, kMostCandidates = 2'000'000, kShown = 100;

quint64 mixed(quint64 x) {  // splitmix64
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Letters, marks and digits in lower case, one space for all between them.
std::u32string compared(const std::string& text) {
  std::string lower;
  scores::lower(isValidUtf8(text) ? text : repairedUtf8(text), lower);
  std::u32string out;
  out.reserve(lower.size());
  for (std::size_t at = 0; at < lower.size();) {
    const char32_t c = nextCodePoint(lower, at);
    if (classOf(c) & (kLetter | kMark | kNumber)) out += c;
    else if (!out.empty() && out.back() != U' ') out += U' ';
  }
  if (out.ends_with(U' ')) out.pop_back();
  return out;
}

/// Hashes of the different shingles, sorted; a text shorter than one is one.
std::vector<quint64> shinglesOf(const std::u32string& text) {
  std::vector<quint64> all;
  const std::size_t count = text.size() < kShingle ? 1 : text.size() - kShingle + 1;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    quint64 h = 0;
    for (std::size_t k = i; k < std::min(text.size(), i + kShingle); ++k) h = mixed(h ^ text[k]);
    all.push_back(h);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

double jaccard(const std::vector<quint64>& a, const std::vector<quint64>& b) {
  std::size_t common = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++common, ++i, ++j;
    else ++(a[i] < b[j] ? i : j);
  }
  return double(common) / double(a.size() + b.size() - common);
}

/// The least of each hash over all shingles: multiply-shift with fixed odd factors.
__attribute__((target_clones("avx2", "default"))) void addLeast(std::uint32_t* least, const std::uint32_t* factors,
                                                                const std::uint32_t* offsets, std::size_t count, std::uint32_t shingle) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t h = (shingle ^ offsets[i]) * factors[i];
    h ^= h >> 15;
    h *= 0x85EBCA6BU;
    least[i] = std::min(least[i], h);
  }
}

}  // namespace

std::string NearTexts::wordsOf(const TextSample& sample) {
  std::string all = sample.text;
  for (const Turn& turn : sample.turns) all += '\n' + turn.text;
  return all += '\n' + sample.chosen;
}

void NearTexts::add(std::string text, TextDivision::Part part, const QString& file, qint64 line) {
  if (files_.isEmpty() || files_.back() != file) files_ << file;
  Entry e;
  e.line = line;
  e.file = std::uint32_t(files_.size() - 1);
  e.part = part;
  entries_.push_back(e);
  waitingBytes_ += text.size();
  waiting_.push_back(std::move(text));
  if ((waiting_.size() >= kAtOnce || waitingBytes_ >= kBytesAtOnce) && state_) state_ = sign();
}

Result<void> NearTexts::sign() {
  static const auto constants = [] {
    std::array<std::array<std::uint32_t, kHashes>, 2> c{};
    for (std::size_t i = 0; i < kHashes; ++i) c[0][i] = std::uint32_t(mixed(i)) | 1, c[1][i] = std::uint32_t(mixed(i + 1000));
    return c;
  }();
  signatures_.resize(entries_.size());
  const std::size_t first = entries_.size() - waiting_.size();
  const auto done = onAllCores(waiting_.size(), 0, [&](std::size_t i) -> Result<void> {
    const std::u32string words = compared(waiting_[i]);
    Entry& e = entries_[first + i];
    for (const char32_t c : words) e.words = mixed(e.words ^ c);
    const std::vector<quint64> shingles = shinglesOf(words);
    e.shingles = std::uint32_t(std::min<std::size_t>(shingles.size(), UINT32_MAX));
    Signature& s = signatures_[first + i];
    s.fill(UINT32_MAX);
    for (const quint64 h : shingles) addLeast(s.data(), constants[0].data(), constants[1].data(), kHashes, std::uint32_t(h >> 32));
    return {};
  });
  waiting_.clear();
  waitingBytes_ = 0;
  return done;
}

NearTexts::Pair NearTexts::ordered(std::uint32_t a, std::uint32_t b) const {
  return entries_[a].part < entries_[b].part ? Pair{a, b, 1} : Pair{b, a, 1};
}

/// Texts that are the same as compared; `different` gets one of each text and part.
void NearTexts::findEqual(std::vector<std::uint32_t>& different) {
  constexpr std::uint32_t kNone = UINT32_MAX;
  std::unordered_map<quint64, std::array<std::uint32_t, 3>> firstOf;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    auto& first = firstOf.try_emplace(entries_[i].words, std::array{kNone, kNone, kNone}).first->second[entries_[i].part];
    if (first == kNone) first = i, different.push_back(i);
  }
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const auto& parts = firstOf.at(entries_[i].words);
    const auto* earlier = std::find_if(parts.begin(), parts.begin() + entries_[i].part, [](std::uint32_t p) { return p != kNone; });
    if (earlier == parts.begin() + entries_[i].part) continue;
    ++equal_;
    if (equalPairs_.size() < kShown) equalPairs_.push_back({*earlier, i, 1});
  }
}

void NearTexts::addBand(std::size_t band, const std::vector<std::uint32_t>& different) {
  std::vector<std::pair<quint64, std::uint32_t>> buckets;
  for (const std::uint32_t i : different) {
    if (entries_[i].shingles < kShortest) continue;
    quint64 h = band;
    for (std::size_t r = 0; r < kRows; ++r) h = mixed(h ^ signatures_[i][band * kRows + r]);
    buckets.emplace_back(h, i);
  }
  std::sort(buckets.begin(), buckets.end());
  for (std::size_t from = 0, to = 0; from < buckets.size(); from = to) {
    while (to < buckets.size() && buckets[to].first == buckets[from].first) ++to;
    const std::size_t end = std::min(to, from + kMostInBucket);
    complete_ &= end == to;
    for (std::size_t i = from; i < end; ++i)
      for (std::size_t j = i + 1; j < end; ++j) {
        const Entry &a = entries_[buckets[i].second], &b = entries_[buckets[j].second];
        const std::size_t less = std::min(a.shingles, b.shingles), more = std::max(a.shingles, b.shingles);
        if (a.part == b.part || a.words == b.words || double(less) < kNear * double(more)) continue;
        candidates_.push_back(ordered(buckets[i].second, buckets[j].second));
      }
  }
}

void NearTexts::findCandidates(const std::vector<std::uint32_t>& different) {
  for (std::size_t band = 0; band < kBands && candidates_.size() < kMostCandidates; ++band) addBand(band, different);
  complete_ &= candidates_.size() < kMostCandidates;
  const auto key = [](const Pair& p) { return std::pair(p.second, p.first); };
  std::sort(candidates_.begin(), candidates_.end(), [&](const Pair& a, const Pair& b) { return key(a) < key(b); });
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end(), [&](const Pair& a, const Pair& b) { return key(a) == key(b); }),
                    candidates_.end());
}

Result<void> NearTexts::finish() {
  if (state_) state_ = sign();
  if (!state_) return state_;
  std::vector<std::uint32_t> different;
  findEqual(different);
  findCandidates(different);
  wanted_.assign(entries_.size(), false);
  placeOf_.assign(entries_.size(), 0);
  for (const Pair& p : candidates_) wanted_[p.first] = wanted_[p.second] = true;
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i]) placeOf_[i] = next++;
  shingles_.resize(next);
  signatures_.clear();
  return {};
}

void NearTexts::compare(std::size_t number, const std::string& text) { shingles_[placeOf_[number]] = shinglesOf(compared(text)); }

QJsonObject NearTexts::told(const Pair& p) const {
  const Entry &a = entries_[p.second], &b = entries_[p.first];
  return {{"file", files_[a.file]},      {"line", a.line},      {"part", QLatin1String(TextDivision::kNames[a.part])},
          {"otherFile", files_[b.file]}, {"otherLine", b.line}, {"otherPart", QLatin1String(TextDivision::kNames[b.part])},
          {"similarity", p.similarity}};
}

QJsonObject NearTexts::report() const {
  QJsonArray pairs;
  for (const Pair& p : equalPairs_) pairs.append(told(p));
  qint64 near = 0;
  std::uint32_t before = UINT32_MAX;
  for (Pair p : candidates_) {  // in the order of the later text
    p.similarity = jaccard(shingles_[placeOf_[p.first]], shingles_[placeOf_[p.second]]);
    if (p.similarity < kNear) continue;
    if (p.second != before) ++near;
    before = p.second;
    if (pairs.size() < qsizetype(kShown)) pairs.append(told(p));
  }
  return {{"equal", equal_}, {"near", near}, {"complete", complete_}, {"pairs", pairs}};
}

}  // namespace cloister
