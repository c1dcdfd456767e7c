#include "app/ingest/text_preview.h"

#include <algorithm>

#include <QJsonArray>

#include "core/text/data/text_inputs.h"

namespace cloister {
namespace {

constexpr std::size_t kBytesLookedAt = 1 << 20;  // of files that go line by line
constexpr qsizetype kLongestText = 4000;
constexpr int kMostRefused = 20;

QString shortened(const std::string& text) {
  const QString whole = QString::fromStdString(text.substr(0, std::size_t(kLongestText) * 4));
  return whole.size() <= kLongestText ? whole : whole.left(kLongestText) + QChar(0x2026);
}

QString roleName(Turn::Role role) {
  return role == Turn::Role::System ? QStringLiteral("system")
         : role == Turn::Role::User ? QStringLiteral("user")
                                    : QStringLiteral("assistant");
}

QJsonObject toJson(const TextSample& s) {
  QJsonObject o{{"line", s.line}};
  if (s.turns.empty()) {
    o["text"] = shortened(s.text);
    return o;
  }
  QJsonArray turns;
  for (const Turn& t : s.turns) turns.append(QJsonObject{{"role", roleName(t.role)}, {"text", shortened(t.text)}});
  o["turns"] = turns;
  if (!s.chosen.empty()) o["chosen"] = shortened(s.chosen);
  if (!s.rejected.empty()) o["rejected"] = shortened(s.rejected);
  return o;
}

/// A JSON list is read whole; others up to the end of a line.
std::string_view part(const TextInput& input) {
  const std::string_view all = input.file->view();
  if (all.size() <= kBytesLookedAt || input.name.endsWith(QStringLiteral(".json"), Qt::CaseInsensitive)) return all;
  const std::size_t end = all.rfind('\n', kBytesLookedAt);
  return all.substr(0, end == std::string_view::npos ? kBytesLookedAt : end + 1);
}

}  // namespace

Result<QJsonObject> previewRecords(const QJsonObject& job) {
  auto inputs = TextInputs::open(job);
  if (!inputs) return inputs.error();
  if (inputs->files.empty()) return Failure{FailureKind::InvalidArgument, {{"name", "inputs"}, {"value", ""}, {"allowed", "a file"}}, {}};
  const TextInput& input = inputs->files.front();
  const int count = std::clamp(job["count"].toInt(20), 1, 1000);
  const std::string_view bytes = part(input);
  QJsonArray records, refused;
  RecordSinks sinks;
  sinks.sample = [&](const TextSample& s) {
    if (records.size() < count) records.append(toJson(s));
  };
  sinks.refused = [&](const QString&, qint64 line, const QString& why) {
    if (refused.size() < kMostRefused) refused.append(QJsonObject{{"line", line}, {"why", why}});
  };
  if (auto read = readRecords(input.name, bytes, input.options, sinks); !read) return read.error();
  return QJsonObject{{"records", records}, {"refused", refused}, {"whole", bytes.size() == input.file->view().size()}};
}

}  // namespace cloister
