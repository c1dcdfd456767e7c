#include "core/domain/staged_folder.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QUuid>

#include "core/domain/files.h"

namespace cloister {

Result<StagedFolder> StagedFolder::begin(const QString& to) {
  const QFileInfo target(to);
  if (target.exists() || target.isSymLink()) return Failure{FailureKind::AlreadyExists, {{"path", to}}, {}};
  const QString parent = target.absolutePath(), prefix = "." + target.fileName() + ".part-";
  if (!QFileInfo(parent).isDir()) return Failure{FailureKind::NotFound, {{"path", parent}}, {}};
  for (const QString& name : QDir(parent).entryList({prefix + "*"}, QDir::Dirs | QDir::Hidden))
    QDir(parent + '/' + name).removeRecursively();
  const QString path = parent + '/' + prefix + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (!QDir().mkdir(path)) return failureFromErrno(errno ? errno : EIO, to);
  return StagedFolder(target.absoluteFilePath(), path);
}

StagedFolder::~StagedFolder() {
  if (!path_.isEmpty()) QDir(path_).removeRecursively();
}

StagedFolder::StagedFolder(StagedFolder&& other) noexcept : to_(std::move(other.to_)), path_(std::exchange(other.path_, {})) {}

Result<void> StagedFolder::publish() {
  if (auto synced = syncFolder(path_); !synced) return synced;
  if (std::rename(QFile::encodeName(path_).constData(), QFile::encodeName(to_).constData()) != 0) return failureFromErrno(errno, to_);
  path_.clear();
  return syncFolder(QFileInfo(to_).absolutePath());
}

}  // namespace cloister
