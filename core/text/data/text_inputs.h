// The files a job about texts reads: opened by mmap, each with its name and how its records are read. Any thread.
#pragma once
#include <memory>
#include <vector>

#include <QJsonObject>

#include "core/text/data/text_records.h"
#include "core/text/mapped_text.h"

namespace cloister {

struct TextInput {
  QString path;
  QString name;  ///< what it was called when it was imported; its suffix says how to read it
  RecordOptions options;
  std::shared_ptr<MappedText> file;
};

struct TextInputs {
  std::vector<TextInput> files;
  std::int64_t bytes = 0;

  /// job: "kind" and "inputs", a list of paths (read as each, prompt, sourceColumn and targetColumn of the job say) or of
  /// {"path","name","kind","each","prompt","sourceColumn","targetColumn"} for files kept under another name.
  static Result<TextInputs> open(const QJsonObject& job);
};

}  // namespace cloister
