#include "core/text/json_text.h"

namespace cloister {

QJsonDocument parseJsonExactly(QByteArray bytes, QJsonParseError* error) {
  static const QByteArray mark("\xEF\xBB\xBF");
  if (bytes.startsWith(mark)) bytes = bytes.sliced(mark.size());  // of the file, not of a text
  if (bytes.contains(mark)) bytes.replace(mark, "\\ufeff");
  return QJsonDocument::fromJson(bytes, error);
}

}  // namespace cloister
