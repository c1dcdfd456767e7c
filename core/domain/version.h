// The program's version and the commit it was built from. Any thread.
#pragma once
#include <QString>

namespace cloister {
QString programVersion();  ///< "0.1.0"
QString codeCommit();      ///< git describe at configure time, "unknown" outside a checkout
}  // namespace cloister
