// The inside of Project, shared by its source files. Nobody else includes it.
#pragma once
#include <memory>

#include <QLockFile>

#include "core/store/database.h"
#include "core/store/project.h"

namespace cloister {

struct Project::Private {
  QString dir;
  ProjectInfo info;
  Mode mode = Mode::ReadOnly;
  std::unique_ptr<QLockFile> lock;
  std::unique_ptr<Database> db;
};

/// "2026-11-24T06:40:00.123Z"
QString utcNow();
/// The account that works with the project: history rows say who.
QString userName();
QByteArray jsonText(const QJsonObject&);
QJsonObject jsonObject(QByteArrayView);

}  // namespace cloister
