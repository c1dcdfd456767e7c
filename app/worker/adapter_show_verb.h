// The verb adapter-show (app/worker/verbs.h).
#pragma once
#include <QStringList>

namespace cloister {

int adapterShowVerb(const QStringList& arguments);

}  // namespace cloister
