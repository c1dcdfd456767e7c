// The main job by mouse and keyboard, offscreen, with the real children: sample project, freeze, train, evaluate, export, sign, verify.
// What a person sees decides every step: buttons are found by their words, pages by the keys a person presses.
#include <QComboBox>
#include <QDir>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "tests/widgets/controls.h"
#include "tests/widgets/hand.h"
#include "tests/widgets/watchdog.h"
#include "widgets/common/language.h"
#include "widgets/common/parameter_form.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"
#include "widgets/pages.h"

using namespace cloister;

class TestWholeWay : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  std::unique_ptr<StoreClient> store_;
  std::unique_ptr<MainWindow> window_;

  std::unique_ptr<Hand> hand_;

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
    // Pages are made while idle; what a first showing costs is measured elsewhere.
    for (const QString& id : window_->pageIds()) window_->pageOf(id);
  }

  void fromNothingToAVerifiedBundle() {
    static_cast<WatchedApplication*>(qApp)->watch(true);
    QVERIFY(hand_->press("Try the sample images"));
    QVERIFY2(
        QTest::qWaitFor([&] { return store_->state().counts.samples >= 60 && !store_->importing() && store_->pending() == 0; }, 240'000),
        qPrintable(hand_->bannerText()));
    QCOMPARE(store_->state().counts.refused, qint64(0));  // the table of labels beside the images is no refused image

    hand_->page(Qt::Key_2);
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("data"));
    QVERIFY(hand_->press("Back to the samples"));      // from the list of what was imported
    QVERIFY(hand_->press("Freeze snapshot"));          // opens the sheet
    QVERIFY(hand_->press("Freeze snapshot", 60'000));  // when the preview of the split is there
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().snapshots.isEmpty(); }, 60'000), qPrintable(hand_->bannerText()));
    QVERIFY(store_->state().snapshots.first().groups > 10);

    hand_->page(Qt::Key_3);
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("train"));
    auto* form = window_->currentPage()->findChild<ParameterForm*>();
    QVERIFY(form);
    QVERIFY(QTest::qWaitFor([&] { return form->field("epochs") != nullptr; }, 20'000));
    form->setValues({{"epochs", 2}});
    QVERIFY(hand_->press("Start training"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().runs.isEmpty() && store_->state().runs.first().state == u"finished"; }, 600'000),
             qPrintable(hand_->bannerText()));

    hand_->page(Qt::Key_4);
    QVERIFY(hand_->press("Evaluate on the test split"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().evaluated.isEmpty(); }, 600'000), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->press("Export this model", 30'000));
    QCOMPARE(window_->currentPage()->id(), QStringLiteral("export"));

    QVERIFY(hand_->press("Make the candidates"));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().exported.isEmpty(); }, 600'000), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->type("Name of the key", "ward7"));
    QVERIFY(hand_->type("Passphrase", "correct horse"));
    QVERIFY(hand_->type("Passphrase again", "correct horse"));
    QVERIFY(hand_->press("Create key"));
    QVERIFY(hand_->press("Create signed bundle", 60'000));
    QVERIFY2(QTest::qWaitFor([&] { return !store_->state().bundles.isEmpty(); }, 120'000), qPrintable(hand_->bannerText()));
    QVERIFY(hand_->press("Verify the bundle", 30'000));

    QCOMPARE(window_->currentPage()->id(), QStringLiteral("verify"));
    QVERIFY2(QTest::qWaitFor([&] { return hand_->reads("This bundle is whole"); }, 60'000), qPrintable(hand_->bannerText()));
  }

  void theWindowNeverHeldStill() {
    auto* app = static_cast<WatchedApplication*>(qApp);
    const bool held = app->longestNs() >= WatchedApplication::kLimitNs;
    if (held && WatchedApplication::machineIsBusy()) QSKIP("this machine has more to do than processors; the limit is not judged");
    QVERIFY2(!held, app->report().constData());
  }

  // With a project that has everything, in both languages: report cards, tables, the viewer, the sheets.
  void everyControlOfAFullProjectHasAName() {
    static_cast<WatchedApplication*>(qApp)->watch(false);
    for (const char* language : {"en", "zh_CN"}) {
      Language::current().set(language);
      for (const QString& id : window_->pageIds()) {
        window_->show_(id);
        for (const QString& view : QStringList{QString()} + window_->currentPage()->views()) {
          window_->currentPage()->openView(view);
          QVERIFY(QTest::qWaitFor([&] { return store_->pending() == 0; }, 60'000));
          int controls = 0;
          const QStringList nameless = namelessControls(window_.get(), controls);
          QVERIFY2(nameless.isEmpty(), qPrintable(language + QLatin1Char(' ') + id + ' ' + view + '\n' + nameless.join('\n')));
          QVERIFY(controls > 80);
        }
      }
    }
    Language::current().set("en");
  }

  void cleanupTestCase() {
    window_.reset();
    store_.reset();
  }
};

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qputenv("QTEST_FUNCTION_TIMEOUT", "1400000");  // the whole job in one function: minutes, and more on a busy machine
  WatchedApplication app(argc, argv);
  TestWholeWay test;
  return QTest::qExec(&test, argc, argv);
}
#include "test_whole_way.moc"
