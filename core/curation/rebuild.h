// Rebuilding a project's index from its files, after the database was lost or damaged. Called by `project rebuild`; any thread.
#pragma once
#include <memory>

#include <QStringList>

#include "core/domain/result.h"
#include "core/store/project.h"

namespace cloister {

struct Rebuilt {
  std::unique_ptr<Project> project;
  qint64 imports = 0, samples = 0, snapshots = 0;
  QStringList unreadable;  ///< folders whose files could not be read: {"imports/i-000003: …"}
};

/// Replays every import's records.jsonl in order and takes snapshots, with their labels, patients and sites, from their folders (the newest
/// one wins). What only the database knew is lost and said so by the caller: labels set after the newest snapshot, exclusions, the undo
/// history. Runs are read from their folders by RunSupervisor::attach.
Result<Rebuilt> rebuildIndex(const QString& projectDir);

}  // namespace cloister
