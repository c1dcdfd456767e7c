// Files that only their owner may read (mode 0600): key files. Internal to core/trust; any thread; blocking.
#pragma once
#include <QByteArray>
#include <QString>

#include "core/domain/result.h"

namespace cloister {
/// A new file with mode 0600, synced; AlreadyExists when it is there.
Result<void> writeNewPrivateFile(const QString& path, QByteArrayView bytes);
/// Whole or absent: staged with mode 0600, synced, renamed over the former one.
Result<void> replacePrivateFile(const QString& path, QByteArrayView bytes);
/// Renames a folder into place; AlreadyExists when something is there. Syncs the parent.
Result<void> renameNew(const QString& from, const QString& to);
}  // namespace cloister
