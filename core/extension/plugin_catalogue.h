// What plugins there are, by reading their embedded JSON: never loads one (QPluginLoader::metaData). GUI, CLI and core. Any thread.
#pragma once
#include <QJsonObject>
#include <QList>
#include <QString>

#include "core/domain/parameter_schema.h"
#include "core/domain/result.h"

namespace cloister {

struct PluginInfo {
  QString kind;  ///< source, family, target
  QString id;    ///< dicom, images, image_classifier, onnx
  QString name;  ///< English, translated with context "Plugins"
  QString file;  ///< the library
  QString iid;
  QJsonObject json;  ///< MetaData
  ParameterSchema schema;
};

class PluginCatalogue {
 public:
  /// folder empty: plugins/ beside the program's bin/ (build tree and installation have the same shape), or $CLOISTER_PLUGINS.
  static PluginCatalogue scan(const QString& folder = {});
  QList<PluginInfo> all(const QString& kind) const;
  Result<PluginInfo> find(const QString& kind, const QString& id) const;

 private:
  QList<PluginInfo> plugins_;
};

/// bin/ next to this program: where cloister-worker, cloister-ingest and cloister-cli are.
QString siblingProgram(const QString& name);

}  // namespace cloister
