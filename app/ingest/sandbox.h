// What a decode child may still do once its plugins are loaded: read the files it was started for and the system's libraries, write where
// its answer goes, and nothing else. Landlock for files and signals, seccomp for system calls; no privilege is needed. Sources: Linux
// Documentation/userspace-api/landlock.rst and seccomp_filter.rst.
#pragma once
#include <QJsonObject>
#include <QString>
#include <QStringList>

namespace cloister {

/// Files or folders. What does not exist is left out.
struct SandboxPaths {
  QStringList read;
  QStringList write;    ///< folders
  QStringList sources;  ///< plugins to load before: dicom, images, table

  QJsonObject toJson() const;
  static SandboxPaths fromJson(const QJsonObject&);
};

struct Sandbox {
  int landlock = 0;      ///< the kernel's version of it, 0: files are not confined
  bool seccomp = false;  ///< system calls are filtered
  QString reason;        ///< why something of it is missing

  QJsonObject toJson() const;
};

/// Any process; asks the kernel, changes nothing.
Sandbox possibleSandbox();

/// The calling process, for good and for all threads it will start; call it while there is one. PR_SET_NO_NEW_PRIVS must be set.
Sandbox enterSandbox(const SandboxPaths&);

/// Tries what a subverted decoder would try and says how it ended: {"readForeign": "EACCES" | "allowed" …}. For `cloister-ingest
/// self-test`.
QJsonObject tryForbidden();
/// Does not come back where the filter works: it ends the process.
void tryFatal(const QString& what);

}  // namespace cloister
