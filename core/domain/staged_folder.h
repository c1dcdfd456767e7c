// A folder that is there whole or not at all: filled under a hidden name beside its place, synced, renamed. Any thread; blocking I/O.
#pragma once
#include <QString>

#include "core/domain/result.h"

namespace cloister {

class StagedFolder {
 public:
  /// AlreadyExists when something lies at `to`, NotFound when its parent is missing. Removes what a killed writer of the same folder left.
  static Result<StagedFolder> begin(const QString& to);
  ~StagedFolder();  ///< removes what was not published
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;

  const QString& path() const { return path_; }
  Result<void> publish();

 private:
  StagedFolder(QString to, QString path) : to_(std::move(to)), path_(std::move(path)) {}
  QString to_, path_;
};

}  // namespace cloister
