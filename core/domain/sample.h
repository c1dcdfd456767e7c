// One item of a dataset: a frame of a DICOM object, an image file, a row. A value; any thread.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct Sample {
  qint64 id = 0;   ///< row in the project database
  QString key;     ///< path below the import's root, forward slashes, '#frame' appended for one frame of several
  QString source;  ///< plugin id: dicom, images, text
  QString file;    ///< where it was imported from (absolute, may be gone)
  QString sha256;  ///< of the original bytes = its name in objects/
  qint64 bytes = 0;
  int width = 0, height = 0;  ///< pixels
  int channels = 1;           ///< 1 grey, 3 colour
  int bits = 8;               ///< bits stored
  int frames = 1, frame = 0;  ///< frame: 0-based, the one this sample is; frames of a text file: its records
  QString modality;           ///< DICOM Modality; of a text file its kind (plain, instructions, pairs, preferences); empty for plain images
  QString site;               ///< InstitutionName or the site column
  QString patient;            ///< PatientID or the group column; splits keep it together
  QString study, series, instance;  ///< StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID
  QString label;                    ///< class name, empty = unlabelled
  QString labelOrigin;              ///< folder, csv, header, person
  QString problem;                  ///< empty or a FailureKind word of a warning found at import
  bool excluded = false;            ///< left out of snapshots by a person
  quint64 perceptualHash = 0;       ///< 64-bit difference hash of the windowed image
  qint64 importId = 0;
  qint64 thumbOffset = -1;  ///< into imports/<id>/thumbs.pack; -1: none
  int thumbWidth = 0, thumbHeight = 0, thumbChannels = 1;
  double windowCenter = 0, windowWidth = 0;  ///< the VOI window used, in modality units; width 0: full range
  QJsonObject header;                        ///< selected header values for the inspector

  QJsonObject toJson() const;
  static Sample fromJson(const QJsonObject&);
};

}  // namespace cloister
