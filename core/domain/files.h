// Whole-or-absent files, canonical JSON and digests: the few file habits every part shares. Any thread; blocking I/O.
#pragma once
#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

/// Staged beside its place, fsync'ed, renamed, folder fsync'ed: after a crash the old or the new content is there, never half.
Result<void> writeFileAtomically(const QString& path, QByteArrayView bytes);
Result<void> writeJsonAtomically(const QString& path, const QJsonObject&);

/// Whole file; TooLarge beyond maxBytes so that untrusted sizes never become allocations.
Result<QByteArray> readFile(const QString& path, qint64 maxBytes = 64 << 20);
/// One JSON object; CorruptFile names the byte position.
Result<QJsonObject> readJson(const QString& path, qint64 maxBytes = 64 << 20);

/// fsync of a folder, so that a rename in it survives a power cut.
Result<void> syncFolder(const QString& path);

/// Keys sorted by UTF-16 code unit, no white space, shortest numbers: equal values give equal bytes (RFC 8785 for the values we use).
QByteArray canonicalJson(const QJsonObject&);

/// Lower-case hex SHA-256.
QString sha256Hex(QByteArrayView bytes);
Result<QString> sha256OfFile(const QString& path);

/// Bytes free for this user where path (or its nearest existing parent) lies.
qint64 bytesFree(const QString& path);

}  // namespace cloister
