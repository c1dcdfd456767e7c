#include "widgets/data/thumb_files.h"

#include <cstring>

namespace cloister {
namespace {
constexpr int kLongestSide = 4096;  // a lying record must not become an allocation
}

QImage ThumbFiles::image(const QString& importDir, const Sample& s) {
  if (s.thumbOffset < 0 || s.thumbWidth <= 0 || s.thumbHeight <= 0 || s.thumbWidth > kLongestSide || s.thumbHeight > kLongestSide)
    return {};
  const int channels = s.thumbChannels == 3 ? 3 : 1;
  const qint64 end = s.thumbOffset + qint64(s.thumbWidth) * s.thumbHeight * channels;
  std::unique_ptr<Mapped>& mapped = files_[importDir];
  if (!mapped || mapped->size < end) {  // new, or grown while the import goes on
    mapped = std::make_unique<Mapped>();
    mapped->file.setFileName(importDir + "/thumbs.pack");
    if (mapped->file.open(QIODevice::ReadOnly)) {
      mapped->size = mapped->file.size();
      mapped->bytes = mapped->file.map(0, mapped->size);
    }
  }
  if (!mapped->bytes || mapped->size < end) return {};
  QImage image(s.thumbWidth, s.thumbHeight, channels == 3 ? QImage::Format_RGB888 : QImage::Format_Grayscale8);
  const uchar* from = mapped->bytes + s.thumbOffset;
  const qsizetype row = qsizetype(s.thumbWidth) * channels;
  for (int y = 0; y < s.thumbHeight; ++y) std::memcpy(image.scanLine(y), from + y * row, size_t(row));
  return image;
}

}  // namespace cloister
