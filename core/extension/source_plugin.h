// The interface of a data source. Described by its JSON (id, name, file patterns, ParameterSchema) to GUI and CLI; loaded and executed in
// decode children of cloister-ingest only. Implementations may throw std::exception; the child turns it into a refusal.
#pragma once
#include <memory>
#include <vector>

#include <QJsonObject>
#include <QStringList>
#include <QtPlugin>

#include "core/domain/result.h"
#include "core/domain/sample.h"

namespace cloister {

/// One decoded frame after the modality LUT, before the window: grey values in modality units or 8-bit RGB.
struct DecodedFrame {
  int width = 0, height = 0, channels = 1;
  std::vector<float> grey;                   ///< channels 1: [height][width], modality units
  std::vector<std::uint8_t> rgb;             ///< channels 3: [height][width][3]
  bool inverted = false;                     ///< MONOCHROME1: white is low
  double windowCenter = 0, windowWidth = 0;  ///< first VOI window, 0: none
  std::vector<float> voiLut;                 ///< VOI LUT data scaled to 0…1, empty without; first mapped value below
  double voiLutFirst = 0;
};

class SourcePlugin {
 public:
  virtual ~SourcePlugin() = default;
  /// Cheap look at name and first bytes: is this file worth a decode?
  virtual bool recognises(const QString& path, const QByteArray& head) const = 0;
  /// Header only: one Sample per frame to import (options decide). Everything but sha256, thumbnail and hash is filled in.
  virtual Result<QList<Sample>> describe(const QString& path, const QJsonObject& options) = 0;
  virtual Result<DecodedFrame> decode(const QString& path, int frame) = 0;
  /// All header values for the viewer: [tag, vr, keyword, value].
  virtual QJsonObject header(const QString& path) = 0;
};

}  // namespace cloister

#define CloisterSourcePlugin_iid "org.cloister.SourcePlugin/1"
Q_DECLARE_INTERFACE(cloister::SourcePlugin, CloisterSourcePlugin_iid)
