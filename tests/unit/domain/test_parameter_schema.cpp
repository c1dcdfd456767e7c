#include <QJsonDocument>
#include <QTest>

#include "core/domain/parameter_schema.h"

using namespace cloister;

class TestParameterSchema : public QObject {
  Q_OBJECT
  static ParameterSchema schema() {
    const auto json = QJsonDocument::fromJson(R"({"parameters":[
      {"key":"epochs","type":"integer","default":10,"minimum":1,"maximum":1000},
      {"key":"learning_rate","type":"number","default":null,"minimum":0,"maximum":1},
      {"key":"optimizer","type":"choice","choices":["adamw","sgd"],"default":"adamw"},
      {"key":"flip","type":"boolean","default":false}]})")
                          .object();
    return *ParameterSchema::fromJson(json);
  }

 private Q_SLOTS:
  void defaultsFillWhatIsNotGiven() {
    auto complete = schema().complete({{"epochs", 3}});
    QVERIFY(complete);
    QCOMPARE((*complete)["epochs"].toInt(), 3);
    QCOMPARE((*complete)["optimizer"].toString(), QStringLiteral("adamw"));
    QVERIFY((*complete)["learning_rate"].isNull());
  }

  void textFromACommandLineBecomesTheType() {
    auto complete = schema().complete({{"epochs", "12"}, {"learning_rate", "3e-5"}, {"flip", "yes"}});
    QVERIFY(complete);
    QCOMPARE((*complete)["epochs"].toInt(), 12);
    QCOMPARE((*complete)["learning_rate"].toDouble(), 3e-5);
    QVERIFY((*complete)["flip"].toBool());
  }

  void whatIsNotAllowedIsNamed_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<QJsonValue>("value");
    QTest::newRow("below") << "epochs" << QJsonValue(0);
    QTest::newRow("fraction") << "epochs" << QJsonValue(1.5);
    QTest::newRow("not a number") << "learning_rate" << QJsonValue("fast");
    QTest::newRow("not finite") << "learning_rate" << QJsonValue("nan");
    QTest::newRow("unknown choice") << "optimizer" << QJsonValue("adam");
    QTest::newRow("unknown key") << "epoch" << QJsonValue(3);
  }
  void whatIsNotAllowedIsNamed() {
    QFETCH(QString, key);
    QFETCH(QJsonValue, value);
    auto complete = schema().complete({{key, value}});
    QVERIFY(!complete);
    QCOMPARE(complete.error().kind, FailureKind::InvalidArgument);
    QVERIFY(describe(complete.error()).contains(key));
  }
};

QTEST_GUILESS_MAIN(TestParameterSchema)
#include "test_parameter_schema.moc"
