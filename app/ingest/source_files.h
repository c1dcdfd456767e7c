// Opening what a user points at: only regular files, never blocking on a FIFO, never trusting a name. Any thread.
#pragma once
#include <QByteArray>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

/// First 4 KiB. UnsupportedFormat for anything but a regular file; TruncatedFile for an empty one is left to the source.
Result<QByteArray> headOf(const QString& path);

/// The whole of a regular file of 1 to `most` bytes. Null for any other size, and when the file changes while it is read: then it has to be
/// copied.
Result<QByteArray> contentsOf(const QString& path, qint64 most);

/// Lower-case hex.
QString sha256Of(QByteArrayView bytes);

/// A new file of mode 0444.
Result<void> writeReadOnly(const QString& path, QByteArrayView bytes);

struct Copied {
  QString sha256;
  qint64 bytes = 0;
};

/// Copies a regular file to a new file and hashes it on the way. alive() is called every 64 MiB.
Result<Copied> copyAndHash(const QString& from, const QString& to, void (*alive)());

}  // namespace cloister
