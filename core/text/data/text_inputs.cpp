#include "core/text/data/text_inputs.h"

#include <QJsonArray>

namespace cloister {

Result<TextInputs> TextInputs::open(const QJsonObject& job) {
  TextInputs all;
  for (const QJsonValue& value : job["inputs"].toArray()) {
    QJsonObject how = value.isObject() ? value.toObject() : job;
    if (!how.contains("kind")) how["kind"] = job["kind"];
    auto options = RecordOptions::fromJson(how);
    if (!options) return options.error();
    TextInput input;
    input.path = value.isObject() ? how["path"].toString() : value.toString();
    input.name = value.isObject() ? how["name"].toString() : input.path;
    input.options = *options;
    const auto file = MappedText::open(input.path);
    if (!file) return file.error();
    input.file = *file;
    all.bytes += std::int64_t(input.file->view().size());
    all.files.push_back(std::move(input));
  }
  return all;
}

}  // namespace cloister
