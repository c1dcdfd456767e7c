// Every plugin that was built carries the metadata the GUI describes it by. A plugin without it would link and never be found.
#include <QDirIterator>
#include <QJsonArray>
#include <QPluginLoader>
#include <QTest>

#include "core/extension/plugin_catalogue.h"
#include "core/extension/source_plugin.h"
#include "core/extension/table_reader.h"

using namespace cloister;

class TestPluginMetadata : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyLibraryIsInTheCatalogue() {
    const PluginCatalogue catalogue = PluginCatalogue::scan(folder());
    int libraries = 0;
    QDirIterator it(folder(), {"*.so"}, QDir::Files, QDirIterator::Subdirectories);
    while (it.hasNext()) {
      const QString file = it.next();
      ++libraries;
      const QJsonObject meta = QPluginLoader(file).metaData();
      QVERIFY2(!meta["IID"].toString().isEmpty(), qPrintable(file));
      const QJsonObject json = meta["MetaData"].toObject();
      QVERIFY2(catalogue.find(json["kind"].toString(), json["id"].toString()), qPrintable(file + " is not in the catalogue"));
      QVERIFY2(!json["name"].toString().isEmpty(), qPrintable(file));
    }
    QVERIFY(libraries >= 3);
  }

  void sourcesSayWhatTheyRead() {
    const PluginCatalogue catalogue = PluginCatalogue::scan(folder());
    QStringList ids;
    for (const PluginInfo& p : catalogue.all("source")) {
      ids << p.id;
      QVERIFY2(!p.json["filePatterns"].toArray().isEmpty(), qPrintable(p.id));
      const QString iid = p.id == u"table" ? QStringLiteral(CloisterTableReader_iid) : QStringLiteral(CloisterSourcePlugin_iid);
      QCOMPARE(p.iid, iid);
      // The defaults must satisfy the plugin's own schema.
      const auto complete = p.schema.complete({});
      QVERIFY2(complete, qPrintable(p.id));
      for (const Parameter& parameter : p.schema.parameters()) QVERIFY2(!parameter.label.isEmpty(), qPrintable(p.id + ' ' + parameter.key));
    }
    QCOMPARE(ids, (QStringList{"dicom", "images", "table", "text"}));
  }

 private:
  static QString folder() { return QStringLiteral(CLOISTER_BIN_DIR "/../plugins"); }
};

QTEST_GUILESS_MAIN(TestPluginMetadata)
#include "test_plugin_metadata.moc"
