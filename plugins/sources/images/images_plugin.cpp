#include "plugins/sources/images/images_plugin.h"

#include <QDateTime>
#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "plugins/sources/images/raster.h"

using namespace cloister;
using namespace cloister::images;

namespace {

std::vector<float> greyValues(const Raster& r) {
  const size_t count = size_t(r.width) * size_t(r.height);
  std::vector<float> out(count);
  const auto fill = [&](auto zero) {
    const auto* p = reinterpret_cast<const decltype(zero)*>(r.bytes.data());
    for (size_t i = 0; i < count; ++i) out[i] = float(p[i]);
  };
  if (r.isFloat) fill(float{});
  else if (r.bytesPerSample == 2) fill(std::uint16_t{});
  else fill(std::uint8_t{});
  return out;
}

std::vector<std::uint8_t> eightBitColours(const Raster& r) {
  if (r.bytesPerSample == 1) return r.bytes;
  const auto* p = reinterpret_cast<const std::uint16_t*>(r.bytes.data());
  std::vector<std::uint8_t> out(r.bytes.size() / 2);
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::uint8_t((p[i] + 128u) / 257u);
  return out;
}

}  // namespace

const QByteArray& ImagesPlugin::bytesOf(const QString& path) {
  const qint64 time = QFileInfo(path).lastModified().toMSecsSinceEpoch();
  if (path == lastPath_ && time == lastTime_) return last_;
  lastPath_.clear();
  last_.clear();
  auto bytes = readFile(path, 256 << 20);
  if (!bytes) throw SourceError(bytes.error().kind, bytes.error().detail, {{"limit", 256 << 20}});
  last_ = *bytes;
  lastPath_ = path;
  lastTime_ = time;
  return last_;
}

bool ImagesPlugin::recognises(const QString& path, const QByteArray& head) const {
  if (formatOf(head) != Format::None) return true;
  // An empty or foreign file with an image's name is a damaged image, worth saying so.
  static const QStringList suffixes{"png", "jpg", "jpeg", "tif", "tiff", "bmp"};
  return suffixes.contains(QFileInfo(path).suffix().toLower()) && head.isEmpty();
}

Result<QList<Sample>> ImagesPlugin::describe(const QString& path, const QJsonObject& options) {
  return guardedSource<QList<Sample>>([&]() -> Result<QList<Sample>> {
    const Info info = infoOf(bytesOf(path));
    Sample s;
    s.source = QStringLiteral("images");
    s.width = info.width;
    s.height = info.height;
    s.channels = info.samples;
    s.bits = info.bits;
    s.frames = info.pages;
    s.header = {{"Format", info.format}, {"Encoding", info.encoding}};
    QList<Sample> samples;
    const int pages = options["frames"].toString() == u"first" ? 1 : info.pages;
    for (s.frame = 0; s.frame < pages; ++s.frame) samples << s;
    return samples;
  });
}

Result<DecodedFrame> ImagesPlugin::decode(const QString& path, int frame) {
  return guardedSource<DecodedFrame>([&]() -> Result<DecodedFrame> {
    const Raster r = images::decode(bytesOf(path), frame);
    DecodedFrame out;
    out.width = r.width;
    out.height = r.height;
    out.channels = r.samples;
    if (r.samples == 3) {
      out.rgb = eightBitColours(r);
      return out;
    }
    out.grey = greyValues(r);
    out.inverted = r.inverted;
    if (r.bytesPerSample == 1) {  // 8 bits are meant as they are: value/255
      out.windowCenter = 127.5;
      out.windowWidth = 255;
      out.voiFunction = VoiFunction::LinearExact;
    }
    return out;
  });
}

Result<StoredFrame> ImagesPlugin::stored(const QString& path, int frame) {
  return guardedSource<StoredFrame>([&]() -> Result<StoredFrame> {
    Raster r = images::decode(bytesOf(path), frame);
    return StoredFrame{r.width, r.height, r.samples, r.bytesPerSample, r.isFloat ? 'f' : 'u', std::move(r.bytes)};
  });
}

QJsonObject ImagesPlugin::header(const QString& path, int) {
  const Info info = infoOf(bytesOf(path));
  const auto row = [](const char* keyword, const QString& value) {
    return QJsonArray{QString(), QString(), QString::fromLatin1(keyword), value};
  };
  return {{"header", QJsonArray{row("Format", info.format), row("Encoding", info.encoding), row("Width", QString::number(info.width)),
                                row("Height", QString::number(info.height)), row("BitsPerSample", QString::number(info.bits)),
                                row("Pages", QString::number(info.pages))}},
          {"windows", QJsonArray()},
          {"lut", false},
          {"photometric", info.encoding},
          {"bits", info.bits},
          {"frames", info.pages}};
}
