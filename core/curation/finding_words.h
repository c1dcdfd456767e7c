// Findings of checkDataset in the language of the screen or terminal, worded by kind and arguments. Main thread.
#pragma once
#include "core/curation/dataset.h"

namespace cloister {
QString describeFinding(const Finding&);
/// Name of a column: format, semantic, distribution.
QString findingColumnTitle(const QString& column);
}  // namespace cloister
