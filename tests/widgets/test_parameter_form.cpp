// The form drawn from a ParameterSchema: fields by type, only what differs comes back, refusals beside the field, More.
#include <QCheckBox>
#include <QComboBox>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSpinBox>
#include <QtTest>

#include "widgets/common/parameter_form.h"
#include "widgets/common/path_edit.h"

using namespace cloister;

namespace {

ParameterSchema schema() {
  const QJsonArray parameters{
      QJsonObject{{"key", "epochs"},
                  {"type", "integer"},
                  {"default", 20},
                  {"minimum", 1},
                  {"maximum", 1000},
                  {"group", "basic"},
                  {"label", "Epochs"}},
      QJsonObject{{"key", "learning_rate"},
                  {"type", "number"},
                  {"default", 3e-5},
                  {"minimum", 0},
                  {"maximum", 1},
                  {"group", "basic"},
                  {"label", "Learning rate"},
                  {"help", "Step size."}},
      QJsonObject{{"key", "model"},
                  {"type", "choice"},
                  {"choices", QJsonArray{"small", "resnet18"}},
                  {"default", "small"},
                  {"group", "basic"},
                  {"label", "Model"}},
      QJsonObject{{"key", "ema"}, {"type", "boolean"}, {"default", true}, {"label", "Average weights"}},
      QJsonObject{
          {"key", "threads"}, {"type", "integer"}, {"default", QJsonValue()}, {"minimum", 1}, {"maximum", 64}, {"label", "Threads"}},
      QJsonObject{{"key", "weights"}, {"type", "file"}, {"default", ""}, {"label", "Weights"}}};
  auto s = ParameterSchema::fromJson({{"parameters", parameters}});
  return *s;
}

}  // namespace

class TestParameterForm : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void fieldsByType();
  void onlyWhatDiffers();
  void refusalBesideTheField();
  void moreOpensTheRest();
  void namesForScreenReaders();
};

void TestParameterForm::fieldsByType() {
  ParameterForm form;
  form.setSchema(schema());
  QVERIFY(qobject_cast<QSpinBox*>(form.field("epochs")));
  QVERIFY(qobject_cast<QLineEdit*>(form.field("learning_rate")));
  QVERIFY(qobject_cast<QComboBox*>(form.field("model")));
  QVERIFY(qobject_cast<QCheckBox*>(form.field("ema")));
  QVERIFY(qobject_cast<QLineEdit*>(form.field("threads")));  // decided at start: cannot be a spin box
  QVERIFY(qobject_cast<PathEdit*>(form.field("weights")));
  QCOMPARE(qobject_cast<QLineEdit*>(form.field("learning_rate"))->text(), QString("3e-05"));
  QVERIFY(!form.field("nothing"));
}

void TestParameterForm::onlyWhatDiffers() {
  ParameterForm form;
  form.setSchema(schema(), {{"epochs", 5}});
  QCOMPARE(form.values(), (QJsonObject{{"epochs", 5}}));
  QSignalSpy changed(&form, &ParameterForm::changed);
  qobject_cast<QLineEdit*>(form.field("learning_rate"))->setText("1e-3");
  qobject_cast<QCheckBox*>(form.field("ema"))->setChecked(false);
  qobject_cast<QLineEdit*>(form.field("threads"))->setText("4");
  QCOMPARE(form.values(), (QJsonObject{{"epochs", 5}, {"learning_rate", 1e-3}, {"ema", false}, {"threads", 4}}));
  QCOMPARE(changed.count(), 3);
  form.setValues({});
  QCOMPARE(form.values(), QJsonObject());
  auto complete = form.complete();
  QVERIFY(bool(complete));
  QCOMPARE(complete->size(), 6);
  QVERIFY((*complete)["threads"].isNull());
}

void TestParameterForm::refusalBesideTheField() {
  ParameterForm form;
  form.setSchema(schema());
  auto* rate = qobject_cast<QLineEdit*>(form.field("learning_rate"));
  rate->setText("7");
  const auto refused = form.complete();
  QVERIFY(!refused);
  QCOMPARE(refused.error().kind, FailureKind::InvalidArgument);
  QVERIFY(rate->property("wrong").toBool());
  rate->setText("0.01");
  QVERIFY(bool(form.complete()));
  QVERIFY(!rate->property("wrong").toBool());
  qobject_cast<QLineEdit*>(form.field("threads"))->setText("many");
  QVERIFY(!form.complete());
  QVERIFY(form.moreOpen());  // the refused field is not hidden
}

void TestParameterForm::moreOpensTheRest() {
  ParameterForm form;
  form.setSchema(schema());
  form.show();
  QVERIFY(form.field("epochs")->isVisible());
  QVERIFY(!form.field("ema")->isVisible());
  form.setMoreOpen(true);
  QVERIFY(form.field("ema")->isVisible());
}

void TestParameterForm::namesForScreenReaders() {
  ParameterForm form;
  form.setSchema(schema());
  QCOMPARE(form.field("learning_rate")->accessibleName(), QString("Learning rate"));
  QCOMPARE(form.field("learning_rate")->accessibleDescription(), QString("Step size."));
}

QTEST_MAIN(TestParameterForm)
#include "test_parameter_form.moc"
