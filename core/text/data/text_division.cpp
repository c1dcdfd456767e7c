#include "core/text/data/text_division.h"

#include <unordered_set>

#include <QCryptographicHash>
#include <QJsonArray>
#include <QtEndian>

#include "core/text/data/near_texts.h"
#include "core/text/data/text_inputs.h"

namespace cloister {
namespace {

quint64 numberOf(const TextSample& sample, qint64 seed) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  hash.addData(QByteArray::number(seed) + '\n');
  const auto add = [&](const std::string& text) { hash.addData(QByteArrayView(text.data(), qsizetype(text.size()))); };
  add(sample.text);
  for (const Turn& turn : sample.turns) add(turn.text);
  return qFromBigEndian<quint64>(hash.result().constData());
}

/// Behind the line that place lies in.
std::size_t behindLine(std::string_view text, std::size_t near) {
  const std::size_t line = text.find('\n', near);
  std::size_t at = line == std::string_view::npos ? near : line + 1;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return at;
}

/// Reads the candidates once more: only what they look like was kept.
Result<void> compareNear(const std::vector<TextInput>& files, NearTexts& near) {
  if (auto found = near.finish(); !found) return found;
  std::size_t number = 0;
  RecordSinks sinks;
  sinks.refused = [](const QString&, qint64, const QString&) {};
  sinks.sample = [&](const TextSample& sample) {
    if (!NearTexts::isCompared(sample)) return;
    if (near.wants(number)) near.compare(number, NearTexts::wordsOf(sample));
    ++number;
  };
  for (const TextInput& input : files)
    if (auto read = readRecords(input.name, input.file->view(), input.options, sinks); !read) return read.error();
  return {};
}

}  // namespace

TextDivision::Part TextDivision::partOf(const TextSample& sample) const {
  if (validation + test <= 0) return Train;
  const double place = double(numberOf(sample, seed) >> 11) * 0x1p-53;
  return place < validation ? Validation : place < validation + test ? Test : Train;
}

std::vector<TextDivision::Piece> TextDivision::pieces(const TextSample& sample) const {
  const std::string_view text = sample.text;
  if (!sample.wholeFile || validation + test <= 0) return {{text, partOf(sample)}};
  const auto cut = [&](double share) {
    return share >= 1 ? text.size() : behindLine(text, std::min(text.size() - 1, std::size_t(double(text.size()) * share)));
  };
  const std::size_t first = cut(1 - validation - test), second = std::max(first, cut(1 - test));
  std::vector<Piece> all;
  const auto add = [&](std::size_t from, std::size_t to, Part part) {
    if (to > from) all.push_back({text.substr(from, to - from), part});
  };
  add(0, first, Train);
  add(first, second, Validation);
  add(second, text.size(), Test);
  return all;
}

Result<QJsonObject> countDivision(const QJsonObject& job, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  auto inputs = TextInputs::open(job);
  if (!inputs) return inputs.error();
  const TextDivision division{job["seed"].toInteger(), job["validation"].toDouble(), job["test"].toDouble()};
  constexpr qint64 kTellEveryBytes = 4 << 20;
  qint64 records[3] = {}, bytes[3] = {}, repeated = 0, before = 0, read = 0, told = 0;  // read: of the file at hand
  std::unordered_set<quint64> seen;
  NearTexts near;
  const bool held = division.validation + division.test > 0;
  RecordSinks sinks;
  sinks.refused = [](const QString&, qint64, const QString&) {};
  const auto tell = [&](qint64 more) {
    read += more;
    if (before + read - told < kTellEveryBytes) return;
    told = before + read;
    progress(std::min<qint64>(told, inputs->bytes), inputs->bytes);
  };
  sinks.sample = [&](const TextSample& sample) {
    if (held && NearTexts::isCompared(sample)) near.add(NearTexts::wordsOf(sample), division.partOf(sample), sample.file, sample.line);
    repeated += !seen.insert(numberOf(sample, 0)).second;
    if (sample.turns.empty()) {
      for (const TextDivision::Piece& p : division.pieces(sample)) {
        ++records[p.part];
        bytes[p.part] += qint64(p.text.size());
      }
      tell(qint64(sample.text.size()));
      return;
    }
    const TextDivision::Part part = division.partOf(sample);
    ++records[part];
    qint64 size = qint64(sample.chosen.size() + sample.rejected.size());
    for (const Turn& t : sample.turns) size += qint64(t.text.size());
    bytes[part] += size;
    tell(size);
  };
  for (const TextInput& input : inputs->files) {
    read = 0;
    if (auto ended = readRecords(input.name, input.file->view(), input.options, sinks); !ended) return ended.error();
    progress(before += std::int64_t(input.file->view().size()), inputs->bytes);
  }
  if (auto compared = compareNear(inputs->files, near); !compared) return compared.error();
  QJsonObject parts;
  for (int p = 0; p < 3; ++p) parts[QLatin1String(TextDivision::kNames[p])] = QJsonObject{{"records", records[p]}, {"bytes", bytes[p]}};
  return QJsonObject{{"parts", parts}, {"repeated", repeated}, {"across", near.report()}};
}

}  // namespace cloister
