// The kinds of project in words and pictures. Main thread.
#pragma once
#include "core/domain/task.h"

namespace cloister {

QString taskName(const Task&);   ///< "Language model"
QString taskAbout(const Task&);  ///< two sentences for who chooses
QString taskIcon(const Task&);
QString taskSample(const Task&);  ///< of the button that makes a sample project of this kind

}  // namespace cloister
