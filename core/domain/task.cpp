#include "core/domain/task.h"

namespace cloister {

const QList<Task>& Task::all() {
  static const QList<Task> rows{{Kind::ImageClassification,
                                 QStringLiteral("image-classification"),
                                 {QStringLiteral("dicom"), QStringLiteral("images"), QStringLiteral("table")},
                                 true,
                                 QStringLiteral("data"),
                                 {QStringLiteral("data")},
                                 QStringLiteral("validation/auc")},
                                {Kind::LanguageModel,
                                 QStringLiteral("language-model"),
                                 {QStringLiteral("text")},
                                 false,
                                 QStringLiteral("texts"),
                                 {QStringLiteral("texts"), QStringLiteral("try")},
                                 QStringLiteral("validation/perplexity")}};
  return rows;
}

const Task& Task::named(const QString& id) {
  for (const Task& task : all())
    if (task.id == id) return task;
  return all().first();
}

const Task& Task::of(Kind kind) {
  for (const Task& task : all())
    if (task.kind == kind) return task;
  return all().first();
}

bool isLanguageTask(const QString& id) { return Task::named(id).is(Task::Kind::LanguageModel); }

}  // namespace cloister
