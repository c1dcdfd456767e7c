// What can go wrong, as a value: a kind that scripts can test, arguments for the sentence, and the technical text.
// Made anywhere, worded for people in one place only (describe). Any thread.
#pragma once
#include <QJsonObject>
#include <QString>

namespace cloister {

/// The kinds are stable words: they stand in --json output, event logs and tests. Add at the end, never rename.
enum class FailureKind {
  Internal,             ///< a broken promise inside the program
  InvalidArgument,      ///< a parameter out of its range; args: name, value, allowed
  NotFound,             ///< args: path or name
  AlreadyExists,        ///< args: path or name
  PermissionDenied,     ///< args: path
  ReadOnly,             ///< the folder or medium cannot be written; args: path
  DiskFull,             ///< args: path, needed, free (bytes)
  IoError,              ///< args: path
  UnsupportedFormat,    ///< not a kind of file this source reads; args: path
  UnsupportedEncoding,  ///< right kind, but a transfer syntax or encoding nobody here decodes; args: path, encoding
  CorruptFile,          ///< args: path, position when known
  TruncatedFile,        ///< args: path
  NoPixelData,          ///< a readable DICOM object without an image; args: path
  TooLarge,             ///< beyond a stated limit; args: path, limit
  Timeout,              ///< args: path or what, seconds
  Crashed,              ///< a child process ended by a signal; args: program, signal
  WorkerFailed,         ///< a child ended with a failure of its own; args: program, code
  DatabaseLocked,       ///< another process holds the project; args: path, pid, host
  DatabaseCorrupt,      ///< args: path
  NewerVersion,         ///< written by a newer program; args: path, found, supported
  PolicyRefused,        ///< allowed by nobody, or only with a typed reason; args: rule
  IdentityChanged,      ///< a resume with other data, base weights or family; args: what, expected, found
  NonFinite,            ///< NaN or infinity in the loss or gradient; args: step, batch
  OutOfMemory,          ///< args: needed, free (bytes)
  SignatureInvalid,     ///< args: reason
  KeyInvalid,           ///< args: name
  WrongPassphrase,      ///< args: name
  Stopped,              ///< ended as asked
  NothingToDo,          ///< no snapshot, no run, no samples …; args: what, next
  DeviceUnavailable,    ///< a graphics card cannot be used; args: reason (no_driver …, see failure.cpp), device, found, wanted, path
  EmptyFile,            ///< args: path
  InvalidText,          ///< not UTF-8, or with NUL bytes; args: path, line, byte (both from 1), offset
  InvalidTextLine,      ///< a line of a text file does not hold what it should; args: path, line, why (what was looked for)
  LineCountMismatch,    ///< files that belong together line by line; args: path, found, other, expected
  TemplateFailed,       ///< a chat template; args: path, line, column (both from 1), why, raised (the template itself refuses)
};

struct Failure {
  FailureKind kind = FailureKind::Internal;
  QJsonObject args;  ///< named values for the sentence
  QString detail;    ///< technical text (errno, library message); never translated

  QJsonObject toJson() const;
  static Failure fromJson(const QJsonObject&);
};

/// Stable word of a kind, for example "truncated_file".
QString failureKindName(FailureKind);
FailureKind failureKindFromName(QStringView);

/// The sentence for people: what happened, to what, what to do now. Translated; the only place where failures are worded.
QString describe(const Failure&);

/// The exit code a command-line program ends with: 1 failed, 2 usage, 3 bad input, 4 refused by policy, 130 stopped.
int exitCodeFor(FailureKind);

/// From errno after a system call on path. ENOSPC → DiskFull, EROFS → ReadOnly, EACCES → PermissionDenied, ENOENT → NotFound …
Failure failureFromErrno(int error, const QString& path);

}  // namespace cloister
