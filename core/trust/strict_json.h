// A JSON reader for signed text: what two readers could understand differently is refused (duplicate names, invalid UTF-8, lone surrogates,
// text after the end, deep nesting, huge objects). Internal to core/trust; any thread.
#pragma once
#include <optional>

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace cloister {

struct StrictJsonLimits {
  int depth = 32;
  int members = 4096;      ///< of one object
  int elements = 200'000;  ///< of one array
};

/// One JSON object. Empty with why (a word and a byte position) when the bytes are anything else.
std::optional<QJsonObject> parseStrictJson(const QByteArray& bytes, QString& why, const StrictJsonLimits& = {});

/// RFC 4648 section 4 exactly: padded, no white space, no URL alphabet, no stray bits.
std::optional<QByteArray> decodeStrictBase64(const QString& text);

}  // namespace cloister
