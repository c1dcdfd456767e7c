#include "core/domain/version.h"

#include "cloister_version.h"

namespace cloister {
QString programVersion() { return QStringLiteral(CLOISTER_VERSION); }
QString codeCommit() { return QStringLiteral(CLOISTER_COMMIT); }
}  // namespace cloister
