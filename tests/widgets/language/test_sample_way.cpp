// The whole way with a language model by mouse and keyboard, offscreen, with the real children and no data of one's own: sample texts,
// freeze, tokenizer, training from scratch, answers, evaluation, export, a signed bundle, and its verification.
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include "tests/widgets/hand.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/store_client.h"
#include "widgets/pages.h"
#include "widgets/tryit/transcript.h"

using namespace cloister;

namespace {
constexpr int kLongMs = 600'000;
}

class TestSampleWay : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;
  std::unique_ptr<Hand> hand_;

  template <typename T>
  T* named(const QString& name) const {
    for (auto* w : window_->currentPage()->findChildren<T*>())
      if (w->isVisible() && w->accessibleName() == name) return w;
    return nullptr;
  }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("HOME", home_.path().toUtf8());
    qputenv("XDG_DATA_HOME", home_.filePath("data").toUtf8());
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qputenv("XDG_DOCUMENTS_DIR", home_.filePath("documents").toUtf8());
    qputenv("CLOISTER_KEYS", home_.filePath("keys").toUtf8());
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    qputenv("CLOISTER_PLUGINS", CLOISTER_BIN_DIR "/../plugins");
    Language::current().set("en");
    store_ = std::make_unique<StoreClient>();
    window_ = std::make_unique<MainWindow>(*store_);
    addPages(*window_);
    hand_ = std::make_unique<Hand>(*window_);
    window_->resize(1366, 768);
    window_->show_("project");
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    for (const QString& id : window_->pageIds()) window_->pageOf(id);
  }

  void textsToATokenizer() {
    static_cast<WatchedApplication*>(qApp)->watch(true);
    QVERIFY(hand_->press("Try the sample texts"));
    QVERIFY(hand_->press("Back to the texts", 120'000));
    QVERIFY(hand_->press("Freeze snapshot"));          // opens the sheet
    QVERIFY(hand_->press("Freeze snapshot", 60'000));  // when the division is there
    QVERIFY(hand_->press("Now a model or a tokenizer", 60'000));
    QVERIFY(hand_->press("Train a tokenizer…"));
    QVERIFY(hand_->press("Train tokenizer"));  // with what the sheet proposes
    QVERIFY2(QTest::qWaitFor([&] { return hand_->reads("is in the project now"); }, kLongMs), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->press("Continue with training"));
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("train"));
  }

  void aRunFromScratch() {
    auto* form = window_->currentPage()->findChild<ParameterForm*>();
    QVERIFY(QTest::qWaitFor([&] { return form->field("architecture") != nullptr; }, 20'000));
    QCOMPARE(form->values()["architecture"].toString(), QStringLiteral("llama-1m"));  // as large as the texts deserve
    form->setValues({{"architecture", "llama-1m"}, {"max_steps", 30}});
    QVERIFY(hand_->press("Start training", 60'000));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().runs.isEmpty() && store_->state().runs.first().state == u"finished"; }, kLongMs),
             qPrintable(hand_->bannerText()));
    QVERIFY(hand_->press("Evaluate this run"));
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("evaluate"));
  }

  void evaluationAsAsked() {
    named<QSpinBox>("Answers written and judged, at most")->setValue(6);
    named<QSpinBox>("Longest answer, in tokens")->setValue(5);
    QVERIFY(hand_->press("Evaluate on the test split"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().evaluated.isEmpty(); }, kLongMs), qPrintable(hand_->bannerText()));
    const QString run = store_->state().runs.first().id;
    QFile file(store_->state().dir + "/runs/" + run + "/evaluation/report.json");
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject generation = QJsonDocument::fromJson(file.readAll()).object()["generation"].toObject();
    QCOMPARE(generation["asked"].toInt(), 6);
    QCOMPARE(generation["newTokens"].toInt(), 5);
  }

  void itAnswers() {
    hand_->page(Qt::Key_5);
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("try"));
    QVERIFY(QTest::qWaitFor([&] { return store_->pending() == 0; }, 20'000));
    QVERIFY(hand_->press("Chat"));
    named<QSpinBox>("Tokens at most")->setValue(8);
    QTest::keyClicks(named<QPlainTextEdit>("Your question"), "Is the heart enlarged?");
    QVERIFY(hand_->press("Ask"));
    QVERIFY(QTest::qWaitFor([&] { return store_->pending() == 0; }, 60'000));
    bool answered = false;
    for (auto* text : window_->currentPage()->findChildren<Transcript*>()) answered = answered || text->parts().size() == 2;
    QVERIFY2(answered, qPrintable(hand_->bannerText()));
  }

  void aSignedBundle() {
    hand_->page(Qt::Key_4);
    QVERIFY(hand_->press("Export this model", 30'000));
    QVERIFY(hand_->press("Make the candidates"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().exported.isEmpty(); }, kLongMs), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->type("Name of the key", "ward7"));
    QVERIFY(hand_->type("Passphrase", "correct horse"));
    QVERIFY(hand_->type("Passphrase again", "correct horse"));
    QVERIFY(hand_->press("Create key"));
    QVERIFY(hand_->press("Create signed bundle", 60'000));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().bundles.isEmpty(); }, kLongMs), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->press("Verify the bundle", 30'000));
    QVERIFY2(QTest::qWaitFor([&] { return hand_->reads("This bundle is whole"); }, 60'000), qPrintable(hand_->bannerText()));
  }

  void theWindowNeverHeldStill() {
    auto* app = static_cast<WatchedApplication*>(qApp);
    const bool held = app->longestNs() >= WatchedApplication::kLimitNs;
    if (held && WatchedApplication::machineIsBusy()) QSKIP("this machine has more to do than processors; the limit is not judged");
    QVERIFY2(!held, app->report().constData());
  }

  void cleanupTestCase() {
    window_.reset();
    store_.reset();
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qputenv("QTEST_FUNCTION_TIMEOUT", "1400000");
  WatchedApplication app(argc, argv);
  TestSampleWay test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_sample_way.moc"
