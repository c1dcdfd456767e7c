// The planner for many GPUs: it proposes what the cost model proposes, says why nothing fits, and follows the fields.
#include <QComboBox>
#include <QJsonArray>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTableWidget>
#include <QTest>

#include "core/domain/scale_model.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/text/scale_planner.h"

using namespace cloister;

class TestScalePlanner : public QObject {
  Q_OBJECT

  static QSpinBox* spinNamed(const ScalePlanner& p, const QString& name) {
    for (QSpinBox* box : p.findChildren<QSpinBox*>())
      if (box->accessibleName() == name) return box;
    return nullptr;
  }

 private Q_SLOTS:
  void proposals() {
    Language::current().set("en");
    const DecoderConfig config = planPreset("deepseek-coder-33b").value();
    Theme::current().set(Theme::Kind::Light);
    StoreClient store;
    ScalePlanner planner(store, nullptr);
    planner.resize(1100, 760);
    planner.show();
    planner.begin("coder", config.toJson());
    auto* table = planner.findChild<QTableWidget*>();
    QTRY_COMPARE(table->rowCount(), 5);
    const QJsonObject report =
        scaleReport(config, {{"machine", "h100"}, {"compute", "bf16"}, {"gpus", 8}, {"sequence", 4096}, {"globalBatch", 1024}}).value();
    for (int i = 0; i < 5; ++i) QCOMPARE(table->item(i, 0)->text(), report["best"].toArray()[i].toObject()["layout"].toString());
    QString assumed;
    for (auto* text : planner.findChildren<QPlainTextEdit*>()) assumed += text->toPlainText();
    for (const QJsonValue& a : report["assumptions"].toArray()) QVERIFY(assumed.contains(a.toObject()["text"].toString()));
    if (const QString to = qEnvironmentVariable("CLOISTER_PICTURES"); !to.isEmpty()) planner.grab().save(to + "/scale_planner.png");

    QComboBox* machine = planner.findChild<QComboBox*>();
    machine->setCurrentIndex(machine->findData("a100-40"));  // 533 GB of states do not fit 320
    QTRY_COMPARE(table->rowCount(), 0);
    QStringList sentences;
    for (const QLabel* label : planner.findChildren<QLabel*>()) sentences << label->text();
    QVERIFY(sentences.join('|').contains("No layout of these GPUs fits. It fits on a100-80"));
    QSpinBox* gpus = spinNamed(planner, "Number of GPUs");
    QVERIFY(gpus);
    gpus->setValue(64);
    QTRY_COMPARE(table->rowCount(), 5);
  }

  void everyControlHasAName() {
    StoreClient store;
    ScalePlanner planner(store, nullptr);
    for (const char* code : {"en", "zh_CN"}) {
      Language::current().set(code);
      for (const QSpinBox* box : planner.findChildren<QSpinBox*>()) QVERIFY(!box->accessibleName().isEmpty());
      for (const QComboBox* box : planner.findChildren<QComboBox*>()) QVERIFY(!box->accessibleName().isEmpty());
      for (const QPlainTextEdit* text : planner.findChildren<QPlainTextEdit*>()) QVERIFY(!text->accessibleName().isEmpty());
    }
    Language::current().set("en");
  }
};

QTEST_MAIN(TestScalePlanner)
#include "test_scale_planner.moc"
