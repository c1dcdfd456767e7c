// Thumbnails from imports/i-NNNNNN/thumbs.pack, mapped into memory. One thread per object (the reading thread).
#pragma once
#include <map>
#include <memory>

#include <QFile>
#include <QImage>

#include "core/domain/sample.h"

namespace cloister {

class ThumbFiles {
 public:
  /// importDir: folder of the sample's import. A null image when there is none or the file is shorter than the sample says.
  QImage image(const QString& importDir, const Sample& sample);

 private:
  struct Mapped {
    QFile file;
    uchar* bytes = nullptr;
    qint64 size = 0;
  };
  std::map<QString, std::unique_ptr<Mapped>> files_;
};

}  // namespace cloister
