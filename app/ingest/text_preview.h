// The first records of a text file, for people to look at. In a child of cloister-ingest only.
#pragma once
#include <QJsonObject>

#include "core/domain/result.h"

namespace cloister {

/// job: "inputs" (TextInputs) with one file, "count". {"records": [{"line","text"} |
/// {"line","turns":[{"role","text"}],"chosen","rejected"}], "refused": [{"line","why"}], "whole": all of the file was read}. Texts are cut
/// after some thousand characters.
Result<QJsonObject> previewRecords(const QJsonObject& job);

}  // namespace cloister
