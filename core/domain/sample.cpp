#include "core/domain/sample.h"

namespace cloister {

QJsonObject Sample::toJson() const {
  return {{"key", key},
          {"source", source},
          {"file", file},
          {"sha256", sha256},
          {"bytes", bytes},
          {"width", width},
          {"height", height},
          {"channels", channels},
          {"bits", bits},
          {"frames", frames},
          {"frame", frame},
          {"modality", modality},
          {"site", site},
          {"patient", patient},
          {"study", study},
          {"series", series},
          {"instance", instance},
          {"label", label},
          {"labelOrigin", labelOrigin},
          {"problem", problem},
          {"excluded", excluded},
          {"perceptualHash", QString::number(perceptualHash, 16).rightJustified(16, '0')},
          {"thumb", QJsonObject{{"offset", thumbOffset}, {"width", thumbWidth}, {"height", thumbHeight}, {"channels", thumbChannels}}},
          {"windowCenter", windowCenter},
          {"windowWidth", windowWidth},
          {"header", header}};
}

Sample Sample::fromJson(const QJsonObject& o) {
  Sample s;
  s.key = o["key"].toString();
  s.source = o["source"].toString();
  s.file = o["file"].toString();
  s.sha256 = o["sha256"].toString();
  s.bytes = o["bytes"].toInteger();
  s.width = o["width"].toInt();
  s.height = o["height"].toInt();
  s.channels = o["channels"].toInt(1);
  s.bits = o["bits"].toInt(8);
  s.frames = o["frames"].toInt(1);
  s.frame = o["frame"].toInt();
  s.modality = o["modality"].toString();
  s.site = o["site"].toString();
  s.patient = o["patient"].toString();
  s.study = o["study"].toString();
  s.series = o["series"].toString();
  s.instance = o["instance"].toString();
  s.label = o["label"].toString();
  s.labelOrigin = o["labelOrigin"].toString();
  s.problem = o["problem"].toString();
  s.excluded = o["excluded"].toBool();
  s.perceptualHash = o["perceptualHash"].toString().toULongLong(nullptr, 16);
  const QJsonObject thumb = o["thumb"].toObject();
  s.thumbOffset = thumb["offset"].toInteger(-1);
  s.thumbWidth = thumb["width"].toInt();
  s.thumbHeight = thumb["height"].toInt();
  s.thumbChannels = thumb["channels"].toInt(1);
  s.windowCenter = o["windowCenter"].toDouble();
  s.windowWidth = o["windowWidth"].toDouble();
  s.header = o["header"].toObject();
  return s;
}

}  // namespace cloister
