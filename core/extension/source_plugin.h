// The interface of a data source. Described by its JSON (id, name, file patterns, ParameterSchema) to GUI and CLI; loaded and executed in
// decode children of cloister-ingest only. Implementations may throw std::exception; the child turns it into a refusal (a SourceError
// keeps its kind). One object is used by one thread at a time; it may keep the file it opened last.
#pragma once
#include <functional>
#include <new>
#include <stdexcept>
#include <vector>

#include <QJsonObject>
#include <QStringList>
#include <QtPlugin>

#include "core/domain/result.h"
#include "core/domain/sample.h"

namespace cloister {

/// How a VOI window maps to 0…1 (DICOM PS3.3 C.11.2.1.2 and .3).
enum class VoiFunction { Linear, LinearExact, Sigmoid };

/// One decoded frame after the modality LUT, before the window: grey values in modality units or 8-bit RGB.
struct DecodedFrame {
  int width = 0, height = 0, channels = 1;
  std::vector<float> grey;                   ///< channels 1: [height][width], modality units
  std::vector<std::uint8_t> rgb;             ///< channels 3: [height][width][3]
  bool inverted = false;                     ///< MONOCHROME1: white is low
  double windowCenter = 0, windowWidth = 0;  ///< first VOI window; width 0: none
  VoiFunction voiFunction = VoiFunction::Linear;
  std::vector<float> voiLut;  ///< VOI LUT data scaled to 0…1, empty without; first mapped value below
  double voiLutFirst = 0;
  /// Of a preview: how often the frame was halved. Pixel k then lies where pixel k·2^halved of the whole was (a wavelet's low pass).
  int halved = 0;
  int fullWidth = 0, fullHeight = 0;  ///< with halved: the size of the whole
};

/// One frame as it is stored, before any LUT or colour conversion: little-endian samples, pixel-interleaved.
struct StoredFrame {
  int width = 0, height = 0, samples = 1;
  int bytesPerSample = 1;  ///< 1, 2, 4 or 8
  char type = 'u';         ///< u unsigned, i signed, f floating point
  std::vector<std::uint8_t> bytes;
};

/// Thrown inside sources: a failure with its kind. The path is filled in by the child.
class SourceError : public std::runtime_error {
 public:
  SourceError(FailureKind kind, const QString& detail, QJsonObject args = {})
      : std::runtime_error(detail.toStdString()), failure{kind, std::move(args), detail} {}
  Failure failure;
};

/// What a source throws becomes the failure it stands for.
template <typename T, typename Work>
Result<T> guardedSource(const Work& work) {
  try {
    return work();
  } catch (const SourceError& e) {
    return e.failure;
  } catch (const std::bad_alloc&) {
    return Failure{FailureKind::OutOfMemory, {}, QStringLiteral("the decoder asked for more memory than a file may take")};
  } catch (const std::exception& e) {
    return Failure{FailureKind::CorruptFile, {}, QString::fromLocal8Bit(e.what())};
  }
}

using ProgressFunction = std::function<bool(qint64 done, qint64 total)>;  ///< false: stop

class SourcePlugin {
 public:
  virtual ~SourcePlugin() = default;
  /// Cheap look at name and first bytes: is this file worth a decode?
  virtual bool recognises(const QString& path, const QByteArray& head) const = 0;
  /// From now on and until the next offer, this path stands for these bytes, which were read already: a source that can parse memory says
  /// true and opens no file for it. An empty offer takes the last one back.
  virtual bool offer(const QString& path, const QByteArray& bytes) {
    Q_UNUSED(path)
    Q_UNUSED(bytes)
    return false;
  }
  /// Whether its samples can be looked at: no thumbnail is made otherwise.
  virtual bool pictures() const { return true; }
  /// Header only: one Sample per frame to import (options decide). Everything but key, sha256, thumbnail and hash is filled in.
  virtual Result<QList<Sample>> describe(const QString& path, const QJsonObject& options) = 0;
  virtual Result<DecodedFrame> decode(const QString& path, int frame) = 0;
  /// As decode, for a small picture: a coding that holds the image in several resolutions may give one whose longer edge has at least
  /// `side` pixels. It refuses what decode refuses, and gives the whole frame where decode gives no window.
  virtual Result<DecodedFrame> preview(const QString& path, int frame, int side) {
    Q_UNUSED(side)
    return decode(path, frame);
  }
  /// The samples as stored (render, stage "stored").
  virtual Result<StoredFrame> stored(const QString& path, int frame) = 0;
  /// For the viewer: {"header":[[tag, vr, keyword, value]…],"windows":[{center,width,explanation}],"photometric","bits","frames","lut"};
  /// the windows are those of the frame.
  virtual QJsonObject header(const QString& path, int frame) = 0;
  /// An index file (DICOMDIR): the files it names, relative to its folder, unchecked. Anything else: nullopt-like empty failure
  /// NothingToDo.
  virtual Result<QStringList> references(const QString&) { return Failure{FailureKind::NothingToDo, {}, {}}; }
  /// Writes made-up data of this kind into dir: deterministic from options {"patients" or "records","seed"}.
  virtual Result<QJsonObject> synthesize(const QString& dir, const QJsonObject& options, const ProgressFunction& progress) {
    Q_UNUSED(options)
    Q_UNUSED(progress)
    return Failure{FailureKind::UnsupportedFormat, {{"path", dir}}, {}};
  }
};

}  // namespace cloister

#define CloisterSourcePlugin_iid "org.cloister.SourcePlugin/2"
Q_DECLARE_INTERFACE(cloister::SourcePlugin, CloisterSourcePlugin_iid)
