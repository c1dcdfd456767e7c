#include "widgets/project/task_words.h"

#include "widgets/project/new_project_sheet.h"

namespace cloister {

QString taskName(const Task& task) {
  switch (task.kind) {
    case Task::Kind::ImageClassification:
      return NewProjectSheet::tr("Image classification");
    case Task::Kind::LanguageModel:
      return NewProjectSheet::tr("Language model");
  }
  return task.id;
}

QString taskAbout(const Task& task) {
  switch (task.kind) {
    case Task::Kind::ImageClassification:
      return NewProjectSheet::tr(
          "Each image gets one of a few labels, for example normal or pneumonia. Works with DICOM and with picture files.");
    case Task::Kind::LanguageModel:
      return NewProjectSheet::tr(
          "Goes on writing, answers, translates or summarises. Learns from text files, from scratch or on a model you bring along.");
  }
  return {};
}

QString taskIcon(const Task& task) {
  return task.is(Task::Kind::LanguageModel) ? QStringLiteral("kind-texts") : QStringLiteral("kind-images");
}

QString taskSample(const Task& task) {
  return task.is(Task::Kind::LanguageModel) ? NewProjectSheet::tr("Try the sample texts") : NewProjectSheet::tr("Try the sample images");
}

}  // namespace cloister
