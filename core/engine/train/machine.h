// Memory and processors as the training process sees them. No LibTorch. Any thread.
#pragma once
#include <QtGlobal>

namespace cloister {

int processorCount();      ///< that this process may use
qint64 memoryAvailable();  ///< MemAvailable, bounded by the cgroup's limit; bytes, 0: unknown
qint64 residentBytes();    ///< of this process

}  // namespace cloister
