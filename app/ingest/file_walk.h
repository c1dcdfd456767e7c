// What an import is asked to read, as a list of files: names only, nothing is opened. Loops of symbolic links end by (device, inode).
#pragma once
#include <vector>

#include <QSet>
#include <QString>
#include <QStringList>

#include "core/domain/failure.h"

namespace cloister {

struct FoundFile {
  QString path;   ///< absolute
  QString key;    ///< below the import's root, '/'
  QString label;  ///< folder of the class, empty when the file lies in the root itself
};

struct Found {
  std::vector<FoundFile> files;                      ///< sorted by path within each root
  std::vector<std::pair<QString, Failure>> refused;  ///< not regular, not readable, not there
  QStringList places;                                ///< where the files lie: the roots, and links that lead out of them
};

/// labels: parent, top or none.
Found walk(const QStringList& roots, const QString& labels);

}  // namespace cloister
