// The cards of a language model's evaluation: what they say of a report, with a base and without.
#include <QJsonArray>
#include <QLabel>
#include <QTableWidget>
#include <QTest>

#include "widgets/common/plot.h"
#include "widgets/evaluate/language_cards.h"

using namespace cloister;

class TestLanguageCards : public QObject {
  Q_OBJECT
  static QJsonObject headline(bool base) {
    QJsonObject row{{"name", "perplexity"}, {"value", 9.5}, {"low", 8.5}, {"high", 10.5}, {"n", 31}};
    if (base) row["base"] = QJsonObject{{"value", 20.5}, {"low", 18.5}, {"high", 22.5}}, row["p"] = 0.0002;
    return {{"headline", QJsonArray{row}}};
  }
  static QString textOf(const QWidget& box) {
    QStringList all;
    for (const QLabel* l : box.findChildren<QLabel*>()) all << l->text();
    return all.join('|');
  }

 private Q_SLOTS:
  void figures() {
    QWidget parent;
    const QString with = textOf(*report::languageHeadline(headline(true), &parent));
    QVERIFY(with.contains("9.5") && with.contains("20.5") && with.contains("p < 0.001") && with.contains("31"));
    const QString without = textOf(*report::languageHeadline(headline(false), &parent));
    QVERIFY(without.contains("9.5") && !without.contains("20.5") && !without.contains("p "));
    QCOMPARE(report::significance(0.034), QStringLiteral("p = 0.034"));
  }
  void answers() {
    QWidget parent;
    QJsonObject sample{{"prompt", "a\nb"}, {"reference", "r"}, {"output", "o"}};
    auto* table = qobject_cast<QTableWidget*>(report::answersTable({{"samples", QJsonArray{sample}}}, &parent));
    QVERIFY(table && table->columnCount() == 3 && !table->accessibleName().isEmpty());
    QVERIFY(!table->item(0, 0)->text().contains('\n'));
    sample["baseOutput"] = "theirs";
    table = qobject_cast<QTableWidget*>(report::answersTable({{"samples", QJsonArray{sample}}}, &parent));
    QVERIFY(table && table->columnCount() == 4);
    QCOMPARE(table->item(0, 3)->text(), QStringLiteral("theirs"));
  }
  void attacks() {
    QWidget parent;
    QVERIFY(!report::embeddingAttackPlot({}, &parent));
    const QJsonObject point{{"epsilon", 0.1}, {"successRate", 0.25}, {"perplexity", 12}, {"readTheSame", 1}};
    const QJsonObject one{{"attacks", QJsonArray{QJsonObject{{"kind", "pgd"}, {"epsilons", QJsonArray{point}}}}}};
    auto* plot = report::embeddingAttackPlot(one, &parent);
    QVERIFY(plot && plot->graphCount() == 1 && !plot->accessibleName().isEmpty());
    QCOMPARE(plot->graph(0)->data()->at(0)->value, 0.25);
  }
  void sentences() {
    QVERIFY(
        report::memorisationText({{"memorisation", QJsonObject{{"texts", 200}, {"repeated", 3}, {"promptTokens", 32}}}}).contains("200"));
    QVERIFY(report::judgedText({{"part", "validation"}, {"texts", 31}}) != report::judgedText({{"part", "test"}, {"texts", 31}}));
  }
};

QTEST_MAIN(TestLanguageCards)
#include "test_language_cards.moc"
