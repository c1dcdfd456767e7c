// A family that is only described: what the supervisor and the command line need of one. Nobody loads it.
#include <QObject>
#include <QtPlugin>

class TestFamily : public QObject {
  Q_OBJECT
  Q_PLUGIN_METADATA(IID "org.cloister.FamilyPlugin/1" FILE "test_family.json")
};

#include "test_family.moc"
