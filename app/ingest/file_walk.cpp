#include "app/ingest/file_walk.h"

#include <dirent.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <set>

#include <QDir>
#include <QFile>
#include <QFileInfo>

namespace cloister {
namespace {

class Walker {
 public:
  Walker(Found& found, QString labels) : found_(found), labels_(std::move(labels)) {}

  void root(const QString& path, bool several) {
    const QString absolute = QDir::cleanPath(QFileInfo(path).absoluteFilePath());
    struct stat s {};
    if (::stat(QFile::encodeName(absolute).constData(), &s) != 0) return refuse(absolute, failureFromErrno(errno, absolute));
    const QString name = QFileInfo(absolute).fileName();
    if (S_ISDIR(s.st_mode)) {
      found_.places << absolute;
      prefix_ = several ? name + '/' : QString();
      rootLabel_ = several ? name : QString();
      folder(absolute, {}, s);
    } else if (S_ISREG(s.st_mode)) {
      // A DICOMDIR names files below its own folder.
      found_.places << (name.startsWith(u"DICOMDIR", Qt::CaseInsensitive) ? QFileInfo(absolute).path() : absolute);
      add({absolute, name, {}});
    } else {
      refuse(absolute, {FailureKind::UnsupportedFormat, {{"path", absolute}}, QStringLiteral("not a regular file")});
    }
  }

 private:
  void refuse(const QString& path, Failure failure) { found_.refused.emplace_back(path, std::move(failure)); }

  void add(FoundFile file) {
    if (seen_.contains(file.path)) return;
    seen_.insert(file.path);
    found_.files.push_back(std::move(file));
  }

  QString labelOf(const QString& relativeFolder) const {
    if (labels_ == u"none") return {};
    if (relativeFolder.isEmpty()) return rootLabel_;
    return labels_ == u"top" ? relativeFolder.section('/', 0, 0) : relativeFolder.section('/', -1);
  }

  void folder(const QString& path, const QString& relative, const struct stat& self) {
    if (!folders_.insert({self.st_dev, self.st_ino}).second) return;  // a loop, or the same folder twice
    DIR* dir = ::opendir(QFile::encodeName(path).constData());
    if (!dir) return refuse(path, failureFromErrno(errno, path));
    std::vector<QByteArray> names;
    while (const dirent* entry = ::readdir(dir)) {
      const QByteArray name(entry->d_name);
      if (name != "." && name != "..") names.push_back(name);
      if (entry->d_type == DT_LNK || (entry->d_type == DT_UNKNOWN && QFileInfo(path + '/' + QFile::decodeName(name)).isSymLink()))
        found_.places << path + '/' + QFile::decodeName(name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    for (const QByteArray& raw : names) {
      const QString name = QFile::decodeName(raw), full = path + '/' + name;
      const QString below = relative.isEmpty() ? name : relative + '/' + name;
      struct stat s {};
      if (::stat(QFile::encodeName(full).constData(), &s) != 0) refuse(full, failureFromErrno(errno, full));
      else if (S_ISDIR(s.st_mode)) folder(full, below, s);
      else if (S_ISREG(s.st_mode)) add({full, prefix_ + below, labelOf(relative)});
      else refuse(full, {FailureKind::UnsupportedFormat, {{"path", full}}, QStringLiteral("not a regular file")});
    }
  }

  Found& found_;
  QString labels_, prefix_, rootLabel_;
  QSet<QString> seen_;
  std::set<std::pair<dev_t, ino_t>> folders_;
};

}  // namespace

Found walk(const QStringList& roots, const QString& labels) {
  Found found;
  Walker walker(found, labels);
  for (const QString& root : roots) walker.root(root, roots.size() > 1);
  return found;
}

}  // namespace cloister
