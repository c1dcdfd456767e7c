#include "widgets/data/frame_image.h"

#include <cstring>

#include <QFile>

#include "core/pixels/pixel_path.h"

namespace cloister {
namespace {
constexpr qint64 kPixels = qint64(1) << 28;
}

Result<std::shared_ptr<const DecodedFrame>> readFrame(const QString& file, const QJsonObject& answer) {
  auto frame = std::make_shared<DecodedFrame>();
  frame->width = answer["width"].toInt();
  frame->height = answer["height"].toInt();
  frame->channels = answer["channels"].toInt(1) == 3 ? 3 : 1;
  frame->inverted = answer["inverted"].toBool();
  const qint64 pixels = qint64(frame->width) * frame->height;
  QFile raw(file);
  if (!raw.open(QIODevice::ReadOnly)) return Failure{FailureKind::IoError, {{"path", file}}, raw.errorString()};
  const qint64 expected = pixels * (frame->channels == 3 ? 3 : qint64(sizeof(float)));
  if (frame->width <= 0 || frame->height <= 0 || pixels > kPixels || raw.size() != expected)
    return Failure{FailureKind::CorruptFile, {{"path", file}}, QStringLiteral("size %1, expected %2").arg(raw.size()).arg(expected)};
  char* to = nullptr;
  if (frame->channels == 3) {
    frame->rgb.resize(size_t(expected));
    to = reinterpret_cast<char*>(frame->rgb.data());
  } else {
    frame->grey.resize(size_t(pixels));
    to = reinterpret_cast<char*>(frame->grey.data());
  }
  if (raw.read(to, expected) != expected) return Failure{FailureKind::IoError, {{"path", file}}, raw.errorString()};
  return std::shared_ptr<const DecodedFrame>(frame);
}

QImage windowed(const DecodedFrame& frame, double center, double width) {
  GreyWindow window{center, width};
  if (width <= 0) window = chooseWindow(frame, QStringLiteral("percentile"));
  const std::vector<std::uint8_t> bytes = toBytes(toUnit(frame, window));
  const int channels = frame.channels == 3 ? 3 : 1;
  QImage image(frame.width, frame.height, channels == 3 ? QImage::Format_RGB888 : QImage::Format_Grayscale8);
  const size_t row = size_t(frame.width) * size_t(channels);
  for (int y = 0; y < frame.height; ++y) std::memcpy(image.scanLine(y), bytes.data() + size_t(y) * row, row);
  return image;
}

}  // namespace cloister
