#include "core/extension/plugin_catalogue.h"

#include <QCoreApplication>
#include <QDirIterator>
#include <QPluginLoader>

namespace cloister {

PluginCatalogue PluginCatalogue::scan(const QString& folder) {
  QString root = folder;
  if (root.isEmpty()) root = qEnvironmentVariable("CLOISTER_PLUGINS");
  if (root.isEmpty()) root = QCoreApplication::applicationDirPath() + "/../plugins";
  PluginCatalogue catalogue;
  QDirIterator it(root, {"cloister_*.so"}, QDir::Files, QDirIterator::Subdirectories);
  while (it.hasNext()) {
    const QString file = it.next();
    const QJsonObject meta = QPluginLoader(file).metaData();
    PluginInfo info;
    info.iid = meta["IID"].toString();
    info.json = meta["MetaData"].toObject();
    info.kind = info.json["kind"].toString();
    info.id = info.json["id"].toString();
    info.name = info.json["name"].toString();
    info.file = file;
    if (info.id.isEmpty()) continue;
    if (auto schema = ParameterSchema::fromJson(info.json)) info.schema = *schema;
    else continue;
    catalogue.plugins_ << info;
  }
  std::sort(catalogue.plugins_.begin(), catalogue.plugins_.end(), [](auto& a, auto& b) { return a.id < b.id; });
  return catalogue;
}

QList<PluginInfo> PluginCatalogue::all(const QString& kind) const {
  QList<PluginInfo> list;
  for (const PluginInfo& p : plugins_)
    if (p.kind == kind) list << p;
  return list;
}

Result<PluginInfo> PluginCatalogue::find(const QString& kind, const QString& id) const {
  for (const PluginInfo& p : plugins_)
    if (p.kind == kind && p.id == id) return p;
  return Failure{FailureKind::NotFound, {{"path", kind + " plugin " + id}}, {}};
}

QString siblingProgram(const QString& name) {
  const QString override = qEnvironmentVariable("CLOISTER_BIN_DIR");
  return (override.isEmpty() ? QCoreApplication::applicationDirPath() : override) + '/' + name;
}

}  // namespace cloister
