// Opens the project a verb was pointed at. Main thread.
#pragma once
#include "app/cli/context.h"
#include "core/domain/task.h"
#include "core/store/project.h"

namespace cloister::cli {

inline Result<std::unique_ptr<Project>> openProject(const Context& context, Project::Mode mode = Project::Mode::ReadWrite) {
  return Project::open(context.projectDir(), mode);
}

inline bool isLanguage(const Project& project) { return isLanguageTask(project.info().task); }

}  // namespace cloister::cli
