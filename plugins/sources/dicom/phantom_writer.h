// Writes phantoms as Digital X-Ray objects: several patients, two sites, two classes, the transfer syntaxes and character sets of real
// archives, and SYNTHETIC in every name. Throws SourceError. Decode child only.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/extension/source_plugin.h"

namespace cloister::dicom {

/// options: {"patients":60,"seed":1}. Files below dir as <patient>/IM0001.dcm, and labels.csv (file,patient_id,label,site) written last.
/// Returns {"images","patients","labels":"…/labels.csv"}.
QJsonObject writePhantoms(const QString& dir, const QJsonObject& options, const ProgressFunction& progress);

}  // namespace cloister::dicom
