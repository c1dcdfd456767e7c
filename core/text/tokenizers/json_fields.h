// Reading members of a tokenizer.json: what is missing or of another type ends the reading with its place. Internal to
// core/text/tokenizers.
#pragma once
#include <string>

#include <QJsonArray>
#include <QJsonObject>
#include <QJsonValue>
#include <QString>

#include "core/text/tokenizers/pattern.h"

namespace cloister {

/// Where something stands in the file: "pre_tokenizer.pretokenizers[1]".
struct Place {
  QString path;  ///< of the file
  QString member;
  Place in(const QString& name) const { return {path, member.isEmpty() ? name : member + QChar('.') + name}; }
  Place at(qsizetype index) const { return {path, QStringLiteral("%1[%2]").arg(member).arg(index)}; }
};

[[noreturn]] inline void refuse(const Place& place, const QString& why) {
  throw TokenizerError{
      {FailureKind::CorruptFile, {{"path", place.path}, {"position", place.member}}, place.member + QStringLiteral(": ") + why}};
}
/// Well-formed, but a thing nobody here does.
[[noreturn]] inline void unsupported(const Place& place, const QString& what) {
  throw TokenizerError{{FailureKind::UnsupportedEncoding, {{"path", place.path}, {"encoding", what}}, place.member}};
}

inline std::string textOf(const QJsonValue& value, const Place& place) {
  if (!value.isString()) refuse(place, QStringLiteral("is not a text"));
  const QString text = value.toString();
  if (!text.isValidUtf16()) refuse(place, QStringLiteral("holds half a surrogate pair"));
  return text.toStdString();
}
inline QJsonObject objectOf(const QJsonValue& value, const Place& place) {
  if (!value.isObject()) refuse(place, QStringLiteral("is not an object"));
  return value.toObject();
}
inline QJsonArray arrayOf(const QJsonValue& value, const Place& place) {
  if (!value.isArray()) refuse(place, QStringLiteral("is not a list"));
  return value.toArray();
}
inline bool flagOf(const QJsonObject& object, const QString& name, bool otherwise, const Place& place) {
  const QJsonValue value = object[name];
  if (value.isUndefined() || value.isNull()) return otherwise;
  if (!value.isBool()) refuse(place.in(name), QStringLiteral("is neither true nor false"));
  return value.toBool();
}
/// Ids are limited so that a list by id stays in proportion to the file.
constexpr std::int32_t kLargestId = (1 << 22) - 1;
inline std::int32_t idOfValue(const QJsonValue& value, const Place& place) {
  const double number = value.toDouble(-1);
  if (!value.isDouble() || number < 0 || number > kLargestId || number != double(std::int32_t(number)))
    refuse(place, QStringLiteral("is not an id from 0 to %1").arg(kLargestId));
  return std::int32_t(number);
}

/// {"String": …} or {"Regex": …}.
inline std::unique_ptr<Pattern> patternOf(const QJsonValue& value, const Place& place, bool fast) {
  const QJsonObject object = objectOf(value, place);
  if (object.contains("String")) return literalPattern(textOf(object["String"], place.in("String")));
  if (!object.contains("Regex")) refuse(place, QStringLiteral("has neither String nor Regex"));
  auto compiled = compileRegex(textOf(object["Regex"], place.in("Regex")), fast, place.in("Regex").member);
  if (compiled) return std::move(*compiled);
  Failure failure = compiled.error();
  failure.args["path"] = place.path;
  throw TokenizerError{failure};
}

constexpr int kDeepest = 16;  ///< of sequences in sequences

}  // namespace cloister
